"""The pages of paying online: the payer's own, and the administrator's comparison with the processor."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import appointments, checkouts
from core.access import Actor
from db.models import (
    Appointment,
    AppointmentStatus,
    AuditEntry,
    Outcome,
    Payment,
    PaymentState,
    Role,
    User,
)
from db.session import unit_of_work
from tests import make
from tests.app_pages import HOME, OpenAs
from tests.payment_sandbox import PaymentSandbox
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit
from tests.test_terms_pages import cards, policy

__all__ = ["cards", "open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
PAY, RECONCILIATION = "pages/patient/pay.py", "pages/admin/reconciliation.py"
TO_PAY = "Pay €60.00"
LOST_REASONS = {
    AppointmentStatus.CANCELLED: "€60.00 was paid. The appointment is cancelled",
    AppointmentStatus.EXPIRED: "€60.00 was paid when the time was no longer kept for you",
}


@pytest.fixture
def held(database: Engine, residents: Residents, cards: PaymentSandbox) -> int:
    """Ada has booked a visit that is confirmed once it is paid; its number."""
    policy(database, payment_rule="full")
    with unit_of_work(database) as session:
        return appointments.book(
            session,
            ada(session, residents),
            patient_id=residents.ada_id,
            doctor_id=residents.roth_id,
            service_id=residents.checkup_id,
            starts_at=NOON + timedelta(days=3),
        ).id


def ada(session: Session, residents: Residents) -> Actor:
    account = session.scalars(select(User).where(User.username == "ada")).one()
    return Actor(account.id, Role.PATIENT, account.name, patient_ids=(residents.ada_id,))


def state(database: Engine, visit_id: int) -> tuple[AppointmentStatus, PaymentState]:
    with Session(database) as session:
        found = select(Appointment.status, Payment.state).join(Payment).where(Appointment.id == visit_id)
        status, payment_state = session.execute(found).one()
        return status, payment_state


def session_of(database: Engine, visit_id: int) -> str:
    with Session(database) as session:
        return session.scalars(select(Payment).filter_by(appointment_id=visit_id)).one().provider_session_id


def pay(database: Engine, cards: PaymentSandbox, visit_id: int, *, is_noticed: bool) -> None:
    """Pay for a visit at the processor; `is_noticed` when the clinic has looked after that."""
    with Session(database) as session:
        payment_id = session.scalars(select(Payment.id).filter_by(appointment_id=visit_id)).one()
    checkouts.advance(payment_id)
    cards.pay(session_of(database, visit_id))
    if is_noticed:
        checkouts.advance(payment_id)


def links(app: AppTest) -> dict[str, str]:
    return {each.proto.label.replace("\\", ""): each.proto.url for each in app.get("link_button")}


def sums(app: AppTest) -> list[str]:
    return [metric.value.replace("\\", "") for metric in app.metric]


class TestThePayersPage:
    def test_it_leads_to_the_processor_and_says_when_the_visit_is_paid_and_confirmed(
        self, open_as: OpenAs, database: Engine, cards: PaymentSandbox, held: int
    ) -> None:
        app = open_as("ada", PAY, visit=str(held))
        assert links(app)[TO_PAY].startswith(f"{cards.url}/checkout/cs_")
        assert len(cards.calls()) == 1, "drawing the page asks the processor once"
        cards.pay(session_of(database, held))
        app.run()
        assert said(app.success) == ["€60.00 is paid. Your appointment is confirmed."]
        assert state(database, held) == (AppointmentStatus.CONFIRMED, PaymentState.PAID)
        assert TO_PAY not in links(app)

    def test_what_the_address_says_is_nobodys_word(
        self, open_as: OpenAs, database: Engine, held: int
    ) -> None:
        app = open_as("ada", PAY, visit=str(held), paid="true", session_id="cs_paid")
        assert not app.success
        assert state(database, held) == (AppointmentStatus.PENDING, PaymentState.OPEN)

    def test_a_visit_that_is_paid_at_the_desk_may_be_paid_online(
        self, open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
    ) -> None:
        app = open_as("ada", PAY, visit=str(visit(database, residents)))
        assert "€60.00 is left to pay: online, or at the desk." in texts(app).replace("\\", "")
        app.button(key="pay_begin").click().run()
        assert not app.exception
        assert TO_PAY in links(app)

    def test_a_time_that_was_let_go_can_no_longer_be_paid(
        self, open_as: OpenAs, database: Engine, held: int
    ) -> None:
        app = open_as("ada", PAY, visit=str(held))
        with unit_of_work(database) as session:
            session.scalars(select(Payment)).one().state = PaymentState.ENDED
            gone = session.get_one(Appointment, held)
            gone.status, gone.hold_expires_at = AppointmentStatus.EXPIRED, None
        app.run()
        assert said(app.warning) == [
            "The time was held for you for a while and is free again now. Nothing was paid."
        ]
        assert TO_PAY not in links(app)
        assert "pay_begin" not in {button.key for button in app.button}

    def test_the_button_of_a_tab_that_was_left_open_says_that_the_hold_is_over(
        self, open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
    ) -> None:
        waiting = visit(
            database,
            residents,
            status=AppointmentStatus.PENDING,
            due_minor=6000,
            hold_expires_at=NOON + timedelta(minutes=40),
        )
        app = open_as("ada", PAY, visit=str(waiting))
        with unit_of_work(database) as session:
            session.get_one(Appointment, waiting).hold_expires_at = NOON
        app.button(key="pay_begin").click().run()
        assert said(app.error) == [
            "The time was held for you for a while and is free again now. Please book it again."
        ]

    @pytest.mark.parametrize("status", LOST_REASONS)
    def test_money_for_a_visit_that_is_lost_is_said_to_come_back(
        self,
        open_as: OpenAs,
        database: Engine,
        residents: Residents,
        cards: PaymentSandbox,
        status: AppointmentStatus,
    ) -> None:
        lost = visit(database, residents, status=status)
        with unit_of_work(database) as session:
            make.payment(session, session.get_one(Appointment, lost), 6000, state=PaymentState.PAID)
        app = open_as("ada", PAY, visit=str(lost))
        [told] = said([*app.info, *app.warning])
        assert told.startswith(LOST_REASONS[status])
        assert "goes back to your card" in told or "goes to your card" in told

    def test_a_silent_processor_is_told_of_and_the_page_goes_on_by_itself(
        self, open_as: OpenAs, cards: PaymentSandbox, held: int
    ) -> None:
        cards.fault("/v1/checkout", "500", times=3)  # the SDK asks three times
        app = open_as("ada", PAY, visit=str(held))
        assert said(app.warning)[-1].startswith("The payment page does not answer at the moment.")
        assert TO_PAY not in links(app)

    def test_nobody_sees_the_payment_of_another(self, open_as: OpenAs, database: Engine, held: int) -> None:
        app = open_as("ben", PAY, visit=str(held))
        assert len(app.error) == 1
        assert not app.title
        assert "Dr. Eva Roth" not in texts(app)
        with Session(database) as session:
            refused = select(AuditEntry.action).where(AuditEntry.outcome == Outcome.REFUSED)
            assert session.scalars(refused).all() == ["pay online"]

    @pytest.mark.parametrize("asked", ["", "0", "abc", "1e3"])
    def test_without_a_visit_it_leads_to_all_of_them(self, open_as: OpenAs, asked: str) -> None:
        assert open_as("ada", PAY, visit=asked).title[0].value == "My appointments"


class TestTheAdministratorsPage:
    def test_what_agrees_is_said_to_agree(
        self, open_as: OpenAs, database: Engine, cards: PaymentSandbox, held: int
    ) -> None:
        pay(database, cards, held, is_noticed=True)
        app = open_as("albert", RECONCILIATION)
        assert sums(app) == ["€60.00", "€60.00", "€0.00"]
        assert said(app.success) == ["Everything agrees."]
        [row] = app.dataframe[0].value.to_dict("records")
        assert (row["What"], row["Visit"], row["Difference"]) == ("Payment", str(held), "")
        assert row["Their number"] == session_of(database, held)

    def test_what_differs_is_counted_and_shown_to_the_cent(
        self, open_as: OpenAs, database: Engine, cards: PaymentSandbox, held: int
    ) -> None:
        pay(database, cards, held, is_noticed=False)
        app = open_as("albert", RECONCILIATION)
        assert sums(app) == ["€0.00", "€60.00", "€60.00"]
        assert said(app.warning)[-1] == "1 line differs."
        [row] = app.dataframe[0].value.to_dict("records")
        assert (row["We say"], row["They say"], row["Difference"]) == ("€0.00", "€60.00", "€60.00")

    def test_a_silent_processor_is_told_of_and_can_be_asked_again(
        self, open_as: OpenAs, cards: PaymentSandbox
    ) -> None:
        cards.fault("/v1/checkout", "500", method="GET", times=3)  # the SDK asks three times
        app = open_as("albert", RECONCILIATION)
        assert said(app.error) == ["The card processor does not answer. Please try again in a few minutes."]
        assert not app.metric
        app.button(key="cards_again").click().run()
        assert not app.error
        assert sums(app) == ["€0.00", "€0.00", "€0.00"]

    @pytest.mark.parametrize(
        ("first", "last", "told"),
        [(1, None, "Please choose the last day too."), (92, 0, "Please choose at most 92 days.")],
    )
    def test_days_that_cannot_be_compared_are_asked_for_anew(
        self, open_as: OpenAs, cards: PaymentSandbox, first: int, last: int | None, told: str
    ) -> None:
        app = open_as("albert", RECONCILIATION)
        days = [NOON.date() - timedelta(days=ago) for ago in (first, last) if ago is not None]
        app.date_input(key="cards_days").set_value(tuple(days)).run()
        assert not app.exception
        assert told in said([*app.info, *app.caption])
        assert not app.metric

    def test_where_no_cards_are_taken_it_says_how_they_could_be(self, open_as: OpenAs) -> None:
        app = open_as("albert", RECONCILIATION)
        assert said(app.info)[0].startswith("This clinic takes no payments online.")
        assert not app.date_input

    @pytest.mark.parametrize("username", ["ada", "roth", "rita"])
    def test_it_is_for_administrators_alone(self, open_as: OpenAs, username: str) -> None:
        app = open_as(username)
        with pytest.raises(ValueError, match="page"):
            app.switch_page(RECONCILIATION)


@pytest.mark.parametrize("page", [PAY, RECONCILIATION])
def test_a_page_run_by_itself_refuses_whoever_is_not_signed_in(residents: Residents, page: str) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
