"""Answers to what the waitlist offers: yes books the time, no and silence let it go.

Whoever answers holds the visit's row first, as its payments and its hold's end do: of two answers at once
one counts, and the other person reads that the offer is over.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import (
    access,
    announcements,
    appointment_events,
    audit,
    availability,
    clock,
    payments,
    placements,
    terms,
)
from core.access import Action, Actor
from core.audit import Event
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.offers import Rule
from core.terms import Terms, TermsChanged
from db.models import (
    Appointment,
    AppointmentStatus,
    EventKind,
    OfferState,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)
from db.models.appointments import LIVE_STATUSES

# What an offer keeps its word on, whatever the clinic has changed since.
_SETTLED_BY_THE_OFFER = frozenset(
    {
        *(Rule.NOT_ACCEPTING, Rule.SHORT_NOTICE, Rule.BEYOND_HORIZON),
        *(Rule.REPEATED_HOUR, Rule.OFF_STEP, Rule.RUNS_OVER, Rule.TAKEN),
    }
)


class OfferOver(ClinicError):
    message = N_("This offer is over: it has been answered, or it was not answered in time.")


def accept(session: Session, actor: Actor, *, offer_id: int, seen: Terms | None = None) -> Appointment:
    """Take the time that is offered, for the patient; the visit.

    It is confirmed, or waits for its payment as any booking does where something is due: from now on, since
    it is booked only now. Accepted again it is the same visit. `seen` are the terms the person was shown:
    they must still be true. Raises `OfferOver`, `NotOffered`, `TermsChanged`, `TooManyHolds`, `AccessDenied`,
    `NotFound`.
    """
    offer, entry, appointment = _held(session, offer_id)
    access.require(actor, Action.BOOK, patient_id=entry.patient_id)
    if _is_taken(offer, appointment):
        return appointment
    _require_open(offer)
    _require_possible(session, appointment)
    agreed = terms.offered(
        session,
        actor,
        patient_id=appointment.patient_id,
        doctor_id=appointment.doctor_id,
        service_id=appointment.service_id,
    )
    if seen is not None and seen != agreed:
        raise TermsChanged
    if agreed.due_minor:
        payments.new_hold(session, actor)
    return _taken(session, actor, offer, entry, appointment, agreed)


def decline(session: Session, actor: Actor, *, offer_id: int) -> Appointment:
    """Let the offered time go, for the patient, who waits on for another. Raises `OfferOver`, `AccessDenied`,
    `NotFound`.
    """
    offer, entry, appointment = _held(session, offer_id)
    access.require(actor, Action.JOIN_WAITLIST, patient_id=entry.patient_id)
    return _declined(session, actor, offer, appointment)


def accept_by_text(session: Session, offer: WaitlistOffer) -> Appointment:
    """What `accept` does, for who has the phone to which the offer went. Raises `OfferOver`, `NotOffered`.

    The visit is pending where something is due, which is to be paid in the portal.
    """
    offer, entry, appointment = _held(session, offer.id)
    if _is_taken(offer, appointment):
        return appointment
    _require_open(offer)
    _require_possible(session, appointment)
    agreed = terms.unattended(
        session,
        patient_id=appointment.patient_id,
        doctor_id=appointment.doctor_id,
        service_id=appointment.service_id,
    )
    return _taken(session, None, offer, entry, appointment, agreed)


def decline_by_text(session: Session, offer: WaitlistOffer) -> Appointment:
    """What `decline` does, for who has the phone to which the offer went. Raises `OfferOver`."""
    offer, _entry, appointment = _held(session, offer.id)
    return _declined(session, None, offer, appointment)


def open_offers_for(session: Session, patient_ids: Sequence[int]) -> list[WaitlistOffer]:
    """The offers, with their visits, to which these patients may still answer.

    Of several, an answer in one word would not say which it means.
    """
    return list(
        session.scalars(
            select(WaitlistOffer)
            .join(WaitlistOffer.entry)
            .where(
                WaitlistEntry.patient_id.in_(patient_ids),
                WaitlistOffer.state == OfferState.OPEN,
                WaitlistOffer.expires_at > clock.now(),
            )
            .options(joinedload(WaitlistOffer.appointment))
            .order_by(WaitlistOffer.id)
        )
    )


def taken_last(session: Session, patient_ids: Sequence[int]) -> Appointment | None:
    """The visit that came of the last offer to these patients, if they have taken it and it is still there.

    Whoever says yes twice is told that it is booked, and not that it is gone.
    """
    last = session.scalar(
        select(WaitlistOffer)
        .join(WaitlistOffer.entry)
        .where(WaitlistEntry.patient_id.in_(patient_ids))
        .options(joinedload(WaitlistOffer.appointment))
        .order_by(WaitlistOffer.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return last.appointment if last is not None and _is_taken(last, last.appointment) else None


def let_go(
    session: Session, actor: Actor | None, offer: WaitlistOffer, appointment: Appointment, state: OfferState
) -> Appointment:
    """End an open offer and free the time that it holds. Its caller has locked the visit and may do so.

    The visit has expired, not been cancelled: it never was booked.
    """
    offer.state, offer.ended_at = state, clock.now()
    before = appointment_events.place_in_time(appointment)
    appointment.status, appointment.hold_expires_at = AppointmentStatus.EXPIRED, None
    placements.touch(appointment)
    appointment_events.record(session, actor, appointment, EventKind.EXPIRED, before=before)
    _note(session, actor, Event.OFFER_ENDED, offer, appointment)
    return appointment


def _held(session: Session, offer_id: int) -> tuple[WaitlistOffer, WaitlistEntry, Appointment]:
    """An offer as it is now, with its entry and its visit, whose row is locked. Raises `NotFound`."""
    known = session.scalar(select(WaitlistOffer.appointment_id).where(WaitlistOffer.id == offer_id))
    if known is None:
        raise NotFound
    appointment = placements.locked(session, known)
    offer = session.get_one(WaitlistOffer, offer_id, populate_existing=True)
    entry = session.get_one(WaitlistEntry, offer.entry_id, populate_existing=True)
    return offer, entry, appointment


def _is_taken(offer: WaitlistOffer, appointment: Appointment) -> bool:
    """Whether it was accepted already, and the visit that came of it is still there."""
    return offer.state is OfferState.ACCEPTED and appointment.status in LIVE_STATUSES


def _require_open(offer: WaitlistOffer) -> None:
    """Raise `OfferOver` unless it is open, also where its time is over and nobody has noted that yet."""
    if offer.state is not OfferState.OPEN or offer.expires_at <= clock.now():
        raise OfferOver


def _require_possible(session: Session, appointment: Appointment) -> None:
    """Raise `NotOffered` where the doctor has left or is away since the time was offered."""
    availability.require_offered(
        session,
        doctor_id=appointment.doctor_id,
        service_id=appointment.service_id,
        starts_at=appointment.starts_at,
        patient_id=appointment.patient_id,
        also_waiving=_SETTLED_BY_THE_OFFER,
        ignoring=appointment.id,
    )


def _taken(
    session: Session,
    actor: Actor | None,
    offer: WaitlistOffer,
    entry: WaitlistEntry,
    appointment: Appointment,
    agreed: Terms,
) -> Appointment:
    now = clock.now()
    for name, value in agreed._asdict().items():
        setattr(appointment, name, value)
    appointment.created_at = now  # from when a hold for its payment counts
    offer.state, offer.ended_at = OfferState.ACCEPTED, now
    entry.state, entry.ended_at = WaitlistState.BOOKED, now
    if agreed.due_minor:
        payments.begin(session, appointment, agreed.due_minor)
        announcements.held(session, appointment, is_at_once=actor is None)
    else:
        payments.confirm(session, actor, appointment)
    _note(session, actor, Event.OFFER_ACCEPTED, offer, appointment)
    return appointment


def _declined(
    session: Session, actor: Actor | None, offer: WaitlistOffer, appointment: Appointment
) -> Appointment:
    if offer.state is OfferState.DECLINED:
        return appointment
    _require_open(offer)
    return let_go(session, actor, offer, appointment, OfferState.DECLINED)


def _note(
    session: Session, actor: Actor | None, event: Event, offer: WaitlistOffer, appointment: Appointment
) -> None:
    by_text: dict[str, Any] = {} if actor else {"by": "text"}
    audit.record(
        session,
        actor,
        event,
        kind="waitlist_offer",
        number=offer.id,
        patient_id=appointment.patient_id,
        appointment_id=appointment.id,
        **by_text,
    )
