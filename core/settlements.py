"""Settling visits without hours: another time, another doctor, or calling them off at the clinic's cost.

Each visit is settled in a transaction of its own, and only while it is without hours: a second click, or
somebody else's, changes nothing.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core import (
    access,
    appointment_events,
    arrivals,
    cancellations,
    holds,
    moves,
    placements,
    strandings,
    suggestions,
    waitlist_answers,
)
from core.access import Action, Actor
from core.appointment_errors import NoLongerChangeable
from core.errors import ClinicError, NotFound
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, EventKind, OfferState

DOCTOR_AWAY = "The clinic had to call this visit off"  # the reason in the events


class NotTheirField(ClinicError):
    message = N_("That doctor does not do this kind of visit in the same specialty.")


def move(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    doctor_id: int,
    starts_at: datetime,
    request_key: UUID | None = None,
) -> Appointment:
    """Move a visit without hours to another time, with its own doctor or one of the same specialty.

    The patient is told. Nothing is asked for it, however late it is: the price agreed stays. Who waits for
    it already waits no longer, as far as we know. Raises `NotStranded`, `NotTheirField`, `NotOffered`,
    `SlotTaken`, `PatientBusy`, `OnlyOffered`, `VisitChanged`, `DoctorHasSigned`, `NotFound`, `AccessDenied`.
    """
    seen = _seen(session, appointment_id)
    moves.take_turns(session, doctor_ids=[doctor_id], patient_id=seen.patient_id)
    seen = _seen(session, appointment_id)  # by whoever was faster, be it another press of this button
    earlier = appointment_events.answered(
        session, actor, request_key, EventKind.MOVED, appointment_id=appointment_id
    )
    whose = actor.doctor_id if earlier else seen.doctor_id  # who has handed it over may press twice
    access.require(actor, Action.SETTLE_VISIT, patient_id=seen.patient_id, doctor_id=whose)
    if earlier:
        return earlier
    strandings.require(session, appointment_id)
    if doctor_id != seen.doctor_id and not suggestions.may_take_over(session, seen, doctor_id):
        raise NotTheirField
    _as_booked(session, actor, seen)
    return moves.relocate(
        session, actor, seen, doctor_id=doctor_id, starts_at=starts_at, request_key=request_key
    )


def call_off(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    reason: str = DOCTOR_AWAY,
    request_key: UUID | None = None,
) -> Appointment:
    """Call a visit without hours off and pay all of its money back: it is the clinic's doing.

    A time that is only offered from the waitlist is let go. Raises `NotStranded`, `NoLongerChangeable`,
    `ReasonMissing`, `DoctorHasSigned`, `NotFound`, `AccessDenied`.
    """
    visit = placements.locked(session, appointment_id)
    access.require(actor, Action.SETTLE_VISIT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    why = appointment_events.required_reason(reason)
    if earlier := appointment_events.answered(
        session, actor, request_key, EventKind.CANCELLED, appointment_id=appointment_id
    ):
        return earlier
    strandings.require(session, appointment_id)
    _as_booked(session, actor, visit)
    if visit.status not in moves.CHANGEABLE:
        raise NoLongerChangeable
    if offer := holds.open_offer(session, visit):
        return waitlist_answers.let_go(session, actor, offer, visit, OfferState.DECLINED)
    cancellations.call_off(session, actor, visit, why, is_waived=True, request_key=request_key)
    return visit


def _as_booked(session: Session, actor: Actor, visit: Appointment) -> None:
    """Take back that the patient of a visit waits for it, where they do."""
    if visit.status is AppointmentStatus.ARRIVED:
        arrivals.undo(session, actor, appointment_id=visit.id)


def _seen(session: Session, appointment_id: int) -> Appointment:
    visit = session.get(Appointment, appointment_id, populate_existing=True)
    if visit is None:
        raise NotFound
    return visit
