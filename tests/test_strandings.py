"""Visits that the hours no longer cover stay on the list until somebody has decided."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import appointments, overbookings, strandings
from core.errors import AccessDenied
from core.strandings import NotStranded, OtherCauses
from db.models import Appointment, Closure, Location, Room, WeeklyHours
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

WEDNESDAY = date(2026, 6, 3)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    """Everybody, on the Monday before."""
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Wednesday at ten with Dr. Roth, who works then."""
    made = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    assert strandings.find(session) == {}
    return made


def kinds(session: Session, visit: Appointment) -> list[str]:
    causes = strandings.find(session).get(visit.id, ())
    return [cause.partition(":")[0] for cause in causes]


def test_hours_that_are_taken_away_strand_the_visits_in_them(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    rows = select(WeeklyHours).where(WeeklyHours.doctor_id == cast.dr_roth.id, WeeklyHours.weekday == 3)
    for hours in session.scalars(rows).all():
        session.delete(hours)
    assert kinds(session, visit) == ["hours"]
    make.weekly_hours(session, cast.dr_roth, "10:00-10:30", on=[3])
    assert kinds(session, visit) == [], "covered again, to the minute"


@pytest.mark.parametrize(
    ("hours", "is_covered"), [("09:00-10:15", False), ("10:15-12:00", False), ("10:00-10:30", True)]
)
def test_a_visit_is_covered_as_a_whole(
    session: Session, cast: Cast, visit: Appointment, hours: str, is_covered: bool
) -> None:
    make.override(session, cast.dr_roth, WEDNESDAY, hours)
    assert kinds(session, visit) == ([] if is_covered else ["hours"])


def test_time_off_strands_what_it_touches_and_nothing_else(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.time_off(session, cast.dr_roth, on(3, 9), on(3, 10))
    make.time_off(session, cast.dr_weiss, on(3, 9), on(3, 11))
    assert kinds(session, visit) == []
    make.time_off(session, cast.dr_roth, on(3, 10, 29), on(3, 12))
    assert kinds(session, visit) == ["away"]


def test_a_doctor_a_service_a_place_and_a_room_that_close_strand_their_visits(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    room = make.room(session)
    visit.room_id = room.id
    for thing, cause in (
        (cast.dr_roth, "doctor"),
        (cast.checkup, "service"),
        (room, "room"),
        (session.get_one(Location, visit.location_id), "hours"),
    ):
        thing.is_active = False
        assert kinds(session, visit) == [cause]
        thing.is_active = True
    assert kinds(session, visit) == []


def test_a_holiday_strands_what_weekly_hours_cover_and_not_the_hours_of_the_date(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    session.add(Closure(on_date=WEDNESDAY, name="Works outing"))
    assert kinds(session, visit) == ["closed"]
    make.override(session, cast.dr_roth, WEDNESDAY, "09:00-12:00")
    assert kinds(session, visit) == []


def test_a_place_that_closes_for_a_day_strands_what_is_there(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    other = make.location(session)
    session.add(Closure(on_date=WEDNESDAY, name="Painters", location_id=other.id))
    assert kinds(session, visit) == []
    session.add(Closure(on_date=WEDNESDAY, name="Painters", location_id=visit.location_id))
    assert kinds(session, visit) == ["closed"]


def test_hours_at_another_place_do_not_cover_a_visit(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    other = make.location(session)
    make.override(session, cast.dr_roth, WEDNESDAY, "09:00-17:00", location_id=other.id)
    assert kinds(session, visit) == ["hours"]


def test_only_what_is_ahead_and_live_is_on_the_list(session: Session, cast: Cast, visit: Appointment) -> None:
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11), status="cancelled")
    make.appointment(session, cast.dr_roth, cast.checkup, NOW - timedelta(days=5))
    hold = {"status": "pending", "hold_expires_at": NOW + timedelta(minutes=10)}
    pending = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 12), **hold)
    cast.dr_roth.is_active = False
    assert set(strandings.find(session)) == {visit.id, pending.id}
    with time_is(on(3, 10)):
        assert set(strandings.find(session)) == {pending.id}


@pytest.mark.parametrize("on_date", [date(2026, 3, 29), date(2026, 10, 25)], ids=["forward", "back"])
def test_closing_time_is_the_clocks_on_days_they_change(session: Session, cast: Cast, on_date: date) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    closes = datetime.combine(on_date, time(3, 30), berlin).astimezone(ZoneInfo("UTC"))
    for doctor in (cast.dr_roth, cast.dr_weiss):
        make.override(session, doctor, on_date, "00:30-03:30")
    within = make.appointment(session, cast.dr_roth, cast.checkup, closes - timedelta(minutes=30))
    beyond = make.appointment(session, cast.dr_weiss, cast.checkup, closes - timedelta(minutes=29))
    with time_is(datetime(2026, 3, 1, 8, tzinfo=berlin)):
        assert set(strandings.find(session)) == {beyond.id}
    assert within.ends_at == closes


def test_a_visit_that_is_kept_leaves_the_list_until_something_else_happens(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.override(session, cast.dr_roth, WEDNESDAY, "14:00-16:00")
    [stranded] = strandings.waiting(session, cast.desk).shown
    assert (stranded.visit.id, stranded.kinds) == (visit.id, ["hours"])
    strandings.keep(
        session, cast.desk, appointment_id=visit.id, reason="She comes in for it.", causes=stranded.causes
    )
    assert strandings.waiting(session, cast.desk).shown == []
    make.time_off(session, cast.dr_roth, on(3, 9), on(3, 11))
    assert kinds(session, visit) == ["hours", "away"], "on that nobody has decided"


def test_a_kept_visit_is_on_the_list_again_when_the_day_changes_or_the_visit_moves(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    for hours in ("14:00-16:00", "17:00-18:00"):
        make.override(session, cast.dr_roth, WEDNESDAY, hours)
        assert kinds(session, visit) == ["hours"]
        causes = strandings.find(session)[visit.id]
        strandings.keep(session, cast.desk, appointment_id=visit.id, reason="Agreed.", causes=causes)
        assert kinds(session, visit) == []
    visit.time_version += 1
    assert kinds(session, visit) == ["hours"]


def test_what_has_changed_since_it_was_shown_is_not_kept(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with pytest.raises(NotStranded):
        strandings.keep(session, cast.desk, appointment_id=visit.id, reason="Agreed.", causes=("doctor",))
    cast.dr_roth.is_active = False
    with pytest.raises(OtherCauses):
        strandings.keep(session, cast.desk, appointment_id=visit.id, reason="Agreed.", causes=("hours:",))
    assert kinds(session, visit) == ["doctor"]


def test_patients_decide_nothing_and_doctors_what_is_theirs(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.override(session, cast.dr_roth, WEDNESDAY, "14:00-16:00")
    causes = strandings.find(session)[visit.id]
    visit.patient_id = cast.ada.patient_ids[0]
    for actor in (cast.ada, cast.stranger, cast.weiss):
        with pytest.raises(AccessDenied):
            strandings.keep(session, actor, appointment_id=visit.id, reason="Mine.", causes=causes)
    [shown] = strandings.waiting(session, cast.roth, doctor_id=cast.dr_roth.id).shown
    assert shown.visit.id == visit.id
    strandings.keep(session, cast.roth, appointment_id=visit.id, reason="I am here.", causes=causes)
    assert strandings.find(session) == {}


def test_what_is_overbooked_past_closing_on_purpose_is_decided(session: Session, cast: Cast) -> None:
    make.override(session, cast.dr_roth, WEDNESDAY, "09:00-12:00")
    booked = overbookings.overbook(
        session,
        cast.desk,
        patient_id=cast.ada.patient_ids[0],
        doctor_id=cast.dr_roth.id,
        service_id=cast.checkup.id,
        starts_at=on(3, 11, 45),
        reason="Acute pain",
    )
    assert strandings.find(session) == {}
    make.time_off(session, cast.dr_roth, on(3, 11), on(3, 13))
    assert kinds(session, booked) == ["hours", "away"]


def test_moving_and_calling_off_settle_a_visit(session: Session, cast: Cast, visit: Appointment) -> None:
    other = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))
    make.time_off(session, cast.dr_roth, on(3, 8), on(3, 18))
    assert set(strandings.find(session)) == {visit.id, other.id}
    appointments.reschedule(session, cast.desk, appointment_id=visit.id, starts_at=on(4, 10))
    appointments.cancel(session, cast.desk, appointment_id=other.id, reason="The doctor is ill")
    assert strandings.find(session) == {}


def test_a_closed_room_that_a_visit_does_not_use_means_nothing(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    session.add(Room(location_id=visit.location_id, name="Store", is_active=False))
    assert kinds(session, visit) == []


def test_of_many_that_wait_the_soonest_are_read_of_everybody_or_of_one_doctor(
    session: Session, cast: Cast
) -> None:
    theirs = [make.appointment(session, cast.dr_roth, cast.checkup, on(3, hour)).id for hour in (9, 10, 11)]
    [hers] = [make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 9)).id]
    for doctor in (cast.dr_roth, cast.dr_weiss):
        make.time_off(session, doctor, on(3, 0), on(4, 0))
    everything = strandings.waiting(session, cast.desk, most=2)
    assert (everything.total, [each.visit.id for each in everything.shown]) == (4, [theirs[0], hers])
    assert everything.doctors == {cast.dr_roth.id: "Dr. Eva Roth", cast.dr_weiss.id: "Dr. Jonas Weiß"}
    of_one = strandings.waiting(session, cast.desk, chosen_id=cast.dr_roth.id, most=2)
    assert (of_one.total, [each.visit.id for each in of_one.shown]) == (3, theirs[:2])
    of_nobody = strandings.waiting(session, cast.desk, chosen_id=0)
    assert (of_nobody.total, len(of_nobody.shown)) == (4, 4), "nothing of theirs waits any more"
