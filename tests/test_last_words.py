"""What a page sends that is gone already: kept for whoever may write it, and refused as the page is."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock
from db.models import AuditEntry, Letter, LetterKind, NoteDraft, PrescriptionItem
from db.session import unit_of_work
from pages.front.last_words import MOST_BYTES
from tests import clinical, portal, raw
from tests.portal import SID, Cookies, Residents
from tests.visits import in_the_chair


@pytest.fixture
def visit_id(clinic: Engine, residents: Residents, request: pytest.FixtureRequest) -> int:
    """A visit of its own for each test: they may not lie over each other."""
    here = [each.name for each in request.session.items if each.path == request.node.path]
    number = sorted(here).index(request.node.name)
    return in_the_chair(clinic, residents, minutes_ago=40 * (number + 1))


@pytest.fixture(scope="module")
def roth(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "roth")


def send(address: str, cookies: Cookies, words: Any, **headers: str) -> raw.Answer:
    """Send what is typed, as the page's script does."""
    body = words if isinstance(words, bytes) else json.dumps(words).encode()
    return raw.ask(
        address,
        "/typed",
        cookies,
        method="POST",
        body=body,
        **{"Origin": address, "Content_Type": "application/json"} | headers,
    )


def of_note(visit_id: int, words: str, revision: int = 0, sent: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "form": f"note_{visit_id}",
        "visit": visit_id,
        "revision": revision,
        "fields": clinical.fields(findings=words),
        "sent": [clinical.fields(findings=each) for each in sent],
    }


def kept(clinic: Engine, visit_id: int) -> tuple[str, int]:
    with Session(clinic) as session:
        found = session.scalars(select(NoteDraft).where(NoteDraft.appointment_id == visit_id)).first()
        return (found.fields["findings"], found.revision) if found else ("", 0)


def test_a_note_is_kept_and_told_apart_from_what_another_window_has_typed(
    clinic: Engine, address: str, roth: Cookies, visit_id: int
) -> None:
    answer = send(address, roth, of_note(visit_id, "Lungs"))
    assert (answer.status, answer.content) == (204, b"")
    assert kept(clinic, visit_id) == ("Lungs", 1)
    late = send(address, roth, of_note(visit_id, "Lungs clear"))
    assert (late.status, late.text[:39]) == (409, "This was changed in another window. Wha")
    own = send(address, roth, of_note(visit_id, "Lungs clear", sent=("Lun", "Lungs")))
    assert own.status == 204, "what is kept is what the tab itself has sent"
    assert kept(clinic, visit_id) == ("Lungs clear", 2)
    assert send(address, roth, of_note(visit_id, "x" * 100_000, 2)).status == 204
    assert send(address, roth, of_note(visit_id, "Lungs", 9, sent=("Lungs",))).status == 409


def test_a_prescription_and_a_letter_are_kept(
    clinic: Engine, address: str, roth: Cookies, residents: Residents, visit_id: int
) -> None:
    form = {"visit": visit_id, "revision": 0, "sent": []}
    lines = {"1_drug": "Tea", "1_dose": "1 cup", "2_drug": "", "3_drug": "Coffee"}
    rx = {**form, "form": f"rx_{residents.ada_id}", "fields": lines}
    assert send(address, roth, {**rx, "form": f"rx_{residents.ben_id}"}).status == 403
    assert send(address, roth, rx).status == 204
    assert send(address, roth, {**rx, "fields": lines | {"1_drug": "Milk"}, "sent": [lines]}).status == 204
    with unit_of_work(clinic) as session:
        drugs = select(PrescriptionItem.drug).order_by(PrescriptionItem.position)
        assert session.scalars(drugs).all() == ["Milk", "Coffee"]
        day = clock.now().date()
        letter = Letter(
            patient_id=residents.ada_id,
            doctor_id=residents.roth_id,
            appointment_id=visit_id,
            kind=LetterKind.SICK_NOTE,
            absent_from=day,
            created_at=clock.now(),
            saved_at=clock.now(),
        )
        session.add(letter)
        session.flush()
        number = letter.id
    words = {"addressee": "Her employer", "body": "She is ill"}
    assert send(address, roth, {**form, "form": f"letter_{number}", "fields": words}).status == 204
    with Session(clinic) as session:
        now = session.get_one(Letter, number)
        assert (now.addressee, now.body, now.absent_from) == ("Her employer", "She is ill", day)


def test_nobody_else_writes_it_and_no_other_site_has_it_written(
    clinic: Engine, address: str, roth: Cookies, residents: Residents, visit_id: int
) -> None:
    words = of_note(visit_id, "Written by another")
    for username in ("weiss", "ada", "rita", "albert"):
        assert send(address, portal.signed_in(clinic, username), words).status == 403
    for cookies in ({}, {SID: "made up"}):
        assert send(address, cookies, words).status == 401
    for origin in ("null", "https://elsewhere.example", ""):
        assert send(address, roth, words, Origin=origin).status == 403
    assert kept(clinic, visit_id) == ("", 0)
    with Session(clinic) as session:
        refused = session.scalars(select(AuditEntry.role).where(AuditEntry.object_kind == "refusal")).all()
    assert {"doctor", "patient", "staff", "admin"} <= set(refused)


@pytest.mark.parametrize(
    "change",
    [
        {"form": "note_x"},
        {"form": "user_1"},
        {"form": "note_1; DROP TABLE"},
        {"visit": -1},
        {"visit": "1"},
        {"revision": 10**12},
        {"fields": {"findings": 1}},
        {"fields": None},
        {"sent": [{}] * 4},
        {"more": 1},
    ],
)
def test_what_is_no_form_is_refused(address: str, roth: Cookies, change: dict[str, Any]) -> None:
    answer = send(address, roth, of_note(1, "Hello") | change)
    assert (answer.status, answer.text) == (400, "That cannot be read.")


def test_what_is_no_json_or_too_long_is_refused(address: str, roth: Cookies) -> None:
    for body, status in ((b"", 400), (b"[]", 400), (b"\xff", 400), (b" " * (MOST_BYTES + 1), 413)):
        assert send(address, roth, body).status == status
