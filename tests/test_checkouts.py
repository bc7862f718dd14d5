"""Paying online: what the patient, the card processor and the clock bring about, in whatever order."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core import checkouts, holds, payments, processor_events
from core.attempts import BeingEnded, HoldOver, NoCards, NothingToPay
from core.cards import Happening
from core.checkouts import WrongAnswer
from core.errors import AccessDenied
from core.stripe_cards import StripeCards
from db.config import config
from db.models import (
    AppointmentStatus,
    EntryKind,
    LedgerEntry,
    MessageKind,
    Notification,
    PaymentState,
    PaymentStatus,
    ProcessorEvent,
    RefundCause,
    RefundState,
    User,
)
from db.session import unit_of_work
from tests import make
from tests.cast import on
from tests.money import MINUTE, TEN, Scene, scene
from tests.payment_sandbox import PaymentSandbox, order

HOUR = 60 * MINUTE


@pytest.fixture
def clinic(database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(database, sandbox, monkeypatch) as made:
        yield made


def entries(clinic: Scene, visit_id: int) -> list[tuple[EntryKind, int]]:
    with Session(clinic.database) as session:
        own = select(LedgerEntry).where(LedgerEntry.appointment_id == visit_id).order_by(LedgerEntry.id)
        return [(each.kind, each.amount_minor) for each in session.scalars(own)]


def creations(clinic: Scene) -> int:
    """How many sessions there are at Stripe."""
    return len(clinic.sandbox.stripe_client().v1.checkout.sessions.list({"limit": 100}).data)


class TestPaying:
    def test_a_visit_is_pending_until_it_is_paid_and_confirmed_then(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        visit = clinic.visit(visit_id)
        assert (visit.status, visit.due_minor) == (AppointmentStatus.PENDING, 6000)
        assert visit.hold_expires_at == clinic.payment(visit_id).expires_at
        session_id = clinic.opened(visit_id)
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING
        clinic.sandbox.pay(session_id)
        checkouts.advance(clinic.payment(visit_id).id, clinic.cards)
        visit, payment = clinic.visit(visit_id), clinic.payment(visit_id)
        assert (visit.status, visit.hold_expires_at) == (AppointmentStatus.CONFIRMED, None)
        assert visit.payment_status is PaymentStatus.PAID
        assert (payment.state, payment.paid_at) == (PaymentState.PAID, clinic.now)
        assert entries(clinic, visit_id) == [(EntryKind.INVOICE, 6000), (EntryKind.PAYMENT, -6000)]

    def test_the_processor_learns_a_number_and_a_sum_and_nothing_else(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        session = clinic.sandbox.stripe_client().v1.checkout.sessions.retrieve(clinic.opened(visit_id))
        payment = clinic.payment(visit_id)
        told = str(session.to_dict())
        assert (session.amount_total, session.currency) == (6000, "eur")
        assert session.client_reference_id == payment.public_id.hex
        assert session.expires_at == int(payment.expires_at.timestamp()) if payment.expires_at else False
        for secret in ("Okafor", "Roth", "Check-up", "Linden", "@"):
            assert secret not in told

    def test_a_declined_card_may_be_followed_by_one_that_is_not(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        clinic.sandbox.decline(session_id)
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING
        clinic.sandbox.pay(session_id)
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED

    def test_a_deposit_is_paid_online_and_the_rest_is_owed(
        self, database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with scene(database, sandbox, monkeypatch, payment_rule="deposit", deposit_percent=25) as clinic:
            visit_id = clinic.paid()
            assert clinic.standing(visit_id).balance_minor == 4500
            assert clinic.visit(visit_id).payment_status is PaymentStatus.PARTLY_PAID
            clinic.begin(visit_id)
            clinic.sandbox.pay(clinic.opened(visit_id))
            clinic.settle(1)
            assert clinic.standing(visit_id).balance_minor == 0
            assert clinic.visit(visit_id).payment_status is PaymentStatus.PAID

    def test_yen_have_no_minor_units(
        self, database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with scene(database, sandbox, monkeypatch, currency="JPY") as clinic:
            visit_id = clinic.paid()
            session_id = clinic.payment(visit_id).provider_session_id or ""
            session = sandbox.stripe_client().v1.checkout.sessions.retrieve(session_id)
            assert (session.amount_total, session.currency) == (6000, "jpy")
            assert clinic.payment(visit_id).currency == "JPY"

    def test_the_desk_books_without_payment_first(self, clinic: Scene) -> None:
        visit_id = clinic.book(clinic.cast.desk)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED
        assert clinic.payments(visit_id) == []


class TestBeginning:
    def test_pressing_twice_is_one_attempt(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        assert clinic.begin(visit_id) == clinic.begin(visit_id) == clinic.payment(visit_id).id

    def test_it_is_the_patients_and_the_desks_and_no_strangers(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        for actor in (clinic.cast.stranger, clinic.cast.roth, clinic.cast.guardian):
            with pytest.raises(AccessDenied):
                clinic.begin(visit_id, actor)
        clinic.begin(visit_id, clinic.cast.desk)

    def test_what_is_paid_is_not_paid_again(self, clinic: Scene) -> None:
        visit_id = clinic.paid()
        with pytest.raises(NothingToPay):
            clinic.begin(visit_id)

    def test_without_a_processor_it_says_so(self, clinic: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        visit_id = clinic.book()
        monkeypatch.delenv("STRIPE_SECRET_KEY")
        config.cache_clear()
        with pytest.raises(NoCards):
            clinic.begin(visit_id)

    def test_an_attempt_that_could_not_be_opened_may_follow_another_for_two_hours(
        self, clinic: Scene
    ) -> None:
        """Stripe refuses a session that would end in less than half an hour, and then there is none."""
        visit_id = clinic.book()
        clinic.tick(15 * MINUTE)
        checkouts.advance(clinic.payment(visit_id).id, clinic.cards)
        assert clinic.payment(visit_id).state is PaymentState.ENDED
        clinic.begin(visit_id)
        assert clinic.visit(visit_id).hold_expires_at == clinic.payment(visit_id).expires_at
        for _try in range(10):
            clinic.tick(15 * MINUTE)
            clinic.jobs()
            if clinic.now > clinic.visit(visit_id).created_at + payments.LONGEST_HOLD:
                break
            try:
                clinic.begin(visit_id)
            except HoldOver:
                break
        clinic.tick(HOUR)
        clinic.jobs()
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED

    def test_a_visit_that_is_free_again_is_to_be_booked_anew(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.opened(visit_id)
        clinic.tick(HOUR)
        with pytest.raises(HoldOver):
            clinic.begin(visit_id)
        clinic.jobs()
        with pytest.raises(NothingToPay):
            clinic.begin(visit_id)


class TestHolds:
    def test_who_walks_away_frees_the_time_and_could_not_pay_any_more(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        clinic.tick(39 * MINUTE)
        clinic.jobs()
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING
        clinic.tick(2 * MINUTE)
        clinic.jobs()
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED
        assert clinic.payment(visit_id).state is PaymentState.ENDED
        session = clinic.sandbox.stripe_client().v1.checkout.sessions.retrieve(session_id)
        assert session.status == "expired"
        assert clinic.book(clinic.cast.ben) != visit_id

    def test_the_time_is_kept_while_the_processor_does_not_say_that_it_is_over(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.opened(visit_id)
        clinic.tick(41 * MINUTE)
        clinic.sandbox.fault("/v1/checkout", "500")
        checkouts.advance_due(clinic.cards)
        with unit_of_work(clinic.database) as session:
            assert holds.release(session) == 0
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED

    def test_what_is_paid_in_the_last_moment_is_confirmed(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        clinic.tick(39 * MINUTE)
        clinic.sandbox.pay(session_id)
        clinic.tick(5 * MINUTE)
        clinic.jobs()
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED

    def test_a_hold_goes_after_two_hours_without_an_answer_and_a_late_payment_takes_the_time_back(
        self, clinic: Scene
    ) -> None:
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        clinic.sandbox.pay(session_id)
        self.fall_silent(clinic)
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED
        assert clinic.refunds(visit_id) == []
        assert clinic.standing(visit_id).balance_minor == 0

    def test_money_for_a_time_that_is_somebody_elses_by_then_goes_back_and_the_patient_is_told(
        self, clinic: Scene
    ) -> None:
        visit_id = clinic.book()
        with unit_of_work(clinic.database) as session:
            account = session.get_one(User, clinic.cast.ada.user_id)
            account.email, account.email_verified_at = "ada@example.org", clinic.now
        clinic.sandbox.pay(clinic.opened(visit_id))
        self.fall_silent(clinic)
        clinic.book(clinic.cast.desk)
        clinic.settle()
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED
        [refund] = clinic.refunds(visit_id)
        assert (refund.amount_minor, refund.cause, refund.state) == (
            6000,
            RefundCause.TIME_LOST,
            RefundState.DONE,
        )
        assert clinic.standing(visit_id).received_minor == 0
        assert clinic.visit(visit_id).payment_status is PaymentStatus.REFUNDED
        with Session(clinic.database) as session:
            letter = session.scalars(
                select(Notification).where(Notification.kind == MessageKind.ACCOUNT)
            ).one()
        assert letter.sent_to == "ada@example.org"
        assert "€60.00" in letter.body
        assert "Check-up" not in letter.body

    def fall_silent(self, clinic: Scene) -> None:
        """More than two hours in which Stripe does not answer: by then the hold is gone."""
        clinic.tick(3 * HOUR)
        with unit_of_work(clinic.database) as session:
            assert holds.release(session) == 1

    def test_an_account_holds_no_more_than_two_times_at_once(self, clinic: Scene) -> None:
        clinic.book(at=on(3, 10))
        clinic.book(at=on(3, 11))
        with pytest.raises(payments.TooManyHolds) as refusal:
            clinic.book(at=on(3, 13))
        assert "2 visits" in str(refusal.value)
        clinic.tick(HOUR)
        clinic.jobs()
        clinic.book(at=on(3, 13))


class TestTrouble:
    @pytest.mark.parametrize("trouble", ["drop", "500", "429"])
    def test_one_session_is_opened_whatever_becomes_of_the_answer(self, clinic: Scene, trouble: str) -> None:
        visit_id = clinic.book()
        when = {"when": "after"} if trouble == "drop" else {}
        clinic.sandbox.fault("/v1/checkout/sessions", trouble, **when)
        assert not checkouts.advance(clinic.payment(visit_id).id, clinic.cards)
        assert clinic.payment(visit_id).provider_session_id is None
        clinic.settle(1)
        clinic.sandbox.pay(clinic.payment(visit_id).provider_session_id or "")
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED
        assert creations(clinic) == 1

    def test_a_session_that_was_paid_before_its_number_arrived_is_found_again(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.sandbox.fault("/v1/checkout/sessions", "drop", when="after")
        checkouts.advance(clinic.payment(visit_id).id, clinic.cards)
        [session] = clinic.sandbox.stripe_client().v1.checkout.sessions.list().data
        clinic.sandbox.pay(session.id)
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED

    def test_after_a_day_it_is_looked_for_instead_of_asked_again(self, clinic: Scene) -> None:
        visit_id = clinic.book(at=on(5, 10))
        clinic.sandbox.fault("/v1/checkout/sessions", "drop", when="after")
        checkouts.advance(clinic.payment(visit_id).id, clinic.cards)
        [session] = clinic.sandbox.stripe_client().v1.checkout.sessions.list().data
        clinic.sandbox.pay(session.id)
        before = len(clinic.sandbox.calls("/v1/checkout/sessions", "POST"))
        clinic.tick(25 * HOUR)
        checkouts.advance_due(clinic.cards)
        assert clinic.payment(visit_id).state is PaymentState.PAID
        assert len(clinic.sandbox.calls("/v1/checkout/sessions", "POST")) == before

    def test_an_attempt_taken_for_over_that_was_paid_all_the_same_is_entered(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        with unit_of_work(clinic.database) as session:
            payments.end(session, session.merge(clinic.payment(visit_id)))
        clinic.settle()
        assert clinic.payment(visit_id).state is PaymentState.PAID
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED

    def test_a_wrong_key_loses_nothing(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        wrong = StripeCards("sk_live_wrong", clinic.sandbox.url)
        assert not checkouts.advance(clinic.payment(visit_id).id, wrong)
        assert clinic.payment(visit_id).state is PaymentState.OPEN
        clinic.opened(visit_id)

    def test_money_that_comes_by_a_bank_is_waited_for(self, clinic: Scene) -> None:
        """Only cards are asked for, but an account may be set up otherwise."""
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        clinic.sandbox.pay(session_id, how="async")
        clinic.settle(1)
        assert clinic.payment(visit_id).state is PaymentState.OPEN
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING
        clinic.sandbox.settle(session_id)
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED

    def test_an_attempt_that_somebody_has_to_look_at_holds_up_no_other(self, clinic: Scene) -> None:
        odd, other = clinic.book(at=on(3, 9)), clinic.book(clinic.cast.ben, on(3, 11))
        for visit_id in (odd, other):
            clinic.sandbox.pay(clinic.opened(visit_id))
        with clinic.database.begin() as connection:
            connection.execute(
                text(
                    "UPDATE payments SET currency = 'USD', check_after = :before WHERE appointment_id = :odd"
                ),
                {"before": clinic.now - HOUR, "odd": odd},
            )
        clinic.tick()
        with pytest.raises(WrongAnswer):
            checkouts.advance_due(clinic.cards)
        assert clinic.visit(other).status is AppointmentStatus.CONFIRMED
        assert clinic.payment(odd).state is PaymentState.OPEN

    def test_who_pays_less_has_not_paid(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        with clinic.database.begin() as connection:
            connection.execute(text("UPDATE payments SET amount_minor = amount_minor + 1"))
        with pytest.raises(WrongAnswer):
            checkouts.advance(clinic.payment(visit_id).id, clinic.cards)
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING


class TestLookingAgain:
    def test_pages_that_stay_open_ask_no_more_often_than_one(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        number = clinic.payment(visit_id).id
        before = len(clinic.sandbox.calls())
        for _second in range(60):
            clinic.tick(timedelta(seconds=1))
            for _tab in range(3):
                checkouts.advance(number, clinic.cards, only_when_due=True)
        assert 10 <= len(clinic.sandbox.calls()) - before <= 12
        clinic.sandbox.pay(session_id)
        clinic.tick(timedelta(seconds=6))
        checkouts.advance(number, clinic.cards, only_when_due=True)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED


class TestStrangersSessions:
    """Whoever knows a reference can have it stand on a session of their own: by a payment link's address."""

    def paid_elsewhere(self, clinic: Scene, visit_id: int, **changes: int) -> None:
        reference = clinic.payment(visit_id).public_id.hex
        made = clinic.sandbox.stripe_client().v1.checkout.sessions.create(
            order(client_reference_id=reference, **changes)  # type: ignore[arg-type] # its own TypedDicts
        )
        clinic.sandbox.pay(made.id)

    def test_a_smaller_sum_does_not_take_a_lost_time_back(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.opened(visit_id)
        clinic.tick(HOUR)
        clinic.jobs()
        self.paid_elsewhere(clinic, visit_id, amount=100)
        clinic.settle()
        assert clinic.visit(visit_id).status is AppointmentStatus.EXPIRED
        assert entries(clinic, visit_id) == []

    def test_an_attempt_not_opened_yet_does_not_take_it_for_its_own(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        self.paid_elsewhere(clinic, visit_id, amount=100)
        processor_events.read_new(clinic.cards)
        processor_events.apply_waiting(clinic.cards)
        clinic.settle(1)
        assert clinic.visit(visit_id).status is AppointmentStatus.PENDING
        clinic.sandbox.pay(clinic.payment(visit_id).provider_session_id or "")
        clinic.settle(1)
        assert entries(clinic, visit_id) == [(EntryKind.INVOICE, 6000), (EntryKind.PAYMENT, -6000)]


class TestCallingOff:
    def test_a_visit_called_off_before_it_was_paid_can_not_be_paid_any_more(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        session_id = clinic.opened(visit_id)
        clinic.cancel(clinic.cast.ada, visit_id)
        assert clinic.payment(visit_id).state is PaymentState.CLOSING
        clinic.settle(1)
        assert clinic.payment(visit_id).state is PaymentState.ENDED
        session = clinic.sandbox.stripe_client().v1.checkout.sessions.retrieve(session_id)
        assert session.status == "expired"
        assert entries(clinic, visit_id) == []

    def test_nothing_is_begun_while_an_attempt_is_being_ended(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        with unit_of_work(clinic.database) as session:
            payments.give_up(session, visit_id)
        with pytest.raises(BeingEnded):
            clinic.begin(visit_id)

    def test_what_was_paid_while_it_was_called_off_goes_back(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        clinic.cancel(clinic.cast.ada, visit_id)
        clinic.settle()
        [refund] = clinic.refunds(visit_id)
        assert (refund.amount_minor, refund.cause) == (6000, RefundCause.CANCELLED)
        assert refund.state is RefundState.DONE
        assert clinic.sums(visit_id) == (0, 6000, 6000)

    def test_in_time_the_agreed_share_goes_back_and_late_the_fee_is_kept(
        self, database: Engine, sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with scene(database, sandbox, monkeypatch, refund_percent=90, late_fee_percent=50) as clinic:
            in_time, late, waived = (clinic.paid(on(3, hour)) for hour in (10, 11, 13))
            clinic.cancel(clinic.cast.ada, in_time)
            clinic.tick(on(3, 8) - clinic.now)
            clinic.cancel(clinic.cast.ada, late)
            clinic.cancel(clinic.cast.desk, waived, waive_policy=True)
            clinic.settle()
            kept = {number: clinic.standing(number) for number in (in_time, late, waived)}
            assert [money.received_minor for money in kept.values()] == [600, 3000, 0]
            assert [money.balance_minor for money in kept.values()] == [0, 0, 0]
            assert clinic.visit(late).payment_status is PaymentStatus.PARTLY_REFUNDED


class TestEvents:
    def test_events_are_stored_once_and_applied_once(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        happened = list(clinic.cards.happenings(clinic.now - HOUR))
        with unit_of_work(clinic.database) as session:
            assert processor_events.store(session, [*happened, *happened]) == len(happened)
        with unit_of_work(clinic.database) as session:
            assert processor_events.store(session, happened) == 0
        assert processor_events.apply_waiting(clinic.cards) == len(happened)
        assert clinic.visit(visit_id).status is AppointmentStatus.CONFIRMED
        clinic.tick()
        assert processor_events.apply_waiting(clinic.cards) == 0
        assert len(entries(clinic, visit_id)) == 2

    def test_reading_goes_on_from_where_it_was_and_misses_nothing(self, clinic: Scene) -> None:
        processor_events.read_new(clinic.cards)
        first = clinic.book(at=on(3, 10))
        clinic.sandbox.pay(clinic.opened(first))
        assert processor_events.read_new(clinic.cards) == 1
        clinic.tick(HOUR)
        clinic.sandbox.fault("/v1/events", "500", method="GET")
        assert processor_events.read_new(clinic.cards) == 0
        clinic.tick(HOUR)
        second = clinic.book(at=on(3, 11))
        clinic.sandbox.pay(clinic.opened(second))
        assert processor_events.read_new(clinic.cards) == 1

    def test_a_clock_that_was_a_day_ahead_hides_no_event_once_it_is_right(self, clinic: Scene) -> None:
        clinic.now += 24 * HOUR
        processor_events.read_new(clinic.cards)
        clinic.now -= 24 * HOUR
        visit_id = clinic.paid()
        paid_with = clinic.payment(visit_id).provider_payment_id or ""
        clinic.sandbox.stripe_client().v1.refunds.create({"payment_intent": paid_with, "amount": 1000})
        clinic.settle()
        assert clinic.standing(visit_id).refunded_minor == 1000

    def test_events_about_others_are_left_alone(self, clinic: Scene) -> None:
        other = clinic.sandbox.stripe_client().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "https://shop.example",
                "line_items": [
                    {
                        "price_data": {
                            "currency": "eur",
                            "unit_amount": 100,
                            "product_data": {"name": "Mug"},
                        },
                        "quantity": 1,
                    }
                ],
            }
        )
        clinic.sandbox.pay(other.id)
        clinic.jobs()
        with Session(clinic.database) as session:
            events = session.scalars(select(ProcessorEvent)).all()
            assert [each.applied_at for each in events] == [clinic.now]
            assert session.scalars(select(LedgerEntry)).all() == []

    def test_more_events_are_stored_at_once_than_a_statement_has_values(self, clinic: Scene) -> None:
        """As after a long silence, or from an account with other shops: PostgreSQL takes 65,535 values."""
        many = [Happening(f"evt_{number}", "refund.updated", "re_1", clinic.now) for number in range(11_000)]
        with unit_of_work(clinic.database) as session:
            assert processor_events.store(session, [*many, many[0]]) == len(many)

    def test_old_events_are_forgotten(self, clinic: Scene) -> None:
        visit_id = clinic.book()
        clinic.sandbox.pay(clinic.opened(visit_id))
        processor_events.read_new(clinic.cards)
        clinic.tick(timedelta(days=41))
        with unit_of_work(clinic.database) as session:
            assert processor_events.forget_old(session) == 1


def test_the_ledger_is_only_ever_added_to(clinic: Scene) -> None:
    clinic.paid()
    for statement in ("UPDATE ledger_entries SET amount_minor = 1", "DELETE FROM ledger_entries"):
        with pytest.raises(Exception, match="only ever added"), clinic.database.begin() as connection:
            connection.execute(text(statement))


def test_a_hold_of_before_payments_were_taken_is_let_go(clinic: Scene) -> None:
    with unit_of_work(clinic.database) as session:
        made = make.appointment(
            session,
            session.merge(clinic.cast.dr_roth),
            session.merge(clinic.cast.checkup),
            TEN,
            status="pending",
            hold_expires_at=clinic.now,
        )
    with unit_of_work(clinic.database) as session:
        assert holds.release(session) == 1
    assert clinic.visit(made.id).status is AppointmentStatus.EXPIRED
