"""What people read and press when money is due: before booking, while it is unpaid, and on cancelling."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import ledger
from db.config import config
from db.models import (
    Appointment,
    AppointmentStatus,
    EntryKind,
    LedgerEntry,
    PaymentRule,
    PaymentState,
    Refund,
)
from db.session import unit_of_work
from tests import make
from tests.app_pages import OpenAs
from tests.payment_sandbox import KEY, PaymentSandbox
from tests.portal import NOON, Residents
from tests.test_pages import count, open_as, residents, said, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
DOCTOR = "pages/patient/doctor.py"
MINE = "pages/patient/my_appointments.py"


@pytest.fixture
def cards(sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch) -> PaymentSandbox:
    """The clinic takes cards, in the sandbox."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox.url)
    config.cache_clear()
    sandbox.set_clock(NOON)
    return sandbox


def policy(database: Engine, **changes: Any) -> None:
    with unit_of_work(database) as session:
        make.clinic(session, **changes)


def shown(app: AppTest) -> str:
    return "\n".join(said([*app.title, *app.markdown, *app.caption]))


def choose_time(app: AppTest, residents: Residents) -> None:
    key = f"book_{residents.roth_id}_{residents.checkup_id}"
    app.button_group(key=f"{key}_day").set_value((NOON + timedelta(days=3)).date()).run()
    day = (NOON + timedelta(days=3)).date()
    app.button_group(key=f"{key}_time_{day}").set_value(NOON + timedelta(days=3)).run()
    assert not app.exception


def test_what_is_due_and_why_stands_there_before_the_button_and_leads_to_the_payment(
    open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
) -> None:
    policy(
        database,
        first_visit_rule=PaymentRule.DEPOSIT,
        deposit_percent=25,
        late_fee_percent=50,
        refund_percent=80,
    )
    app = open_as("ada", DOCTOR, doctor=str(residents.roth_id))
    choose_time(app, residents)
    said_now = shown(app)
    assert "It costs €60.00: a deposit of €15.00 is paid now, the other €45.00 at the desk." in said_now
    assert "because it is a first visit here" in said_now
    assert "held for you for 40 minutes" in said_now
    assert "if you cancel it by then, 80% of what was paid goes back" in said_now
    assert "After that cancelling costs €30.00" in said_now
    button = app.button(key="book_submit")
    assert button.label.replace("\\", "") == "Book and pay €15.00"
    button.click().run()
    assert not app.exception
    assert "it is yours once it is paid" in shown(app)
    assert app.title[0].value == "Payment"
    assert app.query_params["visit"] == "1", "the address names the visit"
    with Session(database) as session:
        assert session.scalars(select(Appointment.status)).one() is AppointmentStatus.PENDING


