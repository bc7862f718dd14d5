"""Messages to people, from the moment they are caused until they have arrived, and what people answer."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class NotificationStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"  # the mail server or Twilio has it
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELLED = "cancelled"  # what it was to tell is no longer so, or comes too late
    CARRIED = "carried"  # another message of the same day tells it


class MessageKind(StrEnum):
    """What a message is about."""

    ACCOUNT = "account"  # codes, and what became of an account
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    REMINDER = "reminder"
    RUNNING_LATE = "running_late"
    OFFER = "offer"  # of a time, from the waitlist
    PAYMENT_LINK = "payment_link"
    RECEIPT = "receipt"
    REPLY = "reply"  # to a text
    CHOICE = "choice"  # of another time, where the doctor's hours no longer cover the visit


WAITING = "status IN ('pending', 'sending')"
UNFINISHED = "status = 'sent' AND provider_id IS NOT NULL"


class Notification(Base):
    """A message to be sent, written in the transaction that causes it.

    One about a visit has the `key` of what it tells: visit, version of its time, kind. There is one of each,
    ever. Its text is written when it is claimed, from what is true then. While it is *sending*, `lease` is
    the token of whoever sends it, and `send_after` when it may be taken for lost.

    `is_secret` bodies carry a one-time code: they are blanked once sent, or after `expires_at`.
    `details` are what the text is made of besides the visit. Statuses of Twilio's are kept as they come in
    `provider_status`, its numbers for what went wrong in `error_code`.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("lookups >= 0", name="lookups_not_negative"),
        CheckConstraint("(status = 'carried') = (carried_by_id IS NOT NULL)", name="carried_by_another"),
        CheckConstraint("(appointment_id IS NULL) = (time_version IS NULL)", name="version_of_a_visit"),
        CheckConstraint("(status = 'sending') = (lease IS NOT NULL)", name="lease_while_sending"),
        Index("ix_notifications_send_after", "send_after", postgresql_where=text(WAITING)),
        Index("ix_notifications_check_after", "check_after", postgresql_where=text(UNFINISHED)),
        Index("ix_notifications_appointment_id", "appointment_id"),
        Index("ix_notifications_patient_id", "patient_id"),
        Index("ix_notifications_sent_to", "sent_to"),
        Index("ix_notifications_carried_by_id", "carried_by_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel] = mapped_column(stored_as_text(Channel))
    kind: Mapped[MessageKind] = mapped_column(
        stored_as_text(MessageKind), default=MessageKind.ACCOUNT, server_default=MessageKind.ACCOUNT.value
    )
    key: Mapped[str | None] = mapped_column(Text, unique=True)
    sent_to: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text, default="en", server_default="en")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patients.id"))  # whose visit it is about
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    time_version: Mapped[int | None]  # of the visit
    carried_by_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"))
    is_secret: Mapped[bool] = mapped_column(default=False)
    status: Mapped[NotificationStatus] = mapped_column(
        stored_as_text(NotificationStatus), default=NotificationStatus.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    lookups: Mapped[int] = mapped_column(default=0, server_default="0")  # at Twilio, since the last attempt
    lease: Mapped[UUID | None]
    send_after: Mapped[datetime]
    created_at: Mapped[datetime]
    attempted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # when there is no use in sending it any more
    provider_id: Mapped[str | None] = mapped_column(Text, unique=True)
    provider_status: Mapped[str | None] = mapped_column(Text)
    check_after: Mapped[datetime | None]  # when its delivery is next asked for
    segments: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[int | None]
    settled_at: Mapped[datetime | None]  # when the desk has dealt with its not arriving
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Answer(StrEnum):
    """What somebody meant by a text."""

    CONFIRM = "confirm"
    MOVE = "move"
    CANCEL = "cancel"
    ACCEPT = "accept"  # an offer from the waitlist
    DECLINE = "decline"
    STOP = "stop"
    START = "start"
    UNCLEAR = "unclear"


class InboundState(StrEnum):
    NEW = "new"
    DONE = "done"  # dealt with by itself
    AT_DESK = "at_desk"
    SETTLED = "settled"  # by the desk


class InboundMessage(Base):
    """A text that somebody sent us, what was made of it, and what the desk might do.

    `asked_until` is how long a second such text will do what this one only asked for.
    """

    __tablename__ = "inbound_messages"
    __table_args__ = (
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled_at_a_time"),
        Index("ix_inbound_messages_sender", "sender", "received_at"),
        Index(
            "ix_inbound_messages_open", "received_at", postgresql_where=text("state IN ('new', 'at_desk')")
        ),
        Index("ix_inbound_messages_patient_id", "patient_id"),
        Index("ix_inbound_messages_appointment_id", "appointment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(Text, unique=True)
    sender: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    state: Mapped[InboundState] = mapped_column(stored_as_text(InboundState), default=InboundState.NEW)
    answer: Mapped[Answer | None] = mapped_column(stored_as_text(Answer))
    suggestion: Mapped[Answer | None] = mapped_column(stored_as_text(Answer, "suggestion"))
    why: Mapped[str] = mapped_column(Text, default="", server_default="")  # it is at the desk
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patients.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    asked_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class PhoneState(Base):
    """What is known of a number (E.164), whoever has it: that it wants no texts, or that none arrive."""

    __tablename__ = "phone_states"

    phone: Mapped[str] = mapped_column(Text, primary_key=True)
    opted_out_at: Mapped[datetime | None]
    opted_out_by: Mapped[str | None] = mapped_column(Text)  # a text, the provider, the desk, the person
    unreachable_at: Mapped[datetime | None]
    unreachable_why: Mapped[str | None] = mapped_column(Text)


class MessageTemplate(Base):
    """The clinic's own words for a kind of message in one language, in place of ours."""

    __tablename__ = "message_templates"
    __table_args__ = (UniqueConstraint("name", "locale"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
