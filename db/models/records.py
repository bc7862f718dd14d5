"""The record of a patient as a whole, and the access to it that a visit does not give."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text


class EmergencyAccess(Base):
    """A doctor opened the record of a patient they never had a visit with ("break-glass"), with a reason.

    It lasts until `expires_at`, and an administrator looks at each.
    """

    __tablename__ = "emergency_accesses"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("expires_at > opened_at", name="expires_later"),
        Index("ix_emergency_accesses_doctor_id_patient_id", "doctor_id", "patient_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ItemKind(StrEnum):
    PROBLEM = "problem"
    ALLERGY = "allergy"
    MEDICATION = "medication"
    HISTORY = "history"
    VACCINATION = "vaccination"


class Severity(StrEnum):
    """Of an allergy's reaction, as FHIR's AllergyIntolerance.reaction.severity."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Ending(StrEnum):
    """Why an entry of the record no longer counts."""

    OVER = "over"  # resolved, stopped
    MISTAKE = "mistake"  # it never was so


class RecordItem(Base):
    """One entry of a patient's lists: a problem, an allergy, a medication, what was before, a vaccination.

    `name` is the problem, substance, drug or vaccine; `details` the reaction, the dose, the lot. An entry is
    never changed: it ends, and another says it better. `noted_by_id` is None where that was not kept.
    """

    __tablename__ = "record_items"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name_short"),
        CheckConstraint("char_length(details) <= 20000", name="details_bounded"),
        CheckConstraint("severity IS NULL OR kind = 'allergy'", name="severity_of_allergies"),
        CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended_for_a_reason"),
        Index("ix_record_items_patient_id", "patient_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    kind: Mapped[ItemKind] = mapped_column(stored_as_text(ItemKind))
    name: Mapped[str] = mapped_column(Text)
    details: Mapped[str] = mapped_column(Text, default="", server_default="")
    severity: Mapped[Severity | None] = mapped_column(stored_as_text(Severity))
    since_on: Mapped[date | None]  # begun, or given on
    noted_at: Mapped[datetime]
    noted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ending: Mapped[Ending | None] = mapped_column(stored_as_text(Ending))
    request_key: Mapped[UUID | None] = mapped_column(unique=True)
