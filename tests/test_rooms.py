"""Rooms are booked like people: a service that needs one gets a free one that will do, or no time."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from core import appointments, availability
from core.appointment_errors import RoomTaken, RoomUnsuitable
from core.offers import NotOffered, Rule, SlotTaken
from db.models import Appointment, Closure, Doctor, Location, Patient, Service, service_rooms
from db.session import unit_of_work
from tests import make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is

WEDNESDAY = date(2026, 6, 3)
TEN = on(3, 10)


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    made = assemble(session)
    made.checkup.needs_room = True
    session.flush()
    return made


def book(
    session: Session, cast: Cast, doctor: Doctor, patient_id: int, room_id: int | None = None
) -> Appointment:
    return appointments.book(
        session,
        cast.desk,
        patient_id=patient_id,
        doctor_id=doctor.id,
        service_id=cast.checkup.id,
        starts_at=TEN,
        room_id=room_id,
    )


def free_at_ten(session: Session, cast: Cast, doctor: Doctor) -> bool:
    """Whether ten is offered, on which the search and the reason must agree."""
    ids = {"doctor_ids": [doctor.id], "service_id": cast.checkup.id}
    free = availability.free_slots(session, **ids, from_on=WEDNESDAY, until_on=WEDNESDAY, by_staff=True)
    is_offered = TEN in free.get(doctor.id, [])
    rule = availability.why_not(
        session, doctor_id=doctor.id, service_id=cast.checkup.id, starts_at=TEN, by_staff=True
    )
    assert is_offered == (rule is None), rule
    return is_offered


def test_without_a_room_nothing_that_needs_one_is_offered(session: Session, cast: Cast) -> None:
    assert not free_at_ten(session, cast, cast.dr_roth)
    make.room(session, location_id=make.location(session).id)
    assert not free_at_ten(session, cast, cast.dr_roth), "a room elsewhere is of no use"
    make.room(session, is_active=False)
    assert not free_at_ten(session, cast, cast.dr_roth)
    make.room(session)
    assert free_at_ten(session, cast, cast.dr_roth)


def test_a_booking_takes_a_free_room_and_the_last_one_takes_the_time(session: Session, cast: Cast) -> None:
    room = make.room(session)
    booked = book(session, cast, cast.dr_roth, cast.ada.patient_ids[0])
    assert booked.room_id == room.id
    assert not free_at_ten(session, cast, cast.dr_weiss)
    with pytest.raises(SlotTaken) as refused:
        book(session, cast, cast.dr_weiss, cast.ben.patient_ids[0])
    assert on(3, 10, 30) in refused.value.alternatives
    assert TEN not in refused.value.alternatives
    second = make.room(session)
    assert book(session, cast, cast.dr_weiss, cast.ben.patient_ids[0]).room_id == second.id


def test_buffers_are_the_rooms_time_too(session: Session, cast: Cast) -> None:
    make.room(session)
    cast.checkup.buffer_after_minutes = 10
    session.flush()
    book(session, cast, cast.dr_roth, cast.ada.patient_ids[0])
    ids = {"doctor_ids": [cast.dr_weiss.id], "service_id": cast.checkup.id}
    free = availability.free_slots(session, **ids, from_on=WEDNESDAY, until_on=WEDNESDAY)[cast.dr_weiss.id]
    assert on(3, 10, 30) not in free
    assert on(3, 9, 30) not in free, "its own ten minutes would reach into the other visit"
    assert {on(3, 9), on(3, 11)} <= set(free)


def test_only_the_rooms_that_are_named_will_do(session: Session, cast: Cast) -> None:
    make.room(session)
    equipped, broken = make.room(session), make.room(session, is_active=False)
    for room in (equipped, broken):
        session.execute(insert(service_rooms).values(service_id=cast.checkup.id, room_id=room.id))
    assert book(session, cast, cast.dr_roth, cast.ada.patient_ids[0]).room_id == equipped.id
    assert not free_at_ten(session, cast, cast.dr_weiss)


def test_the_desk_chooses_a_room_of_those_that_will_do(session: Session, cast: Cast) -> None:
    plain, equipped = make.room(session), make.room(session)
    session.execute(insert(service_rooms).values(service_id=cast.checkup.id, room_id=equipped.id))
    with pytest.raises(RoomUnsuitable):
        book(session, cast, cast.dr_roth, cast.ada.patient_ids[0], plain.id)
    assert book(session, cast, cast.dr_roth, cast.ada.patient_ids[0], equipped.id).room_id == equipped.id


def test_a_chosen_room_that_is_taken_is_not_swapped(session: Session, cast: Cast) -> None:
    first, second = make.room(session), make.room(session)
    book(session, cast, cast.dr_roth, cast.ada.patient_ids[0], second.id)
    with pytest.raises(RoomTaken):
        book(session, cast, cast.dr_weiss, cast.ben.patient_ids[0], second.id)
    assert book(session, cast, cast.dr_weiss, cast.ben.patient_ids[0]).room_id == first.id


def test_a_visit_that_moves_keeps_its_room_or_gets_another(session: Session, cast: Cast) -> None:
    first, second = make.room(session), make.room(session)
    moving = book(session, cast, cast.dr_roth, cast.ada.patient_ids[0], first.id)
    appointments.reschedule(session, cast.desk, appointment_id=moving.id, starts_at=on(3, 11))
    assert moving.room_id == first.id
    book(session, cast, cast.dr_weiss, cast.ben.patient_ids[0], first.id)
    appointments.reschedule(session, cast.desk, appointment_id=moving.id, starts_at=TEN)
    assert moving.room_id == second.id


def test_a_visit_that_needs_a_room_does_not_move_where_there_is_none(session: Session, cast: Cast) -> None:
    make.room(session)
    moving = book(session, cast, cast.dr_roth, cast.ada.patient_ids[0])
    appointments.reschedule(session, cast.desk, appointment_id=moving.id, starts_at=on(3, 11))
    book(session, cast, cast.dr_weiss, cast.ben.patient_ids[0])
    with pytest.raises(SlotTaken):
        appointments.reschedule(session, cast.desk, appointment_id=moving.id, starts_at=TEN)
    assert moving.starts_at == on(3, 11)


def test_the_last_room_goes_to_one_and_two_rooms_to_two(database: Engine) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
        cast.checkup.needs_room = True
        for _number in range(2):
            make.room(session)
        doctors = [make.doctor(session, offers=[cast.checkup]) for _number in range(8)]
        patients = [make.patient(session) for _number in range(8)]

    def press(number: int) -> int | None:
        with unit_of_work(database) as session:
            return book(session, cast, doctors[number], patients[number].id).room_id

    outcomes = at_once(8, press)
    rooms = [each for each in outcomes if isinstance(each, int)]
    assert len(rooms) == len(set(rooms)) == 2
    assert all(isinstance(each, SlotTaken) for each in outcomes if not isinstance(each, int))
    with unit_of_work(database) as session:
        assert set(session.scalars(select(Appointment.room_id))) == set(rooms)


def test_a_holiday_and_a_closed_place_are_no_working_days(session: Session, cast: Cast) -> None:
    make.room(session)
    session.add(Closure(on_date=WEDNESDAY, name="Works outing"))
    session.flush()
    assert not free_at_ten(session, cast, cast.dr_roth)
    with pytest.raises(NotOffered) as refused:
        book(session, cast, cast.dr_roth, cast.ada.patient_ids[0])
    assert refused.value.rule is Rule.CLOSED
    make.override(session, cast.dr_roth, WEDNESDAY, "09:00-12:00")
    assert free_at_ten(session, cast, cast.dr_roth), "who says so for the date works all the same"
    assert not free_at_ten(session, cast, cast.dr_weiss)
    session.get_one(Location, make.main_location(session).id).is_active = False
    session.flush()
    assert not free_at_ten(session, cast, cast.dr_roth)


def test_people_with_rooms_are_who_they_were(session: Session, cast: Cast) -> None:
    """A service that needs no room keeps the one the desk gave it, or none."""
    plain: Service = make.service(session)
    make.offer(session, cast.dr_roth, plain)
    patient: Patient = make.patient(session)
    booked = appointments.book(
        session,
        cast.desk,
        patient_id=patient.id,
        doctor_id=cast.dr_roth.id,
        service_id=plain.id,
        starts_at=TEN,
    )
    assert booked.room_id is None
