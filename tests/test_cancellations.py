"""What becomes of the money of a visit that is called off: kept as agreed, and the rest asked back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import appointments, cancellations, ledger
from core.access import Actor
from core.cancellations import CostChanged, Outcome
from core.errors import AccessDenied, NotFound
from core.refunds import ask, credit
from db.models import (
    Appointment,
    AppointmentStatus,
    EntryKind,
    LedgerEntry,
    Payment,
    PaymentMethod,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundCause,
    RefundState,
    Series,
)
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

TEN = on(3, 10)
IN_TIME, LATE = TEN - timedelta(hours=24), TEN - timedelta(hours=24) + timedelta(seconds=1)
ONLINE, CASH = PaymentMethod.ONLINE, PaymentMethod.CASH


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def visit(session: Session, cast: Cast, **changes: Any) -> Appointment:
    """Ada's visit of 60 euros: half of it is the late fee, and 80 % go back in time."""
    ada = session.get_one(make.Patient, cast.ada.patient_ids[0])
    agreed = {"late_fee_minor": 3000, "refund_percent": 80, "created_at": NOW}
    at = changes.pop("starts_at", TEN)
    return make.appointment(session, cast.dr_roth, cast.checkup, at, patient=ada, **agreed | changes)


def paid(session: Session, cast: Cast, booked: Appointment, amount: int, method: PaymentMethod) -> Payment:
    taken_by = cast.desk if method is not ONLINE else None
    changes = {"method": method, "state": PaymentState.PAID, "taken_by_id": taken_by and taken_by.user_id}
    made = make.payment(session, booked, amount, **changes)
    ledger.receive(session, taken_by, booked, made)
    return made


def cancel(session: Session, actor: Actor, booked: Appointment, **changes: Any) -> Appointment:
    return appointments.cancel(
        session, actor, appointment_id=booked.id, reason="The patient asked", **changes
    )


def entries(session: Session, booked: Appointment) -> list[tuple[EntryKind, int]]:
    own = select(LedgerEntry).where(LedgerEntry.appointment_id == booked.id).order_by(LedgerEntry.id)
    return [(each.kind, each.amount_minor) for each in session.scalars(own)]


def refunds(session: Session) -> list[tuple[int, PaymentMethod, RefundCause, RefundState]]:
    rows = session.scalars(select(Refund).order_by(Refund.id))
    return [(row.amount_minor, row.method, row.cause, row.state) for row in rows]


PAID = [(EntryKind.INVOICE, 6000), (EntryKind.PAYMENT, -6000)]


@pytest.mark.parametrize(
    ("at", "waive", "kept"),
    [(IN_TIME, False, 1200), (LATE, False, 3000), (LATE, True, 0), (IN_TIME, True, 0)],
)
def test_of_what_was_paid_the_agreed_part_stays_and_the_rest_is_asked_back(
    session: Session, cast: Cast, at: Any, waive: bool, kept: int
) -> None:
    booked = visit(session, cast)
    paid(session, cast, booked, 6000, ONLINE)
    with time_is(at):
        cancel(session, cast.desk, booked, waive_policy=waive)
    assert entries(session, booked) == [*PAID, (EntryKind.CREDIT, kept - 6000)]
    assert refunds(session) == [(6000 - kept, ONLINE, RefundCause.CANCELLED, RefundState.PENDING)]
    assert ledger.standing(session, booked.id).balance_minor == kept - 6000, "until the refund is made"


def test_a_late_cancellation_of_an_unpaid_visit_is_an_invoice_of_its_fee(
    session: Session, cast: Cast
) -> None:
    booked = visit(session, cast)
    with time_is(LATE):
        cancel(session, cast.ada, booked)
    assert entries(session, booked) == [(EntryKind.INVOICE, 3000)]
    assert (booked.payment_status, refunds(session)) == (PaymentStatus.UNPAID, [])


def test_an_unpaid_visit_cancelled_in_time_leaves_nothing_in_the_ledger(session: Session, cast: Cast) -> None:
    booked = visit(session, cast)
    with time_is(IN_TIME):
        cancel(session, cast.ada, booked)
    assert (entries(session, booked), refunds(session)) == ([], [])


def test_a_deposit_below_the_late_fee_leaves_the_rest_to_pay(session: Session, cast: Cast) -> None:
    booked = visit(session, cast)
    paid(session, cast, booked, 2000, ONLINE)
    assert booked.payment_status is PaymentStatus.PARTLY_PAID
    with time_is(LATE):
        cancel(session, cast.ada, booked)
    assert ledger.standing(session, booked.id).balance_minor == 1000
    assert (booked.payment_status, refunds(session)) == (PaymentStatus.PARTLY_PAID, [])


