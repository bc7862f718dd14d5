"""Whose visits are when: a patient's own, and a doctor's day."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from core import access, audit, clinics, clock, wall_time
from core.access import Action, Actor
from core.errors import NotFound
from core.moves import CHANGEABLE
from db.base import any_of
from db.models import Appointment, AppointmentStatus, Doctor

WITH_PEOPLE = (
    joinedload(Appointment.patient),
    joinedload(Appointment.doctor).joinedload(Doctor.user),
    joinedload(Appointment.service),
    joinedload(Appointment.location),
    joinedload(Appointment.room),
    joinedload(Appointment.offer),
)
PAGE = 20


def upcoming(session: Session, actor: Actor, *, patient_ids: Sequence[int]) -> list[Appointment]:
    """The patients' live visits that have not ended, the next first."""
    for patient_id in patient_ids:
        access.require(actor, Action.SEE_APPOINTMENT, patient_id=patient_id)
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.ends_at > clock.now(),
            Appointment.status.in_([*CHANGEABLE, AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM]),
        )
        .options(*WITH_PEOPLE)
        .order_by(Appointment.starts_at)
    )
    return list(rows)


def confirmed_ahead(session: Session, patient_ids: Sequence[int]) -> list[Appointment]:
    """The patients' confirmed visits that have not begun, the next first. Its caller may know of them."""
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.status == AppointmentStatus.CONFIRMED,
            Appointment.starts_at > clock.now(),
        )
        .options(*WITH_PEOPLE)
        .order_by(Appointment.starts_at)
    )
    return list(rows)


def past(
    session: Session, actor: Actor, *, patient_ids: Sequence[int], limit: int = PAGE
) -> list[Appointment]:
    """The patients' visits that are over or were called off, the latest first."""
    for patient_id in patient_ids:
        access.require(actor, Action.SEE_APPOINTMENT, patient_id=patient_id)
    over = [AppointmentStatus.COMPLETED, AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW]
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id.in_(patient_ids),
            (Appointment.ends_at <= clock.now()) | Appointment.status.in_(over),
            Appointment.status != AppointmentStatus.EXPIRED,
        )
        .options(*WITH_PEOPLE)
        .order_by(Appointment.starts_at.desc(), Appointment.id)
        .limit(limit)
    )
    return list(rows)


def one(session: Session, actor: Actor, appointment_id: int) -> Appointment:
    """One visit with its people and place. Raises `NotFound`, `AccessDenied`."""
    found = session.scalar(select(Appointment).where(Appointment.id == appointment_id).options(*WITH_PEOPLE))
    if found is None:
        raise NotFound
    access.require(actor, Action.SEE_APPOINTMENT, patient_id=found.patient_id, doctor_id=found.doctor_id)
    return found


def day(session: Session, actor: Actor, *, doctor_id: int, on: date) -> list[Appointment]:
    """The doctor's visits that start on a day of the clinic and were not called off, in order of time.

    The trail keeps that somebody looked at the doctor's days, not at which of them.
    """
    return between(session, actor, doctor_id=doctor_id, from_on=on, until_on=on)


def between(
    session: Session, actor: Actor, *, doctor_id: int, from_on: date, until_on: date
) -> list[Appointment]:
    """The same for several days of the clinic, both ends included."""
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    audit.record_read(session, actor, Action.SEE_DAY, kind="doctor", number=doctor_id)
    return _starting(session, from_on, until_on, Appointment.doctor_id == doctor_id)


def next_patient(session: Session, actor: Actor, *, doctor_id: int, on: date) -> Appointment | None:
    """Whose turn it is with a doctor on a day: the first who has arrived, else the next who is expected."""
    visits = day(session, actor, doctor_id=doctor_id, on=on)
    for wanted in (AppointmentStatus.ARRIVED, AppointmentStatus.CONFIRMED):
        for visit in visits:
            if visit.status is wanted:
                return visit
    return None


def clinic_day(session: Session, actor: Actor, *, on: date) -> list[Appointment]:
    """Every doctor's visits that start on a day of the clinic and were not called off, in order of time."""
    access.require(actor, Action.SEE_DAY)
    audit.record_read(session, actor, Action.SEE_DAY, kind="clinic", number=1)
    along_the_index = Appointment.doctor_id == any_of(select(Doctor.id))
    return _starting(session, on, on, along_the_index)


def _starting(
    session: Session, from_on: date, until_on: date, whose: ColumnElement[bool]
) -> list[Appointment]:
    zone = clinics.zone(session)
    begins, ends = (
        wall_time.instant_reached(zone, datetime.combine(each, time()))
        for each in (from_on, until_on + timedelta(days=1))
    )
    rows = session.scalars(
        select(Appointment)
        .where(
            whose,
            Appointment.starts_at >= begins,
            Appointment.starts_at < ends,
            Appointment.status.not_in([AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED]),
        )
        .options(*WITH_PEOPLE)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return list(rows)
