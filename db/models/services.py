"""What can be booked, how long it takes, what it costs, and who offers it."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text


class PaymentRule(StrEnum):
    """What is due before a visit is confirmed, the strictest last."""

    DESK = "desk"  # nothing: it is paid at the desk
    DEPOSIT = "deposit"
    FULL = "full"


class Service(Base):
    """A kind of visit. Durations are minutes, prices whole minor units of the clinic's currency.

    Buffers keep the doctor (and the room) free around the visit; the patient's time is the visit alone.
    What is None is as the clinic has it. One that needs a room takes any of `service_rooms`, or where none
    are named any room of the place.
    """

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("duration_minutes BETWEEN 1 AND 720", name="duration_bounded"),
        CheckConstraint("step_minutes BETWEEN 1 AND 720", name="step_bounded"),
        CheckConstraint("buffer_before_minutes BETWEEN 0 AND 240", name="buffer_before_bounded"),
        CheckConstraint("buffer_after_minutes BETWEEN 0 AND 240", name="buffer_after_bounded"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("deposit_minor BETWEEN 0 AND price_minor", name="deposit_within_price"),
        CheckConstraint("cancellation_hours >= 0", name="cancellation_not_negative"),
        CheckConstraint("late_fee_percent BETWEEN 0 AND 100", name="late_fee_bounded"),
        CheckConstraint("refund_percent BETWEEN 0 AND 100", name="refund_bounded"),
        CheckConstraint("minimum_notice_minutes >= 0", name="notice_not_negative"),
        CheckConstraint("horizon_days BETWEEN 1 AND 730", name="horizon_bounded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    duration_minutes: Mapped[int]
    step_minutes: Mapped[int]
    buffer_before_minutes: Mapped[int] = mapped_column(default=0)
    buffer_after_minutes: Mapped[int] = mapped_column(default=0)
    minimum_notice_minutes: Mapped[int | None]
    horizon_days: Mapped[int | None]
    price_minor: Mapped[int]
    payment_rule: Mapped[PaymentRule | None] = mapped_column(stored_as_text(PaymentRule))
    cancellation_hours: Mapped[int | None]
    late_fee_percent: Mapped[int | None]
    refund_percent: Mapped[int | None]
    deposit_minor: Mapped[int] = mapped_column(default=0)
    is_video: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    needs_room: Mapped[bool] = mapped_column(default=False, server_default="false")


# Whether a service `s` can take place in a room `r`.
SUITABLE_ROOM = """r.is_active AND (
    NOT EXISTS (SELECT FROM service_rooms f WHERE f.service_id = s.id)
    OR EXISTS (SELECT FROM service_rooms f WHERE f.service_id = s.id AND f.room_id = r.id))"""

service_rooms = Table(
    "service_rooms",
    Base.metadata,
    Column("service_id", ForeignKey("services.id"), primary_key=True),
    Column("room_id", ForeignKey("rooms.id"), primary_key=True, index=True),
)


class DoctorService(Base):
    """That a doctor offers a service, and at what price if not the service's own."""

    __tablename__ = "doctor_services"
    __table_args__ = (CheckConstraint("price_minor >= 0", name="price_not_negative"),)

    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True, index=True)
    price_minor: Mapped[int | None]
