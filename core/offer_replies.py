"""Answers by text to a time that was offered: taken, passed, or for a person to ask about."""

from sqlalchemy.orm import Session

from core import announcements, questions, waitlist_answers
from core.offers import NotOffered
from core.texters import Texter, reply, to_desk
from core.waitlist_answers import OfferOver
from db.models import Answer, AppointmentStatus, InboundMessage, MessageKind, WaitlistOffer


def answer(session: Session, inbound: InboundMessage, texter: Texter, meant: Answer) -> bool:
    """Take or pass an offered time; whether that is what was meant, or may have been."""
    if meant not in {Answer.ACCEPT, Answer.CANCEL}:
        return False
    offers = waitlist_answers.open_offers_for(session, texter.patient_ids)
    if len(offers) > 1:
        to_desk(inbound, "several offers")
        return True
    offer = offers[0] if offers else None
    does = _take if meant is Answer.ACCEPT else _pass
    try:
        return does(session, inbound, texter, offer)
    except (OfferOver, NotOffered):
        reply(session, inbound, texter, "offer_over", None)
        return True


def _take(session: Session, inbound: InboundMessage, texter: Texter, offer: WaitlistOffer | None) -> bool:
    if offer is None:
        if not questions.was_offered(session, texter.patient_ids):
            return False
        taken = waitlist_answers.taken_last(session, texter.patient_ids)
        if taken is None:
            raise OfferOver
        inbound.appointment_id = taken.id
        if taken.status is AppointmentStatus.CONFIRMED:
            reply(session, inbound, texter, "confirmed", taken)
        return True
    inbound.appointment_id = offer.appointment_id
    waitlist_answers.accept_by_text(session, offer)
    announcements.tell_at_once(session, offer.appointment_id)
    return True


def _pass(session: Session, inbound: InboundMessage, texter: Texter, offer: WaitlistOffer | None) -> bool:
    """N passes what was offered, and is about a visit only where nothing was offered since its reminder.

    A late N, or a second one, must not call off the visit that the patient keeps: there a person asks.
    """
    asked = questions.last_asked(session, inbound.sender, before=inbound.received_at)
    was_told = offer is not None and questions.last_asked(
        session, inbound.sender, before=inbound.received_at, appointment_id=offer.appointment_id
    )
    if asked is not MessageKind.OFFER and not was_told:
        return False
    if offer is None or not was_told or asked is not MessageKind.OFFER:
        to_desk(inbound, "perhaps an offer was meant")
        return True
    inbound.appointment_id, inbound.answer = offer.appointment_id, Answer.DECLINE
    waitlist_answers.decline_by_text(session, offer)
    reply(session, inbound, texter, "offer_declined", None)
    return True
