"""Moving a visit in the calendar: the same row at another time, whoever else moves at that moment."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from core import announcements, appointment_events, availability, clinics, holds, placements, rooms, wall_time
from core.access import Actor
from core.appointment_errors import TryAgain, VisitChanged
from core.offers import Offer
from core.placements import Wish
from db.models import Appointment, AppointmentStatus, EventKind, TimeOff

ATTEMPTS = 3
CHANGEABLE = frozenset({AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED})


def take_turns(session: Session, *, doctor_ids: Collection[int], patient_id: int) -> None:
    """Wait for every other move into these doctors' or this patient's time, until the transaction ends.

    Two moves that each wait for the other's row would deadlock. Always the doctors first, then the patient.
    """
    doctors = {f"doctor_{place}": number for place, number in enumerate(sorted(doctor_ids))}
    turns = [f"pg_advisory_xact_lock(1, :{name})" for name in doctors]
    session.execute(
        text(f"SELECT {', '.join([*turns, 'pg_advisory_xact_lock(2, :patient_id)'])}"),
        {**doctors, "patient_id": patient_id},
    )


def relocate(
    session: Session,
    actor: Actor | None,
    visit: Appointment,
    *,
    doctor_id: int,
    starts_at: datetime,
    request_key: UUID | None = None,
) -> Appointment:
    """Move a visit that cannot stay where it is, as long as it is as its caller has seen it, and tell of it.

    The cancellation window does not count, and the price agreed stays. Its caller may do so; nobody (no
    `actor`) is a patient with a link. Raises `VisitChanged`, `OnlyOffered`, `NotOffered`, `SlotTaken`,
    `PatientBusy`.
    """
    number, seen = visit.id, visit.time_version
    take_turns(session, doctor_ids=[doctor_id], patient_id=visit.patient_id)
    visit = placements.locked(session, number)
    if visit.time_version != seen or visit.status not in CHANGEABLE:
        raise VisitChanged
    holds.require_booked(session, visit)
    at = wall_time.require_instant(starts_at)
    offered = availability.require_offered(
        session,
        doctor_id=doctor_id,
        service_id=visit.service_id,
        starts_at=at,
        patient_id=visit.patient_id,
        by_staff=True,
        ignoring=number,
    )
    wish = Wish(visit.patient_id, doctor_id, visit.service_id, at, visit.room_id)
    moved = move(session, actor, visit, wish, offered, request_key=request_key)
    if moved.status is AppointmentStatus.CONFIRMED:
        announcements.moved(session, moved)
    else:
        announcements.held(session, moved)
    return moved


def move(
    session: Session,
    actor: Actor | None,
    appointment: Appointment,
    wish: Wish,
    offered: Offer,
    *,
    request_key: UUID | None = None,
) -> Appointment:
    """Write the visit's new time and the event that keeps the old one, or raise who is in the way.

    A length that it was given by hand it keeps where that fits, else it lasts as long as its service does.
    The room comes along when it is in the same place, in use and free; what needs one gets another. An UPDATE
    has no ON CONFLICT: a deadlock is tried again a few times before the person is asked to.
    """
    before = appointment_events.place_in_time(appointment)
    location_id = offered.location_at(wish.starts_at.astimezone(clinics.zone(session)).time())
    stays_there = appointment.location_id == location_id and rooms.is_in_use(session, appointment.room_id)
    present = appointment.room_id if stays_there else None
    wanted = rooms.for_move(offered, location_id, present)
    candidates = [(each, room) for each in _lengths(session, appointment, wish, offered) for room in wanted]
    attempts = ATTEMPTS
    while candidates and attempts:
        length, room_id = candidates[0]
        try:
            _write(session, appointment, wish, offered, location_id, room_id, length)
            break
        except (IntegrityError, OperationalError) as error:
            refusal = placements.refused_constraint(error)
            if refusal is None:
                attempts -= 1
            elif refusal == placements.ROOM_FREE:
                candidates = candidates[1:]
            elif shorter := [each for each in candidates if each[0] < length]:
                candidates = shorter
            else:
                raise placements.in_the_way(session, actor, wish, ignoring=appointment.id) from None
    else:
        if candidates:
            raise TryAgain
        raise placements.in_the_way(session, actor, wish, ignoring=appointment.id)
    appointment_events.record(
        session, actor, appointment, EventKind.MOVED, before=before, request_key=request_key
    )
    return appointment


def _lengths(session: Session, appointment: Appointment, wish: Wish, offered: Offer) -> list[timedelta]:
    """How long the visit may last at its new time, what is to be tried first coming first.

    The usual length is offered there. A longer one must lie within the doctor's hours too.
    """
    own, usual = appointment.ends_at - appointment.starts_at, offered.duration
    if own <= usual:
        return [own]
    zone, ends_at = clinics.zone(session), wish.starts_at + own
    local = wish.starts_at.astimezone(zone)
    closes = next(closes for opens, closes, _place in offered.hours if opens <= local.time() < closes)
    away = exists().where(
        TimeOff.doctor_id == wish.doctor_id, TimeOff.starts_at < ends_at, TimeOff.ends_at > wish.starts_at
    )
    is_open = ends_at <= wall_time.instant_reached(zone, datetime.combine(local.date(), closes))
    return [own, usual] if is_open and not session.scalar(select(away)) else [usual]


def _write(
    session: Session,
    appointment: Appointment,
    wish: Wish,
    offered: Offer,
    location_id: int,
    room_id: int | None,
    length: timedelta,
) -> None:
    with session.begin_nested():
        appointment.doctor_id, appointment.location_id = wish.doctor_id, location_id
        appointment.starts_at, appointment.ends_at = wish.starts_at, wish.starts_at + length
        appointment.blocked = offered.blocked(wish.starts_at, length)
        appointment.room_id, appointment.overbook_reason = room_id, None
        appointment.time_version, appointment.attending_at = appointment.time_version + 1, None
        placements.touch(appointment)
        session.flush()
