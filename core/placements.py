"""Putting a visit into the calendar: the row, its lock, and what the constraints say when they refuse."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, make_transient_to_detached

from core import appointment_events, availability, clinics, clock, offers, rooms
from core.access import Actor
from core.appointment_errors import FormAlreadySent, PatientBusy, RoomTaken, TryAgain
from core.audit import Event
from core.errors import ClinicError, NotFound
from core.offers import Offer
from core.terms import Terms
from db.models import Appointment, AppointmentStatus, EventKind, PaymentStatus, Source
from db.models.appointments import LIVE_STATUSES
from db.session import run

# ON CONFLICT: racing plain INSERTs on an exclusion constraint deadlock. FOR KEY SHARE: waits for an erasure
# of the patient that is under way, and then finds nobody to book for.
_INSERT = """
    INSERT INTO appointments (
        patient_id, doctor_id, service_id, location_id, room_id, starts_at, ends_at, blocked, status,
        hold_expires_at, price_minor, payment_rule, rule_cause, due_minor, cancellation_hours,
        late_fee_minor, refund_percent, source, overbook_reason, updated_at)
    SELECT id, CAST(%(doctor_id)s AS int), CAST(%(service_id)s AS int), CAST(%(location_id)s AS int),
        CAST(%(room_id)s AS int), CAST(%(starts_at)s AS timestamptz), CAST(%(ends_at)s AS timestamptz),
        tstzrange(%(blocked_from)s, %(blocked_until)s), CAST(%(status)s AS text),
        CAST(%(hold_expires_at)s AS timestamptz), CAST(%(price_minor)s AS int),
        CAST(%(payment_rule)s AS text), CAST(%(rule_cause)s AS text), CAST(%(due_minor)s AS int),
        CAST(%(cancellation_hours)s AS int), CAST(%(late_fee_minor)s AS int),
        CAST(%(refund_percent)s AS int), CAST(%(source)s AS text), CAST(%(overbook_reason)s AS text),
        CAST(%(updated_at)s AS timestamptz)
    FROM patients WHERE id = %(patient_id)s AND erased_at IS NULL FOR KEY SHARE
    ON CONFLICT DO NOTHING RETURNING id, created_at
