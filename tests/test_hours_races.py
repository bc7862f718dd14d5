"""Hours and bookings changed at the same instant, over real connections."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import absences, appointments, choice_links, choices, provider_hours, settlements, strandings
from core.choices import LinkOver
from core.errors import ClinicError
from core.provider_hours import HoursChanged
from core.unsettled import LeavesVisits
from db.models import Appointment, AppointmentEvent, EventKind, Patient, TimeOff
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
