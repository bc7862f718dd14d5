"""The visits behind a row of a figure, for whoever may see each of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Integer, any_, extract, func, select
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, day_parts, figure_charts
from core.access import Action, Actor
from core.agendas import WITH_PEOPLE
from core.analytics.scopes import Scope, next_step
from core.figure_filters import Filters
from core.figures import Table
from db.models import Appointment, AppointmentStatus, Doctor

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


class Wanted(NamedTuple):
    """The visits that were to begin in a scope; Monday is weekday 1.

    Those `ahead` are confirmed and have not begun; those that are `kept` were not called off.
    """

    scope: Scope
    weekday: int | None = None
    hour: int | None = None
    status: AppointmentStatus | None = None
    is_ahead: bool = False
    is_kept: bool = False


def wanted(table: Table, row: int, known: Filters) -> Wanted | None:
    """The visits behind a row; None where it is not of visits, or of two doctors' who have the same name."""
    key, values, scope = table.figure.key, table.rows[row], table.scope
    counted: dict[str, Any] = {
        "status": AppointmentStatus.NO_SHOW if key.startswith("missed-") else None,
        "is_kept": key.startswith("utilisation-"),
    }
    if key in _BY_STEP:
        return _of_step(table, row)._replace(**counted)
    if key == "utilisation-by_hour":
        return Wanted(scope, values[0], values[1], **counted)
    if key == "missed-by_hour":
        return Wanted(scope, hour=values[0], **counted)
    if key not in _BY_NAME:
        return None
    column, names = _BY_NAME[key]
    numbers = [number for number, name in getattr(known, names).items() if name == values[0]]
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
        .where(*_beginning(session, scope), *_when(clinics.zone(session).key, wanted))
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


def _beginning(session: Session, scope: Scope) -> list[ColumnElement[bool]]:
    zone = clinics.zone(session)
    begins_at, _ = day_parts.bounds_of(zone, scope.from_on)
    _, ends_at = day_parts.bounds_of(zone, scope.until_on)
    everybody = func.array(select(Doctor.id).scalar_subquery(), type_=ARRAY(Integer))
    return [
        Appointment.starts_at >= begins_at,
        Appointment.starts_at < ends_at,
        Appointment.doctor_id == any_(everybody),  # along the index by doctor
        *(getattr(Appointment, name) == number for name, number in scope.filters.items()),
    ]


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
    for part, number in (("isodow", wanted.weekday), ("hour", wanted.hour)):
        if number is not None:
            found.append(extract(part, local) == number)
    return found


def _may_see(actor: Actor, visit: Appointment) -> bool:
    return access.may(actor, Action.SEE_APPOINTMENT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
