"""What the card processor says beside what we say: agreement, and every way of not agreeing."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import reconciliations
from core.errors import AccessDenied
from core.reconciliations import Line, ProcessorSilent
from core.stripe_cards import StripeCards
from db.models import Payment
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, on
from tests.money import Scene, scene
from tests.payment_sandbox import KEY, PaymentSandbox, order

DAY = timedelta(days=1)


@pytest.fixture
def clinic(database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(database, sandbox, monkeypatch) as made:
        yield made


def lines(clinic: Scene, since: datetime = NOW - DAY, until: datetime = NOW + DAY) -> list[Line]:
    found = reconciliations.theirs(since, until, clinic.cards)
    with unit_of_work(clinic.database) as session:
        return reconciliations.compared(session, clinic.cast.admin, found, since=since, until=until)


def test_what_both_have_agrees(clinic: Scene) -> None:
    first, second = clinic.paid(on(3, 10)), clinic.paid(on(3, 11))
    clinic.cancel(clinic.cast.ada, second)
    clinic.settle()
    clinic.book(clinic.cast.ben, on(3, 13))  # not paid: there is no money to compare
    found = lines(clinic)
    assert [line.difference_minor for line in found] == [0, 0, 0]
    assert sorted(line.ours.amount_minor for line in found if line.ours) == [-6000, 6000, 6000]
    assert {line.ours.appointment_id for line in found if line.ours} == {first, second}


def test_differences_come_first_the_greatest_at_the_top(clinic: Scene) -> None:
    agreeing, unnoticed, other = (clinic.paid(on(3, hour)) for hour in (9, 10, 11))
    missed = clinic.book(clinic.cast.ben, on(3, 13))
    clinic.sandbox.pay(clinic.opened(missed))  # and nothing of ours has looked yet
    clinic.sandbox.stripe_client().v1.refunds.create(
        {"payment_intent": clinic.payment(unnoticed).provider_payment_id or "", "amount": 700}
    )
    with unit_of_work(clinic.database) as session:
        session.get_one(Payment, clinic.payment(other).id).amount_minor = 6001
    found = lines(clinic)
    assert [line.difference_minor for line in found] == [6000, -700, -1, 0, 0]
    assert (found[0].ours and found[0].ours.appointment_id) == missed
    assert found[1].ours is None
    assert agreeing in {line.ours.appointment_id for line in found if line.ours}


def test_what_the_processor_never_heard_of_is_a_difference(clinic: Scene) -> None:
    visit_id = clinic.paid()
    clinic.sandbox.reset()
    clinic.tick(timedelta())
    [line] = lines(clinic)
    assert (line.theirs, line.difference_minor) == (None, -6000)
    assert (line.ours and line.ours.appointment_id) == visit_id


def test_what_we_have_lost_is_a_difference(clinic: Scene) -> None:
    """As after a backup was put back: the processor knows of a payment that is in no row of ours."""
    clinic.paid()
    with clinic.database.begin() as connection:
        make.empty(connection, "appointments")
    [line] = lines(clinic)
    assert (line.ours, line.difference_minor) == (None, 6000)


def test_what_others_do_with_the_same_account_is_left_out(clinic: Scene) -> None:
    foreign = clinic.sandbox.stripe_client().v1.checkout.sessions.create(order())
    clinic.sandbox.pay(foreign.id)
    assert lines(clinic) == []


def test_a_payment_of_another_day_is_on_that_day_alone(clinic: Scene) -> None:
    clinic.paid()
    assert len(lines(clinic)) == 1
    assert lines(clinic, NOW - 2 * DAY, NOW - DAY) == []
    assert lines(clinic, NOW - 2 * DAY, NOW) == []
    assert lines(clinic, NOW + DAY, NOW + 2 * DAY) == []


def test_a_silent_processor_is_told_of(clinic: Scene) -> None:
    dead = StripeCards(KEY, "http://127.0.0.1:1", retries=0)
    with pytest.raises(ProcessorSilent):
        reconciliations.theirs(NOW, NOW + DAY, dead)


def test_only_administrators_compare(clinic: Scene) -> None:
    for actor in (clinic.cast.ada, clinic.cast.desk, clinic.cast.roth):
        with Session(clinic.database) as session, pytest.raises(AccessDenied):
            reconciliations.compared(session, actor, [], since=NOW, until=NOW + DAY)
