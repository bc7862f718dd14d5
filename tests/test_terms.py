"""The terms of a booking: the one pure rule, who may ask for it, and what is held and stored when booking."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import appointments, holds, ledger, payments, terms, wordings
from core.access import Actor
from core.errors import AccessDenied, NotFound
from core.i18n import speaking
from core.payments import CHECKOUT_LASTS, TooManyHolds
from core.terms import SMALLEST_ONLINE_MINOR, Policy, Terms, TermsChanged
from db.config import config
from db.models import (
    Appointment,
    AppointmentStatus,
    Payment,
    PaymentMethod,
    PaymentRule,
    PaymentState,
    PaymentStatus,
    RuleCause,
)
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

TEN = on(3, 10)
USUAL = Policy(
    price_minor=6000,
    deposit_minor=0,
    deposit_percent=30,
    clinic_rule=PaymentRule.DESK,
    service_rule=None,
    first_visit_rule=None,
    no_show_rule=None,
    no_show_limit=None,
    cancellation_hours=24,
    late_fee_percent=50,
    refund_percent=80,
    is_first_visit=False,
    no_shows=0,
)
STRICTER = list(PaymentRule)
RULES = st.sampled_from(PaymentRule)
PRICES = st.integers(0, 50_000)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that the tables can hold."""
    price = draw(PRICES)
    no_show_rule = draw(st.none() | RULES)
    return Policy(
        price_minor=price,
        deposit_minor=draw(st.integers(0, 60_000)),  # a doctor may ask less than the service's deposit
        deposit_percent=draw(st.integers(1, 100)),
        clinic_rule=draw(RULES),
        service_rule=draw(st.none() | RULES),
        first_visit_rule=draw(st.none() | RULES),
        no_show_rule=no_show_rule,
        no_show_limit=draw(st.integers(1, 20)) if no_show_rule else None,
        cancellation_hours=draw(st.integers(0, 720)),
        late_fee_percent=draw(st.integers(0, 100)),
        refund_percent=draw(st.integers(0, 100)),
        is_first_visit=draw(st.booleans()),
        no_shows=draw(st.integers(0, 30)),
    )


def due(**changes: Any) -> tuple[int, RuleCause]:
    """What is due and why, of the usual policy with `changes`."""
    agreed = terms.agreed(USUAL._replace(**changes), takes_cards=True)
    return agreed.due_minor, agreed.rule_cause


class TestTheRule:
    def test_a_service_has_its_own_rule_be_it_less_strict(self) -> None:
        assert due(clinic_rule="full") == (6000, RuleCause.CLINIC)
        assert due(clinic_rule="full", service_rule="desk") == (0, RuleCause.SERVICE)
        assert due(clinic_rule="desk", service_rule="deposit") == (1800, RuleCause.SERVICE)

    def test_a_deposit_is_the_services_sum_or_the_clinics_share(self) -> None:
        assert due(clinic_rule="deposit")[0] == 1800
        assert due(clinic_rule="deposit", deposit_minor=2500)[0] == 2500
        assert due(clinic_rule="deposit", deposit_minor=9000)[0] == 6000, "never more than the price"
        assert due(clinic_rule="deposit", price_minor=100, deposit_percent=1)[0] == SMALLEST_ONLINE_MINOR

    def test_a_first_visit_and_missed_visits_make_it_stricter_alone_and_together(self) -> None:
        first = {"first_visit_rule": "deposit", "is_first_visit": True}
        missed = {"no_show_rule": "full", "no_show_limit": 2, "no_shows": 2}
        assert due(**first) == (1800, RuleCause.FIRST_VISIT)
        assert due(**missed) == (6000, RuleCause.NO_SHOWS)
        assert due(**first, **missed) == (6000, RuleCause.NO_SHOWS)
        assert due(**first | {"first_visit_rule": "full"}, **missed) == (6000, RuleCause.FIRST_VISIT)
        assert due(**first | {"is_first_visit": False}, **missed | {"no_shows": 1}) == (0, RuleCause.CLINIC)

    def test_what_is_stricter_already_has_the_cause_it_had(self) -> None:
        assert due(clinic_rule="full", first_visit_rule="deposit", is_first_visit=True) == (
            6000,
            RuleCause.CLINIC,
        )

    @given(policies(), st.booleans())
    def test_what_is_due_is_within_the_price_and_payable(self, policy: Policy, takes_cards: bool) -> None:
        agreed = terms.agreed(policy, takes_cards=takes_cards)
        assert 0 <= agreed.due_minor <= policy.price_minor
        assert 0 <= agreed.late_fee_minor <= policy.price_minor
        assert agreed.due_minor == 0 or agreed.due_minor >= SMALLEST_ONLINE_MINOR
        assert (agreed.due_minor == 0) == (agreed.payment_rule is PaymentRule.DESK)

    @given(policies())
    def test_where_nobody_can_pay_online_nothing_is_due(self, policy: Policy) -> None:
        agreed = terms.agreed(policy, takes_cards=False)
        assert (agreed.due_minor, agreed.payment_rule) == (0, PaymentRule.DESK)

    @given(policies(), st.data())
    def test_a_stricter_rule_never_asks_less(self, policy: Policy, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(["clinic_rule", "service_rule", "first_visit_rule", "no_show_rule"]))
        now = getattr(policy, name)
        stricter = data.draw(st.sampled_from(STRICTER[STRICTER.index(now) if now else 0 :]))
        if name == "service_rule" and now is None:
            stricter = max(stricter, policy.clinic_rule, key=STRICTER.index)
        limit = policy.no_show_limit or (1 if name == "no_show_rule" else None)
        changed = policy._replace(**{name: stricter, "no_show_limit": limit})
        before, after = (terms.agreed(each, takes_cards=True) for each in (policy, changed))
        assert after.due_minor >= before.due_minor

    @given(policies())
    def test_more_missed_visits_or_a_first_one_never_ask_less(self, policy: Policy) -> None:
        usual = terms.agreed(policy._replace(is_first_visit=False, no_shows=0), takes_cards=True)
        assert terms.agreed(policy, takes_cards=True).due_minor >= usual.due_minor


