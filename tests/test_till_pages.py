"""The pages of money: one success and one refusal each."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import appointments
from core.access import Actor
from db.config import config
from db.models import (
    LedgerEntry,
    MessageKind,
    Notification,
    Patient,
    Payment,
    PaymentMethod,
    Refund,
    RefundState,
    Role,
    TillClosing,
    User,
)
from db.session import unit_of_work
from tests import make, portal
from tests.app_pages import HOME, OpenAs
from tests.payment_sandbox import PaymentSandbox
from tests.portal import Residents
from tests.test_pages import open_as, residents, said, texts, visit
from tests.test_terms_pages import cards

__all__ = ["cards", "open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
TILL, DAY_CLOSE = "pages/staff/till.py", "pages/staff/day_close.py"
PAYMENTS = "pages/patient/payments.py"


def till_of_ada(open_as: OpenAs, residents: Residents) -> AppTest:
    app = open_as("rita", TILL)
    app.text_input(key="people_text").set_value("okafor").run()
    app.button(key=f"people_{residents.ada_id}").click().run()
    return app


def cancelled(database: Engine, visit_id: int) -> None:
    with unit_of_work(database) as session:
        rita = session.scalars(select(User).where(User.username == "rita")).one()
        desk = Actor(rita.id, Role.STAFF, rita.name)
        appointments.cancel(session, desk, appointment_id=visit_id, reason="ill")


def visit_of(database: Engine, entry_id: int) -> int:
    with Session(database) as session:
        return session.get_one(LedgerEntry, entry_id).appointment_id


def test_the_desk_takes_a_part_in_cash_and_is_refused_more_than_is_left(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents)
    app = till_of_ada(open_as, residents)
    app.button(key=f"till_open_{number}").click().run()
    app.number_input(key=f"till_take_{number}_6000").set_value(20.01)
    app.button(key=f"till_take_cash_{number}").click().run()
    assert said(app.success)[0].startswith("Taken: €20.01, for Check-up")
    keys = [field.key for field in app.number_input]
    assert f"till_take_{number}_3999" not in keys, "the next click takes nothing"
    assert "**To pay €39" in texts(app).replace("\\", "")
    app.button(key=f"till_open_{number}").click().run()
    app.number_input(key=f"till_take_{number}_3999").set_value(40.0)
    app.button(key=f"till_take_terminal_{number}").click().run()
    assert said(app.error) == ["Only €39.99 is owed for this visit. Please take no more than that."]
    with Session(database) as session:
        [paid] = session.scalars(select(Payment))
        assert (paid.amount_minor, paid.method) == (2001, PaymentMethod.CASH)


def test_an_emptied_amount_takes_nothing(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents)
    app = till_of_ada(open_as, residents)
    app.button(key=f"till_open_{number}").click().run()
    app.number_input(key=f"till_take_{number}_6000").set_value(None)
    app.button(key=f"till_take_cash_{number}").click().run()
    assert said(app.error) == ["Please give an amount above zero."]
    with Session(database) as session:
        assert session.scalars(select(Payment)).all() == []


def test_what_was_taken_by_mistake_is_still_owed(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit_of(database, portal.paid_in_cash(database, residents))
    app = till_of_ada(open_as, residents)
    app.number_input(key=f"till_give_amount_{number}").set_value(60.0)
    app.text_input(key=f"till_give_reason_{number}").set_value("The wrong visit")
    app.checkbox(key=f"till_give_mistake_{number}").check()
    app.button(key=f"till_give_submit_{number}").click().run()
    assert said(app.success) == ["Given: €60.00."]
    assert "**To pay €60" in texts(app).replace("\\", "")


def test_yen_are_typed_without_decimals(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents)
    with unit_of_work(database) as session:
        make.clinic(session, currency="JPY")
    app = till_of_ada(open_as, residents)
    app.button(key=f"till_open_{number}").click().run()
    field = app.number_input(key=f"till_take_{number}_6000")
    assert (field.value, field.step, field.label) == (6000, 1, "Amount (JPY)")
    app.button(key=f"till_take_terminal_{number}").click().run()
    assert said(app.success)[0].startswith("Taken: JP¥6,000, for Check-up")


def test_a_visit_is_invoiced_to_be_paid_later(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents)
    app = till_of_ada(open_as, residents)
    app.button(key=f"till_open_{number}").click().run()
    app.button(key=f"till_invoice_{number}").click().run()
    assert said(app.success) == ["Invoice written. It can be paid later."]
    assert not [button for button in app.button if button.key == f"till_invoice_{number}"]


def test_money_goes_back_by_hand_for_a_reason(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit_of(database, portal.paid_in_cash(database, residents))
    app = till_of_ada(open_as, residents)
    app.number_input(key=f"till_give_amount_{number}").set_value(15.5)
    app.button(key=f"till_give_submit_{number}").click().run()
    assert said(app.error) == ["Please give a reason."]
    app.text_input(key=f"till_give_reason_{number}").set_value("The doctor was ill")
    app.button(key=f"till_give_submit_{number}").click().run()
    assert said(app.success) == ["Given: €15.50."]
    assert app.number_input(key=f"till_give_amount_{number}").value is None
    with Session(database) as session:
        [refund] = session.scalars(select(Refund))
        assert (refund.amount_minor, refund.reason) == (1550, "The doctor was ill")


def test_what_waits_is_handed_over_and_what_failed_goes_another_way(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    cancelled(database, visit_of(database, portal.paid_in_cash(database, residents)))
    with unit_of_work(database) as session:
        [waiting] = session.scalars(select(Refund))
        failed = make.refund(
            session, session.get_one(Payment, waiting.payment_id), 100, state=RefundState.FAILED
        )
    app = open_as("rita", TILL)
    assert {"1 refund to hand over", "1 refund has failed"} <= {each.label for each in app.expander}
    app.button(key=f"refunds_hand_over_{waiting.id}").click().run()
    assert said(app.success) == ["Handed over to Ada Okafor."]
    app.button(key=f"refunds_cash_{failed.id}").click().run()
    assert said(app.success)[0].startswith("Noted.")
    assert not {"1 refund to hand over", "1 refund has failed"} & {each.label for each in app.expander}


def test_a_till_is_closed_once_a_difference_is_explained(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    portal.paid_in_cash(database, residents)
    app = open_as("rita", DAY_CLOSE)
    assert [metric.value.replace("\\", "") for metric in app.metric] == ["€60.00", "€0.00"]
    for field, value in (("counted", 59.5), ("terminal", 0.0), ("left", 20.0)):
        app.number_input(key=f"close_{field}").set_value(value)
    app.button(key="close_submit").click().run()
    assert said(app.error)[0].startswith("The ledger says €60.00 in cash")
    app.text_input(key="close_note").set_value("A coin fell down")
    app.button(key="close_submit").click().run()
    assert said(app.success) == ["The till is closed."]
    assert [metric.value.replace("\\", "") for metric in app.metric] == ["€20.00", "€0.00"]
    with Session(database) as session:
        [closing] = session.scalars(select(TillClosing))
        assert (closing.counted_minor, closing.left_minor, closing.note) == (5950, 2000, "A coin fell down")
    [table] = app.dataframe
    assert table.value["Difference"].to_list() == ["Cash -€0.50"]


def test_a_patient_sees_what_became_of_their_money_and_of_nobody_else_s(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    portal.paid_in_cash(database, residents, amount_minor=2500)
    app = open_as("ada", PAYMENTS)
    assert "Invoiced €60.00 · Paid €25.00 · **To pay €35.00**" in texts(app).replace("\\", "")
    assert said(open_as("ben", PAYMENTS).info) == ["You have nothing to pay, and have paid nothing yet."]


def test_what_is_left_is_paid_online_where_cards_are_taken(
    open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
) -> None:
    number = visit_of(database, portal.paid_in_cash(database, residents, amount_minor=2500))
    app = open_as("ada", PAYMENTS)
    app.button(key=f"payments_pay_{number}").click().run()
    assert app.title[0].value == "Payment"
    with Session(database) as session:
        [attempt] = session.scalars(select(Payment).where(Payment.method == PaymentMethod.ONLINE))
        assert (attempt.appointment_id, attempt.amount_minor) == (number, 3500)


def test_without_cards_there_is_no_way_to_pay_online(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents)
    assert not [each for each in open_as("ada", PAYMENTS).button if each.label == "Pay online"]


def test_many_visits_are_shown_bit_by_bit(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    for day in range(12):
        visit(database, residents, hours_ahead=24 * (day + 3))
    app = open_as("ada", PAYMENTS)
    assert texts(app).count("**To pay") == 10
    app.button(key="payments_more").click().run()
    assert texts(app).count("**To pay") == 12


@pytest.mark.parametrize(
    ("username", "page"),
    [
        *((other, page) for other in ("ada", "roth") for page in (TILL, DAY_CLOSE)),
        *((other, PAYMENTS) for other in ("roth", "rita", "albert")),
    ],
)
def test_each_page_is_for_its_role_alone(open_as: OpenAs, username: str, page: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(page)


@pytest.mark.parametrize("page", [TILL, DAY_CLOSE, PAYMENTS])
def test_a_page_run_by_itself_refuses_whoever_is_not_signed_in(residents: Residents, page: str) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title


def reached_by_email(database: Engine, residents: Residents) -> None:
    with unit_of_work(database) as session:
        account = session.get_one(User, session.get_one(Patient, residents.ada_id).user_id)
        account.email, account.email_verified_at = "ada@example.org", portal.NOON


def test_a_link_to_pay_is_sent_with_one_click_and_it_is_said_to_whom(
    open_as: OpenAs,
    database: Engine,
    residents: Residents,
    cards: PaymentSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("MAIL_FROM", "clinic@example.org")
    config.cache_clear()
    number = visit(database, residents)
    reached_by_email(database, residents)
    app = till_of_ada(open_as, residents)
    app.button(key=f"till_link_{number}").click().run()
    assert said(app.success) == ["A link to pay €60.00 goes to Ada Okafor, by email to ada@example.org."]
    with Session(database) as session:
        [message] = session.scalars(select(Notification))
        assert (message.kind, message.appointment_id) == (MessageKind.PAYMENT_LINK, number)


def test_a_link_to_pay_for_who_cannot_be_reached_is_not_sent_and_it_is_said_why(
    open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
) -> None:
    number = visit(database, residents)
    with unit_of_work(database) as session:
        patient = session.get_one(Patient, residents.ada_id)
        account = session.get_one(User, patient.user_id)
        patient.phone = patient.email = account.phone = account.email = None
    app = till_of_ada(open_as, residents)
    app.button(key=f"till_link_{number}").click().run()
    assert said(app.error) == [
        "Nothing was sent: there is no phone number and no email address of this patient."
    ]
    with Session(database) as session:
        assert session.scalars(select(Notification)).all() == []
