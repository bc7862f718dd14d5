"""Many people pressing buttons at once, over real connections: no moment is given to two of them."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session

from core import appointments, holds, overbookings
from core.access import Actor
from core.appointment_errors import NoLongerChangeable, PatientBusy
from core.errors import ClinicError
from core.offers import SlotTaken
from db.models import Appointment, AppointmentEvent, AppointmentStatus, Patient, Role
from db.models.appointments import LIVE
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on, patient_actor, time_is

MINUTE = timedelta(minutes=1)
TEN = on(3, 10)
Call = Callable[[Session], Appointment]


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(database: Engine) -> Cast:
    with unit_of_work(database) as session:
        return assemble(session)


def at_once(engine: Engine, calls: Sequence[Call], connections: int | None = None) -> list[int | ClinicError]:
    """Run the calls in as many threads, each its own transaction, from one starting gun.

    For each call the id of its visit or the error that the person reads; any other error fails the test.
    """
    count = connections or len(calls)
    gun = threading.Barrier(count)
    outcomes: list[int | BaseException | None] = [None] * len(calls)

    def run(first: int) -> None:
        with engine.connect():  # the connection is there before the gun is fired
            pass
        gun.wait()
        for i in range(first, len(calls), count):
            try:
                with unit_of_work(engine) as session:
                    outcomes[i] = calls[i](session).id
            except BaseException as error:
                outcomes[i] = error

    threads = [threading.Thread(target=run, args=(first,)) for first in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    unexpected = [each for each in outcomes if not isinstance(each, int | ClinicError)]
    assert unexpected == []
    return [each for each in outcomes if isinstance(each, int | ClinicError)]


def booking(actor: Actor, cast: Cast, at: datetime = TEN, **changes: object) -> Call:
    wanted = {"patient_id": (actor.patient_ids or cast.ada.patient_ids)[0], "doctor_id": cast.dr_roth.id}
    wanted |= {"service_id": cast.checkup.id, "starts_at": at} | changes
    return lambda session: appointments.book(session, actor, **wanted)


def overbooking(cast: Cast, at: datetime = TEN, **changes: object) -> Call:
    wanted = {"patient_id": cast.ben.patient_ids[0], "doctor_id": cast.dr_roth.id, "reason": "severe pain"}
    wanted |= {"service_id": cast.checkup.id, "starts_at": at} | changes
    return lambda session: overbookings.overbook(session, cast.desk, **wanted)


def moving(actor: Actor, visit_id: int, to: datetime, **changes: object) -> Call:
    return lambda session: appointments.reschedule(
        session, actor, appointment_id=visit_id, starts_at=to, **changes
    )


def cancelling(actor: Actor, visit_id: int, **changes: object) -> Call:
    return lambda session: appointments.cancel(
        session, actor, appointment_id=visit_id, reason="ill", **changes
    )


def done(engine: Engine, call: Call) -> int:
    """What the scene begins with: the call on its own."""
    with unit_of_work(engine) as session:
        return call(session).id


def cleared(engine: Engine) -> None:
    """An empty calendar for the next round."""
    with unit_of_work(engine) as session:
        make.empty(session, "appointments")


def more_patients(engine: Engine, count: int) -> list[int]:
    rows = [{"name": f"P{n}", "name_folded": f"p{n}", "birth_on": date(1990, 1, 1)} for n in range(count)]
    with unit_of_work(engine) as session:
        return list(session.scalars(insert(Patient).returning(Patient.id), rows))


def as_patient(cast: Cast, patient_id: int) -> Actor:
    """The actor of a patient row; one account will do for all of them."""
    return Actor(cast.stranger.user_id, Role.PATIENT, "P", patient_ids=(patient_id,))


def overlaps(engine: Engine) -> dict[str, int]:
    """How many pairs of live visits share a moment of a doctor, a patient or a room."""
    same = {
        "doctor": "a.doctor_id = b.doctor_id AND a.blocked && b.blocked"
        " AND a.overbook_reason IS NULL AND b.overbook_reason IS NULL",
        "patient": "a.patient_id = b.patient_id"
        " AND (a.starts_at, a.ends_at) OVERLAPS (b.starts_at, b.ends_at)",
        "room": "a.room_id = b.room_id AND a.blocked && b.blocked",
    }
    live = f"a.id < b.id AND a.{LIVE} AND b.{LIVE}"
    with engine.connect() as connection:
        return {
            name: connection.scalar(
                text(f"SELECT count(*) FROM appointments a, appointments b WHERE {live} AND {rule}")
            )
            for name, rule in same.items()
        }


def told(outcomes: Sequence[int | ClinicError]) -> Counter[str]:
    return Counter("done" if isinstance(each, int) else type(each).__name__ for each in outcomes)


def require_sound(engine: Engine) -> None:
    """No overlap, and every visit's events lead without a break from its first place to its present one."""
    assert overlaps(engine) == {"doctor": 0, "patient": 0, "room": 0}
    with Session(engine) as session:
        for visit in session.scalars(select(Appointment)):
            events = session.scalars(
                select(AppointmentEvent)
                .where(AppointmentEvent.appointment_id == visit.id)
                .order_by(AppointmentEvent.id)
            ).all()
            places = [event.after for event in events]
            assert [event.before for event in events] == [None, *places[:-1]]
            assert datetime.fromisoformat(places[-1]["starts_at"]) == visit.starts_at
            assert places[-1]["doctor_id"] == visit.doctor_id
            assert visit.version == len(events) - 1


