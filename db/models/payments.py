"""Payments and refunds, with what became of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, stored_as_text
from db.models.appointments import Appointment


class PaymentMethod(StrEnum):
    ONLINE = "online"
    TERMINAL = "terminal"  # a card, at the desk
    CASH = "cash"


class PaymentState(StrEnum):
    OPEN = "open"  # may be paid at the card processor, now or in a moment
    CLOSING = "closing"  # no longer wanted: to be ended at the processor
    PAID = "paid"
    ENDED = "ended"  # nothing was paid, and nothing can be any more


class RefundState(StrEnum):
    PENDING = "pending"  # owed: the processor is to be asked, or the desk to hand it over
    SENT = "sent"  # the processor has accepted it and may still fail
    DONE = "done"
    FAILED = "failed"


class RefundCause(StrEnum):
    CANCELLED = "cancelled"
    TIME_LOST = "time lost"  # paid too late: the time was somebody else's by then
    OVERPAID = "overpaid"
    BY_HAND = "by hand"
    AT_PROCESSOR = "at processor"  # made there, not here


UNSETTLED = "state IN ('open', 'closing')"
CURRENCY = "currency ~ '^[A-Z]{3}$'"


class Payment(Base):
    """Money for a visit: taken at the desk, or an attempt to pay online.

    An attempt is written before the card processor is asked, with all that the request is made of, so that
    the same request can be made again. `public_id` is all that the processor learns of it. `check_after` is
    when the jobs look at it next; whoever does so moves it on first, as a lease.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(CURRENCY, name="currency_iso4217"),
        CheckConstraint("(method = 'online') = (expires_at IS NOT NULL)", name="online_expires"),
        CheckConstraint("(method = 'online') = (check_after IS NOT NULL)", name="online_is_checked"),
        CheckConstraint("(method = 'online') = (taken_by_id IS NULL)", name="desk_took_it"),
        CheckConstraint("method = 'online' OR state = 'paid'", name="desk_is_paid"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name="paid_at_a_time"),
        CheckConstraint(
            "state <> 'paid' OR method <> 'online' OR provider_payment_id <> ''", name="paid_has_id"
        ),
        Index("ix_payments_appointment_id", "appointment_id"),
        Index("uq_payments_unsettled", "appointment_id", unique=True, postgresql_where=text(UNSETTLED)),
        Index("ix_payments_check_after", "check_after", postgresql_where=text(UNSETTLED)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    method: Mapped[PaymentMethod] = mapped_column(stored_as_text(PaymentMethod))
    state: Mapped[PaymentState] = mapped_column(stored_as_text(PaymentState))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    taken_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime | None]  # whole seconds, as the processor has them
    check_after: Mapped[datetime | None]
    checkout_url: Mapped[str | None] = mapped_column(Text)
    provider_session_id: Mapped[str | None] = mapped_column(Text, unique=True)
    provider_payment_id: Mapped[str | None] = mapped_column(Text, unique=True)
    request_key: Mapped[UUID | None] = mapped_column(unique=True)

    appointment: Mapped[Appointment] = relationship(lazy="raise")


class Refund(Base):
    """Money that is to go back, or went back: the way it came, or from the desk after that has failed.

    A trigger keeps the refunds of a payment within it. `failure` is the processor's word for why one failed;
    the desk then finds another way and notes that it has (`resolved_at`).
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("method = 'online' OR state <> 'sent'", name="desk_sends_nothing"),
        CheckConstraint("cause <> 'by hand' OR reason <> ''", name="reason_given"),
        CheckConstraint("(state IN ('pending', 'sent')) = (settled_at IS NULL)", name="settled_at_a_time"),
        CheckConstraint("(resolved_at IS NULL) = (resolved_by_id IS NULL)", name="resolved_by_somebody"),
        Index("ix_refunds_payment_id", "payment_id"),
        Index("ix_refunds_check_after", "check_after", postgresql_where=text("state IN ('pending', 'sent')")),
        Index(
            "ix_refunds_unresolved",
            "id",
            postgresql_where=text("state = 'failed' AND resolved_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    method: Mapped[PaymentMethod] = mapped_column(stored_as_text(PaymentMethod))
    amount_minor: Mapped[int]
    cause: Mapped[RefundCause] = mapped_column(stored_as_text(RefundCause))
    reason: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[RefundState] = mapped_column(stored_as_text(RefundState), default=RefundState.PENDING)
    created_at: Mapped[datetime]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    check_after: Mapped[datetime]
    tried_at: Mapped[datetime | None]  # when the processor was first asked
    settled_at: Mapped[datetime | None]
    handed_over_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    provider_refund_id: Mapped[str | None] = mapped_column(Text, unique=True)
    failure: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    request_key: Mapped[UUID | None] = mapped_column(unique=True)

    payment: Mapped[Payment] = relationship(lazy="raise")


KEEPING = (
    # Refunds of one payment wait for each other here, so that together they are never more than it.
    """
    CREATE FUNCTION refunds_within_payment() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        paid integer;
        refunded bigint;
    BEGIN
        SELECT amount_minor INTO paid FROM payments WHERE id = NEW.payment_id AND state = 'paid'
        FOR NO KEY UPDATE;
        SELECT coalesce(sum(amount_minor), 0) INTO refunded FROM refunds
        WHERE payment_id = NEW.payment_id AND state <> 'failed' AND id <> NEW.id;
        IF NEW.state <> 'failed' AND (paid IS NULL OR refunded + NEW.amount_minor > paid) THEN
            RAISE EXCEPTION 'more would be paid back than was paid'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_within_payment';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER within_payment BEFORE INSERT OR UPDATE OF payment_id, amount_minor, state ON refunds
    FOR EACH ROW EXECUTE FUNCTION refunds_within_payment()
    """,
)
for _statement in KEEPING:
    event.listen(Base.metadata, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call] # SQLAlchemy's own
