"""What our texts have asked for, by which an answer in one letter is understood."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.message_texts import TOLD
from db.models import Channel, InboundMessage, MessageKind, Notification, NotificationStatus

_ASKING = (MessageKind.REMINDER, MessageKind.OFFER)


def last_asked(
    session: Session, phone: str, *, before: datetime, appointment_id: int | None = None
) -> MessageKind | None:
    """Of which kind the last text to `phone` was by then that asks for an answer, None without any.

    With `appointment_id` it is the last about that visit. N to a reminder is not N to an offer.
    """
    asked = select(Notification.kind).where(
        Notification.sent_to == phone,
        Notification.channel == Channel.SMS,
        Notification.kind.in_(_ASKING),
        Notification.status.in_(TOLD),
        Notification.attempted_at <= before,
    )
    if appointment_id is not None:
        asked = asked.where(Notification.appointment_id == appointment_id)
    return session.scalar(asked.order_by(Notification.attempted_at.desc(), Notification.id.desc()).limit(1))


def was_offered(session: Session, patient_ids: Sequence[int]) -> bool:
    """Whether one of these patients was offered a time in the last day."""
    offered = select(Notification.id).where(
        Notification.patient_id.in_(patient_ids),
        Notification.kind == MessageKind.OFFER,
        Notification.status.in_([NotificationStatus.SENT, NotificationStatus.DELIVERED]),
        Notification.created_at > clock.now() - timedelta(days=1),
    )
    return session.scalar(offered.limit(1)) is not None


def was_told_the_cost(session: Session, inbound: InboundMessage, appointment_id: int) -> bool:
    """Whether an earlier text from there was told what calling off this visit costs, not long ago."""
    asked = select(InboundMessage.id).where(
        InboundMessage.sender == inbound.sender,
        InboundMessage.appointment_id == appointment_id,
        InboundMessage.id != inbound.id,
        InboundMessage.asked_until >= inbound.received_at,
        InboundMessage.received_at <= inbound.received_at,
    )
    return session.scalar(asked.limit(1)) is not None