class TestKept:
    @given(policies(), st.integers(0, 60_000), st.booleans())
    def test_it_is_between_nothing_and_what_was_paid_or_agreed(
        self, policy: Policy, paid: int, is_late: bool
    ) -> None:
        agreed = terms.agreed(policy, takes_cards=True)
        kept = terms.kept(agreed, paid_minor=paid, is_late=is_late)
        assert 0 <= kept <= max(paid, agreed.late_fee_minor)
        assert is_late or kept <= paid
        assert kept <= terms.kept(agreed, paid_minor=paid, is_late=True), "late never costs less"
        assert terms.kept(agreed, paid_minor=paid, is_late=is_late, is_waived=True) == 0

    @pytest.mark.parametrize(
        ("paid", "is_late", "kept"),
        [(0, False, 0), (0, True, 3000), (1800, False, 360), (1800, True, 3000), (20_000, True, 4000)],
    )
    def test_the_share_in_time_the_fee_when_late_or_the_share_if_that_is_more(
        self, paid: int, is_late: bool, kept: int
    ) -> None:
        agreed = terms.agreed(USUAL, takes_cards=True)
        assert terms.kept(agreed, paid_minor=paid, is_late=is_late) == kept

    @given(st.integers(0, 10**8), st.integers(0, 100))
    def test_a_share_is_whole_minor_units_to_the_nearest(self, amount: int, percent: int) -> None:
        share = terms.share_of(amount, percent)
        assert isinstance(share, int)
        assert abs(100 * share - amount * percent) <= 50
        assert 0 <= share <= amount


