"""The clinic itself: its settings, its places and rooms, the days it is closed, and what was changed."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, stored_as_text
from db.models.services import PaymentRule


class Paper(StrEnum):
    """What the clinic's documents are printed on."""

    A4 = "a4"
    LETTER = "letter"


class ClinicSettings(Base):
    """The one row of clinic-wide settings. Services may set their own notice, horizon and payment rule.

    `first_visit_rule` and, after `no_show_limit` missed visits, `no_show_rule` count where they are stricter.
    """

    __tablename__ = "settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("minimum_notice_minutes >= 0", name="notice_not_negative"),
        CheckConstraint("horizon_days BETWEEN 1 AND 730", name="horizon_bounded"),
        CheckConstraint("cancellation_hours >= 0", name="cancellation_not_negative"),
        CheckConstraint("staff_idle_minutes BETWEEN 1 AND 720", name="staff_idle_bounded"),
        CheckConstraint("patient_idle_minutes BETWEEN 1 AND 720", name="patient_idle_bounded"),
        CheckConstraint("record_retention_years BETWEEN 0 AND 100", name="retention_bounded"),
        CheckConstraint("deposit_percent BETWEEN 1 AND 100", name="deposit_bounded"),
        CheckConstraint("late_fee_percent BETWEEN 0 AND 100", name="late_fee_bounded"),
        CheckConstraint("refund_percent BETWEEN 0 AND 100", name="refund_bounded"),
        CheckConstraint("no_show_limit BETWEEN 1 AND 20", name="no_show_limit_bounded"),
        CheckConstraint("(no_show_limit IS NULL) = (no_show_rule IS NULL)", name="no_show_rule_whole"),
        CheckConstraint("unpaid_holds BETWEEN 1 AND 10", name="unpaid_holds_bounded"),
        CheckConstraint("cardinality(reminder_minutes) <= 5", name="reminders_few"),
        CheckConstraint("quiet_from > quiet_until", name="quiet_at_night"),
        CheckConstraint("waitlist_offer_minutes BETWEEN 5 AND 1440", name="waitlist_offer_bounded"),
        CheckConstraint("char_length(text_name) <= 30", name="text_name_short"),
        CheckConstraint("char_length(address) <= 500", name="address_short"),
        CheckConstraint("octet_length(logo) BETWEEN 1 AND 1048576", name="logo_bounded"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_iso4217"),
        CheckConstraint("locale = ANY (locales)", name="own_language_offered"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)  # IANA name
    currency: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text, default="en", server_default="en")  # for who has chosen none
    locales: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=lambda: ["en", "en_GB"], server_default="{en,en_GB}"
    )  # to choose from
    phone: Mapped[str] = mapped_column(Text, default="")
    minimum_notice_minutes: Mapped[int] = mapped_column(default=120)
    horizon_days: Mapped[int] = mapped_column(default=90)
    cancellation_hours: Mapped[int] = mapped_column(default=24)
    is_demo: Mapped[bool] = mapped_column(default=False)
    staff_idle_minutes: Mapped[int] = mapped_column(default=15, server_default="15")
    patient_idle_minutes: Mapped[int] = mapped_column(default=60, server_default="60")
    requires_second_factor: Mapped[bool] = mapped_column(default=True, server_default="true")
    record_retention_years: Mapped[int] = mapped_column(default=10, server_default="10")
    payment_rule: Mapped[PaymentRule] = mapped_column(
        stored_as_text(PaymentRule), default=PaymentRule.DESK, server_default=PaymentRule.DESK.value
    )
    first_visit_rule: Mapped[PaymentRule | None] = mapped_column(
        stored_as_text(PaymentRule, "first_visit_rule")
    )
    no_show_limit: Mapped[int | None]
    no_show_rule: Mapped[PaymentRule | None] = mapped_column(stored_as_text(PaymentRule, "no_show_rule"))
    deposit_percent: Mapped[int] = mapped_column(
        default=30, server_default="30"
    )  # where a service has no sum
    late_fee_percent: Mapped[int] = mapped_column(default=0, server_default="0")
    refund_percent: Mapped[int] = mapped_column(default=100, server_default="100")
    unpaid_holds: Mapped[int] = mapped_column(default=2, server_default="2")  # at once, for one account
    text_name: Mapped[str] = mapped_column(Text, default="", server_default="")  # short, for text messages
    reminder_minutes: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), default=lambda: [2880, 180], server_default="{2880,180}"
    )  # before a visit
    quiet_from: Mapped[time] = mapped_column(default=time(20), server_default="20:00")
    quiet_until: Mapped[time] = mapped_column(default=time(8), server_default="08:00")
    waitlist_offer_minutes: Mapped[int] = mapped_column(default=60, server_default="60")
    address: Mapped[str] = mapped_column(Text, default="", server_default="")  # for letterheads, in lines
    paper: Mapped[Paper] = mapped_column(
        stored_as_text(Paper), default=Paper.A4, server_default=Paper.A4.value
    )
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # PNG or JPEG


class Location(Base):
    """A place of the clinic. At one that is no longer active nobody works: its hours do not count."""

    __tablename__ = "locations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    address: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(default=True, server_default="true")


class Room(Base):
    """A room of a place. What is no longer active takes no further visits."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("location_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    name: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(default=True, server_default="true")

    location: Mapped[Location] = relationship(lazy="raise")


class Closure(Base):
    """A day on which a place, or without one the whole clinic, is closed: a public holiday, a works outing.

    Weekly hours do not count on it; a doctor's own hours for that date do.
    """

    __tablename__ = "closures"
    __table_args__ = (
        UniqueConstraint("on_date", "location_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_short"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    on_date: Mapped[date]
    name: Mapped[str] = mapped_column(Text)
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))


class SettingChange(Base):
    """One change of what an administrator sets up, by whom, and the fields that differ. Only added to.

    `subject` is what kind of thing it is and `number` which one; `title` is what it was called at that time.
    `before` is None for what is new.
    """

    __tablename__ = "setting_changes"
    __table_args__ = (Index("ix_setting_changes_subject_number", "subject", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