def rows(engine: Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        return tuple(
            connection.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("appointments", "appointment_events")
        )


def test_of_a_thousand_who_want_one_time_one_gets_it_and_the_others_are_told(
    database: Engine, cast: Cast
) -> None:
    patients = more_patients(database, 1000)
    calls = [booking(as_patient(cast, patient_id), cast) for patient_id in patients]
    outcomes = at_once(database, calls, connections=20)
    assert told(outcomes) == {"done": 1, "SlotTaken": 999}
    expected = [on(3, 9, 30), on(3, 10, 30), on(3, 11)]
    for error in outcomes:
        if isinstance(error, SlotTaken):
            assert len(error.alternatives) == 3
            assert set(error.alternatives) <= {on(3, 9), *expected}
    assert rows(database) == (1, 1)
    require_sound(database)


@pytest.mark.parametrize("seed", range(6))
def test_a_crowd_on_every_path_leaves_only_visits_that_do_not_overlap(
    database: Engine, cast: Cast, seed: int
) -> None:
    """Patients, desk, overbookings, moves and cancellations, of few doctors, patients and rooms."""
    chance = random.Random(seed)
    with unit_of_work(database) as session:
        odd = make.service(
            session, duration_minutes=25, step_minutes=5, buffer_before_minutes=5, buffer_after_minutes=5
        )
        doctors = [make.doctor(session, offers=[odd]).id for _ in range(1 + seed % 3)]
        rooms = [make.room(session).id for _ in range(2)]
    patients = more_patients(database, 12 if seed % 2 else 60)
    visits = [
        done(
            database,
            booking(
                cast.desk,
                cast,
                on(4, 9) + 35 * MINUTE * n,
                patient_id=chance.choice(patients),
                doctor_id=doctor_id,
                service_id=odd.id,
                room_id=rooms[0] if doctor_id == doctors[0] else None,
            ),
        )
        for doctor_id in doctors
        for n in range(4)
    ]

    def one() -> Call:
        at = TEN + 5 * MINUTE * chance.randrange(0, 19)
        kind = chance.choice(["portal", "portal", "desk", "overbook", "move", "move", "cancel"])
        wanted = {"doctor_id": chance.choice(doctors), "service_id": odd.id}
        patient_id = chance.choice(patients)
        room_id = chance.choice([None, *rooms])
        if kind == "portal":
            return booking(as_patient(cast, patient_id), cast, at, **wanted)
        if kind == "desk":
            return booking(cast.desk, cast, at, patient_id=patient_id, room_id=room_id, **wanted)
        if kind == "overbook":
            return overbooking(cast, at, patient_id=patient_id, room_id=room_id, **wanted)
        visit_id = chance.choice(visits)
        if kind == "move":
            doctor_id = chance.choice([None, wanted["doctor_id"]])
            return moving(cast.desk, visit_id, at, doctor_id=doctor_id, request_key=uuid4())
        return cancelling(cast.desk, visit_id) if chance.random() < 0.3 else moving(cast.admin, visit_id, at)

    outcomes = at_once(database, [one() for _ in range(250)], connections=50)
    assert told(outcomes)["done"] > 0
    require_sound(database)


def test_a_booking_and_a_move_into_the_same_time_end_with_one_of_them(database: Engine, cast: Cast) -> None:
    for _round in range(40):
        cleared(database)
        visit_id = done(database, booking(cast.ada, cast, on(4, 10)))
        outcomes = at_once(
            database,
            [booking(cast.ben, cast), moving(cast.ada, visit_id, TEN), booking(cast.stranger, cast)],
        )
        assert told(outcomes) == {"done": 1, "SlotTaken": 2}
        require_sound(database)


def test_many_moves_and_bookings_that_partly_overlap_see_no_deadlock(database: Engine, cast: Cast) -> None:
    with unit_of_work(database) as session:
        odd = make.service(session, duration_minutes=25, step_minutes=5, buffer_after_minutes=5)
        make.offer(session, cast.dr_roth, odd)
    patients = more_patients(database, 30)
    for round_number in range(6):
        cleared(database)
        moved = [
            done(
                database,
                booking(
                    cast.desk,
                    cast,
                    on(4 + n // 6, 9) + 30 * MINUTE * (n % 6),
                    patient_id=patients[n],
                    service_id=odd.id,
                ),
            )
            for n in range(10)
        ]
        chance = random.Random(round_number)
        calls = [moving(cast.desk, visit_id, TEN + 5 * MINUTE * chance.randrange(12)) for visit_id in moved]
        calls += [
            booking(
                as_patient(cast, patient_id), cast, TEN + 5 * MINUTE * chance.randrange(12), service_id=odd.id
            )
            for patient_id in patients[10:]
        ]
        chance.shuffle(calls)
        at_once(database, calls)
        require_sound(database)


def test_moves_into_one_room_leave_it_to_one_of_them(database: Engine, cast: Cast) -> None:
    """Different doctors and patients do not wait for each other's turn; the room's constraint decides."""
    with unit_of_work(database) as session:
        room = make.room(session).id
    for _round in range(8):
        cleared(database)
        first = done(database, booking(cast.desk, cast, on(4, 9), room_id=room))
        second = done(
            database,
            booking(
                cast.desk,
                cast,
                on(4, 10),
                room_id=room,
                patient_id=cast.ben.patient_ids[0],
                doctor_id=cast.dr_weiss.id,
            ),
        )
        outcomes = at_once(database, [moving(cast.ada, first, TEN), moving(cast.ben, second, TEN)])
        assert told(outcomes) == {"done": 2}
        with Session(database) as session:
            assert sorted(session.scalars(select(Appointment.room_id)), key=str) == [room, None]
        require_sound(database)


def test_a_room_goes_to_a_booking_or_a_move_and_nobody_sees_a_deadlock(database: Engine, cast: Cast) -> None:
    with unit_of_work(database) as session:
        room = make.room(session).id
        doctors = [make.doctor(session, offers=[cast.checkup]).id for _ in range(8)]
    patients = more_patients(database, 8)
    for _round in range(8):
        cleared(database)
        moved = [
            done(
                database,
                booking(
                    cast.desk,
                    cast,
                    on(4, 9) + 30 * MINUTE * n,
                    room_id=room,
                    patient_id=patients[n],
                    doctor_id=doctors[n],
                ),
            )
            for n in range(4)
        ]
        calls = [moving(cast.desk, visit_id, TEN) for visit_id in moved]
        calls += [
            booking(cast.desk, cast, room_id=room, patient_id=patients[n], doctor_id=doctors[n])
            for n in range(4, 8)
        ]
        outcomes = at_once(database, calls)
        assert set(told(outcomes)) <= {"done", "RoomTaken"}
        require_sound(database)


def test_a_form_sent_twice_at_once_books_once_with_one_answer(database: Engine, cast: Cast) -> None:
    for _round in range(40):
        cleared(database)
        call = booking(cast.ada, cast, request_key=uuid4())
        outcomes = at_once(database, [call] * 3)
        assert len(set(outcomes)) == 1
        assert told(outcomes) == {"done": 3}
        assert rows(database) == (1, 1)


def test_an_overbooking_sent_twice_at_once_is_made_once(database: Engine, cast: Cast) -> None:
    for _round in range(40):
        cleared(database)
        done(database, booking(cast.ada, cast))
        call = overbooking(cast, request_key=uuid4())
        outcomes = at_once(database, [call] * 3)
        assert len(set(outcomes)) == 1
        assert told(outcomes) == {"done": 3}
        assert rows(database) == (2, 2)


def test_a_move_sent_twice_at_once_moves_once(database: Engine, cast: Cast) -> None:
    for _round in range(40):
        cleared(database)
        visit_id = done(database, booking(cast.ada, cast))
        call = moving(cast.ada, visit_id, on(4, 10), doctor_id=cast.dr_weiss.id, request_key=uuid4())
        assert at_once(database, [call] * 3) == [visit_id] * 3
        assert rows(database) == (1, 2)
        require_sound(database)


def test_a_cancellation_sent_twice_at_once_cancels_once(database: Engine, cast: Cast) -> None:
    for _round in range(40):
        cleared(database)
        visit_id = done(database, booking(cast.ada, cast))
        call = cancelling(cast.ada, visit_id, request_key=uuid4())
        assert at_once(database, [call] * 3) == [visit_id] * 3
        assert rows(database) == (1, 2)
        require_sound(database)


def test_two_tabs_at_once_book_one_visit(database: Engine, cast: Cast) -> None:
    for _round in range(20):
        cleared(database)
        outcomes = at_once(database, [booking(cast.ada, cast, request_key=uuid4()) for _ in range(2)])
        assert told(outcomes) == {"done": 1, "PatientBusy": 1}
        assert rows(database) == (1, 1)


def test_a_patient_who_books_two_doctors_at_once_gets_one(database: Engine, cast: Cast) -> None:
    for _round in range(20):
        cleared(database)
        calls = [booking(cast.ada, cast, doctor_id=each.id) for each in (cast.dr_roth, cast.dr_weiss)]
        outcomes = at_once(database, calls)
        assert told(outcomes) == {"done": 1, "PatientBusy": 1}
        assert [type(each) for each in outcomes if not isinstance(each, int)] == [PatientBusy]


def test_two_moves_of_one_visit_at_once_leave_it_in_one_place(database: Engine, cast: Cast) -> None:
    for _round in range(30):
        cleared(database)
        visit_id = done(database, booking(cast.ada, cast))
        calls = [
            moving(cast.ada, visit_id, on(4, 10)),
            moving(cast.desk, visit_id, on(5, 11), doctor_id=cast.dr_weiss.id),
        ]
        assert at_once(database, calls) == [visit_id] * 2
        assert rows(database) == (1, 3)
        require_sound(database)


def test_a_cancellation_and_a_move_at_once_end_with_the_visit_called_off(
    database: Engine, cast: Cast
) -> None:
    for _round in range(30):
        cleared(database)
        visit_id = done(database, booking(cast.ada, cast))
        cancelled, moved = at_once(
            database, [cancelling(cast.ada, visit_id), moving(cast.desk, visit_id, on(4, 10))]
        )
        assert cancelled == visit_id
        assert moved == visit_id or isinstance(moved, NoLongerChangeable)
        with Session(database) as session:
            assert session.get_one(Appointment, visit_id).status is AppointmentStatus.CANCELLED
        require_sound(database)


@pytest.mark.parametrize("is_same_doctor", [True, False])
def test_two_visits_that_change_places_at_once_see_no_deadlock(
    database: Engine, cast: Cast, is_same_doctor: bool
) -> None:
    """Each waits for a place that the other has not left: both may be refused, neither may be lost."""
    other = cast.dr_roth if is_same_doctor else cast.dr_weiss
    for _round in range(25):
        cleared(database)
        ada = done(database, booking(cast.ada, cast, TEN))
        ben = done(database, booking(cast.ben, cast, on(3, 11), doctor_id=other.id))
        outcomes = at_once(
            database,
            [
                moving(cast.ada, ada, on(3, 11), doctor_id=other.id),
                moving(cast.ben, ben, TEN, doctor_id=cast.dr_roth.id),
            ],
        )
        assert set(told(outcomes)) <= {"done", "SlotTaken"}
        require_sound(database)


def test_a_patients_visits_move_at_once_without_meeting(database: Engine, cast: Cast) -> None:
    for _round in range(25):
        cleared(database)
        first = done(database, booking(cast.ada, cast, on(4, 9)))
        second = done(database, booking(cast.ada, cast, on(4, 10), doctor_id=cast.dr_weiss.id))
        outcomes = at_once(database, [moving(cast.ada, first, TEN), moving(cast.desk, second, TEN)])
        assert told(outcomes) == {"done": 1, "PatientBusy": 1}
        require_sound(database)


def test_a_hold_that_expires_while_it_is_cancelled_ends_once(database: Engine, cast: Cast) -> None:
    def expire(session: Session) -> Appointment:
        holds.release(session)
        return session.get_one(Appointment, visit_id)

    for _round in range(20):
        cleared(database)
        with unit_of_work(database) as session:
            visit_id = make.appointment(
                session,
                cast.dr_roth,
                cast.checkup,
                TEN,
                status="pending",
                hold_expires_at=datetime(2026, 6, 1, tzinfo=UTC),
            ).id
        outcomes = at_once(database, [expire, expire, cancelling(cast.desk, visit_id)])
        assert set(told(outcomes)) <= {"done", "NoLongerChangeable"}
        assert rows(database) == (1, 1)


def test_moves_into_one_time_take_turns_instead_of_deadlocking(database: Engine, cast: Cast) -> None:
    """The retry would hide a deadlock from people, at the price of a second's wait: there must be none."""
    with unit_of_work(database) as session:
        movers = [patient_actor(session, f"Mover {number}") for number in range(36)]
    for _round in range(3):
        cleared(database)
        times = [on(day, hour, minute) for day in (2, 3, 4) for hour in range(9, 12) for minute in (0, 30)]
        times += [at + timedelta(hours=4) for at in times]
        calls = [
            moving(mover, done(database, booking(mover, cast, at)), on(5, 10))
            for mover, at in zip(movers, times, strict=True)
        ]
        outcomes = at_once(database, calls)
        assert sum(isinstance(each, int) for each in outcomes) == 1
    database.dispose()  # a connection reports its deadlocks when it ends, at the latest
    with database.connect() as connection:
        counted = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert connection.scalar(counted) == 0
