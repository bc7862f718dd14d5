"""The figures of a month: each has one function here, whose docstring says what is counted."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from core import clinics, wall_time
from db.models import Appointment, AppointmentStatus, Doctor, EntryKind, LedgerEntry, User


class Month(NamedTuple):
    """A month of the clinic's: from its first instant to that of the next, in UTC."""

    begins: datetime
    ends: datetime


class Earned(NamedTuple):
    """Money of a doctor's visits in one currency, in minor units. `doctor` is None for all doctors."""

    doctor: str | None
    currency: str
    invoiced_minor: int
    received_minor: int
    refunded_minor: int


def month(session: Session, first_on: date) -> Month:
    """The month that begins on a day, as the clinic's clocks have it."""
    zone = clinics.zone(session)
    after = date(first_on.year + first_on.month // 12, first_on.month % 12 + 1, 1)
    begins, ends = (
        wall_time.instant_reached(zone, datetime.combine(each, time())) for each in (first_on, after)
    )
    return Month(begins, ends)


def visits_by_status(session: Session, of: Month) -> dict[AppointmentStatus, int]:
    """How many visits that were to begin in the month stand how now. What was never paid in time is none."""
    rows = session.execute(
        select(Appointment.status, func.count()).where(*_beginning(of)).group_by(Appointment.status)
    )
    return {status: int(count) for status, count in rows}


def visits_by_doctor(session: Session, of: Month) -> list[tuple[str, int, int, int]]:
    """Each doctor's visits that were to begin in the month: completed, missed, and all of them, by name.

    The sum of all doctors is the sum of `visits_by_status`.
    """
    rows = session.execute(
        select(
            User.name,
            func.count().filter(Appointment.status == AppointmentStatus.COMPLETED),
            func.count().filter(Appointment.status == AppointmentStatus.NO_SHOW),
            func.count(),
        )
        .join(Doctor, Doctor.id == Appointment.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(*_beginning(of))
        .group_by(Doctor.id, User.name)
        .order_by(User.name, Doctor.id)
    )
    return [(name, completed, missed, everything) for name, completed, missed, everything in rows]


def earned(session: Session, of: Month) -> list[Earned]:
    """What was invoiced, received and paid back in the month, by currency.

    A sum belongs to the month in which it was written into the ledger, whenever the visit is. Invoiced is
    less what was credited; paid back is less what did not go through; received is before what was paid back.
    """
    rows = session.execute(
        select(LedgerEntry.currency, *_SUMS)
        .where(LedgerEntry.at >= of.begins, LedgerEntry.at < of.ends)
        .group_by(LedgerEntry.currency)
        .order_by(LedgerEntry.currency)
    )
    return [Earned(None, *row) for row in rows]


def earned_by_doctor(session: Session, of: Month) -> list[Earned]:
    """`earned` for the visits of each doctor, by name and currency."""
    rows = session.execute(
        select(User.name, LedgerEntry.currency, *_SUMS)
        .join(Appointment, Appointment.id == LedgerEntry.appointment_id)
        .join(Doctor, Doctor.id == Appointment.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(LedgerEntry.at >= of.begins, LedgerEntry.at < of.ends)
        .group_by(Doctor.id, User.name, LedgerEntry.currency)
        .order_by(User.name, Doctor.id, LedgerEntry.currency)
    )
    return [Earned(*row) for row in rows]


def _beginning(of: Month) -> tuple[ColumnElement[bool], ...]:
    return (
        Appointment.starts_at >= of.begins,
        Appointment.starts_at < of.ends,
        Appointment.status != AppointmentStatus.EXPIRED,
    )


def _sum(kinds: Sequence[EntryKind], sign: int) -> ColumnElement[int]:
    counted = case((LedgerEntry.kind.in_(kinds), LedgerEntry.amount_minor), else_=0)
    return sign * func.coalesce(func.sum(counted), 0)


_SUMS = (
    _sum([EntryKind.INVOICE, EntryKind.CREDIT], 1),
    _sum([EntryKind.PAYMENT], -1),
    _sum([EntryKind.REFUND, EntryKind.REFUND_FAILED], 1),
)
