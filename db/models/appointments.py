"""Appointments: the rows that decide who has which moment of whom."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, stored_as_text
from db.models.clinic import Location, Room
from db.models.people import Doctor, Patient
from db.models.services import PaymentRule, Service

if TYPE_CHECKING:
    from db.models.waitlists import WaitlistOffer


class AppointmentStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_ROOM = "in_room"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    WAIVED = "waived"


class RuleCause(StrEnum):
    """Why a visit has its payment rule."""

    CLINIC = "clinic"
    SERVICE = "service"
    FIRST_VISIT = "first_visit"
    NO_SHOWS = "no_shows"


class Source(StrEnum):
    PORTAL = "portal"
    DESK = "desk"
    WAITLIST = "waitlist"


class EventKind(StrEnum):
    BOOKED = "booked"
    OVERBOOKED = "overbooked"
    CONFIRMED = "confirmed"  # paid
    MOVED = "moved"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ATTENDING = "attending"  # the patient says so
    ARRIVED = "arrived"
    IN_ROOM = "in_room"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    UNDONE = "undone"  # the last step at the desk


class VisitSeries(Base):
    """Visits that were booked together, each so many weeks after the one before, at the same wall time."""

    __tablename__ = "visit_series"
    __table_args__ = (CheckConstraint("every_weeks BETWEEN 1 AND 52", name="interval_bounded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    every_weeks: Mapped[int]
    created_at: Mapped[datetime]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    request_key: Mapped[UUID | None] = mapped_column(unique=True)


# The states in which a visit occupies its time. Every index and query that means "live" uses this text.
LIVE_STATUSES = (
    AppointmentStatus.PENDING,
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.IN_ROOM,
    AppointmentStatus.COMPLETED,
)
LIVE = f"status IN ({', '.join(repr(status.value) for status in LIVE_STATUSES)})"


class Appointment(Base):
    """A visit. Cancelling and moving keep the row; `version` counts the times it has changed.

    `time_version` counts the times it was moved: messages about an older one are void. `attending_at` is
    when the patient confirmed the present one. `arrived_at`, `in_room_at` and `completed_at` are when it took
    these steps, as far as it stands now: a step that is taken back leaves none.

    `blocked` is the visit with the service's buffers: the doctor and the room are taken for all of it, the
    patient for the visit alone. An overbooked visit (it has a reason) is outside the doctor's constraint.

    The terms agreed at booking stay with it, whatever the policy says later: the price, what was due before
    it was confirmed (`due_minor`) and why, from how many hours before a cancellation costs `late_fee_minor`,
    and which share of what was paid goes back before that.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint("blocked @> tstzrange(starts_at, ends_at)", name="blocked_covers_visit"),
        # The slot search looks one day back along lower(blocked), so no visit may block for longer.
        CheckConstraint(
            "upper(blocked) - lower(blocked) <= interval '24 hours'", name="blocked_at_most_a_day"
        ),
        CheckConstraint("(status = 'pending') = (hold_expires_at IS NOT NULL)", name="hold_while_pending"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("due_minor BETWEEN 0 AND price_minor", name="due_within_price"),
        CheckConstraint("late_fee_minor BETWEEN 0 AND price_minor", name="late_fee_within_price"),
        CheckConstraint("refund_percent BETWEEN 0 AND 100", name="refund_percent_bounded"),
        CheckConstraint("cancellation_hours >= 0", name="cancellation_not_negative"),
        CheckConstraint("overbook_reason <> ''", name="overbook_reason_given"),
        ExcludeConstraint(
            (text("int4range(doctor_id, doctor_id, '[]')"), "="),
            ("blocked", "&&"),
            name="ex_appointments_doctor_free",
            using="gist",
            where=text(f"{LIVE} AND overbook_reason IS NULL"),
        ),
        ExcludeConstraint(
            (text("int4range(patient_id, patient_id, '[]')"), "="),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            name="ex_appointments_patient_free",
            using="gist",
            where=text(LIVE),
        ),
        ExcludeConstraint(
            (text("int4range(room_id, room_id, '[]')"), "="),
            ("blocked", "&&"),
            name="ex_appointments_room_free",
            using="gist",
            where=text(f"{LIVE} AND room_id IS NOT NULL"),
        ),
        Index(
            "ix_appointments_doctor_blocked", "doctor_id", text("lower(blocked)"), postgresql_where=text(LIVE)
        ),
        Index(
            "ix_appointments_room_blocked",
            "room_id",
            text("lower(blocked)"),
            postgresql_where=text(f"{LIVE} AND room_id IS NOT NULL"),
        ),
        Index("ix_appointments_patient_id_starts_at", "patient_id", "starts_at"),
        Index("ix_appointments_doctor_id_starts_at", "doctor_id", "starts_at"),
        # Who came when, in order, without a look at the visits themselves.
        Index(
            "ix_appointments_completed",
            *("patient_id", "starts_at"),
            postgresql_include=["doctor_id", "service_id", "location_id"],
            postgresql_where=text("status = 'completed'"),
        ),
        Index("ix_appointments_confirmed", "starts_at", postgresql_where=text("status = 'confirmed'")),
        Index("ix_appointments_arrived", "starts_at", postgresql_where=text("status = 'arrived'")),
        Index("ix_appointments_series_id", "series_id", postgresql_where=text("series_id IS NOT NULL")),
        Index(
            "ix_appointments_hold_expires_at", "hold_expires_at", postgresql_where=text("status = 'pending'")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    blocked: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    status: Mapped[AppointmentStatus] = mapped_column(stored_as_text(AppointmentStatus))
    payment_status: Mapped[PaymentStatus] = mapped_column(
        stored_as_text(PaymentStatus), default=PaymentStatus.UNPAID, server_default=PaymentStatus.UNPAID.value
    )
    price_minor: Mapped[int]
    payment_rule: Mapped[PaymentRule] = mapped_column(
        stored_as_text(PaymentRule), default=PaymentRule.DESK, server_default=PaymentRule.DESK.value
    )
    rule_cause: Mapped[RuleCause] = mapped_column(
        stored_as_text(RuleCause), default=RuleCause.CLINIC, server_default=RuleCause.CLINIC.value
    )
    due_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    cancellation_hours: Mapped[int] = mapped_column(default=24, server_default="24")
    late_fee_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    refund_percent: Mapped[int] = mapped_column(default=100, server_default="100")
    hold_expires_at: Mapped[datetime | None]
    source: Mapped[Source] = mapped_column(stored_as_text(Source))
    overbook_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    time_version: Mapped[int] = mapped_column(default=0, server_default="0")
    attending_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    in_room_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    series_id: Mapped[int | None] = mapped_column(ForeignKey("visit_series.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    patient: Mapped[Patient] = relationship(lazy="raise")
    doctor: Mapped[Doctor] = relationship(lazy="raise")
    service: Mapped[Service] = relationship(lazy="raise")
    location: Mapped[Location] = relationship(lazy="raise")
    room: Mapped[Room | None] = relationship(lazy="raise")
    offer: Mapped["WaitlistOffer | None"] = relationship(lazy="raise", viewonly=True)

    @property
    def is_offered(self) -> bool:
        """Whether its time is held for somebody on the waitlist who has not answered yet."""
        is_pending = self.status is AppointmentStatus.PENDING
        return is_pending and self.offer is not None and self.offer.ended_at is None


class AppointmentEvent(Base):
    """One change of an appointment: what, when, by whom, from what to what, and why. Only ever added to.

    `request_key` is the key of the form that asked: the same form sent twice changes nothing twice.
    """

    __tablename__ = "appointment_events"
    __table_args__ = (Index("ix_appointment_events_appointment_id", "appointment_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    kind: Mapped[EventKind] = mapped_column(stored_as_text(EventKind))
    at: Mapped[datetime]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str | None] = mapped_column(Text)
    request_key: Mapped[UUID | None] = mapped_column(unique=True)
