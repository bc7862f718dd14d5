"""A visit without hours stays on the list until it is settled, whatever the hours say after its day."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core import arrivals, diary_changes, missed_visits, placements, settlements, stranding_watch, strandings
from core.choices import IsHere, offer_choice
from db.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    Heartbeat,
    Location,
    StrandedVisit,
    TimeOff,
    WeeklyHours,
)
from db.session import unit_of_work
from tests import make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is

Change = Callable[[Session, Cast, Appointment], None]


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    """Everybody, on the Monday before."""
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Wednesday at ten with Dr. Roth, on a day on which the desk notes who comes."""
    seen = make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 9))
    with time_is(on(3, 9)):
        arrivals.complete(session, cast.desk, appointment_id=seen.id)
    return make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))


def watched(session: Session, at: datetime) -> int:
    with time_is(at):
        return stranding_watch.note(session)


def listed(session: Session, at: datetime) -> set[int]:
    with time_is(at):
        return set(strandings.find(session, is_all_day=True))


def shortened(session: Session, cast: Cast, _visit: Appointment) -> None:
    """Wednesdays begin in the afternoon."""
    rows = select(WeeklyHours).where(WeeklyHours.doctor_id == cast.dr_roth.id, WeeklyHours.weekday == 3)
    for hours in session.scalars(rows).all():
        session.delete(hours)
    make.weekly_hours(session, cast.dr_roth, "14:00-18:00", on=[3])


def left(session: Session, cast: Cast, _visit: Appointment) -> None:
    cast.dr_roth.is_active = False
    session.flush()


def given_up(session: Session, _cast: Cast, visit: Appointment) -> None:
    session.get_one(Location, visit.location_id).is_active = False
    session.flush()


CHANGES: list[Change] = [shortened, left, given_up]


@pytest.mark.parametrize("change", CHANGES)
def test_a_visit_left_over_before_its_hour_stays_until_it_is_settled(
    session: Session, cast: Cast, visit: Appointment, change: Change
) -> None:
    change(session, cast, visit)
    assert watched(session, on(3, 9)) == 1
    assert watched(session, on(3, 9)) == 0, "noted already"
    for at in (on(3, 12), on(3, 23, 59), on(4, 0), on(4, 9), on(25, 9, month=8)):
        watched(session, at)
        with time_is(at):
            missed_visits.note(session)
        assert listed(session, at) == {visit.id}, at
    with time_is(on(4, 9)):
        assert strandings.count(session, cast.desk) == 1
        [waiting] = strandings.waiting(session, cast.desk).shown
        assert waiting.visit.id == visit.id
        settlements.call_off(session, cast.desk, appointment_id=visit.id)
        assert strandings.waiting(session, cast.desk).shown == []
    assert watched(session, on(4, 10)) == 1, "what is settled is forgotten"
    assert session.scalars(select(StrandedVisit)).all() == []


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_after_its_hour_makes_no_visit_one_that_could_not_be(
    session: Session, cast: Cast, visit: Appointment, change: Change
) -> None:
    watched(session, on(3, 9))
    change(session, cast, visit)
    watched(session, on(3, 18))
    assert session.scalars(select(StrandedVisit)).all() == []
    assert listed(session, on(4, 9)) == set()
    session.add(Heartbeat(name=stranding_watch.JOB, next_at=on(3, 19), succeeded_at=on(3, 18)))
    with time_is(on(4, 1)):
        assert missed_visits.note(session) == 1, "nobody came while there were hours"


