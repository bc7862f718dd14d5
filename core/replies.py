"""Answers to our texts: what is sure is done, the rest waits at the desk with a suggestion.

C says that one comes, R asks for another time, N calls off (after asking, where that costs something), Y
takes an offered time. One visit must be meant, surely: else a person decides.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import (
    agendas,
    announcements,
    answers,
    appointments,
    attendances,
    cancellations,
    clinics,
    clock,
    phone_states,
    questions,
    recipients,
    terms,
    turns,
    waitlist_answers,
)
from core.i18n import clock_time, day_and_time, money, speaking
from core.offers import NotOffered
from core.recipients import Recipient
from core.waitlist_answers import OfferOver
from db.config import config
from db.models import (
    Answer,
    Appointment,
    AppointmentStatus,
    InboundMessage,
    InboundState,
    MessageKind,
    WaitlistOffer,
)
from db.session import unit_of_work

ASKED_FOR = timedelta(hours=2)  # for a second N, which then calls off
BATCH = 100
PATH = "/my_appointments"


class _Texter(NamedTuple):
    """Who has sent a text: the patients it may be about, and how the first of them is told things.

    `family_id` is None where several share the phone: what one of them wrote is in nobody's record.
    """

    patient_ids: list[int]
    family_id: int | None
    told: Recipient | None
    visits: list[Appointment]

    @property
    def locale(self) -> str:
        """The language of whoever has the phone."""
        return self.told.locale if self.told else "en"


def answer_waiting() -> int:
    """Deal with the texts that nobody has dealt with, each in its own transaction; how many."""
    with unit_of_work() as session:
        numbers = session.scalars(
            select(InboundMessage.id)
            .where(InboundMessage.state == InboundState.NEW)
            .order_by(InboundMessage.received_at, InboundMessage.id)
            .limit(BATCH)
        ).all()
    turns.each(numbers, _answer)
    return len(numbers)


def _answer(number: int) -> None:
    with unit_of_work() as session:
        inbound = session.scalar(
            select(InboundMessage)
            .where(InboundMessage.id == number, InboundMessage.state == InboundState.NEW)
            .with_for_update(skip_locked=True)
        )
        if inbound is not None:
            answer(session, inbound)


def answer(session: Session, inbound: InboundMessage) -> None:
    """Do what a text surely asks for, or leave it to the desk and say why."""
    meant = answers.understood(inbound.body)
    texter = _texter(session, inbound.sender)
    inbound.patient_id = texter.family_id
    inbound.answer, inbound.suggestion = meant, answers.suggested(inbound.body)
    inbound.state = InboundState.DONE
    if meant is Answer.STOP:
        _stop(session, inbound)
    elif meant is Answer.START or _ends_an_opt_out(session, inbound):
        _start(session, inbound, texter)
    elif not texter.patient_ids:
        _to_desk(inbound, "unknown number")
    elif not _about_an_offer(session, inbound, texter, meant):
        _about_a_visit(session, inbound, texter, meant)


def _texter(session: Session, phone: str) -> _Texter:
    patient_ids = recipients.reached_at(session, phone)
    families = {told.family_id: told for each in patient_ids if (told := recipients.of(session, each))}
    visits = agendas.confirmed_ahead(session, patient_ids)
    family_id = next(iter(families)) if len(families) == 1 else None
    return _Texter(patient_ids, family_id, next(iter(families.values()), None), visits)


def _to_desk(inbound: InboundMessage, why: str) -> None:
    inbound.state, inbound.why = InboundState.AT_DESK, why


def _stop(session: Session, inbound: InboundMessage) -> None:
    """The carrier sends no more either. Whoever wrote CANCEL may have meant the visit: a person asks.

    So may whoever wrote more than a word: that has been understood by some of its words alone.
    """
    phone_states.stop(session, inbound.sender, by="a text", patient_id=inbound.patient_id)
    word = answers.word_of(inbound.body)
    if word == "cancel":
        inbound.suggestion = Answer.CANCEL
    if word == "cancel" or word not in answers.STOP_WORDS:
        _to_desk(inbound, "perhaps the visit was meant")


def _ends_an_opt_out(session: Session, inbound: InboundMessage) -> bool:
    state = phone_states.of(session, inbound.sender)
    has_ended = state is not None and state.opted_out_at is not None
    return has_ended and answers.word_of(inbound.body) == answers.AGREEING


def _start(session: Session, inbound: InboundMessage, texter: _Texter) -> None:
    inbound.answer = Answer.START
    phone_states.resume(session, inbound.sender, patient_ids=texter.patient_ids, source="a text")


def _about_an_offer(session: Session, inbound: InboundMessage, texter: _Texter, meant: Answer) -> bool:
    """Take or pass an offered time; whether that is what was meant, or may have been."""
    if meant not in {Answer.ACCEPT, Answer.CANCEL}:
        return False
    offers = waitlist_answers.open_offers_for(session, texter.patient_ids)
    if len(offers) > 1:
        _to_desk(inbound, "several offers")
        return True
    offer = offers[0] if offers else None
    does = _take if meant is Answer.ACCEPT else _pass
    try:
        return does(session, inbound, texter, offer)
    except (OfferOver, NotOffered):
        _reply(session, inbound, texter, "offer_over", None)
        return True


def _take(session: Session, inbound: InboundMessage, texter: _Texter, offer: WaitlistOffer | None) -> bool:
    if offer is None:
        if not questions.was_offered(session, texter.patient_ids):
            return False
        taken = waitlist_answers.taken_last(session, texter.patient_ids)
        if taken is None:
            raise OfferOver
        inbound.appointment_id = taken.id
        if taken.status is AppointmentStatus.CONFIRMED:
            _reply(session, inbound, texter, "confirmed", taken)
        return True
    inbound.appointment_id = offer.appointment_id
    waitlist_answers.accept_by_text(session, offer)
    announcements.tell_at_once(session, offer.appointment_id)
    return True


def _pass(session: Session, inbound: InboundMessage, texter: _Texter, offer: WaitlistOffer | None) -> bool:
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
        _to_desk(inbound, "perhaps an offer was meant")
        return True
    inbound.appointment_id, inbound.answer = offer.appointment_id, Answer.DECLINE
    waitlist_answers.decline_by_text(session, offer)
    _reply(session, inbound, texter, "offer_declined", None)
    return True


def _about_a_visit(session: Session, inbound: InboundMessage, texter: _Texter, meant: Answer) -> None:
    if meant in {Answer.UNCLEAR, Answer.ACCEPT}:
        _to_desk(inbound, "unclear")
        return
    if len(texter.visits) != 1:
        _to_desk(inbound, "several visits" if texter.visits else "no visit ahead")
        return
    [visit] = texter.visits
    inbound.appointment_id, inbound.patient_id = visit.id, visit.patient_id
    texter = texter._replace(told=recipients.of(session, visit.patient_id))
    {Answer.CONFIRM: _confirm, Answer.MOVE: _move, Answer.CANCEL: _cancel}[meant](
        session, inbound, texter, visit
    )


def _confirm(session: Session, inbound: InboundMessage, texter: _Texter, visit: Appointment) -> None:
    if attendances.confirm_by_text(session, visit.id):
        _reply(session, inbound, texter, "confirmed", visit)


def _move(session: Session, inbound: InboundMessage, texter: _Texter, visit: Appointment) -> None:
    """Whoever has an account moves it there, as long as that is allowed; the others are called."""
    has_account = texter.told is not None and texter.told.has_account
    if has_account and not terms.is_late(visit, clock.now()):
        _reply(session, inbound, texter, "choose_time", visit)
        return
    _reply(session, inbound, texter, "will_call", visit)
    _to_desk(inbound, "wants another time")


def _cancel(session: Session, inbound: InboundMessage, texter: _Texter, visit: Appointment) -> None:
    """Call off at once where that costs nothing; else say what it costs and wait for a second N."""
    costs = cancellations.outcome(session, visit).kept_minor
    amount = _amount(session, texter, costs)
    if costs and not questions.was_told_the_cost(session, inbound, visit.id, amount):
        inbound.asked_until = clock.now() + ASKED_FOR
        _reply(session, inbound, texter, "cancelling_costs", visit, amount=amount)
        return
    appointments.cancel_by_text(session, visit.id)
    announcements.tell_at_once(session, visit.id)


def _amount(session: Session, texter: _Texter, minor: int) -> str:
    with speaking(texter.locale):
        return money(minor, clinics.settings(session).currency)


def _reply(
    session: Session,
    inbound: InboundMessage,
    texter: _Texter,
    template: str,
    visit: Appointment | None,
    *,
    amount: str = "",
) -> None:
    """Answer in the language of whoever has the phone."""
    zone, locale = clinics.zone(session), texter.locale
    with speaking(locale):
        values = {
            "when": day_and_time(visit.starts_at, zone) if visit else "",
            "link": config().public_url + PATH,
            "amount": amount,
            "until": clock_time(inbound.asked_until or clock.now(), zone),
        }
    announcements.answered(
        session,
        visit,
        to=inbound.sender,
        template=template,
        locale=locale,
        inbound_id=inbound.id,
        patient_id=inbound.patient_id,
        values=values,
    )
