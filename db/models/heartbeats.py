"""Whether the recurring jobs run: one row each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class Heartbeat(Base):
    """The last and the next run of a job. Whoever runs it holds `lease` until `leased_until` at most.

    `failures` are those since it last went well; `error` is the last one's kind, without its values.
    """

    __tablename__ = "heartbeats"
    __table_args__ = (
        CheckConstraint("failures >= 0", name="failures_not_negative"),
        CheckConstraint("(lease IS NULL) = (leased_until IS NULL)", name="lease_whole"),
    )

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    next_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    touched: Mapped[int] = mapped_column(default=0, server_default="0")  # rows, in the last run
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    lease: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
