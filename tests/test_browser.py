"""The portal as a person uses it, in a real Chromium: find, book, move, cancel, lose a race, see today."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core import appointments
from core.access import Actor
from core.i18n import day, use_locale
from db.models import Appointment, AppointmentStatus, Role, User
from db.session import unit_of_work
from tests import browsers, make, portal
from tests.browsers import SignInAs, settle
from tests.cast import BERLIN
from tests.portal import PASSWORD, Residents

pytestmark = browsers.NEEDED


@pytest.fixture(scope="module")
def unwanted() -> tuple[str, ...]:
    return ("WARNING", "Warning")


@pytest.fixture(autouse=True)
def _empty_calendar(clinic: Engine, residents: Residents) -> None:
    """Each story begins with a clinic in which nobody has booked anything."""
    with unit_of_work(clinic) as session:
        for visit in session.scalars(select(Appointment)):
            visit.status = AppointmentStatus.CANCELLED


def open_doctor(page: Page, address: str, residents: Residents) -> None:
    page.goto(f"{address}/doctor?doctor={residents.roth_id}&service={residents.checkup_id}")
    expect(page.get_by_role("heading", name="Dr. Eva Roth")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("radiogroup", name="Day", exact=True)).to_be_visible()


def press_day(page: Page, days: int = 3) -> None:
    """Press the day that is `days` ahead of the clinic's today: every hour of it is free."""
    use_locale("en_GB")
    label = day(days_ahead(days))
    settle(page)
    page.get_by_role("radiogroup", name="Day", exact=True).get_by_role(
        "radio", name=label, exact=True
    ).click()
    settle(page)


def days_ahead(days: int) -> date:
    return datetime.now(UTC).astimezone(BERLIN).date() + timedelta(days=days)


def time_button(page: Page, at: str) -> None:
    page.get_by_role("radiogroup", name="Time on").get_by_role("radio", name=at, exact=True).click()


def visits_of(clinic: Engine, patient_id: int) -> list[Appointment]:
    with Session(clinic) as session:
        live = Appointment.status == AppointmentStatus.CONFIRMED
        found = session.scalars(select(Appointment).where(Appointment.patient_id == patient_id, live))
        return list(found)


def ten_o_clock(days: int = 3) -> datetime:
    """Ten in the morning, clinic time, some days ahead."""
    return datetime.combine(days_ahead(days), time(10), BERLIN)


def book_in_database(clinic: Engine, residents: Residents, patient_id: int, at: datetime) -> int:
    with unit_of_work(clinic) as session:
        staff = session.scalars(select(User).where(User.username == "rita")).one()
        actor = Actor(staff.id, Role.STAFF, staff.name)
        return appointments.book(
            session,
            actor,
            patient_id=patient_id,
            doctor_id=residents.roth_id,
            service_id=residents.checkup_id,
            starts_at=at,
        ).id


def test_a_patient_finds_a_doctor_and_books(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    page = sign_in_as("ada")
    expect(page.get_by_role("heading", name="Find a doctor")).to_be_visible()
    page.get_by_label("Doctor's name").fill("róth")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 doctor", exact=True)).to_be_visible()
    settle(page)
    page.get_by_role("button", name="See times").click()
    expect(page.get_by_role("heading", name="Dr. Eva Roth")).to_be_visible()
    press_day(page)
    time_button(page, "10:00")
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_text("Your appointment is booked.")).to_be_visible()
    expect(page.get_by_role("heading", name="My appointments")).to_be_visible()
    expect(page.get_by_text("10:00–10:30")).to_be_visible()
    [visit] = visits_of(clinic, residents.ada_id)
    assert visit.doctor_id == residents.roth_id


