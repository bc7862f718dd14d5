"""Paying back online: once, whatever is lost on the way, and followed until the money is there or back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import ledger, placements, processor_events, refunds, repayments
from core.stripe_cards import StripeCards, happening
from db.models import AuditEntry, EntryKind, LedgerEntry, Payment, PaymentStatus, RefundCause, RefundState
from db.session import unit_of_work
from tests.cast import on
from tests.money import MINUTE, Scene, scene
from tests.payment_sandbox import KEY, PaymentSandbox


@pytest.fixture
def clinic(database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(database, sandbox, monkeypatch) as made:
        yield made


def cancelled(clinic: Scene) -> int:
    """A visit that was paid and called off in time; all of its money is to go back."""
    visit_id = clinic.paid()
    clinic.cancel(clinic.cast.ada, visit_id)
    [refund] = clinic.refunds(visit_id)
    assert (refund.state, refund.amount_minor) == (RefundState.PENDING, 6000)
    return visit_id


def at_stripe(clinic: Scene) -> list[str]:
    """The refunds that there are at Stripe."""
    return [each.id for each in clinic.sandbox.stripe_client().v1.refunds.list({"limit": 100}).data]


def kinds(clinic: Scene, visit_id: int) -> list[EntryKind]:
    with Session(clinic.database) as session:
        own = select(LedgerEntry.kind).where(LedgerEntry.appointment_id == visit_id).order_by(LedgerEntry.id)
        return list(session.scalars(own))


def test_a_refund_is_made_and_entered_once(clinic: Scene) -> None:
    visit_id = cancelled(clinic)
    assert clinic.standing(visit_id).balance_minor == -6000
    clinic.settle()
    [refund] = clinic.refunds(visit_id)
    assert (refund.state, refund.settled_at is not None) == (RefundState.DONE, True)
    assert at_stripe(clinic) == [refund.provider_refund_id]
    assert clinic.sums(visit_id) == (0, 6000, 6000)
    assert clinic.visit(visit_id).payment_status is PaymentStatus.REFUNDED
    assert kinds(clinic, visit_id) == ["invoice", "payment", "credit", "refund"]


@pytest.mark.parametrize("trouble", ["drop", "500", "429", "delay"])
def test_one_refund_is_made_whatever_becomes_of_the_answer(clinic: Scene, trouble: str) -> None:
    visit_id = cancelled(clinic)
    how = {"drop": {"when": "after"}, "delay": {"seconds": 0.2}}.get(trouble, {})
    clinic.sandbox.fault("/v1/refunds", trouble, **how)
    clinic.settle(4)
    [refund] = clinic.refunds(visit_id)
    assert refund.state is RefundState.DONE
    assert at_stripe(clinic) == [refund.provider_refund_id]


def test_after_a_day_without_an_answer_it_is_looked_for_first(clinic: Scene) -> None:
    visit_id = cancelled(clinic)
    clinic.sandbox.fault("/v1/refunds", "drop", when="after")
    repayments.settle_due(clinic.cards)
    asked = len(clinic.sandbox.calls("/v1/refunds", "POST"))
    clinic.tick(timedelta(hours=25))
    repayments.settle_due(clinic.cards)
    [refund] = clinic.refunds(visit_id)
    assert refund.state is RefundState.DONE
    assert len(clinic.sandbox.calls("/v1/refunds", "POST")) == asked


def test_two_jobs_processes_at_once_make_one_refund(clinic: Scene) -> None:
    visits = [clinic.paid(on(3, hour)) for hour in (9, 10, 11, 13)]
    for visit_id in visits:
        clinic.cancel(clinic.cast.ada, visit_id)
    others = [StripeCards(KEY, clinic.sandbox.url, retries=0) for _process in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(repayments.settle_due, others)) == len(visits)
    assert len(at_stripe(clinic)) == len(visits)


def test_a_refund_that_is_under_way_is_followed_until_it_is_done(clinic: Scene) -> None:
    visit_id = cancelled(clinic)
    clinic.sandbox.next_refund_is_pending()
    repayments.settle_due(clinic.cards)
    [refund] = clinic.refunds(visit_id)
    assert (refund.state, refund.settled_at) == (RefundState.SENT, None)
    assert clinic.standing(visit_id).balance_minor == 0
    clinic.sandbox.succeed_refund(refund.provider_refund_id or "")
    clinic.tick(20 * MINUTE)
    repayments.settle_due(clinic.cards)
    assert clinic.refunds(visit_id)[0].state is RefundState.DONE
    assert kinds(clinic, visit_id).count(EntryKind.REFUND) == 1


@pytest.mark.parametrize("first", ["pending", "succeeded"])
def test_a_refund_that_fails_later_puts_the_balance_back_and_is_told(clinic: Scene, first: str) -> None:
    visit_id = cancelled(clinic)
    if first == "pending":
        clinic.sandbox.next_refund_is_pending()
    repayments.settle_due(clinic.cards)
    clinic.sandbox.fail_refund(clinic.refunds(visit_id)[0].provider_refund_id or "")
    clinic.settle()
    [refund] = clinic.refunds(visit_id)
    assert (refund.state, refund.resolved_at) == (RefundState.FAILED, None)
    assert refund.failure
    assert clinic.standing(visit_id).balance_minor == -6000
    assert kinds(clinic, visit_id)[-2:] == [EntryKind.REFUND, EntryKind.REFUND_FAILED]
    with Session(clinic.database) as session:
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert noted == "pay back: failed"


def test_what_the_processor_will_never_pay_back_is_the_desks_to_settle(clinic: Scene) -> None:
    """Somebody paid it back in Stripe's own pages, in the same moment."""
    visit_id = cancelled(clinic)
    made_there = clinic.sandbox.stripe_client().v1.refunds.create(
        {"payment_intent": clinic.payment(visit_id).provider_payment_id or ""}
    )
    clinic.settle(4)
    ours, theirs = clinic.refunds(visit_id)
    assert (ours.state, ours.failure) == (RefundState.FAILED, "charge_already_refunded")
    assert (theirs.state, theirs.provider_refund_id) == (RefundState.DONE, made_there.id)
    assert clinic.sums(visit_id) == (0, 6000, 6000)