def test_a_doctor_who_is_ill_from_the_morning_leaves_over_what_has_begun(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
    assert watched(session, on(3, 11)) == 1
    cast.dr_roth.is_active = False
    session.flush()
    assert listed(session, on(4, 9)) == {visit.id}
    with time_is(on(4, 9)):
        assert missed_visits.note(session) == 0


def test_who_was_to_come_to_a_place_given_up_since_has_missed_nothing_while_the_doctor_was_ill(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
    given_up(session, cast, visit)
    with time_is(on(4, 9)):
        assert missed_visits.note(session) == 0
    assert listed(session, on(4, 9)) == {visit.id}


def test_a_note_goes_when_the_hours_are_back_and_follows_what_is_the_matter(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    absence = make.time_off(session, cast.dr_roth, on(3, 9), on(3, 11))
    watched(session, on(3, 8))
    cast.dr_roth.is_active = False
    session.flush()
    assert watched(session, on(3, 8)) == 1
    noted = session.scalars(select(StrandedVisit).execution_options(populate_existing=True)).one()
    assert noted.causes == ["doctor", f"away:{absence.id}"]
    cast.dr_roth.is_active = True
    session.delete(absence)
    session.flush()
    assert watched(session, on(3, 9)) == 1
    assert session.scalars(select(StrandedVisit)).all() == []
    with time_is(on(4, 1)):
        assert missed_visits.note(session) == 1


def test_who_is_kept_after_the_day_leaves_the_list_and_can_be_missed(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    shortened(session, cast, visit)
    watched(session, on(3, 9))
    with time_is(on(4, 9)):
        causes = strandings.find(session, is_all_day=True)[visit.id]
        strandings.keep(session, cast.desk, appointment_id=visit.id, reason="She was there.", causes=causes)
        assert strandings.find(session, is_all_day=True) == {}
        assert missed_visits.note(session) == 1


def test_who_is_here_when_the_doctor_leaves_is_on_the_list_and_can_be_handed_over(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(3, 9, 50)):
        arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        make.time_off(session, cast.dr_roth, on(3, 9, 45), on(4, 0))
        assert set(strandings.find(session)) == {visit.id}
        with pytest.raises(IsHere):
            offer_choice(session, cast.desk, appointment_id=visit.id, times=[(cast.dr_roth.id, on(4, 10))])
    with time_is(on(3, 10, 10)):
        assert strandings.count(session, cast.desk) == 1
        moved = settlements.move(
            session,
            cast.desk,
            appointment_id=visit.id,
            doctor_id=cast.dr_roth.id,
            starts_at=on(4, 10),
        )
        assert (moved.status, moved.arrived_at) == (AppointmentStatus.CONFIRMED, None)
        assert strandings.count(session, cast.desk) == 0
    kinds = session.scalars(
        select(AppointmentEvent.kind).where(AppointmentEvent.appointment_id == visit.id)
    ).all()
    assert kinds[-3:] == [EventKind.ARRIVED, EventKind.UNDONE, EventKind.MOVED]


def test_who_is_here_is_called_off_with_everything_paid_back_to_nobody_in_the_room(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    other = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))
    with time_is(on(3, 10, 50)):
        for each in (visit, other):
            arrivals.check_in(session, cast.desk, appointment_id=each.id)
        arrivals.call_in(session, cast.desk, appointment_id=visit.id)
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        assert set(strandings.find(session, is_all_day=True)) == {other.id}, "the other is with the doctor"
        called_off = settlements.call_off(session, cast.desk, appointment_id=other.id)
        assert called_off.status is AppointmentStatus.CANCELLED


def test_a_visit_that_was_moved_needs_another_note(session: Session, cast: Cast, visit: Appointment) -> None:
    make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
    watched(session, on(3, 9))
    with time_is(on(3, 9)):
        settlements.move(
            session,
            cast.desk,
            appointment_id=visit.id,
            doctor_id=cast.dr_roth.id,
            starts_at=on(4, 10),
        )
    assert listed(session, on(5, 9)) == set()
    assert watched(session, on(3, 10)) == 1


def test_what_hours_left_over_while_no_job_ran_is_noted_afterwards(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    session.add(Heartbeat(name=stranding_watch.JOB, next_at=on(3, 9), succeeded_at=on(3, 9)))
    shortened(session, cast, visit)
    assert watched(session, on(3, 15)) == 1
    assert listed(session, on(4, 9)) == {visit.id}


def test_before_there_is_a_clinic_there_is_nothing_to_watch(database: Engine) -> None:
    assert stranding_watch.watch() == 0


def test_two_jobs_that_note_the_same_visits_do_so_one_after_another(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)
            make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
            make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        with ThreadPoolExecutor(1) as other:
            with unit_of_work(database) as session:
                assert stranding_watch.note(session) == 1
                second = other.submit(stranding_watch.watch)
                with pytest.raises(TimeoutError):
                    second.result(timeout=0.5)
            assert second.result(timeout=10) == 0, "it is noted by then"


def test_who_is_changing_a_visit_is_not_waited_for(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)
            visit_id = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10)).id
            make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        with unit_of_work(database) as session:
            placements.locked(session, visit_id)
            assert stranding_watch.watch() == 0
        assert stranding_watch.watch() == 1
        assert at_once(4, lambda _number: stranding_watch.watch()) == [0] * 4
        with unit_of_work(database) as session:
            session.execute(delete(TimeOff))
        assert sum(map(int, at_once(4, lambda _number: stranding_watch.watch()))) == 1, "forgotten once"


def test_who_is_here_for_a_visit_made_longer_since_can_be_settled_too(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(3, 9, 50)):
        arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        diary_changes.stretch(
            session, cast.desk, appointment_id=visit.id, ends_at=on(3, 11), version=visit.version
        )
        make.time_off(session, cast.dr_roth, on(3, 9, 55), on(4, 0))
        called_off = settlements.call_off(session, cast.desk, appointment_id=visit.id)
    assert called_off.status is AppointmentStatus.CANCELLED
