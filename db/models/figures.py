"""What days come to, summed up once so that years of them are read in a moment.

Each sum is what `core.day_sums` makes of the visits, the ledger and the hours of a day. A day counts as
summed up while it is in `summed_days` and no stretch of `changed_stretches` touches it: figures of any other
day are taken from the visits themselves, so that what is read is never old.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text


class SumKind(StrEnum):
    """What a day can be summed up by: its own visits, money and hours, or who came on it and when before."""

    VISITS = "visits"
    PATIENTS = "patients"


class VisitDay(Base):
    """The visits that were to begin on a day of the clinic, by doctor, service and place.

    Neither what was never paid in time nor what waits for payment is counted; `booked` is what was not called
    off. `waited_seconds` is from arrival to the room, of `waited` visits. What the money means is said in
    `core.analytics.revenue`.
    """

    __tablename__ = "visit_days"
    __table_args__ = (CheckConstraint("completed + missed <= booked", name="parts_of_booked"),)

    on_date: Mapped[date] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    booked: Mapped[int]
    cancelled: Mapped[int]
    completed: Mapped[int]
    missed: Mapped[int]
    waited: Mapped[int]
    waited_seconds: Mapped[int] = mapped_column(BigInteger)
    booked_minor: Mapped[int] = mapped_column(BigInteger)
    earned_minor: Mapped[int] = mapped_column(BigInteger)
    owed_minor: Mapped[int] = mapped_column(BigInteger)
    lost_minor: Mapped[int] = mapped_column(BigInteger)


class MoneyDay(Base):
    """What was written into the ledger on a day of the clinic, by the visit's doctor, service and place.

    Invoiced is less what was credited; received and refunded are by how the money came or went.
    """

    __tablename__ = "money_days"

    on_date: Mapped[date] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    invoiced_minor: Mapped[int] = mapped_column(BigInteger)
    received_online_minor: Mapped[int] = mapped_column(BigInteger)
    received_terminal_minor: Mapped[int] = mapped_column(BigInteger)
    received_cash_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_online_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_terminal_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_cash_minor: Mapped[int] = mapped_column(BigInteger)


class HourDay(Base):
    """How long a doctor offered time, and was taken, in one hour of the clinic's clocks on a day.

    An hour that happens twice on the day clocks go back has up to 7,200 seconds; one that is skipped, none.
    """

    __tablename__ = "hour_days"
    __table_args__ = (CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_day"),)

    on_date: Mapped[date] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offered_seconds: Mapped[int]
    booked_seconds: Mapped[int]


class OddsDay(Base):
    """The visits that were to begin on a day and were not called off, by one trait of theirs.

    They are all, or those for one service, at one place, or both: what is not told apart is None. `value` is
    the hour of the clinic's clocks, the place in `core.day_statements.LEAD_DAYS`, or whether the patient has
    said that they come.
    """

    __tablename__ = "odds_days"
    __table_args__ = (
        CheckConstraint("completed + missed <= booked", name="parts_of_booked"),
        CheckConstraint("trait IN ('hour', 'lead', 'confirmed')", name="trait_known"),
        Index(
            "uq_odds_days_group",
            *("on_date", "service_id", "location_id", "trait", "value"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_odds_days_service_id_location_id_on_date", "service_id", "location_id", "on_date"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    on_date: Mapped[date]
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    trait: Mapped[str] = mapped_column(Text)
    value: Mapped[int]
    booked: Mapped[int]
    completed: Mapped[int]
    missed: Mapped[int]


class PatientDay(Base):
    """How many patients came on a day for the first time: ever, or in its month, its week, or on the day.

    Those who came have a visit that was completed: any, or one for one service, at one place, or both, as in
    `OddsDay`. They are by the month in which they first came so, whose first day is `first_on`.
    """

    __tablename__ = "patient_days"
    __table_args__ = (
        Index(
            "uq_patient_days_group",
            *("on_date", "service_id", "location_id", "first_on"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_patient_days_service_id_location_id_on_date", "service_id", "location_id", "on_date"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    on_date: Mapped[date]
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    first_on: Mapped[date]
    first_ever: Mapped[int]
    first_in_month: Mapped[int]
    first_in_week: Mapped[int]
    first_in_day: Mapped[int]


class SummedDay(Base):
    """A day of the clinic whose sums are kept, and since when."""

    __tablename__ = "summed_days"

    kind: Mapped[SumKind] = mapped_column(stored_as_text(SumKind), primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    summed_at: Mapped[datetime]


class ChangedStretch(Base):
    """That something which counts for these instants has changed since their days were summed up.

    Written by triggers (`db.models.notings`), in the transaction that changes it. Without an end it has none.
    """

    __tablename__ = "changed_stretches"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[SumKind] = mapped_column(
        stored_as_text(SumKind), default=SumKind.VISITS, server_default=SumKind.VISITS.value
    )
    begins_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]


class EmptySearch(Base):
    """That a patient searched and found no free time at all. Whose search it was is not kept."""

    __tablename__ = "empty_searches"
    __table_args__ = (Index("ix_empty_searches_at", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    specialty_id: Mapped[int | None] = mapped_column(ForeignKey("specialties.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
