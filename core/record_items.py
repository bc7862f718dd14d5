"""The lists of a record: problems, allergies, medication, what was before, vaccinations.

Entries are never changed: one ends, as over or as a mistake, and another says it better. So the record shows
what was known when.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit, clinics, clock, treatments
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.texts import are_readable, several_lines
from db.models import Ending, ItemKind, Patient, RecordItem, Severity, User

NAME_LENGTH = 200
DETAILS_LENGTH = 2000
LISTS: Mapping[ItemKind, str] = MappingProxyType(
    {
        ItemKind.ALLERGY: N_("Allergies"),
        ItemKind.PROBLEM: N_("Problems"),
        ItemKind.MEDICATION: N_("Medication"),
        ItemKind.HISTORY: N_("Medical history"),
        ItemKind.VACCINATION: N_("Vaccinations"),
    }
)
SEVERITIES: Mapping[Severity, str] = MappingProxyType(
    {Severity.MILD: N_("mild"), Severity.MODERATE: N_("moderate"), Severity.SEVERE: N_("severe")}
)


class ItemNameMissing(ClinicError):
    message = N_("Please say what it is.")


class ItemTooLong(ClinicError):
    message = N_("Please shorten it: at most {name} characters for what it is, {details} for the rest.")


class ItemUnreadable(ClinicError):
    message = N_("There are characters in it that cannot be shown. Please type it again.")


class ItemInFuture(ClinicError):
    message = N_("The day cannot be after today.")


class ItemBeforeBirth(ClinicError):
    message = N_("The day cannot be before the patient's birth.")


class NotAnAllergy(ClinicError):
    message = N_("Only an allergy has a severity.")


class AlreadyListed(ClinicError):
    message = N_("{name} is on this list already.")


class AlreadyEnded(ClinicError):
    message = N_("This entry has been ended already.")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry. `noted_by` is None where that was not kept; what has ended says why in `ending`."""

    item_id: int
    kind: ItemKind
    name: str
    details: str
    severity: Severity | None
    since_on: date | None
    noted_at: datetime
    noted_by: str | None
    ended_at: datetime | None
    ending: Ending | None


def listed(session: Session, patient_id: int) -> list[Item]:
    """A patient's entries: those that count first, severe allergies before others, then the latest first.

    For services that have asked the access table already.
    """
    rows = session.execute(
        select(RecordItem, User.name)
        .outerjoin(User, User.id == RecordItem.noted_by_id)
        .where(RecordItem.patient_id == patient_id)
        .order_by(RecordItem.noted_at.desc(), RecordItem.id.desc())
    )
    found = [_shown(item, noted_by) for item, noted_by in rows]
    return sorted(found, key=lambda each: (each.ended_at is not None, each.severity is not Severity.SEVERE))


def _shown(item: RecordItem, noted_by: str | None) -> Item:
    return Item(
        item_id=item.id,
        kind=item.kind,
        name=item.name,
        details=item.details,
        severity=item.severity,
        since_on=item.since_on,
        noted_at=item.noted_at,
        noted_by=noted_by,
        ended_at=item.ended_at,
        ending=item.ending,
    )


def add(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    kind: ItemKind,
    name: str,
    details: str = "",
    severity: Severity | None = None,
    since_on: date | None = None,
    request_key: UUID | None = None,
) -> None:
    """Put something on a list of an own patient's record; `request_key` makes a double click count once.

    Raises `ItemNameMissing`, `ItemTooLong`, `ItemUnreadable`, `ItemInFuture`, `ItemBeforeBirth`,
    `NotAnAllergy`, `AlreadyListed`, `AccessDenied`.
    """
    treatments.require_own(session, actor, Action.KEEP_LISTS, patient_id=patient_id)
    if severity is not None and kind is not ItemKind.ALLERGY:
        raise NotAnAllergy
    called, rest = _readable(name, details)
    _require_possible(session, patient_id, since_on)
    # One patient's lists are written in turn: the same allergy from two tabs is one.
    session.get_one(Patient, patient_id, with_for_update={"key_share": True})
    known = {each.name.casefold() for each in listed(session, patient_id) if _counts(each, kind)}
    values = {"kind": kind, "name": called, "details": rest, "severity": severity, "since_on": since_on}
    written = insert(RecordItem).values(
        patient_id=patient_id,
        noted_at=clock.now(),
        noted_by_id=actor.user_id,
        request_key=request_key,
        **values,
    )
    sent_before = select(RecordItem.id).where(RecordItem.request_key == request_key)
    if request_key is not None and session.scalar(sent_before) is not None:
        return
    if called.casefold() in known:
        raise AlreadyListed(name=called)
    number = session.scalar(written.on_conflict_do_nothing().returning(RecordItem.id))
    if number is not None:
        _note(session, actor, number, patient_id, begun=True)


def end(session: Session, actor: Actor, *, item_id: int, ending: Ending) -> None:
    """Let an entry of an own patient's record count no more.

    Raises `AlreadyEnded`, `AccessDenied`, `NotFound`.
    """
    item = session.get(RecordItem, item_id, with_for_update=True)
    if item is None:
        raise NotFound
    treatments.require_own(session, actor, Action.KEEP_LISTS, patient_id=item.patient_id)
    if item.ended_at is not None:
        raise AlreadyEnded
    item.ended_at, item.ended_by_id, item.ending = clock.now(), actor.user_id, ending
    _note(session, actor, item.id, item.patient_id, begun=False)


def _counts(item: Item, kind: ItemKind) -> bool:
    return item.kind is kind and item.ended_at is None


def _readable(name: str, details: str) -> tuple[str, str]:
    called, rest = " ".join(name.split()), several_lines(details)
    if not are_readable(called) or not are_readable(rest):
        raise ItemUnreadable
    if not called:
        raise ItemNameMissing
    if len(called) > NAME_LENGTH or len(rest) > DETAILS_LENGTH:
        raise ItemTooLong(name=NAME_LENGTH, details=DETAILS_LENGTH)
    return called, rest


def _require_possible(session: Session, patient_id: int, since_on: date | None) -> None:
    if since_on is None:
        return
    if since_on > clock.now().astimezone(clinics.zone(session)).date():
        raise ItemInFuture
    if since_on < session.scalars(select(Patient.birth_on).where(Patient.id == patient_id)).one():
        raise ItemBeforeBirth


def _note(session: Session, actor: Actor, number: int, patient_id: int, *, begun: bool) -> None:
    audit.record(
        session,
        actor,
        Action.KEEP_LISTS,
        kind="record item",
        number=number,
        patient_id=patient_id,
        change="added" if begun else "ended",
    )
