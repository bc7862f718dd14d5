"""Messages that the desk or a doctor sends by hand: a way to pay, and that the doctor is running late."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from core import access, agendas, announcements, audit, clinics, clock, ledger, recipients
from core.access import Action, Actor
from core.appointment_errors import NoLongerChangeable
from core.attempts import NoCards, NothingToPay
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_
from core.recipients import Recipient
from core.terms import SMALLEST_ONLINE_MINOR
from db.config import config
from db.models import Appointment, AppointmentStatus, Channel, MessageKind

LATE_MINUTES = range(5, 241)
LINK_LASTS = timedelta(days=3)
WITH_TICKET = frozenset({AppointmentStatus.CONFIRMED, AppointmentStatus.ARRIVED})
# Why nothing reaches a patient, as `core.recipients` tells it.
_WHY_NOT = {
    "no number": N_("Nothing was sent: there is no phone number and no email address of this patient."),
    "no consent": N_(
        "Nothing was sent: this patient has not agreed to texts, and there is no email address."
    ),
    "opted out": N_("Nothing was sent: this patient's number wants no texts, and there is no email address."),
    "unproven": N_(
        "Nothing was sent: this patient has not confirmed the number yet, and there is no email address."
    ),
    "unreachable": N_(
        "Nothing was sent: texts do not arrive at this patient's number, and there is no email address."
    ),
}


class DelayOutOfBounds(ClinicError):
    message = N_("Please choose a delay of 5 to 240 minutes.")


class NobodyWaits(ClinicError):
    message = N_("Nobody who is still to come that day has to be told.")


class NoAccount(ClinicError):
    message = N_("Nothing was sent: this patient has no account to pay with. Please take it at the desk.")


class NotReached(ClinicError):
    """`why` is the reason that `core.recipients` gives."""

    message = N_("Nothing was sent: nothing reaches this patient at the moment.")

    def __init__(self, why: str) -> None:
        super().__init__()
        self.message = _WHY_NOT.get(why, self.message)


class Asked(NamedTuple):
    """What a patient was asked to pay online, and where the message goes. `name` is of who is told."""

    amount_minor: int
    name: str
    channel: Channel
    sent_to: str


def send_payment_link(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Asked:
    """Send a patient the way to pay online, from the desk. The same form sent twice sends one.

    Raises `NoCards`, `NothingToPay`, `NoAccount`, `NotReached`, `NotFound`, `AccessDenied`.
    """
    appointment = agendas.one(session, actor, appointment_id)
    access.require(actor, Action.TAKE_PAYMENT, patient_id=appointment.patient_id)
    if not config().takes_cards_online:
        raise NoCards
    amount_minor = _payable_online(session, appointment)
    if amount_minor < SMALLEST_ONLINE_MINOR:
        raise NothingToPay
    told = recipients.of(session, appointment.patient_id)
    if told is None or not told.has_account:
        raise NoAccount
    if told.channel is None:
        raise NotReached(told.why)
    now = clock.now()
    if announcements.enqueue(
        session,
        appointment,
        MessageKind.PAYMENT_LINK,
        send_after=now,
        expires_at=appointment.hold_expires_at or now + LINK_LASTS,
        detail=f"desk-{request_key or now.isoformat()}",
        details={"is_asked_by_desk": True},
    ):
        audit.record_money(
            session, actor, Event.PAYMENT_ASKED, appointment, kind="appointment", number=appointment_id
        )
    return Asked(amount_minor, told.name, told.channel, told.sent_to)


def send_ticket(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Recipient:
    """Send a patient at the desk when and with whom the visit is, at once; who is told and where.

    What waits to be sent about it goes now, and nothing is said twice. Raises `NotReached`,
    `NoLongerChangeable` for a visit that has begun or does not take place, `NotFound`, `AccessDenied`.
    """
    appointment = agendas.one(session, actor, appointment_id)
    access.require(actor, Action.SEE_CONTACT, patient_id=appointment.patient_id)
    now = clock.now()
    if appointment.status not in WITH_TICKET or appointment.starts_at <= now:
        raise NoLongerChangeable
    told = recipients.of(session, appointment.patient_id)
    if told is None or told.channel is None:
        raise NotReached("no address" if told is None else told.why)
    if not announcements.tell_at_once(session, appointment_id):
        announcements.enqueue(
            session,
            appointment,
            MessageKind.BOOKED,
            send_after=now,
            detail=f"desk-{request_key or now.isoformat()}",
            details={"is_answer": True},
        )
    audit.record(
        session,
        actor,
        Event.TICKET_SENT,
        kind="appointment",
        number=appointment_id,
        patient_id=appointment.patient_id,
    )
    return told


def _payable_online(session: Session, appointment: Appointment) -> int:
    """What the page that the link leads to would ask for, see `attempts.begin`."""
    if appointment.status is AppointmentStatus.PENDING:
        return appointment.due_minor - ledger.standing(session, appointment.id).received_minor
    return ledger.owed(session, appointment)


def running_late(
    session: Session, actor: Actor, *, doctor_id: int, minutes: int, request_key: UUID | None = None
) -> int:
    """Tell everybody who is still to see the doctor today that it is `minutes` late; how many are told.

    Each announcement is told, also one of the same delay again; the same form sent twice is one. Whoever
    has several visits that day is told of them in one message. Raises `DelayOutOfBounds`, `NobodyWaits`,
    `AccessDenied`.
    """
    access.require(actor, Action.TELL_LATE, doctor_id=doctor_id)
    if minutes not in LATE_MINUTES:
        raise DelayOutOfBounds
    now = clock.now()
    today = now.astimezone(clinics.zone(session)).date()
    waiting = [
        visit
        for visit in agendas.day(session, actor, doctor_id=doctor_id, on=today)
        if visit.status is AppointmentStatus.CONFIRMED and visit.starts_at > now
    ]
    if not waiting:
        raise NobodyWaits
    are_new = [
        announcements.enqueue(
            session,
            visit,
            MessageKind.RUNNING_LATE,
            send_after=now,
            detail=f"{minutes}:{request_key or now.isoformat()}",
            details={"minutes": minutes},
        )
        for visit in waiting
    ]
    if any(are_new):
        audit.record(session, actor, Action.TELL_LATE, kind="doctor", number=doctor_id, minutes=minutes)
    return len({visit.patient_id for visit in waiting})
