"""When a doctor works: provider hours in local wall time, exceptions by date, time off, calendar feeds."""

from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base

# Two stretches of one doctor's weekday may touch but not overlap, as minutes of the day.
_MINUTES = "int4range((extract(epoch from opens_at) / 60)::int, (extract(epoch from closes_at) / 60)::int)"
_WHOLE_MINUTES = "extract(second from opens_at) = 0 AND extract(second from closes_at) = 0"
_VALID = "daterange(valid_from_on, valid_until_on, '[]')"


class WeeklyHours(Base):
    """One stretch of working time on a weekday (ISO: Monday is 1), in the clinic's wall time.

    Visits start every service step from `opens_at` and end by `closes_at`. A stretch does not cross midnight.
    """

    __tablename__ = "weekly_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_iso"),
        CheckConstraint("opens_at < closes_at", name="opens_before_closing"),
        CheckConstraint(_WHOLE_MINUTES, name="whole_minutes"),
        CheckConstraint("valid_from_on <= valid_until_on", name="valid_in_order"),
        ExcludeConstraint(
            (text("int4range(doctor_id, doctor_id, '[]')"), "="),
            (text("int4range(weekday, weekday, '[]')"), "="),
            (text(_VALID), "&&"),
            (text(_MINUTES), "&&"),
            name="ex_weekly_hours_no_overlap",
            using="gist",
        ),
        Index("ix_weekly_hours_doctor_id_weekday", "doctor_id", "weekday"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    weekday: Mapped[int]
    opens_at: Mapped[time]
    closes_at: Mapped[time]
    valid_from_on: Mapped[date | None]
    valid_until_on: Mapped[date | None]


class DateOverride(Base):
    """The hours of one date instead of the weekly ones; several rows are several stretches.

    A row without times and place says that the doctor does not work that day.
    """

    __tablename__ = "date_overrides"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="opens_before_closing"),
        CheckConstraint(_WHOLE_MINUTES, name="whole_minutes"),
        CheckConstraint("num_nulls(opens_at, closes_at, location_id) IN (0, 3)", name="open_or_closed"),
        ExcludeConstraint(
            (text("int4range(doctor_id, doctor_id, '[]')"), "="),
            (text("daterange(on_date, on_date, '[]')"), "="),
            (text(_MINUTES), "&&"),
            name="ex_date_overrides_no_overlap",
            using="gist",
        ),
        Index("ix_date_overrides_doctor_id_on_date", "doctor_id", "on_date"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    on_date: Mapped[date]
    opens_at: Mapped[time | None]
    closes_at: Mapped[time | None]


class TimeOff(Base):
    """A stretch of instants in which the doctor sees nobody: leave, a course, a long lunch."""

    __tablename__ = "time_off"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        Index("ix_time_off_doctor_id_ends_at", "doctor_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")


class CalendarFeed(Base):
    """A secret address under which a calendar program reads a doctor's visits. Only its hash is kept.

    It reads nothing any more once it is revoked.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (Index("ix_calendar_feeds_doctor_id", "doctor_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # SHA-256
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_read_at: Mapped[datetime | None]