"""
_DEADLOCK_DETECTED = "40P01"  # PostgreSQL's error codes, appendix A of its manual
_EXCLUSION_VIOLATION = "23P01"
BOOKINGS = (EventKind.BOOKED, EventKind.OVERBOOKED)
ROOM_FREE = "ex_appointments_room_free"
NOT_YET = dict.fromkeys(("attending_at", "arrived_at", "in_room_at", "completed_at", "series_id"))


class Wish(NamedTuple):
    """Who wants whom for what, when (UTC) and, from the desk, in which room."""

    patient_id: int
    doctor_id: int
    service_id: int
    starts_at: datetime
    room_id: int | None = None


def insert(
    session: Session,
    actor: Actor | None,
    wish: Wish,
    offered: Offer,
    terms: Terms,
    *,
    hold_expires_at: datetime | None = None,
    overbook_reason: str | None = None,
    request_key: UUID | None = None,
) -> Appointment:
    """Write the visit and its first event, or raise the error that says who was faster.

    With `hold_expires_at` it is pending until then. Nobody's doing (no `actor`) is what the waitlist offers.
    """
    location_id = offered.location_at(wish.starts_at.astimezone(clinics.zone(session)).time())
    if wish.room_id is not None:
        rooms.require(session, wish.room_id, wish.service_id, location_id)
    blocked = offered.blocked(wish.starts_at)
    values = {
        **wish._asdict(),
        "location_id": location_id,
        "ends_at": wish.starts_at + offered.duration,
        "status": AppointmentStatus.CONFIRMED if hold_expires_at is None else AppointmentStatus.PENDING,
        "hold_expires_at": hold_expires_at,
        **terms._asdict(),
        "source": _source(actor),
        "overbook_reason": overbook_reason,
        "updated_at": clock.now(),
    }
    bounds = {"blocked_from": blocked.lower, "blocked_until": blocked.upper}
    for room_id in rooms.candidates(offered, location_id, wish.room_id):
        values["room_id"] = room_id
        if written := run(session, _INSERT, values | bounds):
            break
    else:
        raise in_the_way(session, actor, wish, is_overbooking=overbook_reason is not None)
    [(number, created_at)] = written
    unset = {"payment_status": PaymentStatus.UNPAID, "version": 0, "time_version": 0, **NOT_YET}
    appointment = Appointment(id=number, created_at=created_at, blocked=blocked, **unset, **values)
    make_transient_to_detached(appointment)
    session.add(appointment)
    kind = EventKind.BOOKED if overbook_reason is None else EventKind.OVERBOOKED
    appointment_events.record(
        session,
        actor,
        appointment,
        kind,
        reason=overbook_reason,
        action=Event.TIME_OFFERED if actor is None else None,
        request_key=request_key,
    )
    return appointment


def first_answer(session: Session, actor: Actor, wish: Wish, request_key: UUID | None) -> Appointment | None:
    """What the same form was answered before, whatever the rules say by now.

    Raises `FormAlreadySent` when that visit has been moved or called off since.
    """
    earlier = appointment_events.answered(session, actor, request_key, *BOOKINGS)
    if earlier and (earlier.starts_at != wish.starts_at or earlier.status not in LIVE_STATUSES):
        raise FormAlreadySent
    return earlier


def _source(actor: Actor | None) -> Source:
    if actor is None:
        return Source.WAITLIST
    return Source.DESK if actor.is_desk else Source.PORTAL


def locked(session: Session, appointment_id: int) -> Appointment:
    """The visit as it is now, held against other changes until the transaction ends. Raises `NotFound`."""
    appointment = session.scalar(
        select(Appointment)
        .where(Appointment.id == appointment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if appointment is None:
        raise NotFound
    return appointment


def revive(session: Session, appointment: Appointment) -> bool:
    """Give a visit whose hold has ended its time back, if it is ahead and nobody else has it by now."""
    if appointment.starts_at <= clock.now() or not retake(session, appointment):
        return False
    appointment_events.record(session, None, appointment, EventKind.CONFIRMED)
    return True


def retake(session: Session, appointment: Appointment) -> bool:
    """Confirm a visit that has given up its time, unless somebody else has that by now."""
    try:
        with session.begin_nested():
            appointment.status = AppointmentStatus.CONFIRMED
            touch(appointment)
            session.flush()
    except IntegrityError as error:
        if refused_constraint(error) is None:
            raise
        session.refresh(appointment)
        return False
    return True


def touch(appointment: Appointment) -> None:
    """Count a change of the visit's time or state; calendars and messages go by the number."""
    appointment.version += 1
    appointment.updated_at = clock.now()


def refused_constraint(error: IntegrityError | OperationalError) -> str | None:
    """The no-overlap constraint that refused a row, None for a deadlock; anything else is raised again."""
    if not isinstance(error.orig, psycopg.Error):
        raise error
    if error.orig.sqlstate == _DEADLOCK_DETECTED:
        return None
    if error.orig.sqlstate == _EXCLUSION_VIOLATION:
        return error.orig.diag.constraint_name
    raise error


def in_the_way(
    session: Session,
    actor: Actor | None,
    wish: Wish,
    *,
    is_overbooking: bool = False,
    ignoring: int | None = None,
) -> ClinicError:
    """The error that says whose time is taken, after the database has refused a row."""
    found = offers.offer(
        session,
        doctor_id=wish.doctor_id,
        service_id=wish.service_id,
        starts_at=wish.starts_at,
        patient_id=wish.patient_id,
        ignoring=ignoring,
    )
    if found.is_patient_busy:
        return PatientBusy()
    has_no_room = found.needs_room and not found.free_rooms
    if has_no_room or (found.is_taken and not is_overbooking):
        return availability.slot_taken(
            session,
            doctor_id=wish.doctor_id,
            service_id=wish.service_id,
            starts_at=wish.starts_at,
            patient_id=wish.patient_id,
            by_staff=actor is not None and actor.is_desk,
            ignoring=ignoring,
        )
    if wish.room_id is not None and rooms.is_taken(
        session, wish.room_id, found.blocked(wish.starts_at), ignoring=ignoring
    ):
        return RoomTaken()
    return TryAgain()
