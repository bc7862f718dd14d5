"""Messages that the desk or a doctor sends by hand: a way to pay, and that the doctor is running late."""

from datetime import timedelta

from sqlalchemy.orm import Session

from core import access, agendas, announcements, audit, clinics, clock, recipients
from core.access import Action, Actor
from core.appointments import CHANGEABLE
from core.checkouts import NothingToPay
from core.errors import ClinicError
from core.i18n import N_
from db.config import config
from db.models import AppointmentStatus, MessageKind, PaymentStatus

LATE_MINUTES = range(5, 241)
LINK_LASTS = timedelta(days=3)
_UNPAID = {PaymentStatus.UNPAID, PaymentStatus.PARTLY_PAID}


class DelayOutOfBounds(ClinicError):
    message = N_("Please choose a delay of 5 to 240 minutes.")


class NobodyWaits(ClinicError):
    message = N_("Nobody who is still to come that day has to be told.")


class NobodyToPay(ClinicError):
    message = N_(
        "This patient has no account to pay with, or nothing reaches them. Please take it at the desk."
    )


def send_payment_link(session: Session, actor: Actor, *, appointment_id: int) -> None:
    """Send a patient the way to pay online, from the desk.

    Raises `NothingToPay`, `NobodyToPay`, `NotFound`, `AccessDenied`.
    """
    appointment = agendas.one(session, actor, appointment_id)
    access.require(actor, Action.TAKE_PAYMENT, patient_id=appointment.patient_id)
    is_payable = appointment.status in CHANGEABLE and appointment.payment_status in _UNPAID
    if not is_payable or not config().takes_cards_online:
        raise NothingToPay
    told = recipients.of(session, appointment.patient_id)
    if told is None or told.channel is None or not told.has_account:
        raise NobodyToPay
    now = clock.now()
    expires_at = appointment.hold_expires_at or now + LINK_LASTS
    announcements.enqueue(
        session,
        appointment,
        MessageKind.PAYMENT_LINK,
        send_after=now,
        expires_at=expires_at,
        detail=f"desk-{now:%Y%m%d%H%M}",
        details={"is_asked_by_desk": True},
    )


def running_late(session: Session, actor: Actor, *, doctor_id: int, minutes: int) -> int:
    """Tell everybody who is still to see the doctor today that it is `minutes` late; how many are told.

    Raises `DelayOutOfBounds`, `NobodyWaits`, `AccessDenied`.
    """
    access.require(actor, Action.TELL_LATE, doctor_id=doctor_id)
    if minutes not in LATE_MINUTES:
        raise DelayOutOfBounds
    now = clock.now()
    today = now.astimezone(clinics.zone(session)).date()
    told = [
        announcements.enqueue(
            session,
            visit,
            MessageKind.RUNNING_LATE,
            send_after=now,
            detail=str(minutes),
            details={"minutes": minutes},
        )
        for visit in agendas.day(session, actor, doctor_id=doctor_id, on=today)
        if visit.status is AppointmentStatus.CONFIRMED and visit.starts_at > now
    ]
    if not any(told):
        raise NobodyWaits
    audit.record(session, actor, Action.TELL_LATE, kind="doctor", number=doctor_id, minutes=minutes)
    return sum(told)
