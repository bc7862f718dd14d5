"""Payments for visits: what is begun, what a payment that was made brings about, and what ended unpaid.

Whoever calls these holds the visit's row first (`placements.locked`): it is the lock of its money too.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import (
    announcements,
    appointment_events,
    audit,
    clinics,
    clock,
    holds,
    ledger,
    letters,
    placements,
    recipients,
    refunds,
)
from core.access import Actor
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_, money, speaking
from db.models import (
    Appointment,
    AppointmentStatus,
    EventKind,
    Payment,
    PaymentMethod,
    PaymentState,
    RefundCause,
)
from db.models.appointments import LIVE_STATUSES

CHECKOUT_LASTS = timedelta(minutes=40)  # Stripe wants 30 at least; the rest is for trying again
LONGEST_HOLD = timedelta(hours=2)  # however often a payment is begun anew
FIRST_LOOK = timedelta(seconds=20)  # whoever began it opens it at once; the jobs only where that failed
UNSETTLED = frozenset({PaymentState.OPEN, PaymentState.CLOSING})


class TooManyHolds(ClinicError):
    message = N_(
        "You have {count} visits that wait for their payment. Please pay for one or cancel it before you "
        "book another."
    )


def new_hold(session: Session, actor: Actor) -> datetime:
    """Until when a time is held from now on, for an account that may hold another. Raises `TooManyHolds`.

    Two tabs of one account wait for each other here, so that together they hold no more than allowed. What
    the waitlist offers does not count.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(3, :user_id)"), {"user_id": actor.user_id})
    held = session.scalar(
        select(func.count()).where(
            Appointment.patient_id.in_(actor.patient_ids),
            Appointment.status == AppointmentStatus.PENDING,
            ~holds.is_offered(),
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


def confirm(session: Session, actor: Actor | None, appointment: Appointment) -> None:
    """Confirm a visit that waited for what is due; one that has not waited stays as it is."""
    if appointment.status is not AppointmentStatus.PENDING:
        return
    appointment.status, appointment.hold_expires_at = AppointmentStatus.CONFIRMED, None
    placements.touch(appointment)
    appointment_events.record(session, actor, appointment, EventKind.CONFIRMED)
    announcements.booked(session, appointment)


def settle(
    session: Session, appointment: Appointment, payment: Payment, *, provider_payment_id: str, paid_minor: int
) -> None:
    """Enter that an attempt was paid, once, and let the visit follow.

    A pending visit is confirmed. One whose hold has ended is live again when its time is still free; else,
    and when it was called off, all of the money goes back and the patient is told. What was paid twice goes
    back too. Raises `OperationalError` where the database wants it tried again.
    """
    if payment.state is PaymentState.PAID:
        return
    payment.state, payment.paid_at = PaymentState.PAID, clock.now()
    payment.provider_payment_id, payment.amount_minor = provider_payment_id, paid_minor
    session.flush()
    if appointment.status is AppointmentStatus.EXPIRED and placements.revive(session, appointment):
        announcements.booked(session, appointment)
    confirm(session, None, appointment)
    ledger.receive(session, None, appointment, payment)
    announcements.received(session, appointment, payment)
    audit.record_money(session, None, Event.PAID_ONLINE, appointment, kind="payment", number=payment.id)
    asked = refunds.ask_surplus(session, None, appointment, cause=_why_back(appointment))
    if asked and appointment.status not in LIVE_STATUSES:
        _tell_it_comes_back(session, appointment, sum(refund.amount_minor for refund in asked))


def _why_back(appointment: Appointment) -> RefundCause:
    """Why something of a payment that has just been made goes back."""
    if appointment.status is AppointmentStatus.CANCELLED:
        return RefundCause.CANCELLED
    return RefundCause.OVERPAID if appointment.status in LIVE_STATUSES else RefundCause.TIME_LOST


def end(session: Session, payment: Payment) -> None:
    """Note that an attempt ended unpaid, and that nothing can be paid with it any more."""
    if payment.state in UNSETTLED:
        payment.state = PaymentState.ENDED
        session.flush()


def _tell_it_comes_back(session: Session, appointment: Appointment, amount_minor: int) -> None:
    to, locale = recipients.email_of(session, appointment.patient_id)
    if to is None:
        return
    with speaking(locale):
        amount = money(amount_minor, clinics.settings(session).currency)
    letters.email(session, letters.PAID_TOO_LATE, to=to, locale=locale, amount=amount)


def with_reference(session: Session, reference: str) -> Payment | None:
    """The attempt that the card processor knows by `reference`, None where that is none of ours."""
    try:
        public_id = UUID(hex=reference)
    except ValueError:
        return None
    return session.scalar(select(Payment).where(Payment.public_id == public_id))
