"""The visits behind a row of a figure, for whoever may see each of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Integer, any_, extract, func, select
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, figure_charts
from core.access import Action, Actor
from core.agendas import WITH_PEOPLE
from core.analytics import names, steps
from core.analytics.odds import LEADS
from core.analytics.revenue import METHODS
from core.analytics.scopes import Scope, next_step
from core.figure_filters import Filters
from core.figures import Table
from db.models import Appointment, AppointmentStatus, Doctor, LedgerEntry, PaymentMethod

MOST = 200
_DAY = timedelta(days=1)
_UNBOOKED = (AppointmentStatus.PENDING, AppointmentStatus.EXPIRED)  # which no figure counts
_AHEAD = "revenue-forecast"
_BY_STEP = ("revenue-over_time", "utilisation-over_time", "missed-over_time", _AHEAD)
# By which column of a visit a row's name narrows the scope, and among which names that is looked for.
_BY_NAME = {
    "revenue-by_doctor": ("doctor_id", "doctors"),
    "utilisation-by_doctor": ("doctor_id", "doctors"),
    "missed-by_doctor": ("doctor_id", "doctors"),
    "revenue-by_service": ("service_id", "services"),
    "revenue-by_place": ("location_id", "places"),
}


# By which of a visit's own traits a row narrows the scope.
_BY_PART = {
    "revenue-by_specialty": "specialty",
    "revenue-by_method": "method",
    "missed-by_lead": "lead",
    "demand-lead_times": "lead",
    "missed-by_confirmation": "has_said",
}


class Wanted(NamedTuple):
    """The visits that were to begin in a scope; Monday is weekday 1.

    Those `ahead` are confirmed and have not begun; those that are `kept` were not called off. `lead` is a
    place in `odds.LEADS`. With a `method` they are those whose money came or went by it in the scope,
    whenever they were to begin.
    """

    scope: Scope
    weekday: int | None = None
    hour: int | None = None
    status: AppointmentStatus | None = None
    is_ahead: bool = False
    is_kept: bool = False
    lead: int | None = None
    has_said: bool | None = None
    specialty: str | None = None
    method: PaymentMethod | None = None


def wanted(table: Table, row: int, known: Filters) -> Wanted | None:
    """The visits behind a row; None where it is not of visits, or of two doctors' who have the same name."""
    key, values, scope = table.figure.key, table.rows[row], table.scope
    counted: dict[str, Any] = {
        "status": AppointmentStatus.NO_SHOW if key.startswith("missed-") else None,
        "is_kept": key.startswith(("utilisation-", "demand-")),
    }
    if key in _BY_STEP:
        return _of_step(table, row)._replace(**counted)
    if key == "utilisation-by_hour":
        return Wanted(scope, values[0], values[1], **counted)
    if key == "missed-by_hour":
        return Wanted(scope, hour=values[0], **counted)
    if key in _BY_PART:
        return Wanted(scope, **counted | {_BY_PART[key]: _part(key, row, values[0])})
    if key not in _BY_NAME:
        return None
    column, listed = _BY_NAME[key]
    numbers = [number for number, name in getattr(known, listed).items() if name == values[0]]
    if len(numbers) != 1:
        return None
    return Wanted(replace(scope, **{column: numbers[0]}), **counted)


def behind(session: Session, actor: Actor, *, wanted: Wanted, at_most: int = MOST) -> list[Appointment]:
    """The visits that are wanted, in order of time; without a status all that were booked.

    Raises `AccessDenied`.
    """
    scope = wanted.scope
    access.require(actor, Action.SEE_FIGURES, doctor_id=scope.doctor_id)
    kind, number = ("clinic", 1) if scope.doctor_id is None else ("doctor", scope.doctor_id)
    audit.record_read(session, actor, Action.SEE_APPOINTMENT, kind=f"visits of {kind}", number=number)
    rows = session.scalars(
        select(Appointment)
        .where(*_whose(session, wanted), *_when(clinics.zone(session).key, wanted))
        .options(*WITH_PEOPLE)
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(at_most)
    )
    return [each for each in rows if _may_see(actor, each)]


def _of_step(table: Table, row: int) -> Wanted:
    """The days of a step that are in the scope; what is expected lies ahead, whatever the period."""
    scope, first_on = table.scope, table.rows[row][0]
    last_on = next_step(first_on, figure_charts.step(table)) - _DAY
    if table.figure.key == _AHEAD:
        return Wanted(scope.over(first_on, last_on), is_ahead=True)
    return Wanted(scope.over(max(first_on, scope.from_on), min(last_on, scope.until_on)))


def _part(key: str, row: int, name: str) -> object:
    """What the row of a trait stands for."""
    if key == "revenue-by_method":
        return next(method for method, named in METHODS.items() if named == name)
    if key == "missed-by_confirmation":
        return row == 0
    return name if key == "revenue-by_specialty" else row


def _whose(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    scope = wanted.scope
    chosen = [getattr(Appointment, name) == number for name, number in scope.filters.items()]
    if wanted.specialty is not None:
        of = names.specialties(session).items()
        chosen.append(Appointment.doctor_id.in_([number for number, name in of if name == wanted.specialty]))
    if wanted.method is not None:
        moved = select(LedgerEntry.appointment_id).where(
            LedgerEntry.method == wanted.method, *steps.within(session, scope, LedgerEntry.at)
        )
        return [Appointment.id.in_(moved), *chosen]
    everybody = func.array(select(Doctor.id).scalar_subquery(), type_=ARRAY(Integer))
    along_the_index = Appointment.doctor_id == any_(everybody)
    return [*steps.within(session, scope, Appointment.starts_at), along_the_index, *chosen]


def _when(zone: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    local: Any = func.timezone(zone, Appointment.starts_at)
    found: list[ColumnElement[bool]] = [Appointment.status.not_in(_UNBOOKED)]
    if wanted.status is not None:
        found.append(Appointment.status == wanted.status)
    if wanted.is_kept:
        found.append(Appointment.status != AppointmentStatus.CANCELLED)
    if wanted.is_ahead:
        found.append(Appointment.status == AppointmentStatus.CONFIRMED)
        found.append(Appointment.starts_at > clock.now())
    if wanted.has_said is not None:
        found.append(Appointment.attending_at.is_not(None) == wanted.has_said)
    if wanted.lead is not None:
        ahead = Appointment.starts_at - Appointment.created_at
        least, most = (days for days, _name in (*LEADS, (None, ""))[wanted.lead : wanted.lead + 2])
        if wanted.lead:
            found.append(ahead >= timedelta(days=least or 0))
        if most is not None:
            found.append(ahead < timedelta(days=most))
    for part, number in (("isodow", wanted.weekday), ("hour", wanted.hour)):
        if number is not None:
            found.append(extract(part, local) == number)
    return found


def _may_see(actor: Actor, visit: Appointment) -> bool:
    return access.may(actor, Action.SEE_APPOINTMENT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
