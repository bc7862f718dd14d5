"""What our texts have asked for, by which an answer in one letter is understood."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
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


def was_told_the_cost(session: Session, inbound: InboundMessage, appointment_id: int, amount: str) -> bool:
    """Whether this text answers one of ours, not long ago, that said what calling off the visit costs.

    `amount` is what it costs now, in the words of that text: of another sum it must be asked again, and so
    where ours had not left when they wrote, as with two N in a row.
    """
    asked = (
        select(InboundMessage.id)
        .join(
            Notification, Notification.key == func.concat("inbound:", InboundMessage.id, ":cancelling_costs")
        )
        .where(
            InboundMessage.sender == inbound.sender,
            InboundMessage.appointment_id == appointment_id,
            InboundMessage.id != inbound.id,
            InboundMessage.asked_until >= inbound.received_at,
            Notification.status.in_(TOLD),
            Notification.attempted_at <= inbound.received_at,
            Notification.details["values"]["amount"].astext == amount,
        )
    )
    return session.scalar(asked.limit(1)) is not None
