"""Payments for visits: what is begun, what a payment that was made brings about, and what ended unpaid.

Whoever calls these holds the visit's row first (`placements.locked`): it is the lock of its money too.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import clinics, clock
from core.access import Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, Payment, PaymentMethod, PaymentState

CHECKOUT_LASTS = timedelta(minutes=40)  # Stripe wants 30 at least; the rest is for trying again
LONGEST_HOLD = timedelta(hours=2)  # however often a payment is begun anew
FIRST_LOOK = timedelta(seconds=20)  # whoever began it opens it at once; the jobs only where that failed
UNSETTLED = (PaymentState.OPEN, PaymentState.CLOSING)


class TooManyHolds(ClinicError):
    message = N_(
        "You have {count} visits that wait for their payment. Please pay for one or cancel it before you "
        "book another."
    )


def new_hold(session: Session, actor: Actor) -> datetime:
    """Until when a time is held from now on, for an account that may hold another. Raises `TooManyHolds`.

    Two tabs of one account wait for each other here, so that together they hold no more than allowed.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(3, :user_id)"), {"user_id": actor.user_id})
    held = session.scalar(
        select(func.count()).where(
            Appointment.patient_id.in_(actor.patient_ids), Appointment.status == AppointmentStatus.PENDING
        )
    )
    if held and held >= clinics.settings(session).unpaid_holds:
        raise TooManyHolds(count=held)
    return _checkout_ends(clock.now())


def begin(session: Session, appointment: Appointment, amount_minor: int) -> Payment:
    """Write an attempt to pay `amount_minor` for a visit online; a pending one is held for as long."""
    now = clock.now()
    expires_at = _checkout_ends(now)
    if appointment.status is AppointmentStatus.PENDING:
        appointment.hold_expires_at = expires_at
    payment = Payment(
        appointment_id=appointment.id,
        method=PaymentMethod.ONLINE,
        state=PaymentState.OPEN,
        amount_minor=amount_minor,
        currency=clinics.settings(session).currency,
        created_at=now,
        expires_at=expires_at,
        check_after=now + FIRST_LOOK,
    )
    session.add(payment)
    session.flush()
    return payment


def _checkout_ends(now: datetime) -> datetime:
    return (now + CHECKOUT_LASTS).replace(microsecond=0)


def unsettled(session: Session, appointment_id: int) -> Payment | None:
    """The attempt to pay for a visit that is neither paid nor over; there is one at most."""
    return session.scalar(
        select(Payment)
        .where(Payment.appointment_id == appointment_id, Payment.state.in_(UNSETTLED))
        .execution_options(populate_existing=True)
    )


def give_up(session: Session, appointment_id: int) -> None:
    """Have the attempt to pay for a visit, if there is one, ended at the card processor."""
    payment = unsettled(session, appointment_id)
    if payment is not None:
        payment.state, payment.check_after = PaymentState.CLOSING, clock.now()
        session.flush()