def test_a_refund_made_in_the_processors_pages_is_entered_and_not_asked_for_again(clinic: Scene) -> None:
    visit_id = clinic.paid()
    clinic.sandbox.stripe_client().v1.refunds.create(
        {"payment_intent": clinic.payment(visit_id).provider_payment_id or "", "amount": 1000}
    )
    clinic.settle()
    [refund] = clinic.refunds(visit_id)
    assert (refund.cause, refund.amount_minor, refund.state) == (
        RefundCause.AT_PROCESSOR,
        1000,
        RefundState.DONE,
    )
    assert clinic.sums(visit_id) == (5000, 6000, 1000)


def test_a_refund_that_is_heard_of_before_its_payment_is_entered_after_it(clinic: Scene) -> None:
    visit_id = clinic.book()
    session_id = clinic.opened(visit_id)
    clinic.sandbox.pay(session_id)
    stripe = clinic.sandbox.stripe_client().v1
    payment = stripe.checkout.sessions.retrieve(session_id).payment_intent
    stripe.refunds.create({"payment_intent": str(payment), "amount": 1000})
    overtaking = [each for each in stripe.events.list().data if each.type.startswith("refund")]
    with unit_of_work(clinic.database) as session:
        processor_events.store(session, [happening(each) for each in overtaking])
    processor_events.apply_waiting(clinic.cards)
    assert clinic.refunds(visit_id) == []
    clinic.settle()
    assert clinic.sums(visit_id) == (5000, 6000, 1000)


def test_a_reference_copied_to_another_payments_refund_is_no_answer_to_ours(clinic: Scene) -> None:
    visit_id = cancelled(clinic)
    other = clinic.paid(on(3, 11), clinic.cast.ben)
    clinic.sandbox.stripe_client().v1.refunds.create(
        {
            "payment_intent": clinic.payment(other).provider_payment_id or "",
            "amount": 1000,
            "metadata": {"reference": clinic.refunds(visit_id)[0].public_id.hex},
        }
    )
    processor_events.read_new(clinic.cards)
    processor_events.apply_waiting(clinic.cards)
    clinic.settle()
    assert clinic.sums(other) == (5000, 6000, 1000)
    assert clinic.sums(visit_id) == (0, 6000, 6000)


def test_events_may_overtake_the_answer(clinic: Scene) -> None:
    visit_id = cancelled(clinic)
    clinic.sandbox.fault("/v1/refunds", "drop", when="after")
    repayments.settle_due(clinic.cards)
    processor_events.read_new(clinic.cards)
    processor_events.apply_waiting(clinic.cards)
    assert clinic.refunds(visit_id)[0].state is RefundState.DONE
    clinic.settle()
    assert len(clinic.refunds(visit_id)) == len(at_stripe(clinic)) == 1
    assert kinds(clinic, visit_id).count(EntryKind.REFUND) == 1


def test_no_more_is_asked_back_than_was_paid_whoever_asks(clinic: Scene) -> None:
    visit_id = clinic.paid()

    def ask(amount: int) -> str:
        try:
            asked_back(clinic, visit_id, amount)
        except IntegrityError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(6) as pool:
        refusals = list(filter(None, pool.map(ask, [2500] * 6)))
    assert ["refunds_within_payment" in each for each in refusals] == [True] * 4
    with clinic.database.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(text("UPDATE refunds SET amount_minor = amount_minor + 2000"))


def asked_back(clinic: Scene, visit_id: int, amount: int) -> None:
    with unit_of_work(clinic.database) as session:
        payment = session.get_one(Payment, clinic.payment(visit_id).id)
        refunds.ask(session, None, payment, amount, cause=RefundCause.OVERPAID)


def test_an_attempt_that_was_not_paid_has_nothing_to_give_back(clinic: Scene) -> None:
    visit_id = clinic.book()
    with pytest.raises(IntegrityError):
        asked_back(clinic, visit_id, 100)


def test_what_is_paid_twice_goes_back_once(clinic: Scene) -> None:
    """The patient pays online what the desk takes in the same minute."""
    visit_id = clinic.book()
    session_id = clinic.opened(visit_id)
    clinic.sandbox.pay(session_id)
    with unit_of_work(clinic.database) as session:
        visit = placements.locked(session, visit_id)
        cash = Payment(
            appointment_id=visit_id,
            method="cash",
            state="paid",
            amount_minor=6000,
            currency="EUR",
            created_at=clinic.now,
            paid_at=clinic.now,
            taken_by_id=clinic.cast.desk.user_id,
        )
        session.add(cash)
        session.flush()
        ledger.receive(session, clinic.cast.desk, visit, cash)
    clinic.settle()
    [refund] = clinic.refunds(visit_id)
    assert (refund.cause, refund.method, refund.state) == (RefundCause.OVERPAID, "online", RefundState.DONE)
    assert clinic.standing(visit_id).balance_minor == 0
    assert clinic.visit(visit_id).payment_status is PaymentStatus.PAID
