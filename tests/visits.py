"""A visit whose patient is in the chair, for tests that type its note in a real browser."""

from datetime import timedelta

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock
from db.models import AppointmentStatus, Doctor, NoteDraft, Patient, Service
from db.session import unit_of_work
from tests import browsers, make
from tests.portal import Residents

SLOWLY = 40  # milliseconds a key


def in_the_chair(clinic: Engine, residents: Residents, minutes_ago: int = 5) -> int:
    """Ada has arrived for a visit with Dr. Roth; its number."""
    with unit_of_work(clinic) as session:
        return make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            clock.now() - timedelta(minutes=minutes_ago),
            patient=session.get_one(Patient, residents.ada_id),
            status=AppointmentStatus.ARRIVED,
        ).id


def open_visit(page: Page, address: str, visit_id: int) -> Locator:
    """Open the page of a visit; the field for the findings."""
    page.goto(f"{address}/visit?visit={visit_id}")
    findings = page.get_by_label("Findings", exact=True)
    expect(findings).to_be_visible(timeout=20_000)
    browsers.settle(page)
    return findings


def kept(clinic: Engine, visit_id: int, part: str = "findings") -> str:
    """What is kept of a part of the note that is being typed, "" where nothing is."""
    with Session(clinic) as session:
        found = session.scalars(select(NoteDraft).where(NoteDraft.appointment_id == visit_id)).first()
        return found.fields[part] if found else ""


def wait_until_kept(page: Page, clinic: Engine, visit_id: int, words: str, seconds: float = 10) -> None:
    for _try in range(int(seconds * 10)):
        if kept(clinic, visit_id) == words:
            return
        page.wait_for_timeout(100)
    assert kept(clinic, visit_id) == words
