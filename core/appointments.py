"""Booking, moving and cancelling visits: what a person may ask for, and what then is written."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core import (
    access,
    announcements,
    appointment_events,
    availability,
    cancellations,
    clock,
    holds,
    moves,
    payments,
    placements,
    terms,
    waitlist_answers,
)
from core.access import Action, Actor
from core.appointment_errors import (
    NoLongerChangeable,
    PatientBusy,
    TooLateToMove,
)
from core.appointment_events import required_reason
from core.cancellations import Outcome
from core.errors import AccessDenied, NotFound
from core.offers import NotOffered, SlotTaken
from core.payments import TooManyHolds
from core.placements import Wish
from core.terms import Terms, TermsChanged
from core.wall_time import require_instant
from db.models import Appointment, AppointmentStatus, EventKind, OfferState

BY_TEXT = "by text message"  # the reason in the events
CHANGEABLE = moves.CHANGEABLE


def book(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    room_id: int | None = None,
    seen: Terms | None = None,
    request_key: UUID | None = None,
) -> Appointment:
    """Book `patient_id` with `doctor_id` for `service_id` at `starts_at` (aware).

    Where something is due before it, the visit is pending and its time held while that is paid. Two people
    may press the button together: the no-overlap constraints let one through and the other gets `SlotTaken`
    with the nearest free times. `seen` are the terms the person was shown: they must still be true. The
    form's `request_key` sent again returns the first answer, or `FormAlreadySent` where that visit has been
    moved or cancelled since. Raises `NotOffered`, `PatientBusy`, `RoomTaken`, `TermsChanged`,
    `TooManyHolds`, `NaiveTime`, `NonexistentTime`, `AccessDenied`.
    """
    access.require(actor, Action.BOOK, patient_id=patient_id)
    wish = Wish(patient_id, doctor_id, service_id, require_instant(starts_at), room_id)
    try:
        offered = availability.require_offered(
            session,
            doctor_id=doctor_id,
            service_id=service_id,
            starts_at=wish.starts_at,
            patient_id=patient_id,
            by_staff=actor.is_desk,
        )
        agreed = terms.offered(
            session, actor, patient_id=patient_id, doctor_id=doctor_id, service_id=service_id
        )
        if seen is not None and seen != agreed:
            raise TermsChanged
        held_until = payments.new_hold(session, actor) if agreed.due_minor else None
        booked = placements.insert(
            session, actor, wish, offered, agreed, hold_expires_at=held_until, request_key=request_key
        )
    except (NotOffered, PatientBusy, SlotTaken, TooManyHolds, TermsChanged):
        if earlier := placements.first_answer(session, actor, wish, request_key):
            return earlier
        raise
    if agreed.due_minor:
        payments.begin(session, booked, agreed.due_minor)
        announcements.held(session, booked)
    else:
        announcements.booked(session, booked)
    return booked


def reschedule(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    starts_at: datetime,
    doctor_id: int | None = None,
    waive_policy: bool = False,
    request_key: UUID | None = None,
) -> Appointment:
    """Move a visit to `starts_at` (aware), with another doctor if given: the same row, its past in events.

    The patient has either the old time or the new one, never both or neither. The price agreed stays.
    Moving is bound by the cancellation window, which the desk may waive and which does not bind the doctor
    whose visit it is. Raises what `book` raises, `TooLateToMove`, `NoLongerChangeable` and `OnlyOffered`.
    """
    seen = session.get(Appointment, appointment_id)
    if seen is None:
        raise NotFound
    access.require(actor, Action.MOVE, patient_id=seen.patient_id, doctor_id=seen.doctor_id)
    to_doctor_id = doctor_id or seen.doctor_id
    access.require(actor, Action.MOVE, patient_id=seen.patient_id, doctor_id=to_doctor_id)
    moves.take_turns(session, doctor_ids=[to_doctor_id], patient_id=seen.patient_id)
    appointment = placements.locked(session, appointment_id)
    if earlier := appointment_events.answered(
        session, actor, request_key, EventKind.MOVED, appointment_id=appointment_id
    ):
        return earlier
    at = require_instant(starts_at)
    _require_changeable(actor, appointment, waive_policy)
    holds.require_booked(session, appointment)
    is_bound = not waive_policy and actor.doctor_id != seen.doctor_id
    if is_bound and terms.is_late(appointment, clock.now()):
        raise TooLateToMove(hours=appointment.cancellation_hours)
    if (appointment.starts_at, appointment.doctor_id) == (at, to_doctor_id):
        return appointment
    offered = availability.require_offered(
        session,
        doctor_id=to_doctor_id,
        service_id=appointment.service_id,
        starts_at=at,
        patient_id=appointment.patient_id,
        by_staff=actor.works_here,
        ignoring=appointment_id,
    )
    wish = Wish(appointment.patient_id, to_doctor_id, appointment.service_id, at, appointment.room_id)
    moved = moves.move(session, actor, appointment, wish, offered, request_key=request_key)
    if moved.status is AppointmentStatus.CONFIRMED:
        announcements.moved(session, moved)
    else:
        announcements.held(session, moved)
    return moved


def cancel(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    reason: str,
    waive_policy: bool = False,
    seen: Outcome | None = None,
    request_key: UUID | None = None,
) -> Appointment:
    """Call a visit off for a stated reason; its time is free at once, its row and history stay.

    Money goes back as agreed at booking; within the cancellation window that costs the late fee. With
    `waive_policy` the desk gives back all of it. `seen` is what the person was told it comes to: that must
    still be true. A time that the waitlist only offers is declined instead. Raises `NoLongerChangeable`,
    `ReasonMissing`, `CostChanged`, `AccessDenied`, `NotFound`.
    """
    appointment = placements.locked(session, appointment_id)
    access.require(actor, Action.CANCEL, patient_id=appointment.patient_id, doctor_id=appointment.doctor_id)
    why = required_reason(reason)
    if earlier := appointment_events.answered(
        session, actor, request_key, EventKind.CANCELLED, appointment_id=appointment_id
    ):
        return earlier
    _require_changeable(actor, appointment, waive_policy)
    if offer := holds.open_offer(session, appointment):
        return waitlist_answers.let_go(session, actor, offer, appointment, OfferState.DECLINED)
    cancellations.call_off(
        session, actor, appointment, why, is_waived=waive_policy, seen=seen, request_key=request_key
    )
    return appointment


def cancel_by_text(session: Session, appointment_id: int) -> Appointment:
    """Call a visit off as its patient has asked by text, on the terms agreed. Raises `NoLongerChangeable`."""
    appointment = placements.locked(session, appointment_id)
    if appointment.status not in CHANGEABLE or appointment.starts_at <= clock.now():
        raise NoLongerChangeable
    cancellations.call_off(session, None, appointment, BY_TEXT)
    return appointment


def _require_changeable(actor: Actor, appointment: Appointment, waive_policy: bool) -> None:
    if waive_policy and not actor.is_desk:
        raise AccessDenied(Action.OVERBOOK, patient_id=appointment.patient_id)
    if appointment.status not in CHANGEABLE or appointment.starts_at <= clock.now():
        raise NoLongerChangeable
