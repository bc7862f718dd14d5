"""A visit as an .ics file: the right zone, one identity for life, nothing clinical."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar, Event
from sqlalchemy.orm import Session

from core import appointments, calendars
from core.access import Actor
from core.errors import AccessDenied, NotFound
from db.models import Appointment
from tests import make
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is

URL = "https://portal.example.org"


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    return appointments.book(
        session,
        cast.ada,
        patient_id=cast.ada.patient_ids[0],
        doctor_id=cast.dr_roth.id,
        service_id=cast.checkup.id,
        starts_at=on(3, 10),
    )


def exported(session: Session, actor: Actor, visit: Appointment) -> tuple[Calendar, Event]:
    content = calendars.visit_ics(session, actor, appointment_id=visit.id, public_url=URL)
    calendar = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    return calendar, event


def test_it_says_when_where_and_with_whom_in_the_clinics_zone(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    calendar, event = exported(session, cast.ada, visit)
    assert event.decoded("dtstart") == on(3, 10)
    assert event.decoded("dtend") == on(3, 10, 30)
    assert event["dtstart"].params["TZID"] == BERLIN.key
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == BERLIN.key
    assert {part.name for part in zone.subcomponents} == {"STANDARD", "DAYLIGHT"}
    assert str(event["summary"]) == "Visit at Linden Clinic"
    assert "Dr. Eva Roth" in str(event["description"])
    assert "Lindenstraße 1" in str(event["location"])


def test_it_names_no_service_and_no_patient(session: Session, cast: Cast, visit: Appointment) -> None:
    content = calendars.visit_ics(session, cast.ada, appointment_id=visit.id, public_url=URL).decode()
    assert cast.checkup.name not in content
    assert cast.ada.name not in content


def test_a_move_keeps_the_identity_and_counts_up(session: Session, cast: Cast, visit: Appointment) -> None:
    _, before = exported(session, cast.ada, visit)
    appointments.reschedule(session, cast.ada, appointment_id=visit.id, starts_at=on(4, 11))
    _, after = exported(session, cast.ada, visit)
    assert str(after["uid"]) == str(before["uid"])
    assert str(after["uid"]).endswith(f"@{urlsplit(URL).hostname}")
    assert (int(before["sequence"]), int(after["sequence"])) == (0, 1)
    assert after.decoded("dtstart") == on(4, 11)


def test_a_cancelled_visit_takes_itself_out_of_the_calendar(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="ill")
    _, event = exported(session, cast.ada, visit)
    assert (str(event["status"]), int(event["sequence"])) == ("CANCELLED", 1)


def test_wall_time_is_right_on_both_sides_of_a_clock_change(session: Session, cast: Cast) -> None:
    for at in (on(24, 9, month=10), on(26, 9, month=10)):
        late = make.appointment(session, cast.dr_roth, cast.checkup, at)
        _, event = exported(session, cast.desk, late)
        start = event.decoded("dtstart")
        assert (start.hour, start.utcoffset()) == (9, at.utcoffset())
    assert on(24, 9, month=10).utcoffset() - on(26, 9, month=10).utcoffset() == timedelta(hours=1)


def test_owner_doctor_and_desk_may_have_it_and_strangers_may_not(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    for actor in (cast.ada, cast.roth, cast.desk, cast.admin):
        exported(session, actor, visit)
    for actor in (cast.stranger, cast.ben, cast.weiss, cast.guardian):
        with pytest.raises(AccessDenied):
            exported(session, actor, visit)


def test_a_visit_that_is_not_there_is_not_found(session: Session, cast: Cast) -> None:
    with pytest.raises(NotFound):
        calendars.visit_ics(session, cast.ada, appointment_id=0, public_url=URL)
