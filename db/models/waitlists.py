"""Who waits for an earlier or a better time, and what they have been offered."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, stored_as_text
from db.models.appointments import Appointment
from db.models.people import Doctor, Patient, Specialty
from db.models.services import Service


class WaitlistState(StrEnum):
    WAITING = "waiting"
    BOOKED = "booked"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # its last day has passed


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # by the clinic, or with its entry


class WaitlistEntry(Base):
    """A wish for a service with one doctor, or with any of a specialty, on days and at times of the clinic.

    `weekdays` are ISO (Monday is 1); a visit fits when it starts at or after `from_time` and ends by
    `until_time`, in the clinic's zone.
    """

    __tablename__ = "waitlist_entries"
    __table_args__ = (
        CheckConstraint("num_nonnulls(doctor_id, specialty_id) = 1", name="one_wish"),
        CheckConstraint("from_on <= until_on", name="days_in_order"),
        CheckConstraint("from_time < until_time", name="times_in_order"),
        CheckConstraint("cardinality(weekdays) > 0", name="some_day"),
        CheckConstraint("weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]", name="weekdays_iso"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_at_a_time"),
        Index("ix_waitlist_entries_patient_id", "patient_id"),
        Index("ix_waitlist_entries_waiting", "created_at", "id", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("doctors.id"))
    specialty_id: Mapped[int | None] = mapped_column(ForeignKey("specialties.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    from_time: Mapped[time]
    until_time: Mapped[time]
    state: Mapped[WaitlistState] = mapped_column(stored_as_text(WaitlistState), default=WaitlistState.WAITING)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    request_key: Mapped[UUID | None] = mapped_column(unique=True)

    patient: Mapped[Patient] = relationship(lazy="raise")
    service: Mapped[Service] = relationship(lazy="raise")
    doctor: Mapped[Doctor | None] = relationship(lazy="raise")
    specialty: Mapped[Specialty | None] = relationship(lazy="raise")


class WaitlistOffer(Base):
    """A time offered to who waits: a pending visit holds it until `expires_at`."""

    __tablename__ = "waitlist_offers"
    __table_args__ = (
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_at_a_time"),
        Index("uq_waitlist_offers_open", "entry_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_waitlist_offers_entry_id", "entry_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("waitlist_entries.id"))
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"), unique=True)
    state: Mapped[OfferState] = mapped_column(stored_as_text(OfferState), default=OfferState.OPEN)
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    entry: Mapped[WaitlistEntry] = relationship(lazy="raise")
    appointment: Mapped[Appointment] = relationship(lazy="raise")
