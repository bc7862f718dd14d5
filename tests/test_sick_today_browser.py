"""A doctor is sick today, as a new receptionist goes about it in a browser; and a patient with the link."""

from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import choice_links, clinics, clock, strandings
from db.models import (
    Appointment,
    AppointmentEvent,
    ChoiceLink,
    ChoiceTime,
    Doctor,
    Notification,
    Patient,
    Service,
    Specialty,
    TimeOff,
    doctor_specialties,
)
from db.session import unit_of_work
from tests import browsers, make
from tests.browsers import SignInAs
from tests.portal import Residents

pytestmark = browsers.NEEDED
CLICKS = 5  # from the board until nobody is left waiting, with however many visits
VISITS = 4


class Counted:
    """A person's mouse: every press goes through here."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def press(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        self.clicks += 1
        if role in {"link", "button"}:  # a list that is open closes when the page is left alone
            browsers.settle(self.page)


@pytest.fixture
def visits(clinic: Engine, residents: Residents) -> list[int]:
    """This afternoon's with Dr. Roth, whose colleague Dr. Weiß has the same specialty."""
    with unit_of_work(clinic) as session:
        for table in (ChoiceTime, ChoiceLink, Notification, AppointmentEvent, Appointment, TimeOff):
            session.execute(table.__table__.delete())
        known = session.scalar(select(Specialty).where(Specialty.name == "General medicine"))
        if known is None:
            known = Specialty(name="General medicine")
            session.add(known)
            session.flush()
            for doctor_id in (residents.roth_id, residents.weiss_id):
                values = {"doctor_id": doctor_id, "specialty_id": known.id}
                session.execute(doctor_specialties.insert().values(values))
        make.clinic(session, time_zone=_where_it_is_ten())
        midnight = datetime.combine(_today(session), time(), clinics.zone(session))
        doctor = session.get_one(Doctor, residents.roth_id)
        checkup = session.get_one(Service, residents.checkup_id)
        ada = session.get_one(Patient, residents.ada_id)
        return [
            make.appointment(
                session,
                doctor,
                checkup,
                midnight + timedelta(hours=14, minutes=30 * number),
                **({"patient": ada} if number == 0 else {}),
            ).id
            for number in range(VISITS)
        ]


def _where_it_is_ten() -> str:
    """A zone in which it is between ten and eleven in the morning, whenever the test is run."""
    east = 10 - clock.now().hour
    east += 24 if east < -11 else 0
    return f"Etc/GMT{-east:+d}"  # its sign is the other way round


def _today(session: Session) -> date:
    return clock.now().astimezone(clinics.zone(session)).date()


def waiting(clinic: Engine) -> set[int]:
    with Session(clinic) as session:
        return set(strandings.find(session, is_all_day=True))


def test_a_new_receptionist_notes_a_sick_doctor_and_settles_the_day_in_five_clicks(
    clinic: Engine, residents: Residents, visits: list[int], sign_in_as: SignInAs
) -> None:
    page = sign_in_as("rita")
    hand = Counted(page)
    hand.press("button", "A doctor is away")
    hand.press("combobox", "Who?")
    hand.press("option", "Dr. Eva Roth")
    expect(page.get_by_text(f"This leaves {VISITS} visits without hours:")).to_be_visible()
    hand.press("button", f"Note it, then settle {VISITS} visits")
    expect(page.get_by_text(f"{VISITS} visits wait for a decision.")).to_be_visible()
    assert waiting(clinic) == set(visits)
    hand.press("button", f"Move all {VISITS} as shown")
    expect(page.get_by_text(f"{VISITS} of {VISITS} visits are settled.")).to_be_visible()
    expect(page.get_by_text("Every visit lies within its doctor's hours.")).to_be_visible()
    assert waiting(clinic) == set()
    assert hand.clicks == CLICKS
    with Session(clinic) as session:
        told = session.scalar(select(func.count()).where(Notification.kind == "moved"))
        assert told == VISITS, "everybody is told"


def test_a_patient_chooses_another_time_by_the_link_alone(
    clinic: Engine, residents: Residents, visits: list[int], sign_in_as: SignInAs, address: str
) -> None:
    with unit_of_work(clinic) as session:
        doctor = session.get_one(Doctor, residents.roth_id)
        make.time_off(session, doctor, clock.now(), clock.now() + timedelta(hours=26))
    desk = sign_in_as("rita")
    desk.goto(f"{address}/unsettled")
    desk.get_by_role("button", name="Let them choose").last.click()
    expect(desk.get_by_text("1 of 1 patient is asked.")).to_be_visible()
    with Session(clinic) as session:
        link = session.scalars(select(ChoiceLink)).one()
    context = desk.context.browser.new_context(locale="en-GB")  # type: ignore[union-attr]
    page = context.new_page()
    page.goto(f"{address}/choose_time?link={choice_links.token(link.id)}")
    expect(page.get_by_role("heading", name="Choose another time")).to_be_visible()
    for secret in ("Cardiology", "Check-up", "Roth"):
        expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role("button").first.click()
    expect(page.get_by_text("Your visit is on")).to_be_visible()
    page.reload()
    expect(page.get_by_text("This link is no longer valid.")).to_be_visible()
    context.close()
    assert link.appointment_id not in waiting(clinic)
