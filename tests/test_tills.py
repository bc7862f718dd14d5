"""Money at the desk: taken, invoiced, paid back, handed over; by whoever may, and as much as there is."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import appointments, ledger, payouts, refunds, tills, waiting_refunds
from core.access import Action, Actor
from core.appointment_errors import FormAlreadySent, ReasonMissing
from core.errors import AccessDenied, NotFound
from core.payouts import AlreadyHandedOver, AlreadyResolved, FailedOneWaits, MoreThanPaid, NotPaidOnline
from core.tills import AmountMissing, LessThanDue, MoreThanOwed, NotAtTheDesk, NotConfirmed, NothingOwed
from db.models import (
    Appointment,
    AppointmentStatus,
    AuditEntry,
    EntryKind,
    LedgerEntry,
    Patient,
    Payment,
    PaymentMethod,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundCause,
    RefundState,
)
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

CASH, TERMINAL, ONLINE = PaymentMethod.CASH, PaymentMethod.TERMINAL, PaymentMethod.ONLINE


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's, for 60.00."""
    return visit_of_ada(session, cast)


def visit_of_ada(session: Session, cast: Cast, **changes: object) -> Appointment:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada, **changes)


def take(session: Session, actor: Actor, visit: Appointment, amount_minor: int, **changes: object) -> Payment:
    wanted = {"appointment_id": visit.id, "method": CASH, "amount_minor": amount_minor} | changes
    return tills.take(session, actor, **wanted)


def pay_back(session: Session, actor: Actor, paid: Payment, amount_minor: int, **changes: object) -> Refund:
    wanted = {"payment_id": paid.id, "amount_minor": amount_minor, "reason": "The doctor was ill"} | changes
    return payouts.pay_back(session, actor, **wanted)


def paid_online(session: Session, visit: Appointment, amount_minor: int) -> Payment:
    """An online payment that has come in."""
    paid = make.payment(session, visit, amount_minor, state=PaymentState.PAID)
    ledger.receive(session, None, visit, paid)
    return paid


def written(session: Session, visit: Appointment) -> list[tuple[EntryKind, int, int]]:
    """The visit's documents: kind, amount, number."""
    return [(each.kind, each.amount_minor, each.number) for each in ledger.entries(session, [visit.id])]


def told(session: Session) -> list[tuple[str, int | None, str]]:
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(row.action, row.user_id, row.object_kind) for row in rows]


@pytest.mark.parametrize("name", ["desk", "admin"])
def test_the_desk_takes_all_that_is_owed_and_the_visit_is_invoiced_with_it(
    session: Session, cast: Cast, visit: Appointment, name: str
) -> None:
    actor: Actor = getattr(cast, name)
    paid = take(session, actor, visit, 6000)
    assert (paid.method, paid.state, paid.taken_by_id) == (CASH, PaymentState.PAID, actor.user_id)
    assert written(session, visit) == [(EntryKind.INVOICE, 6000, 1), (EntryKind.PAYMENT, -6000, 1)]
    assert visit.payment_status is PaymentStatus.PAID
    assert told(session) == [(Action.TAKE_PAYMENT, actor.user_id, "payment")]


@pytest.mark.parametrize("name", ["ada", "stranger", "roth"])
def test_nobody_else_takes_or_gives_money(
    session: Session, cast: Cast, visit: Appointment, name: str
) -> None:
    actor: Actor = getattr(cast, name)
    paid = take(session, cast.desk, visit, 6000)
    with pytest.raises(AccessDenied):
        take(session, actor, visit, 100)
    with pytest.raises(AccessDenied):
        tills.invoice(session, actor, appointment_id=visit.id)
    with pytest.raises(AccessDenied):
        pay_back(session, actor, paid, 100)
    with pytest.raises(AccessDenied):
        waiting_refunds.counted(session, actor)


