"""Several people at the desk at once, and one who presses twice: money is taken and given once."""

import random
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core import appointments, ledger, payouts, till_closings, tills
from core.access import Actor
from core.payouts import MoreThanPaid
from db.models import LedgerEntry, Patient, Payment, PaymentMethod, Refund, Series, TillClosing
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.test_races import Call, at_once, told

CASH = PaymentMethod.CASH
ROUNDS = 10


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(database: Engine) -> Cast:
    with unit_of_work(database) as session:
        return assemble(session)


@pytest.fixture
def new_visit(database: Engine, cast: Cast) -> Callable[[], int]:
    """A visit of Ada's for 60.00, at a time of its own."""
    hours = iter(range(1000))

    def make_visit() -> int:
        at = on(3, 10) + next(hours) * (on(3, 11) - on(3, 10))
        with unit_of_work(database) as session:
            ada = session.get_one(Patient, cast.ada.patient_ids[0])
            return make.appointment(session, cast.dr_roth, cast.checkup, at, patient=ada).id

    return make_visit


def taking(actor: Actor, visit_id: int, amount_minor: int, **changes: object) -> Call:
    wanted = {"appointment_id": visit_id, "method": CASH, "amount_minor": amount_minor} | changes
    return lambda session: tills.take(session, actor, **wanted)


def giving(actor: Actor, payment_id: int, amount_minor: int, **changes: object) -> Call:
    wanted = {"payment_id": payment_id, "amount_minor": amount_minor, "reason": "Ill"} | changes
    return lambda session: payouts.pay_back(session, actor, **wanted)


def handing_over(actor: Actor, refund_id: int) -> Call:
    return lambda session: payouts.hand_over(session, actor, refund_id=refund_id)


def closing(actor: Actor, **changes: object) -> Call:
    wanted = {"counted_minor": 0, "terminal_counted_minor": 0, "left_minor": 0, "note": "Busy"} | changes
    return lambda session: till_closings.close(session, actor, **wanted)


def done(engine: Engine, call: Call) -> int:
    with unit_of_work(engine) as session:
        return call(session).id


def received(engine: Engine, visit_id: int) -> int:
    with Session(engine) as session:
        return ledger.standing(session, visit_id).received_minor


def require_gapless(engine: Engine) -> None:
    """The numbers of each series are 1, 2, 3 and so on, in the order of the entries."""
    with Session(engine) as session:
        for series in Series:
            numbers = session.scalars(
                select(LedgerEntry.number).where(LedgerEntry.series == series).order_by(LedgerEntry.id)
            ).all()
            assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_of_two_who_take_the_rest_of_a_visit_one_does(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    for _round in range(ROUNDS):
        visit_id = new_visit()
        outcomes = at_once(database, [taking(cast.desk, visit_id, 6000), taking(cast.admin, visit_id, 6000)])
        assert told(outcomes) == {"done": 1, "NothingOwed": 1}
        assert received(database, visit_id) == 6000
    require_gapless(database)


def test_a_double_click_takes_once_and_is_answered_twice(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    for _round in range(ROUNDS):
        visit_id, key = new_visit(), uuid4()
        outcomes = at_once(database, [taking(cast.desk, visit_id, 2000, request_key=key)] * 2)
        assert len(set(outcomes)) == 1
        assert received(database, visit_id) == 2000


def test_a_double_click_gives_back_once_and_closes_once(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    for _round in range(ROUNDS):
        visit_id, key = new_visit(), uuid4()
        paid = done(database, taking(cast.desk, visit_id, 6000))
        outcomes = at_once(database, [giving(cast.desk, paid, 1000, request_key=key)] * 2)
        assert len(set(outcomes)) == 1
        assert received(database, visit_id) == 5000
        outcomes = at_once(database, [closing(cast.desk, request_key=key)] * 2)
        assert len(set(outcomes)) == 1


def test_two_refunds_of_one_payment_are_never_more_than_it(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    for _round in range(ROUNDS):
        visit_id = new_visit()
        paid = done(database, taking(cast.desk, visit_id, 6000))
        outcomes = at_once(database, [giving(cast.desk, paid, 4000), giving(cast.admin, paid, 4000)])
        assert told(outcomes) == {"done": 1, "MoreThanPaid": 1}
        assert received(database, visit_id) == 2000
    require_gapless(database)


def test_a_refund_that_came_in_between_is_seen_by_the_trigger_and_said(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    """Whoever writes refunds holds the visit; should somebody forget, the database does not."""
    paid = done(database, taking(cast.desk, new_visit(), 6000))
    with Session(database) as other, other.begin():
        make.refund(other, other.get_one(Payment, paid), 4000)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

        def let_go_once_waited_for(_session: Session) -> Payment:
            with database.connect() as watching:
                while not watching.scalar(text(waiting)):
                    watching.rollback()
            other.commit()
            return Payment(id=0)

        outcomes = at_once(database, [giving(cast.desk, paid, 4000), let_go_once_waited_for])
    [refusal] = [each for each in outcomes if isinstance(each, MoreThanPaid)]
    assert str(refusal).startswith("Only €20.00 of this payment")


def test_two_receptionists_hand_a_refund_over_once(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    for _round in range(ROUNDS):
        visit_id = new_visit()
        done(database, taking(cast.desk, visit_id, 6000))
        with unit_of_work(database) as session:
            appointments.cancel(session, cast.ada, appointment_id=visit_id, reason="Better")
            [refund] = session.scalars(select(Refund.id).where(Refund.settled_at.is_(None)))
        outcomes = at_once(database, [handing_over(cast.desk, refund), handing_over(cast.admin, refund)])
        assert told(outcomes) == {"done": 1, "AlreadyHandedOver": 1}
        assert received(database, visit_id) == 0
    require_gapless(database)


def test_what_is_taken_while_a_till_is_closed_is_wholly_before_or_after(
    database: Engine, cast: Cast, new_visit: Callable[[], int]
) -> None:
    for _round in range(ROUNDS):
        calls = [taking(cast.desk, new_visit(), 1000) for _each in range(4)]
        calls.insert(random.randrange(5), closing(cast.desk))
        assert told(at_once(database, calls)) == {"done": 5}
    done(database, closing(cast.desk))
    with Session(database) as session:
        closings = session.scalars(select(TillClosing).order_by(TillClosing.id)).all()
        assert sum(each.expected_minor for each in closings) == 4 * 1000 * ROUNDS
        before = 0
        for each in closings:
            within = select(func.sum(-LedgerEntry.amount_minor)).where(
                LedgerEntry.method == CASH, LedgerEntry.id > before, LedgerEntry.id <= each.up_to_entry_id
            )
            assert each.expected_minor == (session.scalar(within) or 0)
            before = each.up_to_entry_id
    require_gapless(database)
