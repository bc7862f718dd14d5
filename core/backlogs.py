"""What waits for the recurring jobs and is due by now: counted for the *System* page, in one query."""

from sqlalchemy import ColumnElement, Select, func, select

from core import clock, payments
from db.models import (
    Appointment,
    AppointmentStatus,
    InboundMessage,
    InboundState,
    Notification,
    NotificationStatus,
    Payment,
    PaymentMethod,
    ProcessorEvent,
    Refund,
    RefundState,
)


def attempts_to_pay() -> Select[int]:
    """Payments online that are open and whose time it is to be looked at."""
    return _count(Payment.state.in_(payments.UNSETTLED), Payment.check_after <= clock.now())


def card_events() -> Select[int]:
    """What the card processor has said and nobody has looked into."""
    return _count(ProcessorEvent.applied_at.is_(None), ProcessorEvent.check_after <= clock.now())


def refunds() -> Select[int]:
    """Money that is to go back to a card."""
    return _count(
        Refund.method == PaymentMethod.ONLINE,
        Refund.state == RefundState.PENDING,
        Refund.check_after <= clock.now(),
    )


def ended_holds() -> Select[int]:
    """Held times that nobody has paid for or accepted in time."""
    return _count(Appointment.status == AppointmentStatus.PENDING, Appointment.hold_expires_at <= clock.now())


def messages() -> Select[int]:
    """Messages whose time has come, and those that were begun and of which nothing is known."""
    return _count(
        Notification.status.in_([NotificationStatus.PENDING, NotificationStatus.SENDING]),
        Notification.send_after <= clock.now(),
    )


def deliveries() -> Select[int]:
    """Texts that were sent and of which it is time to ask whether they have arrived."""
    return _count(
        Notification.status == NotificationStatus.SENT,
        Notification.provider_id.is_not(None),
        Notification.check_after <= clock.now(),
    )


def answers() -> Select[int]:
    """Texts to us that nobody has dealt with."""
    return _count(InboundMessage.state == InboundState.NEW)


def _count(*conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).where(*conditions)