def test_part_payments_add_up_and_none_is_more_than_what_is_left(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    take(session, cast.desk, visit, 2000)
    assert visit.payment_status is PaymentStatus.PARTLY_PAID
    with pytest.raises(MoreThanOwed) as refused:
        take(session, cast.desk, visit, 4001)
    assert str(refused.value) == "Only €40.00 is owed for this visit. Please take no more than that."
    take(session, cast.desk, visit, 4000, method=TERMINAL)
    with pytest.raises(NothingOwed):
        take(session, cast.desk, visit, 1)
    assert visit.payment_status is PaymentStatus.PAID


def test_yen_are_taken_whole(session: Session, cast: Cast) -> None:
    make.clinic(session, currency="JPY")
    visit = visit_of_ada(session, cast, price_minor=4500)
    with pytest.raises(MoreThanOwed) as refused:
        take(session, cast.desk, visit, 4501)
    assert "¥4,500 is owed" in str(refused.value)
    assert take(session, cast.desk, visit, 4500).currency == "JPY"


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_nothing_is_not_taken_or_given(
    session: Session, cast: Cast, visit: Appointment, amount_minor: int
) -> None:
    with pytest.raises(AmountMissing):
        take(session, cast.desk, visit, amount_minor)
    paid = take(session, cast.desk, visit, 6000)
    with pytest.raises(AmountMissing):
        pay_back(session, cast.desk, paid, amount_minor)


def test_money_online_is_not_taken_at_the_desk(session: Session, cast: Cast, visit: Appointment) -> None:
    with pytest.raises(NotAtTheDesk):
        take(session, cast.desk, visit, 6000, method=ONLINE)


def test_a_visit_that_is_not_there_is_said_to_be_gone(session: Session, cast: Cast) -> None:
    with pytest.raises(NotFound):
        tills.take(session, cast.desk, appointment_id=0, method=CASH, amount_minor=1)
    with pytest.raises(NotFound):
        payouts.pay_back(session, cast.desk, payment_id=0, amount_minor=1, reason="why")
    with pytest.raises(NotFound):
        payouts.hand_over(session, cast.desk, refund_id=0)


def test_the_same_form_twice_takes_once_and_only_its_own_answer(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    key = uuid4()
    first = take(session, cast.desk, visit, 2000, request_key=key)
    assert take(session, cast.desk, visit, 2000, request_key=key) is first
    with pytest.raises(FormAlreadySent):
        take(session, cast.admin, visit, 2000, request_key=key)
    assert session.scalar(select(func.count()).select_from(Payment)) == 1


def test_cash_for_a_held_time_confirms_it_and_ends_the_attempt_online(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(
        session,
        cast,
        status=AppointmentStatus.PENDING,
        hold_expires_at=NOW + timedelta(minutes=30),
        due_minor=2000,
    )
    attempt = make.payment(session, visit, 2000)
    with pytest.raises(LessThanDue) as refused:
        take(session, cast.desk, visit, 1999)
    assert "at least €20.00" in str(refused.value)
    assert attempt.state is PaymentState.OPEN
    take(session, cast.desk, visit, 2000)
    assert (visit.status, visit.hold_expires_at) == (AppointmentStatus.CONFIRMED, None)
    assert attempt.state is PaymentState.CLOSING
    assert ledger.owed(session, visit) == 4000


def test_a_late_fee_is_paid_after_the_visit_was_cancelled(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(session, cast, late_fee_minor=1500, cancellation_hours=72)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="I am better")
    with pytest.raises(MoreThanOwed):
        take(session, cast.desk, visit, 6000)
    take(session, cast.desk, visit, 1500)
    assert written(session, visit) == [(EntryKind.INVOICE, 1500, 1), (EntryKind.PAYMENT, -1500, 1)]


def test_nothing_is_owed_for_a_visit_that_was_cancelled_in_time(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(session, cast)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="I am better")
    with pytest.raises(NothingOwed):
        take(session, cast.desk, visit, 100)
    with pytest.raises(NothingOwed):
        tills.invoice(session, cast.desk, appointment_id=visit.id)


def test_an_invoice_is_written_once_and_paid_later(session: Session, cast: Cast, visit: Appointment) -> None:
    first = tills.invoice(session, cast.desk, appointment_id=visit.id)
    assert tills.invoice(session, cast.desk, appointment_id=visit.id) is first
    take(session, cast.desk, visit, 6000)
    assert written(session, visit) == [(EntryKind.INVOICE, 6000, 1), (EntryKind.PAYMENT, -6000, 1)]
    assert told(session)[0] == ("issue an invoice", cast.desk.user_id, "invoice")


def test_a_held_time_is_not_invoiced(session: Session, cast: Cast) -> None:
    held = {"status": AppointmentStatus.PENDING, "hold_expires_at": NOW + timedelta(minutes=30)}
    visit = visit_of_ada(session, cast, due_minor=2000, **held)
    with pytest.raises(NotConfirmed):
        tills.invoice(session, cast.desk, appointment_id=visit.id)


def test_what_is_given_back_by_hand_is_credited_and_not_asked_for_again(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    paid = take(session, cast.desk, visit, 6000)
    refund = pay_back(session, cast.desk, paid, 1000)
    assert (refund.state, refund.handed_over_by_id) == (RefundState.DONE, cast.desk.user_id)
    assert (refund.cause, refund.reason) == (RefundCause.BY_HAND, "The doctor was ill")
    assert written(session, visit)[2:] == [(EntryKind.CREDIT, -1000, 2), (EntryKind.REFUND, 1000, 2)]
    assert ledger.owed(session, visit) == 0
    pay_back(session, cast.desk, paid, 5000)
    assert ledger.owed(session, visit) == 0
    assert visit.payment_status is PaymentStatus.REFUNDED
    with pytest.raises(NothingOwed):
        take(session, cast.desk, visit, 6000)


def test_what_the_clinic_owes_anyway_is_used_before_anything_is_credited(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    paid = take(session, cast.desk, visit, 6000)
    ledger.owe(session, cast.desk, visit, 5000)
    pay_back(session, cast.desk, paid, 2500)
    assert written(session, visit)[3:] == [(EntryKind.CREDIT, -1500, 3), (EntryKind.REFUND, 2500, 2)]
    assert ledger.standing(session, visit.id).balance_minor == 0


def test_what_a_cancellation_promised_is_not_used_a_second_time(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(session, cast, refund_percent=50)
    paid = take(session, cast.desk, visit, 6000)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="I am better")
    pay_back(session, cast.desk, paid, 1000)
    assert waiting_refunds.counted(session, cast.desk) == (1, 0)
    standing = ledger.standing(session, visit.id)
    assert (standing.invoiced_minor, standing.balance_minor) == (2000, -3000)


def test_never_more_goes_back_than_is_left_of_a_payment(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    paid = take(session, cast.desk, visit, 6000)
    pay_back(session, cast.desk, paid, 4000)
    with pytest.raises(MoreThanPaid) as refused:
        pay_back(session, cast.desk, paid, 2001)
    assert str(refused.value).startswith("Only €20.00 of this payment can still be paid back.")
    with pytest.raises(MoreThanPaid):
        pay_back(session, cast.desk, paid, 10**12)


def test_money_goes_back_by_hand_for_a_reason(session: Session, cast: Cast, visit: Appointment) -> None:
    paid = take(session, cast.desk, visit, 6000)
    with pytest.raises(ReasonMissing):
        pay_back(session, cast.desk, paid, 1000, reason=" ")


def test_the_same_form_twice_gives_back_once(session: Session, cast: Cast, visit: Appointment) -> None:
    paid, key = take(session, cast.desk, visit, 6000), uuid4()
    first = pay_back(session, cast.desk, paid, 1000, request_key=key)
    assert pay_back(session, cast.desk, paid, 1000, request_key=key) is first
    with pytest.raises(FormAlreadySent):
        pay_back(session, cast.admin, paid, 1000, request_key=key)
    assert ledger.standing(session, visit.id).refunded_minor == 1000


def test_what_was_paid_online_goes_back_by_itself_and_is_credited_at_once(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    refund = pay_back(session, cast.desk, paid_online(session, visit, 6000), 1000)
    assert (refund.method, refund.state) == (ONLINE, RefundState.PENDING)
    assert ledger.standing(session, visit.id).balance_minor == -1000
    with pytest.raises(NotAtTheDesk):
        payouts.hand_over(session, cast.desk, refund_id=refund.id)


def test_what_a_cancellation_left_is_handed_over_once(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(session, cast)
    take(session, cast.desk, visit, 6000)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="I am better")
    [waiting] = waiting_refunds.to_hand_over(session, cast.desk)
    assert waiting.payment.appointment.patient.name == "Ada Okafor"
    assert waiting_refunds.counted(session, cast.desk) == (1, 0)
    given = payouts.hand_over(session, cast.desk, refund_id=waiting.id)
    assert payouts.hand_over(session, cast.desk, refund_id=waiting.id) is given
    with pytest.raises(AlreadyHandedOver):
        payouts.hand_over(session, cast.admin, refund_id=waiting.id)
    assert waiting_refunds.counted(session, cast.desk) == (0, 0)
    assert ledger.standing(session, visit.id).balance_minor == 0
    assert len([each for each in written(session, visit) if each[0] is EntryKind.REFUND]) == 1


def failed_refund(session: Session, cast: Cast, visit: Appointment) -> Refund:
    """Of an online payment of 60.00, all of which the cancellation had promised."""
    paid = paid_online(session, visit, 6000)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="I am better")
    [refund] = session.scalars(select(Refund).where(Refund.payment_id == paid.id))
    ledger.pay_back(session, None, visit, refund)
    refund.state, refund.settled_at, refund.failure = RefundState.FAILED, NOW, "expired card"
    session.flush()
    ledger.take_back(session, visit, refund)
    return refund


def test_a_refund_that_failed_is_given_in_cash_and_counts_as_cash(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(session, cast)
    failed = failed_refund(session, cast, visit)
    assert waiting_refunds.unresolved(session, cast.desk) == [failed]
    assert waiting_refunds.counted(session, cast.desk) == (0, 1)
    payouts.resolve(session, cast.desk, refund_id=failed.id, method=CASH)
    assert waiting_refunds.counted(session, cast.desk) == (1, 0)
    [anew] = waiting_refunds.to_hand_over(session, cast.desk)
    payouts.hand_over(session, cast.desk, refund_id=anew.id)
    last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
    assert last is not None
    assert (last.kind, last.method, last.amount_minor) == (EntryKind.REFUND, CASH, 6000)
    assert ledger.standing(session, visit.id).balance_minor == 0


def test_another_way_is_found_once_and_only_for_what_failed(session: Session, cast: Cast) -> None:
    visit = visit_of_ada(session, cast)
    failed = failed_refund(session, cast, visit)
    payouts.resolve(session, cast.desk, refund_id=failed.id, method=ONLINE)
    assert payouts.resolve(session, cast.desk, refund_id=failed.id, method=ONLINE) is failed
    with pytest.raises(AlreadyResolved):
        payouts.resolve(session, cast.admin, refund_id=failed.id, method=CASH)
    [anew] = session.scalars(select(Refund).where(Refund.id != failed.id))
    assert (anew.method, anew.state, anew.amount_minor) == (ONLINE, RefundState.PENDING, 6000)
    with pytest.raises(NotFound):
        payouts.resolve(session, cast.desk, refund_id=anew.id, method=CASH)


def test_what_came_in_cash_cannot_go_back_online(session: Session, cast: Cast, visit: Appointment) -> None:
    paid = take(session, cast.desk, visit, 6000)
    failed = make.refund(session, paid, 1000, state=RefundState.FAILED, failure="x")
    with pytest.raises(NotPaidOnline):
        payouts.resolve(session, cast.desk, refund_id=failed.id, method=ONLINE)


def test_nothing_goes_back_by_hand_while_a_failed_refund_waits_and_what_went_elsewhere_is_not_given_again(
    session: Session, cast: Cast
) -> None:
    visit = visit_of_ada(session, cast)
    failed = failed_refund(session, cast, visit)
    paid = session.get_one(Payment, failed.payment_id)
    with pytest.raises(FailedOneWaits):
        pay_back(session, cast.desk, paid, 4000)
    refunds.ask(session, None, paid, 4000, cause=RefundCause.AT_PROCESSOR)  # somebody, at the processor
    resolved = payouts.resolve(session, cast.desk, refund_id=failed.id, method=CASH)
    assert resolved.resolved_by_id == cast.desk.user_id
    [anew] = waiting_refunds.to_hand_over(session, cast.desk)
    assert anew.amount_minor == 2000
    assert sum(left for _paid, left in refunds.refundable(session, visit.id)) == 0