@pytest.fixture
def cast(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    config.cache_clear()
    with time_is(NOW):
        yield assemble(session)


def offered(session: Session, cast: Cast, actor: Actor, patient_id: int) -> Terms:
    wanted = {"doctor_id": cast.dr_roth.id, "service_id": cast.checkup.id}
    return terms.offered(session, actor, patient_id=patient_id, **wanted)


def book(session: Session, cast: Cast, at: datetime = TEN, **changes: Any) -> Appointment:
    actor = changes.pop("actor", cast.ada)
    wanted = {
        "patient_id": cast.ada.patient_ids[0],
        "doctor_id": cast.dr_roth.id,
        "service_id": cast.checkup.id,
        "starts_at": at,
    }
    return appointments.book(session, actor, **wanted | changes)


class TestWhatIsOffered:
    def test_the_owner_and_a_guardian_learn_it_and_a_stranger_does_not(
        self, session: Session, cast: Cast
    ) -> None:
        make.clinic(session, payment_rule=PaymentRule.FULL)
        ada = cast.ada.patient_ids[0]
        assert offered(session, cast, cast.ada, ada).due_minor == 6000
        assert offered(session, cast, cast.guardian, cast.child_id).due_minor == 6000
        for actor in (cast.stranger, cast.roth):
            with pytest.raises(AccessDenied):
                offered(session, cast, actor, ada)

    def test_nothing_is_due_before_what_the_desk_books(self, session: Session, cast: Cast) -> None:
        make.clinic(session, payment_rule=PaymentRule.FULL, late_fee_percent=50)
        agreed = offered(session, cast, cast.desk, cast.ada.patient_ids[0])
        assert (agreed.due_minor, agreed.payment_rule, agreed.late_fee_minor) == (0, PaymentRule.DESK, 3000)
        booked = book(session, cast, actor=cast.desk)
        assert booked.status is AppointmentStatus.CONFIRMED
        assert payments.unsettled(session, booked.id) is None

    def test_nothing_is_due_where_no_cards_are_taken(
        self, session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make.clinic(session, payment_rule=PaymentRule.FULL)
        monkeypatch.delenv("STRIPE_SECRET_KEY")
        config.cache_clear()
        assert offered(session, cast, cast.ada, cast.ada.patient_ids[0]).due_minor == 0

    def test_a_doctor_has_their_own_price(self, session: Session, cast: Cast) -> None:
        other = make.service(session, price_minor=6000, deposit_minor=5000, payment_rule=PaymentRule.DEPOSIT)
        make.offer(session, cast.dr_roth, other, price_minor=4000)
        wanted = {"patient_id": cast.ada.patient_ids[0], "service_id": other.id}
        agreed = terms.offered(session, cast.ada, doctor_id=cast.dr_roth.id, **wanted)
        assert (agreed.price_minor, agreed.due_minor) == (4000, 4000)

    @pytest.mark.parametrize("currency", ["EUR", "USD", "JPY"])
    def test_sums_are_whole_minor_units_in_every_currency(
        self, session: Session, cast: Cast, currency: str
    ) -> None:
        make.clinic(session, currency=currency, payment_rule=PaymentRule.DEPOSIT, deposit_percent=33)
        cast.checkup.price_minor = 4999
        session.flush()
        booked = book(session, cast)
        payment = payments.unsettled(session, booked.id)
        assert payment is not None
        assert (payment.amount_minor, payment.currency) == (1650, currency)

    def test_a_service_that_is_gone_is_told_so(self, session: Session, cast: Cast) -> None:
        with pytest.raises(NotFound):
            terms.offered(
                session,
                cast.ada,
                patient_id=cast.ada.patient_ids[0],
                doctor_id=cast.dr_roth.id,
                service_id=0,
            )

    def test_a_visit_is_the_first_until_one_took_place(self, session: Session, cast: Cast) -> None:
        make.clinic(session, first_visit_rule=PaymentRule.FULL)
        ada = session.get_one(make.Patient, cast.ada.patient_ids[0])

        def cause() -> RuleCause:
            return offered(session, cast, cast.ada, ada.id).rule_cause

        visit = make.appointment(session, cast.dr_weiss, cast.checkup, on(1, 7), patient=ada)
        for status in (AppointmentStatus.NO_SHOW, AppointmentStatus.CANCELLED, AppointmentStatus.CONFIRMED):
            visit.status = status
            session.flush()
            assert cause() is RuleCause.FIRST_VISIT, status
        visit.status = AppointmentStatus.COMPLETED
        session.flush()
        assert cause() is RuleCause.CLINIC

    def test_visits_missed_more_than_a_year_ago_do_not_count(self, session: Session, cast: Cast) -> None:
        make.clinic(session, no_show_rule=PaymentRule.FULL, no_show_limit=2)
        ada = session.get_one(make.Patient, cast.ada.patient_ids[0])
        missed = [
            make.appointment(
                session,
                cast.dr_weiss,
                cast.checkup,
                NOW - terms.NO_SHOWS_COUNT_FOR + timedelta(hours=hours),
                patient=ada,
                status=AppointmentStatus.NO_SHOW,
            )
            for hours in (-1, 1)
        ]
        assert offered(session, cast, cast.ada, ada.id).due_minor == 0
        missed[0].starts_at += timedelta(hours=4)
        missed[0].ends_at += timedelta(hours=4)
        missed[0].blocked = make.Range(missed[0].starts_at, missed[0].ends_at)
        session.flush()
        agreed = offered(session, cast, cast.ada, ada.id)
        assert (agreed.due_minor, agreed.rule_cause) == (6000, RuleCause.NO_SHOWS)


class TestBooking:
    def test_what_is_agreed_is_stored_and_stays_whatever_the_policy_says_later(
        self, session: Session, cast: Cast
    ) -> None:
        make.clinic(session, late_fee_percent=50, refund_percent=80, cancellation_hours=48)
        agreed = offered(session, cast, cast.ada, cast.ada.patient_ids[0])
        booked = book(session, cast, seen=agreed)
        make.clinic(session, late_fee_percent=100, refund_percent=0, cancellation_hours=72)
        session.expire_all()
        stored = session.get_one(Appointment, booked.id)
        assert Terms(**{name: getattr(stored, name) for name in Terms._fields}) == agreed

    @pytest.mark.parametrize(
        "changes",
        [
            {"payment_rule": PaymentRule.FULL},
            {"late_fee_percent": 10},
            {"cancellation_hours": 25},
            {"refund_percent": 99},
        ],
    )
    def test_a_policy_that_changes_between_page_and_click_refuses_the_click(
        self, session: Session, cast: Cast, changes: dict[str, Any]
    ) -> None:
        seen = offered(session, cast, cast.ada, cast.ada.patient_ids[0])
        make.clinic(session, **changes)
        with pytest.raises(TermsChanged):
            book(session, cast, seen=seen)
        assert session.scalar(select(func.count()).select_from(Appointment)) == 0
        cast.checkup.price_minor = 7000
        session.flush()
        with pytest.raises(TermsChanged):
            book(session, cast, seen=seen)

    def test_with_something_due_it_is_pending_with_an_attempt_and_a_hold(
        self, session: Session, cast: Cast
    ) -> None:
        make.clinic(session, payment_rule=PaymentRule.DEPOSIT)
        booked = book(session, cast)
        payment = payments.unsettled(session, booked.id)
        assert payment is not None
        assert booked.status is AppointmentStatus.PENDING
        assert booked.hold_expires_at == payment.expires_at == NOW + CHECKOUT_LASTS
        assert (payment.method, payment.state) == (PaymentMethod.ONLINE, PaymentState.OPEN)
        assert payment.amount_minor == booked.due_minor == 1800

    def test_an_account_holds_so_many_unpaid_times_and_no_more(self, session: Session, cast: Cast) -> None:
        make.clinic(session, payment_rule=PaymentRule.FULL, unpaid_holds=2)
        book(session, cast, actor=cast.guardian, patient_id=cast.guardian.patient_ids[0])
        second = book(session, cast, on(3, 11), actor=cast.guardian, patient_id=cast.child_id)
        with pytest.raises(TooManyHolds, match="2 visits"):
            book(session, cast, on(3, 14), actor=cast.guardian, patient_id=cast.child_id)
        appointments.cancel(session, cast.guardian, appointment_id=second.id, reason="I am better")
        book(session, cast, on(3, 14), actor=cast.guardian, patient_id=cast.child_id)
        book(session, cast, on(3, 15))  # somebody else's are counted apart

    def test_a_cancelled_pending_visit_costs_nothing_be_it_late(self, session: Session, cast: Cast) -> None:
        make.clinic(session, payment_rule=PaymentRule.FULL, late_fee_percent=100, cancellation_hours=72)
        booked = book(session, cast)
        cancelled = appointments.cancel(session, cast.ada, appointment_id=booked.id, reason="I am better")
        assert (cancelled.hold_expires_at, cancelled.payment_status) == (None, PaymentStatus.UNPAID)
        assert ledger.standing(session, booked.id).invoiced_minor == 0
        payment = payments.unsettled(session, booked.id)
        assert payment is not None
        assert payment.state is PaymentState.CLOSING, "the processor is told that nobody pays any more"
        assert book(session, cast, actor=cast.ben, patient_id=cast.ben.patient_ids[0])

    def test_a_hold_that_is_over_frees_the_time_once_nothing_can_be_paid(
        self, session: Session, cast: Cast
    ) -> None:
        make.clinic(session, payment_rule=PaymentRule.FULL)
        booked = book(session, cast)
        with time_is(NOW + CHECKOUT_LASTS):
            assert holds.release(session) == 0, "it may just be paid at the processor"
            payment = payments.unsettled(session, booked.id)
            assert payment is not None
            payments.end(session, payment)
            assert holds.release(session) == 1
        session.refresh(booked)
        assert (booked.status, booked.payment_status) == (AppointmentStatus.EXPIRED, PaymentStatus.UNPAID)


def test_two_tabs_at_once_hold_no_more_than_one_account_may(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    config.cache_clear()
    with unit_of_work(database) as session:
        cast = assemble(session)
        make.clinic(session, payment_rule=PaymentRule.FULL, unpaid_holds=2)

    gun = Barrier(6)

    def tab(hour: int) -> bool:
        try:
            with unit_of_work(database) as session:
                session.execute(select(1))
                gun.wait(10)  # all of them have a connection, and press at once
                book(session, cast, on(3, hour))
        except TooManyHolds:
            return False
        return True

    with time_is(NOW), ThreadPoolExecutor(6) as tabs:
        outcomes = list(tabs.map(tab, (9, 10, 11, 13, 14, 15)))
    assert sum(outcomes) == 2
    with unit_of_work(database) as session:
        held = select(func.count()).where(Appointment.status == AppointmentStatus.PENDING)
        assert session.scalar(held) == session.scalar(select(func.count()).select_from(Payment)) == 2


def test_who_moves_a_visit_into_its_cancellation_window_reads_what_cancelling_costs_then() -> None:
    agreed = Terms(6000, PaymentRule.DESK, RuleCause.CLINIC, 0, 24, 3000, 100)
    with speaking("en"):
        assert wordings.moving_late(agreed, "EUR") == (
            "It is less than 24 hours ahead: once moved, only reception can move it again. "
            "Cancelling costs €30.00."
        )
