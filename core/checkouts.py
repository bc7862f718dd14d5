"""Paying online: from the intent, which is a row, to what the card processor says became of it.

Nobody waits for the processor with a transaction open. An attempt is written and committed, then asked for
with a key made of its row, then what was answered is entered. A process may die between any two lines and
anybody may go on from there: the jobs do, and so does the page to which the patient comes back.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, payments, placements, stripe_cards, turns
from core.cards import KEYS_LAST, Cards, CardsFailed, Checkout, NewCheckout
from db.config import config
from db.models import Appointment, Payment, PaymentState
from db.session import unit_of_work

LEASE = timedelta(seconds=30)  # longer than the processor is waited for
SOONEST, LATEST = timedelta(seconds=5), timedelta(seconds=60)
NEVER_PAID_AFTER = timedelta(days=7)  # for money on its way by a bank, which only cards are asked for
BATCH = 100
STEPS = 4  # asked anew, opened, found to be unwanted, ended


class WrongAnswer(Exception):
    """The processor says paid, but not what was asked for: somebody has to look at that."""


class Attempt(NamedTuple):
    """What is needed to go on with an attempt when no transaction is open."""

    payment_id: int
    appointment_id: int
    state: PaymentState
    session_id: str | None
    created_at: datetime
    wanted: NewCheckout

    def is_unwanted(self, now: datetime) -> bool:
        return self.state is PaymentState.CLOSING or self.wanted.expires_at <= now


def advance(payment_id: int, cards: Cards | None = None, *, only_when_due: bool = False) -> bool:
    """Bring an attempt as far as the processor lets it, whoever asks: open it, look at it, or end it.

    Whether the processor has answered. Safe to repeat at any time, and for several at once. `only_when_due`
    is for whoever asks again and again: where somebody has looked just now nothing is done.
    """
    cards = cards or stripe_cards.configured()
    for step in range(STEPS):
        with unit_of_work() as session:
            attempt = _next(session, payment_id, only_when_due=only_when_due and step == 0)
        if attempt is None:
            return True
        if cards is None:
            return False
        try:
            checkout = _ask(cards, attempt)
        except CardsFailed as failure:
            if failure.is_spent:
                _renew(attempt)
                continue
            if not failure.is_final:
                return False
            checkout = None
        with unit_of_work() as session:
            if _enter(session, attempt, checkout):
                return True
    return True


def advance_due(cards: Cards | None = None) -> int:
    """Bring every attempt on whose time it is to be looked at; how many. Several processes share them."""
    with unit_of_work() as session:
        due = session.scalars(
            select(Payment)
            .where(Payment.state.in_(payments.UNSETTLED), Payment.check_after <= clock.now())
            .order_by(Payment.check_after)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for payment in due:
            payment.check_after = clock.now() + LEASE
    turns.each(due, lambda payment: advance(payment.id, cards))
    return len(due)


def adopt(checkout: Checkout, cards: Cards) -> None:
    """Go on with the attempt that a session belongs to, if it is one of ours: its number may be news.

    One that was taken for over and was paid all the same is entered too. A session that is not ours is left
    alone, also where it carries our reference: whoever knows one can add it to a payment link's address.
    """
    with unit_of_work() as session:
        payment = payments.with_reference(session, checkout.reference)
        if payment is None or not _is_its_own(payment, checkout):
            return
        if payment.state is PaymentState.ENDED and checkout.is_paid and checkout.payment_id is not None:
            appointment = placements.locked(session, payment.appointment_id)
            session.refresh(payment, with_for_update=True)
            _settle(session, appointment, payment, checkout)
        elif payment.provider_session_id is None:
            payment.provider_session_id = checkout.session_id
    advance(payment.id, cards)


def _is_its_own(payment: Payment, checkout: Checkout) -> bool:
    """Whether a session can be the one opened for an attempt: no other is known, and the sum is the same."""
    is_asked_for = (checkout.amount_minor, checkout.currency) == (payment.amount_minor, payment.currency)
    return payment.provider_session_id in {None, checkout.session_id} and is_asked_for


def _next(session: Session, payment_id: int, *, only_when_due: bool) -> Attempt | None:
    """The attempt as it is now, None when there is nothing to do; nobody else need look at it for a while."""
    payment = session.get(Payment, payment_id, populate_existing=True)
    if payment is None or payment.state not in payments.UNSETTLED or payment.expires_at is None:
        return None
    if only_when_due and payment.check_after is not None and payment.check_after > clock.now():
        return None
    payment.check_after = clock.now() + LEASE
    return Attempt(
        payment_id=payment.id,
        appointment_id=payment.appointment_id,
        state=payment.state,
        session_id=payment.provider_session_id,
        created_at=payment.created_at,
        wanted=NewCheckout(
            reference=payment.public_id.hex,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            expires_at=payment.expires_at,
            back_to=f"{config().public_url}/pay?visit={payment.appointment_id}",
        ),
    )


def _ask(cards: Cards, attempt: Attempt) -> Checkout | None:
    """What the processor says of an attempt; None when it never heard of it."""
    now = clock.now()
    if attempt.session_id is None:
        if now - attempt.created_at < KEYS_LAST:
            return cards.open(attempt.wanted)
        return cards.find(attempt.wanted.reference, since=attempt.created_at)
    if attempt.is_unwanted(now):
        return cards.end(attempt.session_id)
    return cards.look(attempt.session_id)


def _renew(attempt: Attempt) -> None:
    """Give an attempt of which nothing came another reference, so that it can be asked for once more."""
    with unit_of_work() as session:
        payment = session.get_one(Payment, attempt.payment_id, with_for_update=True)
        if payment.public_id.hex == attempt.wanted.reference and payment.provider_session_id is None:
            payment.public_id = uuid4()


def _enter(session: Session, attempt: Attempt, checkout: Checkout | None) -> bool:
    """Enter what was answered; whether that is all for now. The visit first: it is the lock of its money."""
    appointment = placements.locked(session, attempt.appointment_id)
    payment = session.get_one(Payment, attempt.payment_id, with_for_update=True, populate_existing=True)
    if payment.state not in payments.UNSETTLED:
        return True
    now = clock.now()
    if checkout is None:  # refused, or not known there
        if attempt.session_id is None or attempt.is_unwanted(now):
            payments.end(session, payment)
        return True
    payment.provider_session_id, payment.checkout_url = checkout.session_id, checkout.url
    payment.check_after = now + min(max((now - payment.created_at) / 20, SOONEST), LATEST)
    if checkout.is_paid:
        _settle(session, appointment, payment, checkout)
        return True
    if checkout.is_over or (not checkout.is_open and now > attempt.created_at + NEVER_PAID_AFTER):
        payments.end(session, payment)
        return True
    is_unwanted = payment.state is PaymentState.CLOSING or attempt.is_unwanted(now)
    return not (checkout.is_open and is_unwanted)


def _settle(session: Session, appointment: Appointment, payment: Payment, checkout: Checkout) -> None:
    is_enough = checkout.amount_minor >= payment.amount_minor and checkout.currency == payment.currency
    if checkout.payment_id is None or not is_enough:
        raise WrongAnswer
    payments.settle(
        session,
        appointment,
        payment,
        provider_payment_id=checkout.payment_id,
        paid_minor=checkout.amount_minor,
    )
