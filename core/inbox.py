"""The desk's inbox: texts that need a person, and people whom a message did not reach."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from core import (
    access,
    agendas,
    announcements,
    attendances,
    audit,
    clock,
    recipients,
    sms_lengths,
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
    MessageKind,
    Notification,
    NotificationStatus,
    Patient,
    PhoneState,
)
from db.models.appointments import LIVE_STATUSES

SHOWN = 20
LONGEST = 300  # characters of an answer; it goes out in two parts at most
NOT_REACHED = (NotificationStatus.FAILED, NotificationStatus.UNDELIVERED)
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


class Unreached(NamedTuple):
    """A message about a visit ahead that did not arrive."""

    message: Notification
    patient: Patient
    visit: Appointment


class Count(NamedTuple):
    """How many texts wait for the desk, and how many messages that did not arrive."""

    texts: int
    unreached: int


def count(session: Session, actor: Actor) -> Count:
    """How much waits for the desk."""
    access.require(actor, Action.ANSWER_MESSAGES)
    about = Appointment.id == Notification.appointment_id
    lost = select(func.count()).select_from(Notification).join(Appointment, about)
    return Count(count_texts(session, actor), session.scalar(lost.where(*_is_lost())) or 0)


def count_texts(session: Session, actor: Actor) -> int:
    """How many texts wait for the desk: cheap enough to be asked for with every page."""
    access.require(actor, Action.ANSWER_MESSAGES)
    return session.scalar(select(func.count()).where(InboundMessage.state == InboundState.AT_DESK)) or 0


def _is_lost() -> list[ColumnElement[bool]]:
    """The conditions of a message about a visit ahead that did not arrive, by itself or with another.

    Of a visit that is off, only that it is so matters.
    """
    return [
        _has_failed(),
        Notification.kind != MessageKind.RECEIPT,
        Notification.settled_at.is_(None),
        Notification.time_version == Appointment.time_version,
        Appointment.starts_at > clock.now(),
        or_(Notification.kind == MessageKind.CANCELLED, Appointment.status.in_(LIVE_STATUSES)),
    ]


def _has_failed() -> ColumnElement[bool]:
    carrier = aliased(Notification)
    lost = carrier.status.in_(NOT_REACHED)
    carried = exists().where(carrier.id == Notification.carried_by_id, lost)
    return or_(Notification.status.in_(NOT_REACHED), carried)


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
    """Note that the patient comes to that visit, as the text says. Raises as `attendances.confirm` does."""
    inbound = _locked(session, actor, inbound_id)
    visit = agendas.one(session, actor, appointment_id)
    if visit.patient_id not in recipients.reached_at(session, inbound.sender):
        raise NotFound
    attendances.confirm(session, actor, appointment_id=appointment_id)
    inbound.appointment_id = appointment_id
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


def unreached(session: Session, actor: Actor) -> list[Unreached]:
    """Messages about visits ahead that did not arrive and that nobody has dealt with; twenty at most."""
    access.require(actor, Action.ANSWER_MESSAGES)
    rows = session.execute(
        select(Notification, Patient, Appointment)
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(*_is_lost())
        .order_by(Appointment.starts_at, Notification.id)
        .options(*agendas.WITH_PEOPLE)
        .limit(SHOWN)
    )
    return [Unreached(*row) for row in rows]


def settle_unreached(session: Session, actor: Actor, *, notification_id: int) -> None:
    """Note that the desk has reached the patient another way. Raises as `settle` does."""
    access.require(actor, Action.ANSWER_MESSAGES)
    message = session.scalar(
        select(Notification)
        .where(Notification.id == notification_id, _has_failed())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None:
        raise NotFound
    if message.settled_at is not None:
        raise AlreadyDealtWith
    message.settled_at, message.settled_by_id = clock.now(), actor.user_id
    audit.record(
        session,
        actor,
        Action.ANSWER_MESSAGES,
        kind="message",
        number=message.id,
        patient_id=message.patient_id,
    )
