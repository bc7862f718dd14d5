"""Visits that the doctor's hours no longer cover: what the desk has decided, and what patients may choose.

Which visits ahead those are follows from the hours, so no change of them can miss one. It is noted all the
same, for when their hour has come: what the hours say later is not what they said then.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base


class KeptVisit(Base):
    """That a visit takes place although hours do not cover it, for the causes that were known then.

    A cause that comes later, or another time of the visit, puts it back on the list.
    """

    __tablename__ = "kept_visits"
    __table_args__ = (CheckConstraint("cardinality(causes) > 0", name="causes_given"),)

    appointment_id: Mapped[int] = mapped_column(
        ForeignKey("appointments.id"), primary_key=True, autoincrement=False
    )
    time_version: Mapped[int]
    causes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str] = mapped_column(Text)
    kept_at: Mapped[datetime]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class StrandedVisit(Base):
    """That a visit was without hours when last looked at, and why; about an older time of it, void.

    Of a visit ahead the note follows the hours. Once its day is over the note stands until it is settled.
    """

    __tablename__ = "stranded_visits"
    __table_args__ = (CheckConstraint("cardinality(causes) > 0", name="causes_given"),)

    appointment_id: Mapped[int] = mapped_column(
        ForeignKey("appointments.id"), primary_key=True, autoincrement=False
    )
    time_version: Mapped[int]
    causes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    noted_at: Mapped[datetime]


class ChoiceLink(Base):
    """A secret link with which a patient chooses another time for a visit. Only its hash is kept.

    It is open until it ends: a time was chosen, another link took its place, or the visit changed.
    """

    __tablename__ = "choice_links"
    __table_args__ = (
        Index(
            "uq_choice_links_open",
            "appointment_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    time_version: Mapped[int]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # SHA-256
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    times: Mapped[list["ChoiceTime"]] = relationship(lazy="raise", order_by="ChoiceTime.starts_at")


class ChoiceTime(Base):
    """One of the times that a link offers; nobody holds it."""

    __tablename__ = "choice_times"

    link_id: Mapped[int] = mapped_column(ForeignKey("choice_links.id"), primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
