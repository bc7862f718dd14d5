"""One row that fails at every turn keeps no other waiting, and the job says that it has failed."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import checkouts, processor_events, turns
from core.checkouts import WrongAnswer
from db.models import AppointmentStatus, ProcessorEvent
from db.session import unit_of_work
from tests.cast import on
from tests.money import scene
from tests.payment_sandbox import PaymentSandbox


def test_all_have_their_turn_and_the_first_error_is_raised() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number % 2:
            raise ValueError(number)
        done.append(number)

    with pytest.raises(ValueError, match="1"):
        turns.each(range(5), work)
    assert done == [0, 2, 4]


def test_a_payment_in_another_currency_keeps_no_other_waiting(
    database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(database, sandbox, monkeypatch) as clinic:
        wrong, right = clinic.book(at=on(3, 10)), clinic.book(at=on(3, 11))
        for visit_id in (wrong, right):
            sandbox.pay(clinic.opened(visit_id))
        with unit_of_work(database) as session:
            session.merge(clinic.payment(wrong)).currency = "USD"
        clinic.tick()
        with pytest.raises(WrongAnswer):
            checkouts.advance_due(clinic.cards)
        assert clinic.visit(right).status is AppointmentStatus.CONFIRMED
        assert clinic.visit(wrong).status is AppointmentStatus.PENDING
        processor_events.read_new(clinic.cards)
        processor_events.apply_waiting(clinic.cards)  # an event has nothing more to say of it
        with Session(database) as session:
            applied = [each.applied_at for each in session.query(ProcessorEvent)]
        assert None not in applied
