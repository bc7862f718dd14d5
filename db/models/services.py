"""What can be booked, how long it takes, what it costs, and who offers it."""

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class Service(Base):
    """A kind of visit. Durations are minutes, prices whole minor units of the clinic's currency.

    Buffers keep the doctor (and the room) free around the visit; the patient's time is the visit alone.
    """

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("duration_minutes BETWEEN 1 AND 720", name="duration_bounded"),
        CheckConstraint("step_minutes BETWEEN 1 AND 720", name="step_bounded"),
        CheckConstraint("buffer_before_minutes BETWEEN 0 AND 240", name="buffer_before_bounded"),
        CheckConstraint("buffer_after_minutes BETWEEN 0 AND 240", name="buffer_after_bounded"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("deposit_minor BETWEEN 0 AND price_minor", name="deposit_within_price"),
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
    minimum_notice_minutes: Mapped[int | None]  # the clinic's when None
    horizon_days: Mapped[int | None]  # the clinic's when None
    price_minor: Mapped[int]
    deposit_minor: Mapped[int] = mapped_column(default=0)
    is_video: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)


class DoctorService(Base):
    """That a doctor offers a service, and at what price if not the service's own."""

    __tablename__ = "doctor_services"
    __table_args__ = (CheckConstraint("price_minor >= 0", name="price_not_negative"),)

    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True, index=True)
    price_minor: Mapped[int | None]
