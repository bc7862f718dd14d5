"""Paying back online: each refund that was asked for is made at the card processor, once, and followed.

As with checkouts, no transaction is open while the processor is spoken to, and all of it may be repeated. A
refund is entered in the ledger when the processor has accepted it, and taken out again should it fail later.
"""

from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock, ledger, placements, refunds, stripe_cards, turns
from core.audit import Event
from core.cards import KEYS_LAST, Cards, CardsFailed, PaidBack, Progress
from db.models import (
    Appointment,
    Payment,
    PaymentMethod,
    PaymentState,
    Refund,
    RefundCause,
    RefundState,
)
from db.session import unit_of_work

LEASE = timedelta(seconds=60)
LOOK_AGAIN = timedelta(minutes=15)  # at one that is under way; most take days
BATCH = 100
UNSETTLED = (RefundState.PENDING, RefundState.SENT)


class _Due(NamedTuple):
    refund_id: int
    reference: str
    payment_ref: str
    amount_minor: int
    provider_refund_id: str | None
    is_long_ago: bool


def settle_due(cards: Cards | None = None) -> int:
    """Have every refund made or looked at whose time it is; how many. Several processes share them."""
    cards = cards or stripe_cards.configured()
    if cards is None:
        return 0
    with unit_of_work() as session:
        due = _claimed(session)
    turns.each(due, lambda each: _settle(cards, each))
    return len(due)


def _settle(cards: Cards, due: _Due) -> None:
    try:
        answer = _ask(cards, due)
    except CardsFailed as failure:
        with unit_of_work() as session:
            _enter_failure(session, due, failure)
        return
    with unit_of_work() as session:
        enter(session, answer, refund_id=due.refund_id)


def _claimed(session: Session) -> list[_Due]:
    now = clock.now()
    found = session.execute(
        select(Refund, Payment.provider_payment_id)
        .join(Refund.payment)
        .where(
            Refund.method == PaymentMethod.ONLINE,
            Refund.state.in_(UNSETTLED),
            Refund.check_after <= now,
        )
        .order_by(Refund.check_after)
        .limit(BATCH)
        .with_for_update(of=Refund, skip_locked=True)
    ).all()
    due = []
    for refund, payment_ref in found:
        refund.check_after = now + LEASE
        refund.tried_at = refund.tried_at or now
        due.append(
            _Due(
                refund_id=refund.id,
                reference=refund.public_id.hex,
                payment_ref=payment_ref or "",
                amount_minor=refund.amount_minor,
                provider_refund_id=refund.provider_refund_id,
                is_long_ago=now - refund.tried_at >= KEYS_LAST,
            )
        )
    return due


def _ask(cards: Cards, due: _Due) -> PaidBack:
    """Make the refund, or look at the one that was made. After a day the key is forgotten: look first."""
    if due.provider_refund_id is not None:
        return cards.look_at_refund(due.provider_refund_id)
    if due.is_long_ago and (found := cards.find_refund(due.payment_ref, due.reference)) is not None:
        return found
    return cards.pay_back(due.payment_ref, due.amount_minor, due.reference)


def enter(session: Session, answer: PaidBack, *, refund_id: int | None = None) -> bool:
    """Enter what the processor says of a refund, of ours or of one made in its own pages; whether it is known
    of which payment.

    States only move on: accepted, then done; and failed from either, which gives the balance back.
    """
    payment = session.scalar(select(Payment).where(Payment.provider_payment_id == answer.payment_id))
    if payment is None:
        return False  # not of this clinic's portal, or not heard of yet
    appointment = placements.locked(session, payment.appointment_id)
    refund = _found(session, payment, answer, refund_id) or _adopted(session, appointment, payment, answer)
    if refund is not None and refund.state is not RefundState.FAILED:
        _move_on(session, appointment, refund, answer)
    return True


def _move_on(session: Session, appointment: Appointment, refund: Refund, answer: PaidBack) -> None:
    now = clock.now()
    refund.provider_refund_id = answer.refund_id
    refund.check_after = now + LOOK_AGAIN
    was_entered = refund.state in {RefundState.SENT, RefundState.DONE}
    if answer.progress is Progress.FAILED:
        refund.state, refund.settled_at, refund.failure = RefundState.FAILED, now, answer.failure or "failed"
        session.flush()
        if was_entered:
            ledger.take_back(session, appointment, refund)
        refunds.note(session, None, Event.REFUND_FAILED, appointment, refund)
        return
    if answer.progress is Progress.DONE and refund.state is not RefundState.DONE:
        refund.state, refund.settled_at = RefundState.DONE, now
    elif refund.state is RefundState.PENDING:
        refund.state = RefundState.SENT
    session.flush()
    if not was_entered:
        ledger.pay_back(session, None, appointment, refund)
        refunds.note(session, None, Event.REFUND_SENT, appointment, refund)


def _found(session: Session, payment: Payment, answer: PaidBack, refund_id: int | None) -> Refund | None:
    """Our row of a refund, held; by number, by the processor's, or by the reference it was asked with.

    A reference counts with its own payment alone: people copy such things in the processor's pages.
    """
    query = select(Refund).with_for_update().execution_options(populate_existing=True)
    if refund_id is not None:
        return session.scalar(query.where(Refund.id == refund_id))
    known = session.scalar(query.where(Refund.provider_refund_id == answer.refund_id))
    if known is None and is_reference(answer.reference):
        known = session.scalar(
            query.where(Refund.public_id == answer.reference, Refund.payment_id == payment.id)
        )
    return known


def is_reference(text: str) -> bool:
    """Whether `text` could be a reference of ours: 32 hexadecimal digits."""
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text)


def _adopted(session: Session, appointment: Appointment, payment: Payment, answer: PaidBack) -> Refund | None:
    """A row for a refund made in the processor's own pages; None for one that came to nothing.

    Raises `CardsFailed` while one of ours is in its way, which then fails there.
    """
    if answer.progress is Progress.FAILED or payment.state is not PaymentState.PAID:
        return None
    refund = Refund(
        payment_id=payment.id,
        method=PaymentMethod.ONLINE,
        amount_minor=answer.amount_minor,
        cause=RefundCause.AT_PROCESSOR,
        state=RefundState.PENDING,
        created_at=clock.now(),
        check_after=clock.now(),
        provider_refund_id=answer.refund_id,
    )
    try:
        with session.begin_nested():
            refunds.credit(session, None, appointment, answer.amount_minor)
            session.add(refund)
    except IntegrityError:
        raise CardsFailed("more than was paid", is_final=False) from None
    return refund


def _enter_failure(session: Session, due: _Due, failure: CardsFailed) -> None:
    """Note that the processor will not make a refund: nothing was in the ledger yet, and the desk is told.

    What may come right by itself is asked again when the lease is over, with a new reference where that
    one is used up.
    """
    if due.provider_refund_id is not None or not (failure.is_final or failure.is_spent):
        return
    payment = session.get_one(Payment, session.get_one(Refund, due.refund_id).payment_id)
    appointment = placements.locked(session, payment.appointment_id)
    refund = session.get_one(Refund, due.refund_id, with_for_update=True, populate_existing=True)
    if refund.state is not RefundState.PENDING or refund.public_id.hex != due.reference:
        return
    if failure.is_spent:
        refund.public_id, refund.tried_at, refund.check_after = uuid4(), None, clock.now()
        return
    refund.state, refund.settled_at, refund.failure = RefundState.FAILED, clock.now(), failure.reason
    session.flush()
    refunds.note(session, None, Event.REFUND_FAILED, appointment, refund)
