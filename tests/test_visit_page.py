"""The page of a visit, without a browser: what each button does, what it refuses, and who may not see it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access import Actor
from db.models import (
    AppointmentStatus,
    Doctor,
    NoteDraft,
    NoteVersion,
    Patient,
    Role,
    Service,
)
from db.session import unit_of_work
from tests import make
from tests.portal import NOON, Residents
from tests.test_pages import HOME, OpenAs, open_as, residents, said, texts  # noqa: F401

pytestmark = pytest.mark.usefixtures("noon_without_cookies")
VISIT = "pages/doctor/visit.py"
Opened = Callable[..., AppTest]


@pytest.fixture
def visit_id(database: Engine, residents: Residents) -> int:  # noqa: F811
    """Ada, who has arrived for a visit with Dr. Roth that has just begun."""
    with unit_of_work(database) as session:
        return _visit(session, residents, residents.ada_id, status=AppointmentStatus.ARRIVED)


def _visit(session: Session, residents: Residents, patient_id: int, **changes: Any) -> int:  # noqa: F811
    return make.appointment(
        session,
        session.get_one(Doctor, changes.pop("doctor_id", residents.roth_id)),
        session.get_one(Service, residents.checkup_id),
        changes.pop("starts_at", NOON - timedelta(minutes=5)),
        patient=session.get_one(Patient, patient_id),
        **changes,
    ).id


@pytest.fixture
def opened(open_as: OpenAs, visit_id: int) -> Opened:  # noqa: F811
    """The page of Ada's visit, as Dr. Roth has it."""

    def open_visit(username: str = "roth", number: int | str = visit_id) -> AppTest:
        return open_as(username, VISIT, visit=str(number))

    return open_visit


def roth(session: Session, residents: Residents) -> Actor:  # noqa: F811
    doctor = session.get_one(Doctor, residents.roth_id)
    return Actor(doctor.user_id, Role.DOCTOR, "Dr. Eva Roth", doctor_id=doctor.id)


def written(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def type_into(app: AppTest, visit_id: int, **parts: str) -> AppTest:
    """Fill fields of the note, as leaving each saves them."""
    for part, words in parts.items():
        fields = app.text_area if part in ("reason", "findings", "assessment", "plan") else app.text_input
        fields(key=f"note_{visit_id}_{part}").set_value(words)
        app.run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def draft_of(database: Engine, visit_id: int) -> dict[str, str]:
    with Session(database) as session:
        kept = session.scalars(select(NoteDraft).where(NoteDraft.appointment_id == visit_id)).first()
        return {name: text for name, text in kept.fields.items() if text} if kept else {}


def versions(database: Engine) -> list[NoteVersion]:
    with Session(database) as session:
        return list(session.scalars(select(NoteVersion).order_by(NoteVersion.number)))


def test_what_is_typed_is_kept_and_stands_there_again_on_another_screen(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    app = type_into(opened(), visit_id, reason="Cough", systolic="120")
    assert draft_of(database, visit_id) == {"reason": "Cough", "systolic": "120"}
    assert "Saved 2:00:00 PM" in written(app) or "Saved 14:00:00" in written(app)
    again = opened()
    assert again.text_area(key=f"note_{visit_id}_reason").value == "Cough"
    assert again.text_input(key=f"note_{visit_id}_systolic").value == "120"