def test_of_a_visit_paid_in_parts_goes_back_first_what_nobody_has_to_come_for(
    session: Session, cast: Cast
) -> None:
    booked = visit(session, cast)
    paid(session, cast, booked, 2000, ONLINE)
    paid(session, cast, booked, 4000, CASH)
    with time_is(LATE):
        cancel(session, cast.desk, booked, waive_policy=True)
    assert [(amount, method) for amount, method, *_ in refunds(session)] == [(2000, ONLINE), (4000, CASH)]


def test_what_is_on_its_way_back_is_not_asked_back_twice(session: Session, cast: Cast) -> None:
    booked = visit(session, cast)
    payment = paid(session, cast, booked, 6000, ONLINE)
    ask(session, cast.desk, payment, 2500, cause=RefundCause.BY_HAND, reason="Goodwill")
    with time_is(LATE):
        cancel(session, cast.desk, booked, waive_policy=True)
    assert [amount for amount, *_ in refunds(session)] == [2500, 3500]


@pytest.mark.parametrize("is_made", [False, True])
def test_what_was_promised_back_before_counts_as_gone_whether_or_not_it_is_made_yet(
    session: Session, cast: Cast, is_made: bool
) -> None:
    booked = visit(session, cast)
    payment = paid(session, cast, booked, 6000, ONLINE)
    credit(session, cast.desk, booked, 2000)
    given = ask(session, cast.desk, payment, 2000, cause=RefundCause.BY_HAND, reason="Goodwill")
    if is_made:
        given.state, given.settled_at = RefundState.DONE, NOW
        session.flush()
        ledger.pay_back(session, None, booked, given)
    with time_is(IN_TIME):
        expected = cancellations.expected(session, cast.ada, appointment_id=booked.id)
        cancel(session, cast.ada, booked, seen=expected)
    assert expected == Outcome(800, 3200, 0)
    assert [amount for amount, *_ in refunds(session)] == [2000, 3200]


def test_what_is_expected_is_what_happens(session: Session, cast: Cast) -> None:
    for at, hour in ((IN_TIME, 10), (LATE, 12)):
        booked = visit(session, cast, starts_at=on(3, hour))
        paid(session, cast, booked, 6000, ONLINE)
        with time_is(at + (booked.starts_at - TEN)):
            expected = cancellations.expected(session, cast.ada, appointment_id=booked.id)
            cancel(session, cast.ada, booked, seen=expected)
        standing = ledger.standing(session, booked.id)
        assert standing.invoiced_minor == expected.kept_minor
        assert refunds(session)[-1][0] == expected.back_minor


def test_only_whoever_may_cancel_learns_what_it_costs(session: Session, cast: Cast) -> None:
    booked = visit(session, cast)
    for actor in (cast.ada, cast.desk, cast.admin):
        with time_is(LATE):
            assert cancellations.expected(session, actor, appointment_id=booked.id) == Outcome(3000, 0, 3000)
    for actor in (cast.stranger, cast.ben, cast.roth):
        with pytest.raises(AccessDenied):
            cancellations.expected(session, actor, appointment_id=booked.id)
    with pytest.raises(NotFound):
        cancellations.expected(session, cast.desk, appointment_id=0)


def test_a_window_that_begins_before_the_click_refuses_it(session: Session, cast: Cast) -> None:
    booked = visit(session, cast)
    paid(session, cast, booked, 6000, ONLINE)
    with time_is(IN_TIME):
        seen = cancellations.expected(session, cast.ada, appointment_id=booked.id)
    with time_is(LATE), pytest.raises(CostChanged), session.begin_nested():
        cancel(session, cast.ada, booked, seen=seen)
    session.refresh(booked)
    assert (booked.status, refunds(session)) == (AppointmentStatus.CONFIRMED, [])
    assert entries(session, booked) == PAID


def test_a_patient_cannot_waive_the_fee(session: Session, cast: Cast) -> None:
    booked = visit(session, cast)
    with time_is(LATE), pytest.raises(AccessDenied):
        cancel(session, cast.ada, booked, waive_policy=True)
    with pytest.raises(AccessDenied):
        cancel(session, cast.stranger, booked)


def test_documents_are_numbered_without_gaps(session: Session, cast: Cast) -> None:
    for hour in (10, 11, 12):
        booked = visit(session, cast, starts_at=on(3, hour))
        paid(session, cast, booked, 6000, CASH)
        cancel(session, cast.desk, booked)
    for series, count in ((Series.INVOICE, 6), (Series.RECEIPT, 3)):
        rows = session.scalars(
            select(LedgerEntry.number).where(LedgerEntry.series == series).order_by(LedgerEntry.number)
        )
        assert list(rows) == list(range(1, count + 1))
