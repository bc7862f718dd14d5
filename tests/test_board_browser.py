"""The board and the System page in a real browser: they follow by themselves what others do.

What the desk does most is done here as somebody new would, counted in clicks.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from re import Pattern
from typing import Literal
from urllib.parse import urljoin
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock, heartbeats
from db.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    Doctor,
    EventKind,
    Heartbeat,
    Patient,
    PaymentStatus,
    Service,
)
from db.session import unit_of_work
from jobs.table import JOBS
from tests import browsers, make
from tests.browsers import SignInAs
from tests.portal import Residents

pytestmark = browsers.NEEDED
AriaRole = Literal["button", "radio"]


@pytest.fixture
def visit_id(clinic: Engine, residents: Residents) -> Iterator[int]:
    """Ada's with Dr. Roth, which has just begun."""
    with unit_of_work(clinic) as session:
        number = make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            clock.now() - timedelta(minutes=1),
            patient=session.get_one(Patient, residents.ada_id),
        ).id
    yield number
    with unit_of_work(clinic) as session:
        make.empty(session, "appointments")


def open_page(page: Page, address: str, name: str, title: str) -> None:
    page.goto(f"{address}/{name}")
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    browsers.settle(page)


def test_what_one_receptionist_marks_the_doctor_and_the_other_desk_see(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    desk, other = sign_in_as("rita"), sign_in_as("albert")
    for page in (desk, other):
        open_page(page, address, "", "Board")
    desk.get_by_role("button", name="Arrived").dblclick()
    expect(desk.get_by_text("Marked as here.")).to_be_visible()
    expect(other.get_by_text("1 visit, 1 waiting")).to_be_visible(timeout=15_000)
    expect(other.get_by_role("heading", name="Expected 0")).to_be_visible()
    expect(other.get_by_role("button", name="Arrived")).to_have_count(0)
    with Session(clinic) as session:
        kinds = session.scalars(select(AppointmentEvent.kind)).all()
    assert kinds == [EventKind.ARRIVED]
    doctor = sign_in_as("roth")
    doctor.get_by_role("button", name="Done").click()
    expect(doctor.get_by_text("Marked as done.")).to_be_visible()
    expect(desk.get_by_role("heading", name="Done 1")).to_be_visible(timeout=15_000)


class Clicks:
    """A page whose clicks are counted; what is typed is not."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def on(self, name: str | Pattern[str], role: AriaRole = "button") -> None:
        self.page.get_by_role(role, name=name).first.click()
        browsers.settle(self.page)
        self.count += 1

    def search(self, text: str) -> None:
        """Type whom to find into the panel's own field."""
        field = self.page.get_by_label("Find a patient", exact=True)
        field.fill(text)
        field.press("Enter")
        browsers.settle(self.page)


@pytest.fixture
def desk(address: str, sign_in_as: SignInAs) -> Clicks:
    page = sign_in_as("rita")
    expect(page.get_by_role("heading", name="Board", exact=True)).to_be_visible()
    browsers.settle(page)
    return Clicks(page)


@pytest.fixture
def swept(clinic: Engine) -> Iterator[None]:
    """What a test has booked is gone after it."""
    yield
    with unit_of_work(clinic) as session:
        make.empty(session, "appointments")


@pytest.mark.usefixtures("swept")
class TestInClicks:
    def test_a_walk_in_who_is_known_takes_three_clicks_to_the_ticket(
        self, clinic: Engine, desk: Clicks
    ) -> None:
        desk.on("Walk-in or call")
        desk.search("ada ok")
        desk.on(re.compile("Ada Okafor"))
        desk.on(re.compile("Dr. Eva Roth"))
        expect(desk.page.get_by_text("Booked for Ada Okafor.")).to_be_visible()
        expect(desk.page.get_by_role("link", name="Print the ticket")).to_be_visible()
        assert desk.count == 3
        with Session(clinic) as session:
            assert session.scalars(select(Appointment.status)).all() == [AppointmentStatus.ARRIVED]
        link = desk.page.get_by_role("link", name="Print the ticket").get_attribute("href")
        assert link is not None
        ticket = desk.page.request.get(urljoin(desk.page.url, link))
        assert (ticket.status, ticket.body()[:5]) == (200, b"%PDF-")

    def test_a_walk_in_who_is_new_takes_three_clicks_too(self, clinic: Engine, desk: Clicks) -> None:
        desk.on("Walk-in or call")
        desk.search("Nora Neumann")
        expect(desk.page.get_by_label("Full name")).to_have_value("Nora Neumann")
        desk.page.get_by_role("spinbutton").first.click()
        desk.page.keyboard.type("19900304")
        browsers.settle(desk.page)
        desk.on("Add patient")
        desk.on(re.compile("Dr. Eva Roth"))
        expect(desk.page.get_by_text("Booked for Nora Neumann.")).to_be_visible()
        assert desk.count == 3

    def test_a_booking_on_the_phone_takes_three_clicks(self, clinic: Engine, desk: Clicks) -> None:
        field = desk.page.get_by_placeholder("Patient: name")
        field.fill("Ben")
        field.press("Enter")
        expect(desk.page.get_by_role("heading", name="Book for a patient")).to_be_visible()
        browsers.settle(desk.page)
        desk.on(re.compile("Ben Sato"))
        desk.on(re.compile(r"^\d\d:\d0$"), role="radio")
        desk.on("Book")
        expect(desk.page.get_by_text("Booked for Ben Sato.")).to_be_visible()
        assert desk.count == 3

    def test_checking_in_and_taking_the_payment_takes_three_clicks(
        self, clinic: Engine, visit_id: int, desk: Clicks
    ) -> None:
        desk.page.reload()
        expect(desk.page.get_by_text("Ada Okafor")).to_be_visible()
        browsers.settle(desk.page)
        desk.on("Arrived")
        expect(desk.page.get_by_role("heading", name="Waiting 1")).to_be_visible()
        expect(desk.page.get_by_role("heading", name="Expected 0")).to_be_visible()
        browsers.settle(desk.page)  # nobody looks for the card of who waits before it stands there
        desk.on(re.compile("More$"))  # the menu has some "more" too
        desk.on("Taken in cash")
        expect(desk.page.get_by_text("Taken: €60.00")).to_be_visible()
        assert desk.count == 3
        with Session(clinic) as session:
            visit = session.get_one(Appointment, visit_id)
        assert (visit.status, visit.payment_status) == (AppointmentStatus.ARRIVED, PaymentStatus.PAID)


def test_what_is_opened_from_far_down_the_board_is_in_sight(
    clinic: Engine, residents: Residents, visit_id: int, desk: Clicks
) -> None:
    with unit_of_work(clinic) as session:
        doctor, service = (
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
        )
        for _number in range(5):
            make.appointment(session, doctor, service, clock.now(), overbook_reason="many have come")
    desk.page.set_viewport_size({"width": 390, "height": 700})
    desk.page.reload()
    buttons = desk.page.get_by_test_id("stMain").get_by_role("button", name=re.compile("More$"))
    expect(buttons).to_have_count(6)
    browsers.settle(desk.page)
    for number in (5, 4):
        buttons.nth(number).click()
        heading = desk.page.get_by_role("heading", name="Visit", exact=True)
        expect(heading).to_be_in_viewport()
        browsers.settle(desk.page)
        expect(heading).to_be_in_viewport()
    desk.page.mouse.wheel(0, 2000)
    expect(heading).not_to_be_in_viewport()
    desk.page.wait_for_timeout(6_000)  # the board looks for changes meanwhile
    expect(heading).not_to_be_in_viewport()


def test_what_is_typed_and_not_sent_stays_while_the_board_follows(
    clinic: Engine, residents: Residents, visit_id: int, desk: Clicks
) -> None:
    desk.on("Walk-in or call")
    field = desk.page.get_by_label("Find a patient", exact=True)
    field.press_sequentially("ada o")
    with unit_of_work(clinic) as session:
        session.get_one(Appointment, visit_id).attending_at = clock.now()
    expect(desk.page.get_by_text("Says they come")).to_be_visible(timeout=15_000)
    expect(field).to_have_value("ada o")
    expect(field).to_be_focused()


def test_the_system_page_turns_red_and_green_by_itself(
    clinic: Engine, address: str, sign_in_as: SignInAs
) -> None:
    now, lease, job = clock.now(), uuid4(), JOBS[0]
    with unit_of_work(clinic) as session:
        for row in session.scalars(select(Heartbeat)):
            row.started_at = row.finished_at = now
    page = sign_in_as("albert")
    open_page(page, address, "system", "System")
    expect(page.get_by_text("Everything runs.")).to_be_visible()
    with unit_of_work(clinic) as session:
        heartbeats.take(session, name=job.name, every=job.every, length=job.lease, lease=lease)
        heartbeats.fail(session, name=job.name, lease=lease, error=RuntimeError("Ada Okafor"))
    expect(page.get_by_text("1 job is failing.")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("RuntimeError")).to_be_visible()
    with unit_of_work(clinic) as session:
        session.get_one(Heartbeat, job.name).failures = 0
    expect(page.get_by_text("Everything runs.")).to_be_visible(timeout=15_000)
