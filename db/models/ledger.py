"""The one ledger of all money, the numbers of its documents, and the tills that are closed over it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text
from db.models.payments import CURRENCY, PaymentMethod


class EntryKind(StrEnum):
    INVOICE = "invoice"
    CREDIT = "credit"  # takes back an invoice or a part of it
    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"


class Series(StrEnum):
    """What is numbered without gaps: what is owed, and what was paid or paid back."""

    INVOICE = "invoice"
    RECEIPT = "receipt"


class LedgerEntry(Base):
    """One line of the one ledger, only ever added to. `amount_minor` is what it adds to the patient's debt.

    Invoices and refunds add to it; credits, payments and failed refunds take from it: at zero a visit is
    settled. Every line is a document with a number in its series; `particulars` is what stands on it.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint(
            "amount_minor <> 0 AND (kind IN ('invoice', 'refund')) = (amount_minor > 0)", name="sign_by_kind"
        ),
        CheckConstraint(CURRENCY, name="currency_iso4217"),
        CheckConstraint("(kind IN ('invoice', 'credit')) = (series = 'invoice')", name="series_by_kind"),
        CheckConstraint("(series = 'invoice') = (method IS NULL)", name="money_has_a_method"),
        CheckConstraint("(kind = 'payment') = (payment_id IS NOT NULL)", name="payment_named"),
        CheckConstraint(
            "(kind IN ('refund', 'refund_failed')) = (refund_id IS NOT NULL)", name="refund_named"
        ),
        UniqueConstraint("series", "number"),
        UniqueConstraint("payment_id"),
        UniqueConstraint("refund_id", "kind"),
        Index("ix_ledger_entries_appointment_id", "appointment_id"),
        Index("ix_ledger_entries_patient_id_at", "patient_id", "at"),
        Index("ix_ledger_entries_at", "at"),
        Index(
            "ix_ledger_entries_by_user_id_id",
            "by_user_id",
            "id",
            postgresql_where=text("method IN ('cash', 'terminal')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[EntryKind] = mapped_column(stored_as_text(EntryKind))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(Text)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    method: Mapped[PaymentMethod | None] = mapped_column(stored_as_text(PaymentMethod))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    series: Mapped[Series] = mapped_column(stored_as_text(Series))
    number: Mapped[int]
    particulars: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DocumentCounter(Base):
    """The last number given in a series: a number is given only with the entry it is for, or not at all."""

    __tablename__ = "document_counters"

    series: Mapped[Series] = mapped_column(stored_as_text(Series), primary_key=True)
    last_number: Mapped[int]


class TillClosing(Base):
    """A receptionist's day, closed: their entries after the one before, up to `up_to_entry_id`.

    `opening_minor` lay in the drawer at the start and `left_minor` stays in it; `expected_minor` is what the
    ledger says should be there, `counted_minor` what was. The terminal's own total stands beside ours.
    """

    __tablename__ = "till_closings"
    __table_args__ = (
        CheckConstraint("opening_minor >= 0 AND counted_minor >= 0", name="cash_not_negative"),
        CheckConstraint("left_minor BETWEEN 0 AND counted_minor", name="left_within_counted"),
        CheckConstraint(
            "expected_minor = counted_minor AND terminal_minor = terminal_counted_minor OR note <> ''",
            name="difference_explained",
        ),
        CheckConstraint(CURRENCY, name="currency_iso4217"),
        Index("ix_till_closings_user_id_id", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime]
    up_to_entry_id: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    opening_minor: Mapped[int] = mapped_column(BigInteger)
    expected_minor: Mapped[int] = mapped_column(BigInteger)
    counted_minor: Mapped[int] = mapped_column(BigInteger)
    left_minor: Mapped[int] = mapped_column(BigInteger)
    terminal_minor: Mapped[int] = mapped_column(BigInteger)
    terminal_counted_minor: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(Text, default="")
    request_key: Mapped[UUID | None] = mapped_column(unique=True)


KEEPING = (
    # The years of keeping over, the names on a document may go; what it says of money stays.
    """
    CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF to_jsonb(NEW) - 'particulars' = to_jsonb(OLD) - 'particulars' THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'ledger entries are only ever added' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse()
    """,
)
for _statement in KEEPING:
    event.listen(Base.metadata, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call] # SQLAlchemy's own
