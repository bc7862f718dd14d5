"""Access to a patient's record that a visit does not give."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


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
