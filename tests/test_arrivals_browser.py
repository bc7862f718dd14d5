"""Arrivals and the System page in a real browser: they follow by themselves what others do."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock, heartbeats
from db.models import Appointment, AppointmentEvent, Doctor, EventKind, Heartbeat, Patient, Service
from db.session import unit_of_work
from jobs.table import JOBS
from tests import browsers, make
from tests.browsers import SignInAs
from tests.portal import Residents

pytestmark = browsers.NEEDED


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
        session.execute(AppointmentEvent.__table__.delete())
        session.delete(session.get_one(Appointment, number))


def open_page(page: Page, address: str, name: str, title: str) -> None:
    page.goto(f"{address}/{name}")
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    browsers.settle(page)


def test_what_one_receptionist_marks_the_doctor_and_the_other_desk_see(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    desk, other = sign_in_as("rita"), sign_in_as("albert")
    for page in (desk, other):
        open_page(page, address, "arrivals", "Arrivals")
    desk.get_by_role("button", name="Arrived").dblclick()
    expect(desk.get_by_text("Marked as here.")).to_be_visible()
    expect(other.get_by_text("1 visit, 1 waiting")).to_be_visible(timeout=15_000)
    with Session(clinic) as session:
        kinds = session.scalars(select(AppointmentEvent.kind)).all()
    assert kinds == [EventKind.ARRIVED]
    doctor = sign_in_as("roth")
    doctor.get_by_role("button", name="Done").click()
    expect(doctor.get_by_text("Marked as done.")).to_be_visible()
    expect(desk.get_by_text("Completed")).to_be_visible(timeout=15_000)


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
