"""Answers to our texts: what is sure is done, the rest waits at the desk with a suggestion.

C says that one comes, R asks for another time, N calls off (after asking, where that costs something), Y
takes an offered time. One visit must be meant, surely: else a person decides.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import (
    announcements,
    answers,
    appointments,
    attendances,
    cancellations,
    clinics,
    clock,
    offer_replies,
    phone_states,
    questions,
    recipients,
    terms,
    texters,
    turns,
)
from core.i18n import money, speaking
from core.texters import Texter, reply, to_desk
from db.models import (
    Answer,
    Appointment,
    InboundMessage,
    InboundState,
)
from db.session import unit_of_work

ASKED_FOR = timedelta(hours=2)  # for a second N, which then calls off
BATCH = 100


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
    texter = texters.of(session, inbound.sender)
    inbound.patient_id = texter.family_id
    inbound.answer, inbound.suggestion = meant, answers.suggested(inbound.body)
    inbound.state = InboundState.DONE
    if meant is Answer.STOP:
        _stop(session, inbound)
    elif meant is Answer.START or _ends_an_opt_out(session, inbound):
        _start(session, inbound, texter)
    elif not texter.patient_ids:
        to_desk(inbound, "unknown number")
    elif not offer_replies.answer(session, inbound, texter, meant):
        _about_a_visit(session, inbound, texter, meant)


def _stop(session: Session, inbound: InboundMessage) -> None:
    """The carrier sends no more either. Whoever wrote CANCEL may have meant the visit: a person asks.

    So may whoever wrote more than a word: that has been understood by some of its words alone.
    """
    phone_states.stop(session, inbound.sender, by="a text", patient_id=inbound.patient_id)
    word = answers.word_of(inbound.body)
    if word == "cancel":
        inbound.suggestion = Answer.CANCEL
    if word == "cancel" or word not in answers.STOP_WORDS:
        to_desk(inbound, "perhaps the visit was meant")


def _ends_an_opt_out(session: Session, inbound: InboundMessage) -> bool:
    state = phone_states.of(session, inbound.sender)
    has_ended = state is not None and state.opted_out_at is not None
    return has_ended and answers.word_of(inbound.body) == answers.AGREEING


def _start(session: Session, inbound: InboundMessage, texter: Texter) -> None:
    inbound.answer = Answer.START
    phone_states.resume(session, inbound.sender, patient_ids=texter.patient_ids, source="a text")


def _about_a_visit(session: Session, inbound: InboundMessage, texter: Texter, meant: Answer) -> None:
    if meant in {Answer.UNCLEAR, Answer.ACCEPT}:
        to_desk(inbound, "unclear")
        return
    if len(texter.visits) != 1:
        to_desk(inbound, "several visits" if texter.visits else "no visit ahead")
        return
    [visit] = texter.visits
    inbound.appointment_id, inbound.patient_id = visit.id, visit.patient_id
    texter = texter._replace(told=recipients.of(session, visit.patient_id))
    {Answer.CONFIRM: _confirm, Answer.MOVE: _move, Answer.CANCEL: _cancel}[meant](
        session, inbound, texter, visit
    )


def _confirm(session: Session, inbound: InboundMessage, texter: Texter, visit: Appointment) -> None:
    if attendances.confirm_by_text(session, visit.id):
        reply(session, inbound, texter, "confirmed", visit)


def _move(session: Session, inbound: InboundMessage, texter: Texter, visit: Appointment) -> None:
    """Whoever has an account moves it there, as long as that is allowed; the others are called."""
    has_account = texter.told is not None and texter.told.has_account
    if has_account and not terms.is_late(visit, clock.now()):
        reply(session, inbound, texter, "choose_time", visit)
        return
    reply(session, inbound, texter, "will_call", visit)
    to_desk(inbound, "wants another time")


def _cancel(session: Session, inbound: InboundMessage, texter: Texter, visit: Appointment) -> None:
    """Call off at once where that costs nothing; else say what it costs and wait for a second N."""
    costs = cancellations.outcome(session, visit).kept_minor
    amount = _amount(session, texter, costs)
    if costs and not questions.was_told_the_cost(session, inbound, visit.id, amount):
        inbound.asked_until = clock.now() + ASKED_FOR
        reply(session, inbound, texter, "cancelling_costs", visit, amount=amount)
        return
    appointments.cancel_by_text(session, visit.id)
    announcements.tell_at_once(session, visit.id)


def _amount(session: Session, texter: Texter, minor: int) -> str:
    with speaking(texter.locale):
        return money(minor, clinics.settings(session).currency)
