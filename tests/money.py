"""A clinic that takes cards, its people and its clock: the real SDK, and the sandbox for a processor."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core import appointments, attempts, checkouts, holds, ledger, processor_events, repayments
from core.access import Actor
from core.ledger import Standing
from core.stripe_cards import StripeCards
from db.config import config
from db.models import Appointment, Payment, Refund
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on
from tests.payment_sandbox import KEY, PaymentSandbox

TEN = on(3, 10)
MINUTE = timedelta(minutes=1)
NUMBERED = (
    "appointments",
    "appointment_events",
    "notifications",
    "payments",
    "refunds",
    "ledger_entries",
)
TABLES = (*NUMBERED, "document_counters", "processor_events", "processor_cursors")
LEASE_OVER = 2 * MINUTE  # after this whatever was claimed may be claimed again


@dataclass
class Scene:
    """Everybody at a clinic with a sandbox, and one clock for both that only the test moves."""

    database: Engine
    cast: Cast
    sandbox: PaymentSandbox
    cards: StripeCards
    now: datetime = NOW

    def anew(self) -> None:
        """Back to an empty calendar and an empty sandbox, on Monday morning."""
        with unit_of_work(self.database) as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # far faster than TRUNCATE
            for table in TABLES:
                session.execute(text(f"DELETE FROM {table}"))
            for table in NUMBERED:
                session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1, false)"))
        self.sandbox.reset()
        self.now = NOW
        self.tick(timedelta())

    def tick(self, by: timedelta = LEASE_OVER) -> None:
        self.now += by
        self.sandbox.set_clock(self.now)

    def book(self, actor: Actor | None = None, at: datetime = TEN, **changes: object) -> int:
        """A visit booked in the portal, with Dr. Roth unless told; its number."""
        actor = actor or self.cast.ada
        patient_id = (actor.patient_ids or self.cast.ben.patient_ids)[0]
        wanted = {"patient_id": patient_id, "doctor_id": self.cast.dr_roth.id}
        wanted |= {"service_id": self.cast.checkup.id, "starts_at": at} | changes
        with unit_of_work(self.database) as session:
            return appointments.book(session, actor, **wanted).id

    def cancel(self, actor: Actor, visit_id: int, **changes: object) -> None:
        with unit_of_work(self.database) as session:
            appointments.cancel(session, actor, appointment_id=visit_id, reason="ill", **changes)

    def begin(self, visit_id: int, actor: Actor | None = None) -> int:
        """The attempt to pay for a visit online; its number."""
        with unit_of_work(self.database) as session:
            return attempts.begin(session, actor or self.cast.ada, appointment_id=visit_id).id

    def opened(self, visit_id: int) -> str:
        """The session at Stripe by which a visit can be paid, opened as its page opens it."""
        payment = self.payment(visit_id)
        assert checkouts.advance(payment.id, self.cards)
        session_id = self.payment(visit_id).provider_session_id
        assert session_id is not None
        return session_id

    def paid(self, at: datetime = TEN, actor: Actor | None = None) -> int:
        """A visit that was booked and paid online; its number."""
        visit_id = self.book(actor, at)
        self.sandbox.pay(self.opened(visit_id))
        checkouts.advance(self.payment(visit_id).id, self.cards)
        return visit_id

    def jobs(self) -> None:
        turn_of_jobs(self.database, self.cards)

    def settle(self, turns: int = 3) -> None:
        """Let time pass and the jobs run until nothing is left to do."""
        for _turn in range(turns):
            self.tick()
            self.jobs()

    def visit(self, visit_id: int) -> Appointment:
        with Session(self.database, expire_on_commit=False) as session:
            return session.get_one(Appointment, visit_id)

    def payment(self, visit_id: int) -> Payment:
        """The last payment for a visit."""
        with Session(self.database, expire_on_commit=False) as session:
            newest = select(Payment).where(Payment.appointment_id == visit_id).order_by(Payment.id.desc())
            return session.scalars(newest.limit(1)).one()

    def payments(self, visit_id: int) -> list[Payment]:
        with Session(self.database, expire_on_commit=False) as session:
            own = select(Payment).where(Payment.appointment_id == visit_id).order_by(Payment.id)
            return list(session.scalars(own))

    def refunds(self, visit_id: int) -> list[Refund]:
        with Session(self.database, expire_on_commit=False) as session:
            own = select(Refund).join(Refund.payment).where(Payment.appointment_id == visit_id)
            return list(session.scalars(own.order_by(Refund.id)))

    def sums(self, visit_id: int) -> tuple[int, int, int]:
        """What was invoiced for a visit, paid and paid back."""
        money = self.standing(visit_id)
        return money.invoiced_minor, money.paid_minor, money.refunded_minor

    def standing(self, visit_id: int) -> Standing:
        with Session(self.database) as session:
            return ledger.standing(session, visit_id)


def turn_of_jobs(database: Engine, cards: StripeCards) -> None:
    """One turn of every job that has to do with money."""
    checkouts.advance_due(cards)
    processor_events.read_new(cards)
    processor_events.apply_waiting(cards)
    repayments.settle_due(cards)
    with unit_of_work(database) as session:
        holds.release(session)


@contextmanager
def scene(
    database: Engine, sandbox: PaymentSandbox, patch: pytest.MonkeyPatch, **policy: object
) -> Iterator[Scene]:
    """A scene on Monday morning whose visits cost 60 euros, all of it due when booking unless told."""
    patch.setenv("STRIPE_SECRET_KEY", KEY)
    patch.setenv("STRIPE_API_BASE", sandbox.url)
    config.cache_clear()
    sandbox.reset()
    with unit_of_work(database) as session:
        cast = assemble(session)
        make.clinic(session, **{"payment_rule": "full"} | policy)
    made = Scene(database, cast, sandbox, StripeCards(KEY, sandbox.url, retries=0))
    patch.setattr("core.clock.now", lambda: made.now.astimezone(UTC))
    made.tick(timedelta())
    yield made
    sandbox.set_clock(None)