def test_with_nothing_due_it_says_so_and_leads_to_the_visits(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("ada", DOCTOR, doctor=str(residents.roth_id))
    choose_time(app, residents)
    assert "It costs €60.00, which is paid at the desk." in shown(app)
    assert app.button(key="book_submit").label == "Book this time"
    app.button(key="book_submit").click().run()
    assert said(app.success) == ["Your appointment is booked."]
    assert app.title[0].value == "My appointments"


def test_terms_that_change_between_page_and_click_are_shown_again(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("ada", DOCTOR, doctor=str(residents.roth_id))
    choose_time(app, residents)
    policy(database, late_fee_percent=100)
    app.button(key="book_submit").click().run()
    assert said(app.error) == [
        "The price or the terms have just changed. Please look at them again before you book."
    ]
    assert "After that cancelling costs €60.00" in shown(app)
    assert count(database) == 0


def test_a_visit_that_waits_for_its_payment_says_until_when_and_leads_to_it(
    open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
) -> None:
    held = visit(
        database,
        residents,
        status=AppointmentStatus.PENDING,
        due_minor=6000,
        hold_expires_at=NOON + timedelta(minutes=40),
    )
    with unit_of_work(database) as session:
        make.payment(session, session.get_one(Appointment, held), 6000, state=PaymentState.ENDED)
    app = open_as("ada", MINE)
    assert "Waiting for payment" in shown(app)
    assert "Held until 14:40" in shown(app)
    app.button(key=f"visits_pay_{held}").click().run()
    assert not app.exception
    assert (app.title[0].value, app.query_params["visit"]) == ("Payment", str(held))


def test_a_visit_to_pay_at_the_desk_can_be_paid_online_as_well_where_cards_are_taken(
    open_as: OpenAs, database: Engine, residents: Residents, cards: PaymentSandbox
) -> None:
    booked = visit(database, residents)
    assert open_as("ada", MINE).button(key=f"visits_pay_{booked}").label == "Pay online"


def test_without_cards_nobody_is_led_to_pay(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    visit(database, residents)
    app = open_as("ada", MINE)
    assert not [button for button in app.button if button.key.startswith("visits_pay_")]


def test_the_cancel_panel_says_what_it_costs_and_that_is_what_is_kept(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    late = visit(database, residents, hours_ahead=5, late_fee_minor=3000)
    with unit_of_work(database) as session:
        booked = session.get_one(Appointment, late)
        payment = make.payment(session, booked, 6000, state=PaymentState.PAID)
        ledger.receive(session, None, booked, payment)
    app = open_as("ada", MINE)
    app.button(key=f"visits_cancel_{late}").click().run()
    assert "Cancelling costs €30.00. €30.00 goes back the way it was paid." in shown(app)
    assert not app.checkbox, "only the desk waives"
    app.selectbox(key=f"cancel_reason_{late}").select("I am better").run()
    app.button(key=f"cancel_submit_{late}").click().run()
    assert said(app.success) == ["Cancelled. The time is free for somebody else now."]
    with Session(database) as session:
        assert session.scalars(select(Refund.amount_minor)).all() == [3000]
        invoiced = select(func.sum(LedgerEntry.amount_minor)).where(
            LedgerEntry.kind.in_([EntryKind.INVOICE, EntryKind.CREDIT])
        )
        assert session.scalar(invoiced) == 3000


def test_a_cost_that_changes_between_page_and_click_is_shown_again(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    booked = visit(database, residents, late_fee_minor=3000)
    app = open_as("ada", MINE)
    app.button(key=f"visits_cancel_{booked}").click().run()
    assert "Cancelling costs nothing." in shown(app)
    app.selectbox(key=f"cancel_reason_{booked}").select("I am better").run()
    with unit_of_work(database) as session:
        session.get_one(Appointment, booked).cancellation_hours = 100
    app.button(key=f"cancel_submit_{booked}").click().run()
    assert said(app.error) == ["What cancelling costs has just changed. Please look at it again."]
    assert "Cancelling costs €30.00. €30.00 is still to be paid." in shown(app)


def test_the_desk_reads_the_price_and_may_ask_nothing_for_a_late_cancellation(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    late = visit(database, residents, hours_ahead=5, late_fee_minor=3000)
    desk = open_as("rita", "pages/staff/book_for_patient.py")
    desk.session_state["people_chosen"] = residents.ada_id
    desk.run()
    day = NOON.date() + timedelta(days=3)
    desk.button_group(key="desk_day").set_value(day).run()
    desk.button_group(key=f"desk_time_{day}").set_value(NOON + timedelta(days=3)).run()
    assert "It costs €60.00, which is paid at the desk." in shown(desk)
    desk.button(key=f"visits_cancel_{late}").click().run()
    assert "Cancelling costs €30.00." in shown(desk)
    desk.checkbox(key=f"cancel_waive_{late}").check().run()
    assert "Cancelling costs nothing." in shown(desk)
    desk.selectbox(key=f"cancel_reason_{late}").select("The patient asked").run()
    assert "Cancelling costs €30.00." in shown(desk)
    desk.selectbox(key=f"cancel_reason_{late}").select("The doctor is not there").run()
    assert "Cancelling costs nothing." in shown(desk), "what is the clinic's doing costs the patient nothing"


def test_every_page_says_that_payments_are_simulated_and_where(
    open_as: OpenAs, residents: Residents, cards: PaymentSandbox
) -> None:
    for username in (None, "ada", "rita"):
        app = open_as(username)
        assert f"[Simulated payments]({cards.url})" in shown(app)
        assert any("No money moves." in each.help for each in app.markdown)


def test_nothing_is_said_of_a_sandbox_where_there_is_none(open_as: OpenAs, residents: Residents) -> None:
    assert "simulated" not in shown(open_as("ada")).lower()
