"""What the card processor says happened: read again and again, or brought by its webhook, and stored once.

An event is a signal to look at an object, never a fact by itself: it may come late, twice, out of order or
not at all. Nothing depends on events but that things happen sooner, except for what happens to refunds later.
"""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import checkouts, clock, payments, repayments, stripe_cards, turns
from core.cards import Cards, CardsFailed, Happening
from db.models import Payment, ProcessorCursor, ProcessorEvent
from db.session import unit_of_work

OVERLAP = timedelta(minutes=15)  # events do not become visible in the order of their times
KEPT_THERE = timedelta(days=30)
LEASE = timedelta(seconds=60)
KEEP = timedelta(days=40)  # longer than the processor does, so that none is taken for new
BATCH = 100
CHECKOUT, REFUND = "checkout.session.", "refund."


def store(session: Session, happened: Iterable[Happening]) -> int:
    """Keep events that are news, to be looked into; how many. One that is known already stays as it is."""
    now = clock.now()
    rows = [
        {
            "id": each.event_id,
            "kind": each.kind,
            "object_id": each.object_id,
            "created_at": each.created_at,
            "received_at": now,
            "check_after": now,
        }
        for each in happened
    ]
    if not rows:
        return 0
    written = insert(ProcessorEvent).on_conflict_do_nothing().returning(ProcessorEvent.id)
    return len(session.execute(written, rows).all())  # apart from the statement: SQL has a limit of values


def read_new(cards: Cards | None = None) -> int:
    """Store what has happened since the last time, and note how far that reaches; how many were news."""
    cards = cards or stripe_cards.configured()
    if cards is None:
        return 0
    started = clock.now()
    with unit_of_work() as session:
        cursor = session.get(ProcessorCursor, 1)
        since = started - KEPT_THERE if cursor is None else cursor.read_until - OVERLAP
    try:
        happened = list(cards.happenings(since))
    except CardsFailed:
        return 0  # the next turn reads from the same place
    with unit_of_work() as session:
        news = store(session, happened)
        known = insert(ProcessorCursor).values(id=1, read_until=started)
        later = {"read_until": started}
        session.execute(
            known.on_conflict_do_update(
                index_elements=["id"], set_=later, where=ProcessorCursor.read_until < started
            )
        )
    return news


def apply_waiting(cards: Cards | None = None) -> int:
    """Look at the object of every event that waits for it; how many. Several processes share them."""
    cards = cards or stripe_cards.configured()
    if cards is None:
        return 0
    with unit_of_work() as session:
        waiting = session.scalars(
            select(ProcessorEvent)
            .where(ProcessorEvent.applied_at.is_(None), ProcessorEvent.check_after <= clock.now())
            .order_by(ProcessorEvent.created_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for event in waiting:
            event.check_after = clock.now() + LEASE
    turns.each(waiting, lambda event: _apply(event, cards))
    return len(waiting)


def _apply(event: ProcessorEvent, cards: Cards) -> None:
    """Look into an event; one that must wait is looked at again once the lease is over."""
    try:
        must_wait = not _is_looked_into(event, cards)
    except CardsFailed as failure:
        must_wait = not failure.is_final
    if must_wait:
        return
    with unit_of_work() as session:
        session.get_one(ProcessorEvent, event.id).applied_at = clock.now()


def _is_looked_into(event: ProcessorEvent, cards: Cards) -> bool:
    """Look at an event's object; whether that was all.

    A refund may be heard of before its payment is: it waits while one begun before it may turn out paid.
    """
    if event.kind.startswith(CHECKOUT):
        checkouts.adopt(cards.look(event.object_id), cards)
    elif event.kind.startswith(REFUND):
        answer = cards.look_at_refund(event.object_id)
        with unit_of_work() as session:
            return repayments.enter(session, answer) or not _may_be_of_ours(session, event)
    return True


def _may_be_of_ours(session: Session, event: ProcessorEvent) -> bool:
    begun = exists().where(
        Payment.state.in_(payments.UNSETTLED), Payment.created_at <= event.created_at + OVERLAP
    )
    return bool(session.scalar(select(begun)))


def forget_old(session: Session) -> int:
    """Delete events of more than forty days ago; how many."""
    old = delete(ProcessorEvent).where(ProcessorEvent.received_at <= clock.now() - KEEP)
    return len(session.execute(old.returning(ProcessorEvent.id)).all())