def test_a_patient_moves_a_visit(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    visit_id = book_in_database(clinic, residents, residents.ada_id, ten_o_clock())
    page = sign_in_as("ada")
    page.goto(f"{address}/my_appointments")
    page.get_by_role("button", name="Move", exact=True).click()
    press_day(page, 4)
    time_button(page, "15:30")
    page.get_by_role("button", name="Move to").click()
    expect(page.get_by_text("Moved.")).to_be_visible()
    expect(page.get_by_text("15:30–16:00")).to_be_visible()
    [visit] = visits_of(clinic, residents.ada_id)
    assert (visit.id, visit.version) == (visit_id, 1)


def test_a_patient_cancels_a_visit_with_a_reason(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    book_in_database(clinic, residents, residents.ada_id, ten_o_clock())
    page = sign_in_as("ada")
    page.goto(f"{address}/my_appointments")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel this visit").click()
    expect(page.get_by_text("Please give a reason.")).to_be_visible()
    assert len(visits_of(clinic, residents.ada_id)) == 1
    page.get_by_label("Why?").click()
    page.get_by_role("option", name="I am better").click()
    page.get_by_role("button", name="Cancel this visit").click()
    expect(page.get_by_text("Cancelled. The time is free for somebody else now.")).to_be_visible()
    expect(page.get_by_text("You have no appointment ahead.")).to_be_visible()
    assert visits_of(clinic, residents.ada_id) == []


def test_who_loses_a_race_is_told_and_takes_one_of_the_times_nearby(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    page = sign_in_as("ada")
    open_doctor(page, address, residents)
    press_day(page)
    time_button(page, "10:00")
    submit = page.get_by_role("button", name="Book this time")
    expect(submit).to_be_visible()
    book_in_database(clinic, residents, residents.ben_id, ten_o_clock())
    submit.click()
    expect(page.get_by_text("That time has just been taken. Nothing was booked or changed.")).to_be_visible()
    alternatives = (
        page.get_by_role("button")
        .filter(has_text="09:30")
        .or_(page.get_by_role("button").filter(has_text="10:30"))
    )
    expect(alternatives).to_have_count(2)
    assert visits_of(clinic, residents.ada_id) == []
    page.get_by_role("button").filter(has_text="10:30").click()
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_text("10:30–11:00")).to_be_visible()
    assert len(visits_of(clinic, residents.ada_id)) == 1


def test_a_double_click_books_once(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    page = sign_in_as("ada")
    open_doctor(page, address, residents)
    press_day(page)
    time_button(page, "11:00")
    page.get_by_role("button", name="Book this time").dblclick()
    expect(page.get_by_role("heading", name="My appointments")).to_be_visible()
    expect(page.get_by_text("11:00–11:30")).to_have_count(1)
    assert len(visits_of(clinic, residents.ada_id)) == 1


def test_the_doctor_sees_the_visit_on_todays_list(
    sign_in_as: SignInAs, clinic: Engine, residents: Residents
) -> None:
    with unit_of_work(clinic) as session:
        checkup = session.get_one(make.Service, residents.checkup_id)
        roth = session.get_one(make.Doctor, residents.roth_id)
        ada = session.get_one(make.Patient, residents.ada_id)
        at = datetime.combine(days_ahead(0), time(12), BERLIN)
        make.appointment(session, roth, checkup, at, patient=ada)
    page = sign_in_as("roth")
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(page.get_by_text("Ada Okafor").last).to_be_visible()
    expect(page.get_by_text("00:00–12:00 · Free")).to_be_visible()
    expect(page.get_by_text("12:30–23:30 · Free, 11 hours")).to_be_visible()
    other = sign_in_as("weiss")
    expect(other.get_by_role("heading", name="Today")).to_be_visible()
    expect(other.get_by_text("Ada Okafor")).to_have_count(0)


def test_reception_writes_somebody_down_books_and_overbooks(
    sign_in_as: SignInAs, clinic: Engine, residents: Residents, address: str
) -> None:
    page = sign_in_as("rita")
    page.goto(f"{address}/book_for_patient")
    page.get_by_text("New patient").click()
    page.get_by_label("Full name").fill("Zoë Übel")
    page.locator(".st-key-people_birth [data-type=year]").click()
    page.keyboard.type("19900215")
    page.get_by_label("Mobile phone").fill("0151 23456789")
    page.get_by_role("button", name="Add patient").click()
    expect(page.get_by_text("Patient added.")).to_be_visible()
    expect(page.get_by_text("born 15 Feb 1990")).to_be_visible()
    expect(page.get_by_text("+49 1512 3456789")).to_be_visible()
    press_day(page)
    time_button(page, "10:00")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("Booked for Zoë Übel.")).to_be_visible()
    expect(page.get_by_text("10:00–10:30")).to_be_visible()
    page.get_by_text("Overbook: a time that is already taken").click()
    settle(page)
    expect(page.get_by_label("Reason")).to_be_visible()
    page.get_by_role("button", name="Overbook", exact=True).click()
    expect(page.get_by_text("Please give a reason.")).to_be_visible()


def test_a_calendar_file_reaches_its_owner_only(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    visit_id = book_in_database(clinic, residents, residents.ada_id, ten_o_clock())
    ada, ben = sign_in_as("ada"), sign_in_as("ben")
    path = f"{address}/files/appointments/{visit_id}.ics"
    own = ada.request.get(path)
    assert own.status == 200
    assert own.headers["cache-control"] == "no-store"
    assert "BEGIN:VTIMEZONE" in own.text()
    assert ben.request.get(path).status == 404
    ada.get_by_role("button", name="Sign out").click()
    expect(ada.get_by_label("User name")).to_be_visible()
    assert ada.request.get(path).status == 401


def test_a_reload_stays_signed_in_and_signing_out_ends_the_session_on_the_server(
    sign_in_by_form: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    page = sign_in_by_form("ben")
    page.reload()
    expect(page.get_by_text("Ben Sato")).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["__Host-sid"]["httpOnly"]
    assert cookies["__Host-sid"]["secure"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    page.context.add_cookies([cookies["__Host-sid"]])
    page.goto(address)
    expect(page.get_by_label("User name")).to_be_visible()


def test_a_link_followed_while_signed_out_leads_there_after_signing_in(
    chromium: Browser, address: str, residents: Residents
) -> None:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{address}/doctor?doctor={residents.roth_id}&service={residents.checkup_id}")
    expect(page.get_by_text("Please sign in to see this page.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Dr. Eva Roth")).to_be_visible(timeout=20_000)
    assert page.url.endswith(f"/doctor?doctor={residents.roth_id}&service={residents.checkup_id}")
    context.close()


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil.example"])
def test_signing_in_never_leads_to_another_site(chromium: Browser, address: str, to: str) -> None:
    context = chromium.new_context()
    answer = context.request.get(f"{address}/session/start", params={"to": to}, max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    context.close()


def test_a_wrong_password_gets_one_sentence(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That user name and password do not go together.")).to_be_visible()
    page.close()


def test_an_unexpected_error_shows_a_number_and_nothing_else(
    chromium: Browser, database: Engine, tmp_path: Path
) -> None:
    with unit_of_work(database) as session:
        portal.settle_in(session)
    log = tmp_path / "log"
    with portal.running(database, log) as url:
        with database.begin() as connection:
            connection.execute(text("ALTER TABLE settings RENAME TO gone"))
        page = chromium.new_page()
        page.goto(url)
        expect(page.get_by_text("Something went wrong")).to_be_visible(timeout=20_000)
        advice = page.get_by_text("tell reception this number").inner_text()
        shown = page.inner_text("body")
        page.close()
    assert "settings" not in shown
    assert "Traceback" not in shown
    reference = advice.rpartition(" ")[2]
    assert f"Reference {reference}" in log.read_text()
    assert "UndefinedTable" in log.read_text()
    assert "does not exist" not in log.read_text(), "messages of errors carry values"
