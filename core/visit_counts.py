"""Visits of a period as they stand now: by status, and by doctor."""

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import clinics, day_parts
from core.analytics import names, sums
from core.analytics.scopes import Scope, Step, next_step
from db.base import any_of
from db.models import Appointment, AppointmentStatus, Doctor

_UNBOOKED = (AppointmentStatus.PENDING, AppointmentStatus.EXPIRED)  # which no figure counts


def month(first_on: date) -> Scope:
    """The days of the month that begins on a day."""
    return Scope(first_on, next_step(first_on, Step.MONTH) - timedelta(days=1))


def visits_by_status(session: Session, scope: Scope) -> dict[AppointmentStatus, int]:
    """How many visits that were to begin in the scope stand how now; those that were booked."""
    zone = clinics.zone(session)
    begins_at, _ = day_parts.bounds_of(zone, scope.from_on)
    _, ends_at = day_parts.bounds_of(zone, scope.until_on)
    rows = session.execute(
        select(Appointment.status, func.count())
        .where(
            Appointment.doctor_id == any_of(select(Doctor.id)),  # along the index by doctor
            Appointment.starts_at >= begins_at,
            Appointment.starts_at < ends_at,
            Appointment.status.not_in(_UNBOOKED),
        )
        .group_by(Appointment.status)
    )
    return {status: int(count) for status, count in rows}


def visits_by_doctor(session: Session, scope: Scope) -> list[tuple[str, int, int, int]]:
    """Each doctor's visits that were to begin in the scope: completed, missed, and all of them, by name.

    The sum of all doctors is the sum of `visits_by_status`.
    """
    known = names.doctors(session)
    found = sums.added(sums.visits(session, scope).by_group, lambda group: group.doctor_id)
    return sorted(
        (known[number], each.completed, each.missed, each.booked + each.cancelled)
        for number, each in found.items()
    )
