"""The audit trail as it is read: by an administrator, and by a patient who asks who opened their record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Result, Select, or_, select
from sqlalchemy.orm import Session

from core import access, audit, clinics, spreadsheets
from core.access import Action, Actor
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_, _
from core.texts import has_word, search_words
from core.wall_time import instant_reached
from db.models import AuditEntry, Outcome, Patient, User

PAGE = 50
NAMED = 20
EXPORTED = 100_000
FIRST_YEAR, LAST_YEAR = 1900, 2999
ACTIONS = sorted({*Action, *Event})
LOOKS = (
    Action.SEE_RECORD,
    Action.BREAK_GLASS,
    Action.SEE_CONTACT,
    Action.SEE_APPOINTMENT,
    Action.EXPORT_PATIENT,
    Action.ERASE_PATIENT,
)
COLUMNS = (
    *("id", "at", "user_id", "user", "role", "action", "outcome", "object", "object_id"),
    *("patient_id", "patient", "for_another", "address", "detail"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for, days being the clinic's. People go by number: no address shall hold a name."""

    user_ids: tuple[int, ...] | None = None
    patient_ids: tuple[int, ...] | None = None
    action: str | None = None
    outcome: str | None = None
    from_on: date | None = None
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One entry with the names that go with its numbers today; None where there is nobody."""

    id: int
    at: datetime
    user_id: int | None
    user: str | None
    role: str | None
    action: str
    outcome: Outcome
    object_kind: str
    object_id: int | None
    patient_id: int | None
    patient: str | None
    for_another: bool
    address: str | None
    detail: dict[str, Any] | None


def search(session: Session, actor: Actor, wanted: Wanted, *, page: int = 0) -> tuple[list[Line], bool]:
    """The entries that fit, 50 a page, the newest first, and whether there are more."""
    access.require(actor, Action.SEE_AUDIT)
    audit.record_read(session, actor, Action.SEE_AUDIT, kind="audit trail", number=0)
    rows = session.execute(_fitting(session, wanted).offset(page * PAGE).limit(PAGE + 1)).all()
    return [Line(*row) for row in rows[:PAGE]], len(rows) > PAGE


def people_named(session: Session, actor: Actor, *, text: str) -> dict[int, str]:
    """At most 20 accounts whose name or user name fits `text`, by number."""
    access.require(actor, Action.SEE_AUDIT)
    fits = [or_(has_word(User.name_folded, word), User.username == word) for word in search_words(text)]
    query = select(User.id, User.name).where(*fits).order_by(User.name_folded, User.id).limit(NAMED)
    return dict(iter(session.execute(query))) if fits else {}


def patients_named(session: Session, actor: Actor, *, text: str) -> dict[int, str]:
    """At most 20 patients whose name fits `text`, by number."""
    access.require(actor, Action.SEE_AUDIT)
    fits = [has_word(Patient.name_folded, word) for word in search_words(text)]
    query = select(Patient.id, Patient.name).where(*fits).order_by(Patient.name_folded, Patient.id)
    return dict(iter(session.execute(query.limit(NAMED)))) if fits else {}


def check(session: Session, actor: Actor) -> list[str]:
    """What does not fit in the trail, one line each; empty when every entry is as it was written."""
    access.require(actor, Action.SEE_AUDIT)
    return audit.faults(session)


def accesses(session: Session, actor: Actor, *, patient_id: int, page: int = 0) -> tuple[list[Line], bool]:
    """Who opened what of a patient's, 50 a page, the newest first, and whether there are more.

    Who tried in vain is the administrator's to know: it may be another patient.
    """
    access.require(actor, Action.SEE_ACCESSES, patient_id=patient_id)
    wanted = Wanted(patient_ids=(patient_id,), outcome=Outcome.DONE)
    query = _fitting(session, wanted).where(AuditEntry.action.in_(LOOKS))
    rows = session.execute(query.offset(page * PAGE).limit(PAGE + 1)).all()
    return [Line(*row) for row in rows[:PAGE]], len(rows) > PAGE


def as_csv(session: Session, actor: Actor, wanted: Wanted) -> bytes:
    """The entries that fit as CSV in UTF-8, the newest first: at most 100,000, and a last row when cut.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    access.require(actor, Action.SEE_AUDIT)
    audit.record(session, actor, Action.SEE_AUDIT, kind="audit export")
    rows = session.execute(_fitting(session, wanted).limit(EXPORTED + 1).execution_options(yield_per=1000))
    return spreadsheets.as_csv(COLUMNS, _cut(rows))


