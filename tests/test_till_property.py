"""Whatever is done at the desk, in whatever order, refused and thrown away tries among it: the books fit."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core import appointments, ledger, payouts, till_closings, tills
from core.access import Actor
from core.errors import ClinicError
from db.models import (
    Appointment,
    LedgerEntry,
    Patient,
    Payment,
    PaymentMethod,
    Refund,
    RefundState,
    Series,
    TillClosing,
)
from db.models.appointments import LIVE_STATUSES
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

pytestmark = pytest.mark.long
PRICES = (6000, 4500)
STEPS = (*["take"] * 5, *["give"] * 4, "hand over", "hand over", "fail", "resolve", "resolve", "cancel")
STEPS += ("invoice", "close")
AMOUNTS = (*[1, 500, 1000, 1500, 2000, 3000] * 2, -1, 0, 4500, 6000, 7000)
_step = st.tuples(
    st.sampled_from(STEPS),
    st.integers(0, len(PRICES) - 1),
    st.sampled_from(AMOUNTS),
    st.sampled_from([PaymentMethod.CASH, PaymentMethod.TERMINAL]),
    st.booleans(),
    st.booleans(),
)


class ThrownAway(Exception):
    """Something went wrong after the service: all of the transaction is rolled back."""


@dataclass
class Books:
    """Two visits, two people at the desk, and what they do to the money."""

    database: Engine
    cast: Cast
    visit_ids: list[int]

    def do(self, step: str, at: int, amount_minor: int, method: PaymentMethod, actor: Actor) -> None:
        """One step in a transaction of its own; what it is refused for is of no matter here."""
        with unit_of_work(self.database) as session:
            self._calls(session, actor, self.visit_ids[at], amount_minor, method)[step]()

    def _calls(
        self, session: Session, actor: Actor, visit_id: int, amount_minor: int, method: PaymentMethod
    ) -> dict[str, Callable[[], object]]:
        return {
            "take": lambda: tills.take(
                session, actor, appointment_id=visit_id, method=method, amount_minor=amount_minor
            ),
            "invoice": lambda: tills.invoice(session, actor, appointment_id=visit_id),
            "give": lambda: payouts.pay_back(
                session,
                actor,
                payment_id=self._last(session, visit_id),
                amount_minor=amount_minor,
                reason="Ill",
                request_key=uuid4(),
            ),
            "hand over": lambda: payouts.hand_over(
                session, actor, refund_id=self._refund(session, visit_id, RefundState.PENDING)
            ),
            "fail": lambda: self._fail(session, visit_id),
            "resolve": lambda: payouts.resolve(
                session, actor, refund_id=self._refund(session, visit_id, RefundState.FAILED), method=method
            ),
            "cancel": lambda: appointments.cancel(session, actor, appointment_id=visit_id, reason="Ill"),
            "close": lambda: till_closings.close(
                session,
                actor,
                counted_minor=max(0, amount_minor),
                terminal_counted_minor=amount_minor,
                left_minor=max(0, amount_minor) // 2,
                note="Counted",
            ),
        }

    def _last(self, session: Session, visit_id: int) -> int:
        last = select(func.max(Payment.id)).where(Payment.appointment_id == visit_id)
        return session.scalar(last) or 0

    def _refund(self, session: Session, visit_id: int, state: RefundState) -> int:
        first = select(func.min(Refund.id)).join(Refund.payment)
        return session.scalar(first.where(Payment.appointment_id == visit_id, Refund.state == state)) or 0

    def _fail(self, session: Session, visit_id: int) -> None:
        """A refund that waits comes to nothing, as those online may."""
        refund = session.get(Refund, self._refund(session, visit_id, RefundState.PENDING))
        if refund is not None:
            refund.state, refund.settled_at, refund.failure = RefundState.FAILED, NOW, "expired card"

    def require_fitting(self) -> None:
        with Session(self.database) as session:
            for visit_id in self.visit_ids:
                self._require_visit_fits(session, session.get_one(Appointment, visit_id))
            for series in Series:
                own = select(LedgerEntry.number).where(LedgerEntry.series == series)
                numbers = session.scalars(own.order_by(LedgerEntry.id)).all()
                assert numbers == list(range(1, len(numbers) + 1))
            for actor in (self.cast.desk, self.cast.admin):
                self._require_till_fits(session, actor)

    def _require_visit_fits(self, session: Session, visit: Appointment) -> None:
        money = ledger.standing(session, visit.id)
        own = LedgerEntry.appointment_id == visit.id
        assert money.balance_minor == (
            session.scalar(select(func.sum(LedgerEntry.amount_minor)).where(own)) or 0
        )
        paid = select(func.sum(Payment.amount_minor)).where(Payment.appointment_id == visit.id)
        back = select(func.sum(Refund.amount_minor)).join(Refund.payment)
        back = back.where(Payment.appointment_id == visit.id)
        given = session.scalar(back.where(Refund.state == RefundState.DONE)) or 0
        promised = session.scalar(back.where(Refund.state == RefundState.PENDING)) or 0
        assert (money.paid_minor, money.refunded_minor) == (session.scalar(paid) or 0, given)
        assert given + promised <= money.paid_minor
        assert 0 <= money.invoiced_minor <= visit.price_minor
        assert money.received_minor <= visit.price_minor
        unresolved = back.where(Refund.state == RefundState.FAILED, Refund.resolved_at.is_(None))
        kept_beyond = max(0, -money.balance_minor - promised)
        assert kept_beyond <= (session.scalar(unresolved) or 0)
        if visit.status not in LIVE_STATUSES:
            assert ledger.owed(session, visit) == max(0, money.balance_minor)

    def _require_till_fits(self, session: Session, actor: Actor) -> None:
        """In drawer and closings together is what the ledger says that this person took and gave."""
        cash = (LedgerEntry.by_user_id == actor.user_id) & (LedgerEntry.method == PaymentMethod.CASH)
        taken = -(session.scalar(select(func.sum(LedgerEntry.amount_minor)).where(cash)) or 0)
        closings = session.scalars(select(TillClosing).where(TillClosing.user_id == actor.user_id))
        closed = sum(each.expected_minor - each.opening_minor for each in closings)
        till = till_closings.open_till(session, actor)
        assert closed + till.expected_minor - till.opening_minor == taken


@pytest.fixture
def books(database: Engine) -> Iterator[Callable[[], Books]]:
    """New books for each example, on the same people."""
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)

        def new_books() -> Books:
            with unit_of_work(database) as session:
                make.empty(session, "appointments", "payments", "refunds", "ledger_entries", "till_closings")
                session.execute(text("DELETE FROM document_counters"))
                ada = session.get_one(Patient, cast.ada.patient_ids[0])
                terms = {"late_fee_minor": 0, "refund_percent": 50}
                visits = [
                    make.appointment(
                        session,
                        cast.dr_roth,
                        cast.checkup,
                        on(3, 10 + n),
                        patient=ada,
                        price_minor=price,
                        **terms,
                    )
                    for n, price in enumerate(PRICES)
                ]
                return Books(database, cast, [each.id for each in visits])

        yield new_books


@settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(_step, min_size=15, max_size=40))
def test_the_books_fit_after_any_sequence(books: Callable[[], Books], steps: list[tuple]) -> None:
    own = books()
    for step, at, amount_minor, method, is_desk, is_thrown_away in steps:
        actor = own.cast.desk if is_desk else own.cast.admin
        with contextlib.suppress(ClinicError):
            own.do(step, at, amount_minor, method, actor)
        if is_thrown_away:
            with pytest.raises((ThrownAway, ClinicError)):
                _throw_away(own, step, at, amount_minor, method, actor)
    own.require_fitting()


def _throw_away(
    own: Books, step: str, at: int, amount_minor: int, method: PaymentMethod, actor: Actor
) -> None:
    with unit_of_work(own.database) as session:
        own._calls(session, actor, own.visit_ids[at], amount_minor, method)[step]()
        raise ThrownAway
