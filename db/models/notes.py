"""Encounter notes: what is being typed, what was signed, and what the patient may read."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base
from db.models.appointments import Appointment
from db.models.people import Doctor

# In the columns' units, both included: what can be measured in a living person, not what is healthy.
PLAUSIBLE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "weight_grams": (200, 700_000),
        "height_mm": (200, 2_800),
        "systolic_mmhg": (30, 350),
        "diastolic_mmhg": (10, 250),
        "pulse_bpm": (10, 350),
        "temperature_decidegrees": (200, 460),
        "spo2_percent": (10, 100),
    }
)


class NoteDraft(Base):
    """What a doctor has typed for a visit and not signed yet: the fields by name, as typed.

    `revision` counts the savings, so that two tabs do not overwrite each other unseen.
    """

    __tablename__ = "note_drafts"
    __table_args__ = (
        CheckConstraint("jsonb_typeof(fields) = 'object'", name="fields_by_name"),
        CheckConstraint("octet_length(fields::text) <= 1000000", name="fields_bounded"),
    )

    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"), primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True, index=True)
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int] = mapped_column(default=1)
    saved_at: Mapped[datetime]


class NoteVersion(Base):
    """A signed note of a visit. Number 1 is the note, those after it amend it and say why.

    The database lets nobody change one, and remove one only once its patient is erased.
    """

    __tablename__ = "note_versions"
    __table_args__ = (
        CheckConstraint("number >= 1", name="counted_from_one"),
        CheckConstraint("(number = 1) = (amendment = '')", name="amended_for_a_reason"),
        CheckConstraint("char_length(amendment) <= 500", name="amendment_short"),
        CheckConstraint("concat(reason, findings, assessment, plan) <> ''", name="not_empty"),
        *(
            CheckConstraint(f"char_length({part}) <= 20000", name=f"{part}_bounded")
            for part in ("reason", "findings", "assessment", "plan")
        ),
        *(
            CheckConstraint(f"{column} BETWEEN {least} AND {most}", name=f"{column.split('_')[0]}_plausible")
            for column, (least, most) in PLAUSIBLE.items()
        ),
        CheckConstraint("systolic_mmhg > diastolic_mmhg", name="pressures_in_order"),
        CheckConstraint("(systolic_mmhg IS NULL) = (diastolic_mmhg IS NULL)", name="pressures_both"),
    )

    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))  # who signed
    reason: Mapped[str] = mapped_column(Text, default="")
    findings: Mapped[str] = mapped_column(Text, default="")
    assessment: Mapped[str] = mapped_column(Text, default="")
    plan: Mapped[str] = mapped_column(Text, default="")
    weight_grams: Mapped[int | None]
    height_mm: Mapped[int | None]
    systolic_mmhg: Mapped[int | None]
    diastolic_mmhg: Mapped[int | None]
    pulse_bpm: Mapped[int | None]
    temperature_decidegrees: Mapped[int | None]  # tenths of a degree Celsius
    spo2_percent: Mapped[int | None]
    amendment: Mapped[str] = mapped_column(Text, default="")  # why the version before was amended
    signed_at: Mapped[datetime]

    appointment: Mapped[Appointment] = relationship(lazy="raise")
    doctor: Mapped[Doctor] = relationship(lazy="raise")


class NoteRelease(Base):
    """That the patient may read the signed note of a visit, in its latest version and those before."""

    __tablename__ = "note_releases"

    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"), primary_key=True)
    released_at: Mapped[datetime]
    released_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
