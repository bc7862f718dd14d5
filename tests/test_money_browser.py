"""Paying as people do it, in a real Chromium: at the stand-in for Stripe, too late, not at all, in cash."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core import appointments, attempts, checkouts, holds
from core.access import Actor
from core.stripe_cards import StripeCards
from db.models import (
    Appointment,
    AppointmentStatus,
    Doctor,
    LedgerEntry,
    MessageKind,
    Notification,
    Patient,
    Payment,
    Refund,
    RefundState,
    Role,
    Service,
    User,
)
from db.session import forget_engine, unit_of_work
from tests import browsers, make, portal
from tests.browsers import SignInAs, settle
from tests.money import turn_of_jobs
from tests.payment_sandbox import KEY, PaymentSandbox, running
from tests.portal import Residents
from tests.test_browser import open_doctor, press_day, time_button
from tests.test_launch import free_port

pytestmark = browsers.NEEDED
TEN = "10:00"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentSandbox]:
    with running(tmp_path_factory.mktemp("stand-in")) as made:
        yield made


@pytest.fixture(scope="module")
def address(
    clinic: Engine, residents: Residents, stand_in: PaymentSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A portal where everything is paid before, and cancelling on the last day costs half."""
    with unit_of_work(clinic) as session:
        make.clinic(session, payment_rule="full", late_fee_percent=50)
        account = session.scalars(select(User).where(User.username == "ada")).one()
        account.email, account.email_verified_at = "ada@example.org", datetime.now(UTC)
    log = tmp_path_factory.mktemp("portal") / "log"
    keys = {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": stand_in.url}
    with portal.running(clinic, log, port=free_port(), **keys) as url:
        yield url
    portal.require_quiet(log, ("WARNING", "Warning", KEY))


@pytest.fixture(autouse=True)
def _nobody_has_booked(
    clinic: Engine, stand_in: PaymentSandbox, address: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Each story begins with an empty calendar and a sandbox that runs by the real clock."""
    with unit_of_work(clinic) as session:
        make.empty(session, "appointments", "notifications", "document_counters")
    stand_in.reset()
    stand_in.set_clock(None)
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("DATABASE_URL", clinic.url.render_as_string(hide_password=False))
    yield
    forget_engine()


def jobs(clinic: Engine, stand_in: PaymentSandbox) -> None:
    """A turn of the jobs; whatever was looked at a moment ago is looked at again."""
    with unit_of_work(clinic) as session:
        session.execute(
            update(Payment).where(Payment.check_after.is_not(None)).values(check_after=text("now()"))
        )
    turn_of_jobs(clinic, StripeCards(KEY, stand_in.url))


def begin_to_pay(page: Page, address: str, residents: Residents, days: int = 3) -> Page:
    """Book ten o'clock and follow the link to the processor; its tab."""
    open_doctor(page, address, residents)
    press_day(page, days)
    time_button(page, TEN)
    page.get_by_role("button", name="Book and pay €60.00").click()
    expect(page.get_by_role("heading", name="Payment")).to_be_visible(timeout=20_000)
    return follow_link(page)


def follow_link(page: Page) -> Page:
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Pay €60.00").click()
    tab = opened.value
    expect(tab.get_by_text("no money moves")).to_be_visible()
    return tab


def pay(tab: Page) -> None:
    tab.get_by_role("button", name="Pay ").click()


def end_holds(clinic: Engine, hours: int) -> None:
    """Let `hours` have passed since everything that waits was begun."""
    ago = timedelta(hours=hours)
    with unit_of_work(clinic) as session:
        for visit in session.scalars(select(Appointment).where(Appointment.hold_expires_at.is_not(None))):
            visit.hold_expires_at = visit.hold_expires_at - ago if visit.hold_expires_at else None
        for payment in session.scalars(select(Payment).where(Payment.expires_at.is_not(None))):
            payment.expires_at = payment.expires_at - ago if payment.expires_at else None


def rita(session: Session) -> Actor:
    account = session.scalars(select(User).where(User.username == "rita")).one()
    return Actor(account.id, Role.STAFF, account.name)


def only_visit(clinic: Engine) -> Appointment:
    with Session(clinic) as session:
        return session.scalars(select(Appointment)).one()


CONFIRMED = "€60.00 is paid. Your appointment is confirmed."


def test_a_patient_books_and_pays_and_both_tabs_say_so(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    page = sign_in_as("ada")
    expect(page.get_by_text("Simulated payments")).to_be_visible()
    tab = begin_to_pay(page, address, residents)
    assert only_visit(clinic).status is AppointmentStatus.PENDING
    pay(tab)
    expect(tab.get_by_text(CONFIRMED)).to_be_visible(timeout=20_000)
    expect(page.get_by_text(CONFIRMED)).to_be_visible(timeout=20_000)
    assert only_visit(clinic).status is AppointmentStatus.CONFIRMED


def test_after_a_declined_card_another_may_be_tried(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    tab = begin_to_pay(sign_in_as("ada"), address, residents)
    tab.get_by_role("button", name="Use a card that is declined").click()
    expect(tab.get_by_text("declined", exact=False).first).to_be_visible()
    assert only_visit(clinic).status is AppointmentStatus.PENDING
    pay(tab)
    expect(tab.get_by_text(CONFIRMED)).to_be_visible(timeout=20_000)


def test_who_walks_away_may_come_back_while_the_time_is_held_and_frees_it_after_that(
    sign_in_as: SignInAs, address: str, clinic: Engine, stand_in: PaymentSandbox, residents: Residents
) -> None:
    page = sign_in_as("ada")
    tab = begin_to_pay(page, address, residents)
    tab.get_by_role("link", name="Go back without paying").click()
    expect(tab.get_by_role("link", name="Pay €60.00")).to_be_visible(timeout=20_000)
    tab.close()
    page.goto(f"{address}/my_appointments")
    expect(page.get_by_text("Waiting for payment")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("link", name="Pay €60.00")).to_be_visible(timeout=20_000)
    end_holds(clinic, 1)
    jobs(clinic, stand_in)
    expect(page.get_by_text("is free again now. Nothing was paid.")).to_be_visible(timeout=20_000)
    other = sign_in_as("ben")
    begin_to_pay(other, address, residents)


def test_money_that_comes_when_the_time_is_somebody_elses_goes_back(
    sign_in_as: SignInAs, address: str, clinic: Engine, stand_in: PaymentSandbox, residents: Residents
) -> None:
    page = sign_in_as("ada")
    tab = begin_to_pay(page, address, residents)
    page.goto(f"{address}/my_appointments")  # nobody looks while it is paid
    visit = only_visit(clinic)
    with Session(clinic) as session:
        session_id = session.scalars(select(Payment.provider_session_id)).one() or ""
    tab.close()
    end_holds(clinic, 4)
    stand_in.pay(session_id)
    with unit_of_work(clinic) as session:
        assert holds.release(session) == 1
        appointments.book(
            session,
            rita(session),
            patient_id=residents.ben_id,
            doctor_id=residents.roth_id,
            service_id=residents.checkup_id,
            starts_at=visit.starts_at,
        )
    jobs(clinic, stand_in)
    jobs(clinic, stand_in)
    page.goto(f"{address}/pay?visit={visit.id}")
    expect(page.get_by_text("it is somebody else's now")).to_be_visible(timeout=20_000)
    with Session(clinic) as session:
        assert session.scalars(select(Refund.state)).one() is RefundState.DONE
        [letter] = session.scalars(select(Notification.body).where(Notification.kind == MessageKind.ACCOUNT))
    assert "€60.00 goes back to your card" in letter


def paid_online(clinic: Engine, stand_in: PaymentSandbox, residents: Residents, hours: int) -> None:
    """Ada has paid online for a visit so many hours ahead, of which half is the late fee."""
    starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    with unit_of_work(clinic) as session:
        visit = make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            starts_at,
            patient=session.get_one(Patient, residents.ada_id),
            late_fee_minor=3000,
        )
        payment = attempts.begin(session, rita(session), appointment_id=visit.id)
    cards = StripeCards(KEY, stand_in.url)
    checkouts.advance(payment.id, cards)
    with Session(clinic) as session:
        stand_in.pay(session.scalars(select(Payment.provider_session_id)).one() or "")
    checkouts.advance(payment.id, cards)


@pytest.mark.parametrize(("hours", "kept", "told"), [(72, 0, "€60.00 goes back"), (2, 3000, "€30.00")])
def test_cancelling_costs_what_was_said_in_time_and_late(
    sign_in_as: SignInAs,
    address: str,
    clinic: Engine,
    stand_in: PaymentSandbox,
    residents: Residents,
    hours: int,
    kept: int,
    told: str,
) -> None:
    paid_online(clinic, stand_in, residents, hours)
    page = sign_in_as("ada")
    page.goto(f"{address}/my_appointments")
    page.get_by_role("button", name="Cancel", exact=True).click()
    settle(page)
    expect(page.get_by_text(told).first).to_be_visible()
    page.get_by_label("Why?").click()
    page.get_by_role("option", name="I am better").click()
    settle(page)
    page.get_by_role("button", name="Cancel this visit").click()
    expect(page.get_by_text("Cancelled.", exact=False).first).to_be_visible()
    jobs(clinic, stand_in)
    with Session(clinic) as session:
        assert session.scalars(select(Refund.amount_minor)).one() == 6000 - kept
        assert (
            -sum(entry.amount_minor for entry in session.scalars(select(LedgerEntry)) if entry.method) == kept
        )


def test_the_desk_takes_cash_and_the_receipt_can_be_read(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents, tmp_path: Path
) -> None:
    with unit_of_work(clinic) as session:
        appointments.book(
            session,
            rita(session),
            patient_id=residents.ada_id,
            doctor_id=residents.roth_id,
            service_id=residents.checkup_id,
            starts_at=datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2),
        )
    page = sign_in_as("rita")
    page.goto(f"{address}/till")
    page.get_by_label("Find a patient").fill("Ada Okafor")
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_role("button", name="Ada Okafor").click()
    page.get_by_role("button", name="Take payment").click()
    page.get_by_role("button", name="Taken in cash").click()
    expect(page.get_by_text("Taken: €60.00, for Check-up")).to_be_visible()
    expect(page.get_by_text("Settled")).to_be_visible()
    link = page.get_by_role("link", name="Receipt", exact=False).first.get_attribute("href") or ""
    receipt = tmp_path / "receipt.pdf"
    receipt.write_bytes(page.request.get(f"{address}{link}").body())
    said = subprocess.run(
        ["pdftotext", "-layout", str(receipt), "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for words in ("R-000001", "Linden Clinic", "Ada Okafor", "€60.00", "Cash", "Page 1 of 1"):
        assert words in said
    stranger = sign_in_as("ben")
    assert stranger.request.get(f"{address}{link}").status == 404
