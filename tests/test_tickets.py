"""The slip that somebody waits with: when, with whom and where, and nobody's full name."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from core import tickets
from core.errors import AccessDenied
from db.models import Appointment, Patient
from tests import make, papers
from tests.cast import NOW, Cast, assemble, on, time_is


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    room = make.room(session, name="Room 2")
    return make.appointment(session, cast.dr_roth, cast.checkup, on(1, 10), patient=ada, room_id=room.id)


@papers.needs_poppler
def test_it_says_all_that_is_needed_in_the_waiting_room(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    said = papers.text_of(tickets.to_print(session, cast.desk, appointment_id=visit.id).as_pdf())
    for wanted in (f"Ticket {visit.id}", "A. O.", "10:00", "Dr. Eva Roth", "Room 2", "Linden Clinic"):
        assert wanted in said
    assert "Okafor" not in said


def test_it_is_for_the_desk_and_whose_visit_it_is(session: Session, cast: Cast, visit: Appointment) -> None:
    assert tickets.to_print(session, cast.ada, appointment_id=visit.id)
    for actor in (cast.ben, cast.stranger, cast.weiss):
        with pytest.raises(AccessDenied):
            tickets.to_print(session, actor, appointment_id=visit.id)


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Ada Okafor", "A. O."), ("Zoë", "Z."), ("ida von der Au", "I. V. D. A."), ("張偉", "張."), ("3", "")],
)
def test_initials_are_the_first_letters_of_a_names_words(name: str, initials: str) -> None:
    assert tickets.initials(name) == initials
