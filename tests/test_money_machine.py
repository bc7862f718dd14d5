"""Money and time under every order of clicks, payments, cash, lost answers, events, ticks and jobs.

At the end all is quiet, and then: money is kept if and only if the visit is live or what was agreed says so;
a time is free if and only if no live visit has it; nothing hangs in a middle state; and what we say of each
visit is what the card processor says.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core import (
    appointments,
    availability,
    checkouts,
    holds,
    ledger,
    payouts,
    processor_events,
    repayments,
    tills,
    waiting_refunds,
)
from core.access import Actor
from core.errors import ClinicError
from core.stripe_cards import happening
from db.models import (
    Appointment,
    AppointmentStatus,
    LedgerEntry,
    Payment,
    PaymentMethod,
    Refund,
    RefundState,
)
from db.models.appointments import LIVE_STATUSES
from db.session import unit_of_work
from tests.cast import on
from tests.money import Scene, scene
from tests.payment_sandbox import PaymentSandbox

pytestmark = pytest.mark.long
SLOTS = [on(3, 9), on(3, 10), on(3, 11), on(3, 13)]
PRICE, DEPOSIT_PERCENT, REFUND_PERCENT, LATE_FEE = 6000, 50, 80, 1500
MINUTES = [1, 5, 41, 130, 600]
TROUBLE = [("drop", "after"), ("drop", "before"), ("500", "before"), ("429", "before")]


class Money(RuleBasedStateMachine):
    """The clinic under test; `expected` is what of a visit that was called off may be kept, by number."""

    clinic: ClassVar[Scene]

    def __init__(self) -> None:
        super().__init__()
        self.clinic.anew()
        self.visits: list[int] = []
        self.expected: dict[int, int] = {}

    @property
    def people(self) -> list[Actor]:
        return [self.clinic.cast.ada, self.clinic.cast.ben, self.clinic.cast.stranger]

    @rule(slot=st.sampled_from(SLOTS), who=st.integers(0, 2))
    def book(self, slot: datetime, who: int) -> None:
        with suppress(ClinicError):
            self.visits.append(self.clinic.book(self.people[who], slot))

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def open_the_page(self, data: st.DataObject) -> None:
        """As the patient's page does: begin where nothing is begun, and look."""
        visit_id = data.draw(st.sampled_from(self.visits))
        with suppress(ClinicError):
            checkouts.advance(self.clinic.begin(visit_id, self.clinic.cast.desk), self.clinic.cards)

    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        """The patient pays one of the pages that are open in some tab."""
        sessions = self.clinic.sandbox.stripe_client().v1.checkout.sessions.list({"limit": 100}).data
        if sessions:
            with suppress(httpx.HTTPStatusError):  # over or paid already
                self.clinic.sandbox.pay(data.draw(st.sampled_from([each.id for each in sessions])))

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), is_waived=st.booleans())
    def cancel(self, data: st.DataObject, is_waived: bool) -> None:
        visit_id = data.draw(st.sampled_from(self.visits))
        visit, refunds = self.clinic.visit(visit_id), self.clinic.refunds(visit_id)
        paid = self.clinic.standing(visit_id).received_minor
        paid -= sum(each.amount_minor for each in refunds if each.state is RefundState.PENDING)
        with suppress(ClinicError):
            self.clinic.cancel(self.clinic.cast.desk, visit_id, waive_policy=is_waived)
            back = (paid * REFUND_PERCENT + 50) // 100
            is_late = visit.starts_at - self.clinic.now < timedelta(hours=24)
            kept = max(paid - back, LATE_FEE) if is_late else paid - back
            is_free = is_waived or visit.status is AppointmentStatus.PENDING
            self.expected[visit_id] = 0 if is_free else kept

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), slot=st.sampled_from(SLOTS))
    def move(self, data: st.DataObject, slot: datetime) -> None:
        visit_id = data.draw(st.sampled_from(self.visits))
        with suppress(ClinicError), unit_of_work(self.clinic.database) as session:
            appointments.reschedule(
                session, self.clinic.cast.desk, appointment_id=visit_id, starts_at=slot, waive_policy=True
            )

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), share=st.sampled_from([1, 2]))
    def take_cash(self, data: st.DataObject, share: int) -> None:
        """At the desk, all that is owed or half of it, also while somebody may be paying online."""
        visit_id = data.draw(st.sampled_from(self.visits))
        with suppress(ClinicError), unit_of_work(self.clinic.database) as session:
            owed = ledger.owed(session, session.get_one(Appointment, visit_id))
            tills.take(
                session,
                self.clinic.cast.desk,
                appointment_id=visit_id,
                method=PaymentMethod.CASH,
                amount_minor=owed // share,
            )

    @rule()
    def hand_over(self) -> None:
        """Whatever cash waits to be given back."""
        desk = self.clinic.cast.desk
        with Session(self.clinic.database) as session:
            waiting = [refund.id for refund in waiting_refunds.to_hand_over(session, desk)]
        for refund_id in waiting:
            with unit_of_work(self.clinic.database) as session:
                payouts.hand_over(session, desk, refund_id=refund_id)

    @rule(minutes=st.sampled_from(MINUTES))
    def let_time_pass(self, minutes: int) -> None:
        self.clinic.tick(timedelta(minutes=minutes))

    @rule(job=st.sampled_from(["follow", "read", "apply", "pay back", "release"]))
    def run_a_job(self, job: str) -> None:
        jobs: dict[str, Callable[[], Any]] = {
            "follow": lambda: checkouts.advance_due(self.clinic.cards),
            "read": lambda: processor_events.read_new(self.clinic.cards),
            "apply": lambda: processor_events.apply_waiting(self.clinic.cards),
            "pay back": lambda: repayments.settle_due(self.clinic.cards),
            "release": self.release,
        }
        jobs[job]()

    def release(self) -> None:
        with unit_of_work(self.clinic.database) as session:
            holds.release(session)

    @rule(data=st.data())
    def receive_an_event(self, data: st.DataObject) -> None:
        """By the webhook: any that there ever was, in any order, again and again."""
        events = self.clinic.sandbox.stripe_client().v1.events.list({"limit": 100}).data
        if events:
            event = data.draw(st.sampled_from(events))
            with unit_of_work(self.clinic.database) as session:
                processor_events.store(session, [happening(event)])

    @rule(path=st.sampled_from(["/v1/checkout", "/v1/refunds"]), trouble=st.sampled_from(TROUBLE))
    def have_trouble(self, path: str, trouble: tuple[str, str]) -> None:
        kind, when = trouble
        self.clinic.sandbox.fault(path, kind, when=when)

    @rule(data=st.data())
    def fail_a_refund(self, data: st.DataObject) -> None:
        made = self.clinic.sandbox.stripe_client().v1.refunds.list({"limit": 100}).data
        if made:
            with suppress(httpx.HTTPStatusError):  # failed already
                self.clinic.sandbox.fail_refund(data.draw(st.sampled_from([each.id for each in made])))

    @invariant()
    def no_payment_is_paid_back_more_than_once(self) -> None:
        with self.clinic.database.connect() as connection:
            over = connection.execute(
                text("""
                    SELECT p.id FROM payments p JOIN refunds r ON r.payment_id = p.id AND r.state <> 'failed'
                    GROUP BY p.id HAVING sum(r.amount_minor) > p.amount_minor
                """)
            ).all()
            gaps = connection.execute(
                text("SELECT series FROM ledger_entries GROUP BY series HAVING max(number) <> count(*)")
            ).all()
        assert (over, gaps) == ([], [])

    def teardown(self) -> None:
        """Let all come to rest, and look at every visit."""
        for _turn in range(8):
            self.clinic.tick(timedelta(minutes=50))
            self.clinic.jobs()
        self.hand_over()
        with Session(self.clinic.database) as session:
            visits = session.scalars(select(Appointment)).all()
            middle = select(Payment.id).where(Payment.state.in_(["open", "closing"]))
            assert session.scalars(middle).all() == []
            under_way = select(Refund.id).where(Refund.state.in_([RefundState.PENDING, RefundState.SENT]))
            assert session.scalars(under_way).all() == []
            assert AppointmentStatus.PENDING not in {visit.status for visit in visits}
            for visit in visits:
                self.look_at(visit)
            self.look_at_the_calendar(session, visits)

    def look_at(self, visit: Appointment) -> None:
        money, failed = self.clinic.standing(visit.id), self.failed(visit.id)
        assert money.received_minor == self.at_stripe(visit.id) + self.in_the_drawer(visit.id)
        if visit.status in LIVE_STATUSES:
            assert visit.due_minor <= money.received_minor <= PRICE + failed
        elif visit.status is AppointmentStatus.EXPIRED:
            assert money.received_minor <= failed
        else:
            assert money.invoiced_minor == self.expected[visit.id]
            assert money.received_minor <= self.expected[visit.id] + failed
        assert money.balance_minor >= -failed

    def failed(self, visit_id: int) -> int:
        """What the desk has to give back by other means."""
        refunds = self.clinic.refunds(visit_id)
        return sum(each.amount_minor for each in refunds if each.state is RefundState.FAILED)

    def in_the_drawer(self, visit_id: int) -> int:
        """What the desk has of a visit's money in cash."""
        with Session(self.clinic.database) as session:
            cash = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0)).where(
                LedgerEntry.appointment_id == visit_id, LedgerEntry.method == PaymentMethod.CASH
            )
            return -int(session.scalar(cash) or 0)

    def at_stripe(self, visit_id: int) -> int:
        """What Stripe has of a visit's money."""
        client = self.clinic.sandbox.stripe_client().v1
        total = 0
        for payment in self.clinic.payments(visit_id):
            if payment.provider_session_id is None:
                continue
            session = client.checkout.sessions.retrieve(payment.provider_session_id)
            if session.payment_status == "paid":
                total += session.amount_total or 0
                made = client.refunds.list({"payment_intent": str(session.payment_intent), "limit": 100}).data
                total -= sum(each.amount for each in made if each.status in {"succeeded", "pending"})
        return total

    def look_at_the_calendar(self, session: Session, visits: Any) -> None:
        live = Counter(visit.starts_at for visit in visits if visit.status in LIVE_STATUSES)
        assert all(count == 1 for count in live.values())
        cast = self.clinic.cast
        free = availability.all_free(
            session, doctor_id=cast.dr_roth.id, service_id=cast.checkup.id, by_staff=True
        )
        for slot in SLOTS:
            if slot > self.clinic.now:
                assert (slot in free) == (slot not in live)


@pytest.fixture(params=["EUR", "JPY"])
def machine(
    request: pytest.FixtureRequest,
    database: Engine,
    sandbox: PaymentSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[type[Money]]:
    policy: dict[str, object] = {
        "deposit_percent": DEPOSIT_PERCENT,
        "refund_percent": REFUND_PERCENT,
        "late_fee_percent": 25,
    }
    with scene(
        database, sandbox, monkeypatch, payment_rule="deposit", currency=request.param, **policy
    ) as clinic:
        Money.clinic = clinic
        yield Money


def test_money_and_time_come_out_right_whatever_happens_in_between(machine: type[Money]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_ledger_was_looked_at(machine: type[Money]) -> None:
    """A machine whose rules were all refused would find nothing wrong: this is what it does in the main."""
    made = machine()
    made.book(SLOTS[0], 0)
    [visit_id] = made.visits
    made.clinic.sandbox.pay(made.clinic.opened(visit_id))
    made.teardown()
    with Session(made.clinic.database) as session:
        assert [entry.amount_minor for entry in session.scalars(select(LedgerEntry))] == [6000, -3000]
