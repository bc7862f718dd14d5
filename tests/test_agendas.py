"""Whose visits are when: each sees their own, doctors their day with its gaps, the desk everybody's."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core import agendas, days, doctors, rooms
from core.access import Actor
from core.days import Kind
from core.errors import AccessDenied, NotFound
from db.models import Appointment, AppointmentStatus
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    ada = session.get_one(make.Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)


Use = Callable[[Session, Actor, Cast, Appointment], object]
OF_PATIENTS: list[Use] = [
    lambda session, actor, cast, visit: agendas.upcoming(session, actor, patient_ids=[visit.patient_id]),
    lambda session, actor, cast, visit: agendas.past(session, actor, patient_ids=[visit.patient_id]),
    lambda session, actor, cast, visit: agendas.one(session, actor, visit.id),
]
OF_DOCTORS: list[Use] = [
    lambda session, actor, cast, visit: agendas.day(
        session, actor, doctor_id=visit.doctor_id, on=on(3, 0).date()
    ),
    lambda session, actor, cast, visit: days.timeline(
        session, actor, doctor_id=visit.doctor_id, on=on(3, 0).date()
    ),
    lambda session, actor, cast, visit: days.working_hours(
        session, actor, doctor_id=visit.doctor_id, on=on(3, 0).date()
    ),
]


@pytest.mark.parametrize("use", OF_PATIENTS)
def test_a_patients_visits_are_for_the_patient_and_the_desk(
    session: Session, cast: Cast, visit: Appointment, use: Use
) -> None:
    for actor in (cast.ada, cast.desk, cast.admin):
        use(session, actor, cast, visit)
    for actor in (cast.ben, cast.stranger, cast.guardian, cast.weiss):
        with pytest.raises(AccessDenied):
            use(session, actor, cast, visit)


@pytest.mark.parametrize("use", OF_DOCTORS)
def test_a_doctors_day_is_for_the_doctor_and_the_desk(
    session: Session, cast: Cast, visit: Appointment, use: Use
) -> None:
    for actor in (cast.roth, cast.desk, cast.admin):
        use(session, actor, cast, visit)
    for actor in (cast.ada, cast.ben, cast.stranger, cast.weiss):
        with pytest.raises(AccessDenied):
            use(session, actor, cast, visit)


def test_rooms_are_for_the_desk(session: Session, cast: Cast) -> None:
    room = make.room(session)
    assert rooms.all_active(session, cast.desk) == [room]
    for actor in (cast.ada, cast.stranger, cast.roth):
        with pytest.raises(AccessDenied):
            rooms.all_active(session, actor)


def test_a_guardian_sees_the_childs_visits(session: Session, cast: Cast) -> None:
    child = session.get_one(make.Patient, cast.child_id)
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11), patient=child)
    assert agendas.upcoming(session, cast.guardian, patient_ids=cast.guardian.patient_ids) == [visit]


def test_a_visit_that_is_not_there_is_not_found(session: Session, cast: Cast) -> None:
    with pytest.raises(NotFound):
        agendas.one(session, cast.desk, 0)


def test_upcoming_and_past_share_a_patients_visits_between_them(session: Session, cast: Cast) -> None:
    ada = session.get_one(make.Patient, cast.ada.patient_ids[0])
    made = {
        status: make.appointment(
            session, cast.dr_roth, cast.checkup, on(2 + number, 10), patient=ada, status=status
        )
        for number, status in enumerate(
            [AppointmentStatus.CONFIRMED, AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED]
        )
    }
    before = make.appointment(
        session, cast.dr_roth, cast.checkup, NOW - timedelta(days=7), patient=ada, status="completed"
    )
    own = cast.ada.patient_ids
    assert agendas.upcoming(session, cast.ada, patient_ids=own) == [made[AppointmentStatus.CONFIRMED]]
    past = agendas.past(session, cast.ada, patient_ids=own)
    assert past == [made[AppointmentStatus.CANCELLED], before]
    assert agendas.past(session, cast.ada, patient_ids=own, limit=1) == past[:1]


def test_the_day_has_visits_gaps_and_absences_in_order(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11), status="no_show")
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11, 30), status="cancelled")
    make.time_off(session, cast.dr_roth, on(3, 16), on(5, 9))
    entries = days.timeline(session, cast.roth, doctor_id=cast.dr_roth.id, on=on(3, 0).date())
    assert [(entry.kind, entry.starts_at, entry.ends_at) for entry in entries] == [
        (Kind.FREE, on(3, 9), on(3, 10)),
        (Kind.VISIT, on(3, 10), on(3, 10, 30)),
        (Kind.FREE, on(3, 10, 30), on(3, 12)),
        (Kind.VISIT, on(3, 11), on(3, 11, 30)),
        (Kind.FREE, on(3, 13), on(3, 16)),
        (Kind.AWAY, on(3, 16), on(3, 17)),
    ]


def test_a_day_off_is_empty_and_an_override_replaces_the_hours(session: Session, cast: Cast) -> None:
    make.override(session, cast.dr_roth, on(4, 0).date())
    make.override(session, cast.dr_roth, on(6, 0).date(), "10:00-11:00")
    roth = {"doctor_id": cast.dr_roth.id}
    assert days.timeline(session, cast.roth, **roth, on=on(4, 0).date()) == []
    assert days.timeline(session, cast.roth, **roth, on=on(7, 0).date()) == []
    assert days.working_hours(session, cast.roth, **roth, on=on(6, 0).date()) == [(on(6, 10), on(6, 11))]


@pytest.mark.parametrize(
    ("name", "found"), [("rot", True), ("eva róth", True), ("oth", False), ("x" * 10**6, False)]
)
def test_doctors_are_found_by_the_beginnings_of_their_names(
    session: Session, cast: Cast, name: str, found: bool
) -> None:
    hits = doctors.search(session, cast.ada, service_id=cast.checkup.id, name=name)
    assert [hit.doctor_id for hit in hits] == ([cast.dr_roth.id] if found else [])


def test_doctors_come_soonest_first_with_their_own_price(session: Session, cast: Cast) -> None:
    make.time_off(session, cast.dr_roth, NOW, on(2, 17))
    hits = doctors.search(session, cast.ada, service_id=cast.checkup.id)
    assert [(hit.doctor_id, hit.next_at) for hit in hits] == [
        (cast.dr_weiss.id, on(1, 10)),
        (cast.dr_roth.id, on(3, 9)),
    ]
    assert doctors.search(session, cast.ada, service_id=cast.checkup.id, max_price_minor=5999) == []
    assert len(doctors.search(session, cast.ada, service_id=cast.checkup.id, max_price_minor=10**15)) == 2
    on_the_second = doctors.search(session, cast.ada, service_id=cast.checkup.id, on=on(2, 0).date())
    assert [hit.doctor_id for hit in on_the_second] == [cast.dr_weiss.id]


def test_the_hours_and_absences_of_several_days(session: Session, cast: Cast) -> None:
    make.override(session, cast.dr_roth, on(2, 0).date())
    make.time_off(session, cast.dr_roth, on(3, 16), on(5, 9))
    make.time_off(session, cast.dr_weiss, on(3, 9), on(3, 10))
    wanted = {"doctor_id": cast.dr_roth.id, "from_on": on(1, 0).date(), "until_on": on(3, 0).date()}
    assert days.hours_between(session, cast.roth, **wanted) == [
        (on(1, 9), on(1, 12)),
        (on(1, 13), on(1, 17)),
        (on(3, 9), on(3, 12)),
        (on(3, 13), on(3, 17)),
    ]
    [away] = days.away_between(session, cast.roth, **wanted)
    assert (away.kind, away.starts_at, away.ends_at) == (Kind.AWAY, on(3, 16), on(5, 9))
    for refused in (days.hours_between, days.away_between):
        with pytest.raises(AccessDenied):
            refused(session, cast.weiss, **wanted)