def _cut(rows: Result[*tuple[Any, ...]]) -> Iterator[Sequence[object]]:
    """As many rows as a file may have, and a word where there are more."""
    yield from islice(rows, EXPORTED)
    if rows.first() is not None:
        yield [_("Only the newest {count} entries are here.").format(count=EXPORTED)]


def _fitting(session: Session, wanted: Wanted) -> Select[*tuple[Any, ...]]:
    entry = AuditEntry
    query: Select[*tuple[Any, ...]] = (
        select(
            *(entry.id, entry.at, entry.user_id, User.name, entry.role, entry.action, entry.outcome),
            *(entry.object_kind, entry.object_id, entry.patient_id, Patient.name.label("patient")),
            *(entry.for_another, entry.address, entry.detail),
        )
        .outerjoin(User, User.id == entry.user_id)
        .outerjoin(Patient, Patient.id == entry.patient_id)
        .order_by(entry.at.desc(), entry.id.desc())
    )
    for column, value in ((entry.action, wanted.action), (entry.outcome, wanted.outcome)):
        if value is not None:
            query = query.where(column == value)
    for number, ids in ((entry.user_id, wanted.user_ids), (entry.patient_id, wanted.patient_ids)):
        if ids is not None:
            query = query.where(number.in_(ids))
    zone = clinics.zone(session)
    if wanted.from_on is not None:
        query = query.where(entry.at >= instant_reached(zone, datetime.combine(wanted.from_on, time())))
    if wanted.until_on is not None and wanted.until_on < date.max:
        ends = datetime.combine(wanted.until_on + timedelta(days=1), time())
        query = query.where(entry.at < instant_reached(zone, ends))
    return query


class FilterUnreadable(ClinicError):
    message = N_("That is not a filter of the audit trail.")


def as_query(wanted: Wanted) -> dict[str, str]:
    """`wanted` as the query of an address; `from_query` reads it again."""
    ids = {"users": wanted.user_ids, "patients": wanted.patient_ids}
    query = {name: ",".join(map(str, numbers)) for name, numbers in ids.items() if numbers is not None}
    for name in ("action", "outcome", "from_on", "until_on"):
        if (value := getattr(wanted, name)) is not None:
            query[name] = str(value)
    return query


def from_query(query: Mapping[str, str]) -> Wanted:
    """What the query of an address asks for. Raises `FilterUnreadable`: anybody may write anything there."""
    outcome = query.get("outcome")
    try:
        return Wanted(
            user_ids=_numbers(query.get("users")),
            patient_ids=_numbers(query.get("patients")),
            action=query.get("action", "").replace("\0", "") or None,
            outcome=None if outcome is None else Outcome(outcome).value,
            from_on=_day(query.get("from_on")),
            until_on=_day(query.get("until_on")),
        )
    except ValueError:
        raise FilterUnreadable from None


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    numbers = tuple(int(number) for number in text.split(",")[:NAMED] if number)
    if any(number >= 2**31 or number < 0 for number in numbers):
        raise ValueError
    return numbers


def _day(text: str | None) -> date | None:
    """A day of the trail. Raises `ValueError` for one so far away that a clock's zone leads out of time."""
    if text is None:
        return None
    found = date.fromisoformat(text)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError
    return found
