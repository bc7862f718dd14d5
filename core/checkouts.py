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

from core import access, audit, clock, holds, ledger, payments, placements, stripe_cards, turns
from core.access import Action, Actor
from core.cards import KEYS_LAST, Cards, CardsFailed, Checkout, NewCheckout
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.terms import SMALLEST_ONLINE_MINOR
from db.config import config
from db.models import Appointment, AppointmentStatus, Payment, PaymentState
from db.session import unit_of_work

LEASE = timedelta(seconds=30)  # longer than the processor is waited for
SOONEST, LATEST = timedelta(seconds=5), timedelta(seconds=60)
NEVER_PAID_AFTER = timedelta(days=7)  # for money on its way by a bank, which only cards are asked for
BATCH = 100
STEPS = 4  # asked anew, opened, found to be unwanted, ended


class NothingToPay(ClinicError):
    message = N_("There is nothing to pay for this visit.")


class NoCards(ClinicError):
    message = N_("This clinic does not take payments online. Please pay at the desk.")


class HoldOver(ClinicError):
    message = N_("The time was held for you for a while and is free again now. Please book it again.")


class BeingEnded(ClinicError):
    message = N_("The last attempt to pay is still being closed. Please try again in a minute.")


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


def begin(session: Session, actor: Actor, *, appointment_id: int) -> Payment:
    """The attempt to pay online what is due or owed for a visit: the one that is open, or a new one.

    Raises `NothingToPay`, `NoCards`, `HoldOver`, `BeingEnded`, `OnlyOffered`, `AccessDenied`, `NotFound`.
    """
    appointment = placements.locked(session, appointment_id)
    access.require(actor, Action.PAY, patient_id=appointment.patient_id)
    if not config().takes_cards_online:
        raise NoCards
    holds.require_booked(session, appointment)
    is_held = appointment.status is AppointmentStatus.PENDING
    if is_held and (appointment.hold_expires_at or clock.now()) <= clock.now():
        raise HoldOver
    existing = payments.unsettled(session, appointment_id)
    if existing is not None:
        if existing.state is PaymentState.CLOSING:
            raise BeingEnded
        return existing
    if is_held and clock.now() + payments.CHECKOUT_LASTS > appointment.created_at + payments.LONGEST_HOLD:
        raise HoldOver
    received = ledger.standing(session, appointment_id).received_minor
    amount = appointment.due_minor - received if is_held else ledger.owed(session, appointment)
    if amount < SMALLEST_ONLINE_MINOR:
        raise NothingToPay
    begun = payments.begin(session, appointment, amount)
    audit.record_money(session, actor, Action.PAY, appointment, kind="payment", number=begun.id)
    return begun


class Progress(NamedTuple):
    """How it stands with paying for a visit: the last attempt online, and what is left to pay, also now."""

    status: AppointmentStatus
    attempt: Payment | None
    left_minor: int


def progress(session: Session, actor: Actor, *, appointment_id: int) -> Progress:
    """How far paying for a visit has come, for the page to which the payer comes back.

    Raises `OnlyOffered`, `AccessDenied`, `NotFound`.
    """
    appointment = session.get(Appointment, appointment_id, populate_existing=True)
    if appointment is None:
        raise NotFound
    access.require(actor, Action.PAY, patient_id=appointment.patient_id)
    holds.require_booked(session, appointment)
    newest = (
        select(Payment)
        .where(Payment.appointment_id == appointment_id, Payment.expires_at.is_not(None))
        .order_by(Payment.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return Progress(appointment.status, session.scalar(newest), ledger.owed(session, appointment))


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
