"""Records in a real Chromium: what a patient adds, the doctor reads."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock
from db.models import (
    AppointmentStatus,
    Attachment,
    Doctor,
    IntakeQuestion,
    NoteRelease,
    NoteVersion,
    Patient,
    Service,
)
from db.models.attachments import AnswerKind
from db.session import unit_of_work
from tests import browsers, make, portal
from tests.browsers import SignInAs, settle
from tests.portal import Residents

pytestmark = browsers.NEEDED
PDF = b"%PDF-1.7\nfindings\n%%EOF"


@pytest.fixture(scope="module")
def residents(clinic: Engine) -> Residents:
    with unit_of_work(clinic) as session:
        return portal.settle_in(session)


@pytest.fixture
def visit_id(clinic: Engine, residents: Residents) -> int:
    """Ada's visit with Dr. Roth in three days, before which something is asked."""
    with unit_of_work(clinic) as session:
        asked = {"position": 1, "question": "What brings you here?", "kind": AnswerKind.TEXT}
        session.add(IntakeQuestion(service_id=residents.checkup_id, is_required=True, **asked))
        return make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            clock.now() + timedelta(days=3),
            patient=session.get_one(Patient, residents.ada_id),
        ).id


@pytest.fixture
def sign_in_as(chromium: Browser, address: str, clinic: Engine) -> Iterator[SignInAs]:
    with browsers.of_people(chromium, address, clinic) as sign_in:
        yield sign_in


def test_what_a_patient_adds_and_answers_is_what_the_doctor_reads(
    sign_in_as: SignInAs,
    address: str,
    clinic: Engine,
    residents: Residents,
    visit_id: int,
    tmp_path: Path,
) -> None:
    findings = tmp_path / "Findings of the hospital.pdf"
    findings.write_bytes(PDF)
    page = sign_in_as("ada")
    complaints = browsers.complaints_of(page)
    page.goto(f"{address}/my_appointments")
    page.get_by_role("link", name="Before the visit: 1 question waits for your answer").click()
    page.get_by_label("What brings you here?").fill("A cough since May")
    page.get_by_role("button", name="Save the answers").click()
    expect(page.get_by_text("Saved. Your doctor reads it at the visit")).to_be_visible()

    page.goto(f"{address}/my_record")
    page.get_by_role("tab", name="Files").click()
    page.locator("input[type=file]").set_input_files(findings)
    settle(page)
    page.get_by_role("button", name="Add to the record").click()
    expect(page.get_by_text("The file is in the record.")).to_be_visible()
    expect(page.get_by_text("Findings of the hospital.pdf")).to_be_visible()  # the tab is still the same
    with Session(clinic) as session:
        file_id = session.scalars(select(Attachment.id)).one()
    expect(page.get_by_role("link", name="Download", exact=True)).to_have_attribute(
        "href", f"/files/attachments/{file_id}"
    )
    assert complaints == []

    page = sign_in_as("roth")
    page.goto(f"{address}/patient_record")
    page.get_by_label("Find a patient").fill("okafor")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ada Okafor").click()
    page.get_by_role("tab", name="Visits").click()
    page.get_by_text("Answers before the visit").click()
    expect(page.get_by_text("A cough since May")).to_be_visible()
    page.get_by_role("tab", name="Files").click()
    expect(page.get_by_text("Findings of the hospital.pdf")).to_be_visible()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download", exact=True).click()
    assert begun.value.suggested_filename == findings.name
    assert begun.value.path().read_bytes() == PDF

    page.get_by_text("Download the history as PDF").click()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download the history").click()
    assert begun.value.path().read_bytes().startswith(b"%PDF-")


def test_a_long_history_is_prepared_in_sight_and_then_downloaded(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    with unit_of_work(clinic) as session:
        doctor, service = (
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
        )
        ben = session.get_one(Patient, residents.ben_id)
        for number in range(8):
            at = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=number + 1)
            visit = make.appointment(
                session, doctor, service, at, patient=ben, status=AppointmentStatus.COMPLETED
            )
            words = {"findings": "word " * 3_900, "number": 1, "signed_at": at, "doctor_id": doctor.id}
            session.add(NoteVersion(appointment_id=visit.id, **words))
            release = {"released_at": at, "released_by_id": doctor.user_id}
            session.add(NoteRelease(appointment_id=visit.id, **release))
    page = sign_in_as("ben")
    page.goto(f"{address}/my_record")
    page.get_by_text("Download the history as PDF").click()
    page.get_by_role("button", name="Prepare the history").click()
    link = page.get_by_role("link", name="Download the history")
    expect(link).to_be_visible(timeout=30_000)
    answer = page.request.get(address + (link.get_attribute("href") or ""))
    assert (answer.status, answer.body()[:5]) == (200, b"%PDF-")
    assert len(answer.body()) > 20_000


@pytest.mark.parametrize(("scheme", "ink"), [("dark", "rgb(111, 195, 202)"), ("light", "rgb(11, 110, 117)")])
def test_what_is_chosen_can_be_read_in_light_and_dark(
    sign_in_as: SignInAs, address: str, scheme: Literal["dark", "light"], ink: str
) -> None:
    page = sign_in_as("ada")
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/my_record")
    page.get_by_text("Download the history as PDF").click()
    expect(page.get_by_role("tab", selected=True).locator("p")).to_have_css("color", ink)
    expect(page.locator("[data-variant=pills][data-selected=true] p").first).to_have_css("color", ink)
