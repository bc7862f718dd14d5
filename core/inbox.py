"""The desk's inbox: texts that need a person."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import (
    access,
    agendas,
    announcements,
    attendances,
    audit,
    clock,
    recipients,
    sms_lengths,
    texters,
)
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, _
from db.config import config
from db.models import (
    Answer,
    Appointment,
    InboundMessage,
    InboundState,
    Patient,
    PhoneState,
)

SHOWN = 20
LONGEST = 300  # characters of an answer; it goes out in two parts at most
SUGGESTED = {
    Answer.CONFIRM: N_("Thank you, we expect you."),
    Answer.MOVE: N_("Which day and time would suit you better? You can also call us."),
    Answer.CANCEL: N_("Shall we call your visit off? Which one do you mean?"),
    Answer.ACCEPT: N_("That time is no longer free. We will let you know of the next one."),
    Answer.STOP: N_("We send no more texts. Shall we call your visit off as well?"),
}
ANYTHING = N_("Thank you for your message. How can we help?")
WHO = N_("Thank you for your message. Who are you, please, and when is your visit?")


class AnswerMissing(ClinicError):
    message = N_("Please write an answer.")


class AnswerTooLong(ClinicError):
    message = N_("That is too long for a text: {length} characters at most.")


class AlreadyDealtWith(ClinicError):
    message = N_("Somebody has dealt with this message already.")


class NoTexts(ClinicError):
    message = N_("No text can be sent there: texts are not set up, or that number wants none.")


class Waiting(NamedTuple):
    """A text at the desk, whom it may be about, their visits ahead in order, and whether one may answer."""

    inbound: InboundMessage
    patients: list[Patient]
    visits: list[Appointment]
    takes_texts: bool = True


def count(session: Session, actor: Actor) -> int:
    """How many texts wait for the desk: cheap enough to be asked for with every page."""
    access.require(actor, Action.ANSWER_MESSAGES)
    return session.scalar(select(func.count()).where(InboundMessage.state == InboundState.AT_DESK)) or 0


def waiting(session: Session, actor: Actor) -> list[Waiting]:
    """The texts at the desk, the oldest first; twenty at most."""
    access.require(actor, Action.ANSWER_MESSAGES)
    texts = session.scalars(
        select(InboundMessage)
        .where(InboundMessage.state == InboundState.AT_DESK)
        .order_by(InboundMessage.received_at, InboundMessage.id)
        .limit(SHOWN)
    ).all()
    about = {text.id: recipients.reached_at(session, text.sender) for text in texts}
    ids = {number for numbers in about.values() for number in numbers}
    patients = {
        patient.id: patient for patient in session.scalars(select(Patient).where(Patient.id.in_(ids)))
    }
    visits = agendas.confirmed_ahead(session, list(ids))
    open_to_texts = _open_to_texts(session, {text.sender for text in texts})
    return [
        Waiting(
            text,
            [patients[number] for number in about[text.id]],
            [visit for visit in visits if visit.patient_id in about[text.id]],
            text.sender in open_to_texts,
        )
        for text in texts
    ]


def _open_to_texts(session: Session, numbers: set[str]) -> set[str]:
    """Those of the numbers to which a text can be sent now."""
    if not config().sends_texts:
        return set()
    out = select(PhoneState.phone).where(PhoneState.phone.in_(numbers), PhoneState.opted_out_at.is_not(None))
    return numbers - set(session.scalars(out))


def suggested_answer(waiting: Waiting) -> str:
    """What the desk might write back, in the language spoken here."""
    if not waiting.patients:
        return _(WHO)
    return _(SUGGESTED.get(waiting.inbound.suggestion or Answer.UNCLEAR, ANYTHING))


def answer(session: Session, actor: Actor, *, inbound_id: int, text: str, request_key: UUID) -> None:
    """Send an answer by text, and note that the desk has dealt with it.

    Raises `AnswerMissing`, `AnswerTooLong`, `NoTexts`, `AlreadyDealtWith`, `NotFound`, `AccessDenied`.
    """
    inbound = _locked(session, actor, inbound_id)
    words = " ".join(text.replace("\0", "").split())
    if not words:
        raise AnswerMissing
    if len(words) > LONGEST:
        raise AnswerTooLong(length=LONGEST)
    if not _open_to_texts(session, {inbound.sender}):
        raise NoTexts
    announcements.written_by_hand(
        session,
        to=inbound.sender,
        text=sms_lengths.plainer(words),
        key=f"inbound:{inbound.id}:{request_key}",
        patient_id=inbound.patient_id,
    )
    _settle(session, actor, inbound)


def confirm(session: Session, actor: Actor, *, inbound_id: int, appointment_id: int) -> None:
    """Note that the patient comes to that visit, as the text says, and thank them.

    Raises as `attendances.confirm` does.
    """
    inbound = _locked(session, actor, inbound_id)
    visit = agendas.one(session, actor, appointment_id)
    if visit.patient_id not in recipients.reached_at(session, inbound.sender):
        raise NotFound
    attendances.confirm(session, actor, appointment_id=appointment_id)
    inbound.appointment_id = appointment_id
    texters.reply(session, inbound, texters.of(session, inbound.sender), "confirmed", visit)
    _settle(session, actor, inbound)


def settle(session: Session, actor: Actor, *, inbound_id: int) -> None:
    """Note that the desk has dealt with a text. Raises `AlreadyDealtWith`, `NotFound`, `AccessDenied`."""
    _settle(session, actor, _locked(session, actor, inbound_id))


def _locked(session: Session, actor: Actor, inbound_id: int) -> InboundMessage:
    access.require(actor, Action.ANSWER_MESSAGES)
    inbound = session.get(InboundMessage, inbound_id, with_for_update=True, populate_existing=True)
    if inbound is None:
        raise NotFound
    if inbound.state is not InboundState.AT_DESK:
        raise AlreadyDealtWith
    return inbound


def _settle(session: Session, actor: Actor, inbound: InboundMessage) -> None:
    inbound.state = InboundState.SETTLED
    inbound.settled_at, inbound.settled_by_id = clock.now(), actor.user_id
    audit.record(
        session,
        actor,
        Action.ANSWER_MESSAGES,
        kind="inbound message",
        number=inbound.id,
        patient_id=inbound.patient_id,
    )
