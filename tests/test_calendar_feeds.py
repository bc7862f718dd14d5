"""A doctor's visits behind a secret address: initials and times, right across clock changes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import calendar_feeds
from core.access import Actor
from core.calendar_feeds import MOST, PAST, TooManyFeeds
from core.calendars import initials
from core.errors import AccessDenied
from db.models import AppointmentStatus, CalendarFeed, Doctor, Patient, Role, Service
from db.session import unit_of_work
from tests import make, raw
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is
from tests.portal import Residents

URL = "https://portal.example.org"


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def token(session: Session, cast: Cast) -> str:
    return calendar_feeds.make(session, cast.roth, doctor_id=cast.dr_roth.id)


def read(session: Session, token: str) -> Calendar | None:
    content = calendar_feeds.read(session, token=token, public_url=URL)
    return None if content is None else Calendar.from_ical(content)


def starts(session: Session, token: str) -> list[object]:
    calendar = read(session, token)
    assert calendar is not None
    return [event.decoded("dtstart") for event in calendar.walk("VEVENT")]


def test_it_tells_initials_times_and_places_and_neither_names_nor_services(
    session: Session, cast: Cast, token: str
) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    room = make.room(session, name="Room 7")
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada, room_id=room.id)
    make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 11))
    content = calendar_feeds.read(session, token=token, public_url=URL)
    assert content is not None
    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert (str(event["summary"]), event.decoded("dtstart")) == ("A. O.", on(3, 10))
    assert str(event["location"]) == "Main house, Room 7"
    words = content.decode().replace("\r\n ", "")
    assert not [word for word in ("Ada", "Okafor", cast.checkup.name) if word in words]


@pytest.mark.parametrize(
    ("name", "short"), [("Ada Okafor", "A. O."), ("Ana María de la Paz", "A. P."), ("Pelé", "P."), ("", "")]
)
def test_initials_are_those_of_the_first_word_and_the_last(name: str, short: str) -> None:
    assert initials(name) == short


def test_it_reaches_thirty_days_back_and_leaves_out_what_was_called_off(
    session: Session, cast: Cast, token: str
) -> None:
    assert starts(session, token) == []
    kept = [on(2, 9, month=5), on(3, 9), on(1, 9, month=8)]
    for at in [*kept, NOW - PAST - timedelta(days=1)]:
        make.appointment(session, cast.dr_roth, cast.checkup, at)
    for state in (AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW, AppointmentStatus.EXPIRED):
        make.appointment(session, cast.dr_roth, cast.checkup, on(4, 9), status=state)
    assert starts(session, token) == kept


def test_wall_time_is_right_on_both_sides_of_a_clock_change(session: Session, cast: Cast, token: str) -> None:
    both = [on(24, 9, month=10), on(26, 9, month=10)]
    for at in both:
        make.appointment(session, cast.dr_roth, cast.checkup, at)
    calendar = read(session, token)
    assert calendar is not None
    read_back = [event.decoded("dtstart") for event in calendar.walk("VEVENT")]
    assert [(at.hour, at.utcoffset()) for at in read_back] == [(9, at.utcoffset()) for at in both]
    [zone] = calendar.walk("VTIMEZONE")
    assert (zone["TZID"], {part.name for part in zone.subcomponents}) == (
        BERLIN.key,
        {"STANDARD", "DAYLIGHT"},
    )


def test_once_ended_it_reads_nothing_and_others_go_on(session: Session, cast: Cast, token: str) -> None:
    other = calendar_feeds.make(session, cast.roth, doctor_id=cast.dr_roth.id)
    newest, older = calendar_feeds.listed(session, cast.roth, doctor_id=cast.dr_roth.id)
    calendar_feeds.revoke(session, cast.roth, feed_id=older.id)
    assert read(session, token) is None
    assert read(session, other) is not None
    assert calendar_feeds.listed(session, cast.roth, doctor_id=cast.dr_roth.id) == [newest]


def test_who_has_left_or_is_no_doctor_any_more_reads_nothing(
    session: Session, cast: Cast, token: str
) -> None:
    account = cast.dr_roth.user
    for row, name, value in (
        (account, "is_active", False),
        (account, "role", Role.STAFF),
        (cast.dr_roth, "is_active", False),
    ):
        before = getattr(row, name)
        setattr(row, name, value)
        session.flush()
        assert read(session, token) is None
        setattr(row, name, before)
        session.flush()
    assert read(session, token) is not None


def test_only_the_hash_of_a_secret_is_kept_and_a_wrong_one_reads_nothing(
    session: Session, token: str
) -> None:
    [feed] = session.scalars(select(CalendarFeed))
    assert token.encode() not in feed.token_hash
    assert read(session, token[:-1]) is None
    assert read(session, "") is None


def test_the_last_reading_is_noted_and_not_at_every_poll(session: Session, cast: Cast, token: str) -> None:
    [feed] = calendar_feeds.listed(session, cast.roth, doctor_id=cast.dr_roth.id)
    assert feed.last_read_at is None
    for minutes, noted in ((0, 0), (4, 0), (6, 6)):
        with time_is(NOW + timedelta(minutes=minutes)):
            read(session, token)
        assert feed.last_read_at == NOW + timedelta(minutes=noted)


def test_there_are_a_few_at_once_at_most(session: Session, cast: Cast, token: str) -> None:
    for _more in range(MOST - 1):
        calendar_feeds.make(session, cast.roth, doctor_id=cast.dr_roth.id)
    with pytest.raises(TooManyFeeds):
        calendar_feeds.make(session, cast.roth, doctor_id=cast.dr_roth.id)


def test_an_address_is_its_doctors_alone(session: Session, cast: Cast, token: str) -> None:
    [feed] = calendar_feeds.listed(session, cast.roth, doctor_id=cast.dr_roth.id)
    for actor in (cast.weiss, cast.desk, cast.admin, cast.ada):
        for refused in (calendar_feeds.listed, calendar_feeds.make):
            with pytest.raises(AccessDenied):
                refused(session, actor, doctor_id=cast.dr_roth.id)
        with pytest.raises(AccessDenied):
            calendar_feeds.revoke(session, actor, feed_id=feed.id)


def test_a_calendar_program_reads_it_without_a_session_until_it_is_ended(
    address: str, clinic: Engine, residents: Residents
) -> None:
    with unit_of_work(clinic) as session:
        doctor = session.get_one(Doctor, residents.roth_id)
        actor = Actor(doctor.user_id, Role.DOCTOR, "Dr. Eva Roth", doctor_id=doctor.id)
        patient = session.get_one(Patient, residents.ada_id)
        service = session.get_one(Service, residents.checkup_id)
        make.appointment(session, doctor, service, on(3, 10, month=6), patient=patient)
        token = calendar_feeds.make(session, actor, doctor_id=doctor.id)
        [feed] = calendar_feeds.listed(session, actor, doctor_id=doctor.id)
    answer = raw.ask(address, f"/feeds/{token}.ics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert b"BEGIN:VCALENDAR" in answer.content
    with unit_of_work(clinic) as session:
        calendar_feeds.revoke(session, actor, feed_id=feed.id)
    ended, never = raw.ask(address, f"/feeds/{token}.ics"), raw.ask(address, "/feeds/nobodys.ics")
    assert (ended.status, ended.content) == (never.status, never.content)
    assert (ended.status, ended.content) == (404, b"That is not here any more.")
