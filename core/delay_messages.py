"""Telling those whom a doctor's delay reaches, each how late their own visit will begin."""

from uuid import UUID

from sqlalchemy import Integer, func, select, text
from sqlalchemy.orm import Session

from core import access, agendas, announcements, audit, clinics, clock, delays
from core.access import Action, Actor
from core.desk_messages import LATE_MINUTES, NobodyWaits
from db.models import Appointment, AppointmentStatus, MessageKind, Notification, NotificationStatus

_NOT_TOLD = (NotificationStatus.UNDELIVERED, NotificationStatus.FAILED, NotificationStatus.CANCELLED)


def tell_affected(session: Session, actor: Actor, *, doctor_id: int, request_key: UUID | None = None) -> int:
    """Tell whoever is still to come to the doctor today and will begin late by how much; how many are told.

    Each is told of the own delay, in minutes rounded up to five, and never again of the same or a shorter
    one; the same form sent twice tells nobody twice and answers as it did. Raises `NobodyWaits` where
    everybody knows, `AccessDenied`.
    """
    access.require(actor, Action.TELL_LATE, doctor_id=doctor_id)
    session.execute(text("SELECT pg_advisory_xact_lock(12, :number)"), {"number": doctor_id})  # one at a time
    now = clock.now()
    today = now.astimezone(clinics.zone(session)).date()
    visits = agendas.day(session, actor, doctor_id=doctor_id, on=today)
    if request_key is not None and (already := _told_by(session, visits, request_key)):
        return already
    begins, told = delays.predicted(visits, now), _told(session, visits)
    reached = set()
    for visit in visits:
        late = min(delays.late_minutes(visit, begins.get(visit.id)), LATE_MINUTES.stop - 1)
        if is_to_tell(visit.status, late, told.get(visit.id)) and announcements.enqueue(
            session,
            visit,
            MessageKind.RUNNING_LATE,
            send_after=now,
            detail=f"{late}:{request_key or now.isoformat()}",
            details={"minutes": late},
        ):
            reached.add(visit.patient_id)
    if not reached:
        raise NobodyWaits
    audit.record(session, actor, Action.TELL_LATE, kind="doctor", number=doctor_id, told=len(reached))
    return len(reached)


def is_to_tell(status: AppointmentStatus, late: int, told: int | None) -> bool:
    """Whether somebody who will be `late` minutes late is still to hear of it: who is here sees it."""
    return status is AppointmentStatus.CONFIRMED and late > (told or 0)


def _told(session: Session, visits: list[Appointment]) -> dict[int, int]:
    """The longest delay that was told of each visit's present time, in minutes."""
    minutes = func.max(Notification.details["minutes"].astext.cast(Integer))
    rows = session.execute(
        select(Notification.appointment_id, minutes)
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .where(
            Notification.appointment_id.in_([visit.id for visit in visits]),
            Notification.kind == MessageKind.RUNNING_LATE,
            Notification.time_version == Appointment.time_version,
            Notification.status.not_in(_NOT_TOLD),
        )
        .group_by(Notification.appointment_id)
    )
    return {number: most for number, most in rows if number is not None}


def _told_by(session: Session, visits: list[Appointment], request_key: UUID) -> int:
    """How many patients the form with this key has told: the key of each message ends in it."""
    query = select(func.count(Notification.patient_id.distinct())).where(
        Notification.appointment_id.in_([visit.id for visit in visits]),
        Notification.kind == MessageKind.RUNNING_LATE,
        Notification.key.endswith(f":{request_key}"),
    )
    return session.scalars(query).one()
