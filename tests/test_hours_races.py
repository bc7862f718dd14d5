"""Hours and bookings changed at the same instant, over real connections."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from core import absences, appointments, choice_links, choices, provider_hours, settlements, strandings
from core.choices import LinkOver
from core.errors import ClinicError
from core.provider_hours import HoursChanged
from core.unsettled import LeavesVisits
from db.models import (
    Appointment,
    AppointmentEvent,
    EventKind,
    Notification,
    Patient,
    Specialty,
    TimeOff,
    doctor_specialties,
)
from db.session import unit_of_work
from tests import make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is

WEDNESDAY = date(2026, 6, 3)
ROUNDS = 12


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(database: Engine) -> Cast:
    with unit_of_work(database) as session:
        return assemble(session)


def test_a_visit_booked_while_the_doctor_goes_on_leave_is_refused_or_accounted_for(
    database: Engine, cast: Cast
) -> None:
    """Whoever of the two is first: what is booked and not covered is on the list."""
    for number in range(ROUNDS):
        day = on(3 + number % 3, 9 + number // 3)

        def press(who: int, at: object = day) -> None:
            with unit_of_work(database) as session:
                if who == 0:
                    absences.take_time_off(
                        session,
                        cast.roth,
                        doctor_id=cast.dr_roth.id,
                        from_on=at.date(),  # type: ignore[attr-defined]
                        until_on=at.date(),  # type: ignore[attr-defined]
                    )
                else:
                    wanted = {"patient_id": cast.ada.patient_ids[0], "doctor_id": cast.dr_roth.id}
                    wanted |= {"service_id": cast.checkup.id, "starts_at": at}
                    appointments.book(session, cast.ada, **wanted)  # type: ignore[arg-type]

        leave, booking = at_once(2, press)
        with unit_of_work(database) as session:
            is_away = bool(session.scalar(select(func.count()).select_from(TimeOff)))
            booked = set(session.scalars(select(Appointment.id)))
            assert set(strandings.find(session)) == (booked if is_away else set())
            assert isinstance(leave, LeavesVisits) == (not is_away)
            assert isinstance(booking, ClinicError) == (not booked)
            make.empty(session, "time_off", "appointments")


def test_of_two_who_change_the_same_hours_the_second_is_told(database: Engine, cast: Cast) -> None:
    with unit_of_work(database) as session:
        edition = provider_hours.known(session, cast.desk, doctor_id=cast.dr_roth.id).edition

    def press(who: int) -> None:
        with unit_of_work(database) as session:
            provider_hours.set_week(
                session,
                (cast.roth, cast.desk)[who],
                doctor_id=cast.dr_roth.id,
                week={},
                from_on=WEDNESDAY,
                edition=edition,
            )

    told = [each for each in at_once(2, press) if each is not None]
    assert [type(each) for each in told] == [HoursChanged]


def test_leave_that_is_clicked_twice_is_taken_once(database: Engine, cast: Cast) -> None:
    def press(_who: int) -> int:
        with unit_of_work(database) as session:
            own = {"doctor_id": cast.dr_roth.id, "from_on": WEDNESDAY, "until_on": WEDNESDAY}
            return absences.take_time_off(session, cast.roth, **own).id  # type: ignore[arg-type]

    assert len(set(at_once(4, press))) == 1


def test_a_link_used_in_two_tabs_while_the_desk_moves_the_visit_moves_it_once(
    database: Engine, cast: Cast
) -> None:
    with unit_of_work(database) as session:
        ada = session.get_one(Patient, cast.ada.patient_ids[0])
        visit_id = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada).id
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        times = [(cast.dr_roth.id, on(4, 9)), (cast.dr_roth.id, on(4, 10))]
        link = choices.offer_choice(session, cast.desk, appointment_id=visit_id, times=times)
    secret = choice_links.token(link.id)

    def press(who: int) -> None:
        with unit_of_work(database) as session:
            if who == 2:
                settlements.move(
                    session,
                    cast.desk,
                    appointment_id=visit_id,
                    doctor_id=cast.dr_roth.id,
                    starts_at=on(5, 9),
                )
            else:
                choices.choose(session, secret=secret, doctor_id=cast.dr_roth.id, starts_at=on(4, 9 + who))

    told = [each for each in at_once(3, press) if each is not None]
    assert len(told) == 2
    assert any(isinstance(each, LinkOver) for each in told)
    with Session(database) as session:
        moves = select(func.count()).where(AppointmentEvent.kind == EventKind.MOVED)
        assert session.scalar(moves) == 1


@pytest.mark.parametrize("to_colleague", [False, True], ids=["to another time", "to a colleague"])
def test_a_visit_that_is_settled_by_a_double_click_has_one_answer(
    database: Engine, cast: Cast, to_colleague: bool
) -> None:
    with unit_of_work(database) as session:
        visit_id = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10)).id
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        specialty = Specialty(name="Cardiology")
        session.add(specialty)
        session.flush()
        for doctor in (cast.dr_roth, cast.dr_weiss):
            row = {"doctor_id": doctor.id, "specialty_id": specialty.id}
            session.execute(doctor_specialties.insert().values(row))
    whose, key = cast.dr_weiss if to_colleague else cast.dr_roth, uuid4()

    def press(_who: int) -> tuple[int, datetime]:
        with unit_of_work(database) as session:
            moved = settlements.move(
                session,
                cast.roth,
                appointment_id=visit_id,
                doctor_id=whose.id,
                starts_at=on(4, 10),
                request_key=key,
            )
            return moved.doctor_id, moved.starts_at

    assert at_once(2, press) == [(whose.id, on(4, 10))] * 2


def test_a_choice_that_is_clicked_twice_is_made_once_and_thanked_for_both_times(
    database: Engine, cast: Cast
) -> None:
    with unit_of_work(database) as session:
        visit_id = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10)).id
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        times = [(cast.dr_roth.id, on(4, 9)), (cast.dr_roth.id, on(4, 10))]
        link = choices.offer_choice(session, cast.desk, appointment_id=visit_id, times=times)
    wanted = {"secret": choice_links.token(link.id), "doctor_id": cast.dr_roth.id, "starts_at": on(4, 9)}

    def press(_who: int) -> datetime:
        with unit_of_work(database) as session:
            return choices.choose(session, **wanted).starts_at  # type: ignore[arg-type]

    assert at_once(2, press) == [on(4, 9)] * 2
    assert press(2) == on(4, 9)
    with unit_of_work(database) as session:
        taken = select(func.count()).where(AppointmentEvent.kind == EventKind.MOVED)
        assert session.scalar(taken) == 1


def test_a_link_that_another_tab_uses_between_two_looks_moves_the_visit_once(
    database: Engine, cast: Cast
) -> None:
    with unit_of_work(database) as session:
        visit_id = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10)).id
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        times = [(cast.dr_roth.id, on(4, 9)), (cast.dr_roth.id, on(4, 10))]
        link = choices.offer_choice(session, cast.desk, appointment_id=visit_id, times=times)
    wanted = {"secret": choice_links.token(link.id), "doctor_id": cast.dr_roth.id}

    def be_faster(*looked: Any) -> None:
        if "FROM choice_times" in looked[2] and not is_done:
            is_done.append(True)
            with unit_of_work(database) as other:
                choices.choose(other, **wanted, starts_at=on(4, 10))

    is_done: list[bool] = []
    event.listen(database, "after_cursor_execute", be_faster)
    try:
        with pytest.raises(LinkOver), unit_of_work(database) as session:
            choices.choose(session, **wanted, starts_at=on(4, 9))
    finally:
        event.remove(database, "after_cursor_execute", be_faster)
    with unit_of_work(database) as session:
        assert session.get_one(Appointment, visit_id).starts_at == on(4, 10)


def test_a_patient_who_is_asked_by_a_double_click_gets_one_link(database: Engine, cast: Cast) -> None:
    with unit_of_work(database) as session:
        visit_id = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10)).id
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
    times = [(cast.dr_roth.id, on(4, 9)), (cast.dr_roth.id, on(4, 10))]

    def press(_who: int) -> int:
        with unit_of_work(database) as session:
            return choices.offer_choice(session, cast.desk, appointment_id=visit_id, times=times).id

    assert len(set(at_once(2, press))) == 1
    with unit_of_work(database) as session:
        assert session.scalar(select(func.count()).select_from(Notification)) == 1
