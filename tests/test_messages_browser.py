"""The whole story in a real Chromium: booked, told by text, answered, seen at the desk, and offered on.

The portal, the jobs process and the stand-in for Twilio run as they do in a clinic; only that the jobs come
round sooner, and that the three minutes of grace are not waited for.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from datetime import time as wall

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core import clock
from core.twilio_sms import INBOUND_PATH, STATUS_PATH
from db.models import Appointment, AppointmentStatus, Patient, User, WaitlistEntry
from db.session import unit_of_work
from tests import browsers, make, phones, portal
from tests.browsers import SignInAs, settle
from tests.jobs_running import running_jobs
from tests.payment_sandbox import PaymentSandbox, running
from tests.phones import Phones
from tests.portal import Residents
from tests.test_browser import open_doctor, press_day, time_button
from tests.test_launch import free_port

pytestmark = browsers.NEEDED
ADA, BEN = "+4930111111", "+4930222222"
TEN = "10:00"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentSandbox]:
    with running(tmp_path_factory.mktemp("stand-in")) as made:
        yield made


@pytest.fixture(scope="module")
def carrier(stand_in: PaymentSandbox) -> Phones:
    return phones.emptied(stand_in)


@pytest.fixture(scope="module")
def address(
    clinic: Engine,
    residents: Residents,
    carrier: Phones,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    with unit_of_work(clinic) as session:
        make.clinic(session, quiet_from=wall(23, 59), quiet_until=wall(0))
        for username, number in (("ada", ADA), ("ben", BEN)):
            account = session.scalars(select(User).where(User.username == username)).one()
            account.phone, account.sms_consent_at = number, clock.now()
            patient = session.scalars(select(Patient).where(Patient.user_id == account.id)).one()
            patient.phone = number
    log, port = tmp_path_factory.mktemp("portal") / "log", free_port()
    texting = carrier.environment()
    with portal.running(clinic, log, port=port, **texting) as url, jobs_of(clinic, url, texting):
        carrier.set_webhooks(f"{url}{STATUS_PATH}", f"{url}{INBOUND_PATH}")
        yield url
    portal.require_quiet(log, (ADA, BEN))


@contextmanager
def jobs_of(clinic: Engine, url: str, texting: dict[str, str]) -> Iterator[None]:
    """The jobs process of a clinic, stopped at the end of the block; it logs no error and nobody's number."""
    database = clinic.url.render_as_string(hide_password=False)
    with running_jobs("busy", DATABASE_URL=database, PUBLIC_URL=url, **texting) as jobs:
        yield
    said = "\n".join(jobs.lines)
    assert ADA not in said
    assert "Traceback" not in said, said


@pytest.fixture
def phone_page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def without_grace(clinic: Engine) -> None:
    """Let the three minutes be over that a message waits for a quick change."""
    with unit_of_work(clinic) as session:
        session.execute(text("UPDATE notifications SET send_after = now() WHERE status = 'pending'"))


def wishes(clinic: Engine, residents: Residents, on: date) -> None:
    """Ben waits for ten to half past with Dr. Roth that day."""
    with unit_of_work(clinic) as session:
        session.add(
            WaitlistEntry(
                patient_id=residents.ben_id,
                service_id=residents.checkup_id,
                doctor_id=residents.roth_id,
                from_on=on,
                until_on=on,
                weekdays=[on.isoweekday()],
                from_time=wall(10),
                until_time=wall(10, 30),
                created_at=clock.now(),
            )
        )


def visits(clinic: Engine) -> dict[int, AppointmentStatus]:
    """The states of the visits, by patient."""
    with Session(clinic) as session:
        return dict(session.execute(select(Appointment.patient_id, Appointment.status)).all())  # type: ignore[arg-type]


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_from_the_booking_to_the_next_in_line(
    clinic: Engine,
    residents: Residents,
    carrier: Phones,
    address: str,
    sign_in_as: SignInAs,
    phone_page: Page,
) -> None:
    ada = sign_in_as("ada")
    open_doctor(ada, address, residents)
    press_day(ada)
    time_button(ada, TEN)
    settle(ada)
    ada.get_by_role("button", name="Book this time").click()
    wait_for(lambda: visits(clinic).get(residents.ada_id) is AppointmentStatus.CONFIRMED)
    without_grace(clinic)

    phone_page.goto(f"{carrier.sandbox.url}/phones/{ADA}")
    expect(phone_page.locator(".bubble").get_by_text("you are booked for")).to_be_visible(timeout=30_000)
    phone_page.get_by_role("button", name="C", exact=True).click()
    expect(phone_page.locator(".bubble").get_by_text("thank you. We expect you")).to_be_visible(
        timeout=60_000
    )

    desk = sign_in_as("rita")
    desk.goto(f"{address}/book_for_patient")
    expect(desk.get_by_role("heading", name="Book for a patient")).to_be_visible()
    settle(desk)
    desk.get_by_label("Find a patient").fill("Okafor")
    desk.keyboard.press("Enter")
    desk.get_by_role("button", name="Ada Okafor").click()
    expect(desk.get_by_text("Attendance confirmed.")).to_be_visible()

    with Session(clinic) as session:
        starts_at = session.scalars(
            select(Appointment.starts_at).where(Appointment.patient_id == residents.ada_id)
        ).one()
    wishes(clinic, residents, starts_at.date())
    ada.goto(f"{address}/my_appointments")
    ada.get_by_role("button", name="Cancel", exact=True).click()
    ada.get_by_label("Why?").click()
    ada.get_by_role("option", name="I am better").click()
    ada.get_by_role("button", name="Cancel this visit").click()
    expect(ada.get_by_text("Cancelled. The time is free")).to_be_visible()

    phone_page.goto(f"{carrier.sandbox.url}/phones/{BEN}")
    expect(phone_page.locator(".bubble").get_by_text("is free. Answer Y")).to_be_visible(timeout=60_000)
    phone_page.get_by_role("button", name="Y", exact=True).click()
    wait_for(lambda: visits(clinic).get(residents.ben_id) is AppointmentStatus.CONFIRMED)
    assert visits(clinic)[residents.ada_id] is AppointmentStatus.CANCELLED
