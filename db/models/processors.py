"""What the card processor says has happened, and up to when that has been read."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class ProcessorEvent(Base):
    """That the card processor says something happened: a signal to look at the object, stored once."""

    __tablename__ = "processor_events"
    __table_args__ = (
        Index("ix_processor_events_check_after", "check_after", postgresql_where=text("applied_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    check_after: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class ProcessorCursor(Base):
    """Up to when the processor's events have been read and stored, by its own clock. One row."""

    __tablename__ = "processor_cursors"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    read_until: Mapped[datetime]
