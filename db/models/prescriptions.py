"""Prescriptions and letters: drafts until a doctor signs them, and never changed after that."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, stored_as_text
from db.models.people import Doctor, Patient


class Prescription(Base):
    """What a doctor prescribes a patient: a draft until `signed_at`. A signed one can only be withdrawn.

    `repeats_id` is the earlier one that it repeats.
    """

    __tablename__ = "prescriptions"
    __table_args__ = (
        CheckConstraint("withdrawn_at IS NULL OR signed_at IS NOT NULL", name="withdrawn_once_signed"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawal_reason = '')", name="withdrawn_for_a_reason"),
        CheckConstraint("char_length(withdrawal_reason) <= 500", name="withdrawal_reason_short"),
        Index("ix_prescriptions_patient_id", "patient_id"),
        Index("ix_prescriptions_appointment_id", "appointment_id"),
        Index(
            "uq_prescriptions_draft",
            "patient_id",
            "doctor_id",
            unique=True,
            postgresql_where=text("signed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    repeats_id: Mapped[int | None] = mapped_column(ForeignKey("prescriptions.id"))
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=0)  # counts the savings of a draft
    signed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawal_reason: Mapped[str] = mapped_column(Text, default="", server_default="")

    patient: Mapped[Patient] = relationship(lazy="raise")
    doctor: Mapped[Doctor] = relationship(lazy="raise")
    items: Mapped[list["PrescriptionItem"]] = relationship(
        lazy="raise", order_by="PrescriptionItem.position", cascade="all, delete-orphan"
    )


class PrescriptionItem(Base):
    """One drug of a prescription. A draft's item may still lack what the signature will ask for."""

    __tablename__ = "prescription_items"
    __table_args__ = (
        UniqueConstraint("prescription_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint("position BETWEEN 1 AND 20", name="few"),
        *(
            CheckConstraint(f"char_length({part}) <= 200", name=f"{part}_short")
            for part in ("drug", "strength", "form", "dose", "frequency", "duration", "quantity")
        ),
        CheckConstraint("char_length(instructions) <= 1000", name="instructions_bounded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescriptions.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    drug: Mapped[str] = mapped_column(Text, default="")
    strength: Mapped[str] = mapped_column(Text, default="")  # 500 mg
    form: Mapped[str] = mapped_column(Text, default="")  # tablet
    dose: Mapped[str] = mapped_column(Text, default="")  # 1 tablet
    frequency: Mapped[str] = mapped_column(Text, default="")  # 3 times a day
    duration: Mapped[str] = mapped_column(Text, default="")  # 7 days
    quantity: Mapped[str] = mapped_column(Text, default="")  # 21 tablets
    instructions: Mapped[str] = mapped_column(Text, default="")


class LetterKind(StrEnum):
    REFERRAL = "referral"
    SICK_NOTE = "sick_note"


class Letter(Base):
    """A letter of a doctor's about a patient: a draft until `signed_at`, and never changed after that.

    A sick note says from which day until which day, both included, the patient cannot work.
    """

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint("signed_at IS NULL OR absent_until >= absent_from", name="absence_in_order"),
        CheckConstraint("absent_until IS NULL OR kind = 'sick_note'", name="last_day_of_sick_notes"),
        CheckConstraint("absent_from IS NULL OR kind = 'sick_note'", name="absence_of_sick_notes"),
        CheckConstraint(
            "signed_at IS NULL OR kind <> 'sick_note' OR num_nulls(absent_from, absent_until) = 0",
            name="sick_note_dated",
        ),
        CheckConstraint("signed_at IS NULL OR body <> ''", name="signed_not_empty"),
        CheckConstraint("char_length(addressee) <= 500", name="addressee_short"),
        CheckConstraint("char_length(body) <= 20000", name="body_bounded"),
        Index("ix_letters_patient_id", "patient_id"),
        Index("ix_letters_appointment_id", "appointment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    kind: Mapped[LetterKind] = mapped_column(stored_as_text(LetterKind))
    addressee: Mapped[str] = mapped_column(Text, default="", server_default="")
    body: Mapped[str] = mapped_column(Text, default="", server_default="")
    absent_from: Mapped[date | None]
    absent_until: Mapped[date | None]
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=0)  # counts the savings of a draft
    signed_at: Mapped[datetime | None]
    request_key: Mapped[UUID | None] = mapped_column(unique=True)

    patient: Mapped[Patient] = relationship(lazy="raise")
    doctor: Mapped[Doctor] = relationship(lazy="raise")


class LetterTemplate(Base):
    """The clinic's own words for a kind of letter in one language, in place of ours."""

    __tablename__ = "letter_templates"
    __table_args__ = (
        UniqueConstraint("kind", "locale"),
        CheckConstraint("char_length(text) BETWEEN 1 AND 20000", name="text_bounded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[LetterKind] = mapped_column(stored_as_text(LetterKind))
    locale: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
