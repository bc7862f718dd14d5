"""Booking, moving, cancelling and overbooking: what is written, and that a refusal writes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import appointments, availability, holds, overbookings
from core.access import Actor
from core.appointment_errors import (
    FormAlreadySent,
    NoLongerChangeable,
    PatientBusy,
    ReasonMissing,
    ReasonTooLong,
    RoomElsewhere,
    RoomTaken,
    TooLateToMove,
)
from core.errors import AccessDenied, ClinicError, NotFound
from core.offers import NotOffered, Rule, SlotTaken
from core.wall_time import NaiveTime, NonexistentTime
from db.models import Appointment, AppointmentEvent, AppointmentStatus, EventKind, Source
from tests import make
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TEN = on(3, 10)


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    return assemble(session)


def book(
    session: Session, cast: Cast, actor: Actor, starts_at: datetime = TEN, **changes: object
) -> Appointment:
    """Book the actor's own half hour with Dr. Roth; the desk books for Ada."""
    patient_id = actor.patient_ids[0] if actor.patient_ids else cast.ada.patient_ids[0]
    wanted = {"patient_id": patient_id, "doctor_id": cast.dr_roth.id, "service_id": cast.checkup.id}
    return appointments.book(session, actor, **wanted | {"starts_at": starts_at} | changes)


def overbook(
    session: Session, cast: Cast, actor: Actor, starts_at: datetime = TEN, **changes: object
) -> Appointment:
    """Squeeze Ben in with Dr. Roth."""
    wanted = {
        "patient_id": cast.ben.patient_ids[0],
        "doctor_id": cast.dr_roth.id,
        "service_id": cast.checkup.id,
        "reason": "severe pain",
    }
    return overbookings.overbook(session, actor, **wanted | {"starts_at": starts_at} | changes)


def move(session: Session, actor: Actor, visit: Appointment, to: datetime, **changes: object) -> Appointment:
    return appointments.reschedule(session, actor, appointment_id=visit.id, starts_at=to, **changes)


def cancel(session: Session, actor: Actor, visit: Appointment, **changes: object) -> Appointment:
    return appointments.cancel(session, actor, appointment_id=visit.id, **{"reason": "ill"} | changes)


def written(session: Session) -> list[list[tuple[object, ...]]]:
    """Every appointment and event as the database has it."""
    return [
        [tuple(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY id"))]
        for table in ("appointments", "appointment_events")
    ]


@contextmanager
def refused(session: Session, error: type[ClinicError]) -> Iterator[pytest.ExceptionInfo[ClinicError]]:
    """The block raises `error`, which reads as one sentence, and its transaction leaves nothing behind."""
    session.flush()
    before = written(session)
    with pytest.raises(error) as refusal, session.begin_nested():
        yield refusal
    assert type(refusal.value) is error
    assert str(refusal.value).endswith(".")
    assert "{" not in str(refusal.value)
    assert written(session) == before


@contextmanager
def not_offered(session: Session, rule: Rule) -> Iterator[None]:
    with refused(session, NotOffered) as refusal:
        yield
    assert refusal.value.rule is rule


def events(session: Session, visit: Appointment) -> list[AppointmentEvent]:
    return list(
        session.scalars(
            select(AppointmentEvent)
            .where(AppointmentEvent.appointment_id == visit.id)
            .order_by(AppointmentEvent.id)
        )
    )


def is_free(session: Session, cast: Cast, at: datetime) -> bool:
    found = availability.why_not(session, doctor_id=cast.dr_roth.id, service_id=cast.checkup.id, starts_at=at)
    return found is None


class TestBooking:
    def test_a_patient_books_a_free_time(self, session: Session, cast: Cast) -> None:
        key = uuid4()
        visit = book(session, cast, cast.ada, request_key=key)
        session.expire(visit)
        assert (visit.patient_id, visit.doctor_id) == (cast.ada.patient_ids[0], cast.dr_roth.id)
        assert (visit.starts_at, visit.ends_at) == (TEN, TEN + 30 * MINUTE)
        assert visit.starts_at.utcoffset() == timedelta(0)
        assert (visit.status, visit.source, visit.version) == (AppointmentStatus.CONFIRMED, Source.PORTAL, 0)
        assert (visit.price_minor, visit.overbook_reason, visit.room_id) == (6000, None, None)
        assert visit.location_id == make.main_location(session).id
        [event] = events(session, visit)
        assert (event.kind, event.by_user_id, event.request_key) == (EventKind.BOOKED, cast.ada.user_id, key)
        assert event.at == NOW
        assert event.before is None
        assert event.after == {
            "starts_at": "2026-06-03T08:00:00+00:00",
            "ends_at": "2026-06-03T08:30:00+00:00",
            "doctor_id": cast.dr_roth.id,
        }
        assert not is_free(session, cast, TEN)

    def test_the_desk_and_the_admin_book_for_a_patient(self, session: Session, cast: Cast) -> None:
        assert book(session, cast, cast.desk).source is Source.DESK
        assert book(session, cast, cast.admin, on(3, 11)).source is Source.DESK

    def test_a_guardian_books_for_their_child(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.guardian, patient_id=cast.child_id)
        assert visit.patient_id == cast.child_id

    def test_a_patient_books_for_nobody_else(self, session: Session, cast: Cast) -> None:
        for patient_id in (cast.ben.patient_ids[0], cast.child_id, 0):
            with refused(session, AccessDenied):
                book(session, cast, cast.ada, patient_id=patient_id)

    def test_a_doctor_does_not_book(self, session: Session, cast: Cast) -> None:
        for doctor in (cast.roth, cast.weiss):
            with refused(session, AccessDenied):
                book(session, cast, doctor)

    def test_the_buffers_are_kept_around_the_visit(self, session: Session, cast: Cast) -> None:
        long = make.service(session, buffer_before_minutes=10, buffer_after_minutes=20)
        make.offer(session, cast.dr_roth, long, price_minor=9900)
        visit = book(session, cast, cast.ada, service_id=long.id)
        session.expire(visit)
        assert (visit.blocked.lower, visit.blocked.upper) == (TEN - 10 * MINUTE, TEN + 50 * MINUTE)
        assert (visit.ends_at, visit.price_minor) == (TEN + 30 * MINUTE, 9900)

    def test_visits_may_follow_each_other_without_a_pause(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada, TEN)
        book(session, cast, cast.ada, TEN + 30 * MINUTE)
        book(session, cast, cast.ben, TEN - 30 * MINUTE)

    def test_the_place_is_where_the_doctor_works_at_that_hour(self, session: Session, cast: Cast) -> None:
        elsewhere = make.location(session)
        make.override(session, cast.dr_roth, date(2026, 6, 4), "09:00-12:00")
        make.override(session, cast.dr_roth, date(2026, 6, 4), "12:00-15:00", location_id=elsewhere.id)
        assert book(session, cast, cast.ada, on(4, 11, 30)).location_id == make.main_location(session).id
        assert book(session, cast, cast.ada, on(4, 12)).location_id == elsewhere.id

    def test_a_time_given_in_another_zone_is_the_same_instant(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada, TEN.astimezone(ZoneInfo("Asia/Kolkata")))
        session.expire(visit)
        assert visit.starts_at == TEN

    def test_a_time_in_the_past_is_refused(self, session: Session, cast: Cast) -> None:
        with time_is(TEN + MINUTE):
            for actor in (cast.ada, cast.desk):
                with not_offered(session, Rule.IN_PAST):
                    book(session, cast, actor)

    def test_the_present_instant_is_not_yet_past(self, session: Session, cast: Cast) -> None:
        with time_is(TEN):
            assert book(session, cast, cast.desk).starts_at == TEN

    def test_a_time_beyond_the_horizon_is_refused(self, session: Session, cast: Cast) -> None:
        make.clinic(session, horizon_days=2)
        book(session, cast, cast.ada, on(3, 16, 30))
        for actor in (cast.ada, cast.desk):
            with not_offered(session, Rule.BEYOND_HORIZON):
                book(session, cast, actor, on(4, 9))

    def test_short_notice_binds_patients_and_not_the_desk(self, session: Session, cast: Cast) -> None:
        with not_offered(session, Rule.SHORT_NOTICE):
            book(session, cast, cast.ada, on(1, 9, 30))
        book(session, cast, cast.desk, on(1, 9, 30))
        book(session, cast, cast.ada, on(1, 10))

    @pytest.mark.parametrize("late", [MINUTE, timedelta(seconds=1), timedelta(microseconds=1)])
    def test_a_time_off_the_step_is_refused(self, session: Session, cast: Cast, late: timedelta) -> None:
        for actor in (cast.ada, cast.desk):
            with not_offered(session, Rule.OFF_STEP):
                book(session, cast, actor, TEN + late)

    def test_a_time_outside_the_hours_is_refused(self, session: Session, cast: Cast) -> None:
        for at in (on(3, 8, 30), on(3, 12), on(3, 17), on(6, 10)):
            with not_offered(session, Rule.OUTSIDE_HOURS):
                book(session, cast, cast.desk, at)

    def test_a_visit_that_would_outlast_the_hours_is_refused(self, session: Session, cast: Cast) -> None:
        long = make.service(session, duration_minutes=45)
        make.offer(session, cast.dr_roth, long)
        with not_offered(session, Rule.RUNS_OVER):
            book(session, cast, cast.desk, on(3, 11, 30), service_id=long.id)

    def test_a_time_off_is_refused(self, session: Session, cast: Cast) -> None:
        make.time_off(session, cast.dr_roth, on(3, 10, 29), on(3, 12))
        with not_offered(session, Rule.TIME_OFF):
            book(session, cast, cast.desk)

    def test_a_time_without_a_zone_is_refused(self, session: Session, cast: Cast) -> None:
        for actor in (cast.ada, cast.desk):
            with refused(session, NaiveTime):
                book(session, cast, actor, datetime(2026, 6, 3, 10, 0))  # noqa: DTZ001 - that is the point

    def test_a_time_that_clocks_jump_over_is_refused(self, session: Session, cast: Cast) -> None:
        make.clinic(session, horizon_days=400)
        make.weekly_hours(session, cast.dr_roth, "01:00-05:00", on=[7])
        with refused(session, NonexistentTime):
            book(session, cast, cast.ada, datetime(2027, 3, 28, 2, 30, tzinfo=BERLIN))

    def test_the_second_pass_of_a_repeated_hour_is_refused(self, session: Session, cast: Cast) -> None:
        make.clinic(session, horizon_days=400)
        make.weekly_hours(session, cast.dr_roth, "01:00-05:00", on=[7])
        first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
        with not_offered(session, Rule.REPEATED_HOUR):
            book(session, cast, cast.ada, first.replace(fold=1))
        visit = book(session, cast, cast.ada, first)
        session.expire(visit)
        assert visit.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    def test_a_service_the_doctor_does_not_offer_is_refused(self, session: Session, cast: Cast) -> None:
        other = make.service(session)
        for actor in (cast.ada, cast.desk):
            with not_offered(session, Rule.NOT_OFFERED):
                book(session, cast, actor, service_id=other.id)

    def test_a_service_that_is_no_longer_given_is_refused(self, session: Session, cast: Cast) -> None:
        cast.checkup.is_active = False
        with not_offered(session, Rule.NOT_OFFERED):
            book(session, cast, cast.desk)

    def test_an_inactive_doctor_is_booked_by_nobody(self, session: Session, cast: Cast) -> None:
        cast.dr_roth.is_active = False
        for actor in (cast.ada, cast.desk):
            with not_offered(session, Rule.DOCTOR_INACTIVE):
                book(session, cast, actor)

    def test_a_doctor_who_takes_no_new_patients_is_booked_by_the_desk(
        self, session: Session, cast: Cast
    ) -> None:
        cast.dr_roth.is_accepting_patients = False
        with not_offered(session, Rule.NOT_ACCEPTING):
            book(session, cast, cast.ada)
        assert book(session, cast, cast.desk).status is AppointmentStatus.CONFIRMED

    @pytest.mark.parametrize("unknown", ["patient_id", "doctor_id", "service_id", "room_id"])
    def test_what_is_not_there_is_not_found(self, session: Session, cast: Cast, unknown: str) -> None:
        with refused(session, NotFound):
            book(session, cast, cast.desk, **{unknown: 0})

    def test_a_taken_time_is_refused_with_the_three_nearest_free_ones(
        self, session: Session, cast: Cast
    ) -> None:
        book(session, cast, cast.ben)
        book(session, cast, cast.stranger, on(3, 10, 30))
        for actor in (cast.ada, cast.desk):
            with refused(session, SlotTaken) as refusal:
                book(session, cast, actor)
            assert refusal.value.alternatives == [on(3, 9), on(3, 9, 30), on(3, 11)]
            assert all(is_free(session, cast, at) for at in refusal.value.alternatives)
            assert "11:00" in str(refusal.value)

    def test_a_time_at_which_the_patient_is_elsewhere_is_no_alternative(
        self, session: Session, cast: Cast
    ) -> None:
        book(session, cast, cast.ben)
        book(session, cast, cast.ada, on(3, 10, 30), doctor_id=cast.dr_weiss.id)
        with refused(session, SlotTaken) as refusal:
            book(session, cast, cast.ada)
        assert refusal.value.alternatives == [on(3, 9), on(3, 9, 30), on(3, 11)]

    def test_the_last_free_time_taken_is_refused_without_alternatives(
        self, session: Session, cast: Cast
    ) -> None:
        book(session, cast, cast.ben)
        make.time_off(session, cast.dr_roth, NOW, TEN)
        make.time_off(session, cast.dr_roth, TEN + 30 * MINUTE, NOW + 100 * DAY)
        with refused(session, SlotTaken) as refusal:
            book(session, cast, cast.ada)
        assert refusal.value.alternatives == []

    def test_a_patient_is_in_one_place_at_a_time(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada)
        with refused(session, PatientBusy):
            book(session, cast, cast.ada, doctor_id=cast.dr_weiss.id)
        with refused(session, PatientBusy):
            book(session, cast, cast.desk, doctor_id=cast.dr_weiss.id)

    def test_a_guardian_and_a_child_may_be_seen_at_once(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.guardian)
        book(session, cast, cast.guardian, patient_id=cast.child_id, doctor_id=cast.dr_weiss.id)

    def test_two_tabs_do_not_book_the_same_time_twice(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada, request_key=uuid4())
        with refused(session, PatientBusy):
            book(session, cast, cast.ada, request_key=uuid4())


class TestRooms:
    def test_the_desk_gives_a_room(self, session: Session, cast: Cast) -> None:
        room = make.room(session)
        assert book(session, cast, cast.desk, room_id=room.id).room_id == room.id

    def test_a_room_is_given_once_at_a_time(self, session: Session, cast: Cast) -> None:
        room = make.room(session)
        book(session, cast, cast.desk, room_id=room.id)
        elsewhere = {"patient_id": cast.ben.patient_ids[0], "doctor_id": cast.dr_weiss.id}
        with refused(session, RoomTaken):
            book(session, cast, cast.desk, room_id=room.id, **elsewhere)
        book(session, cast, cast.desk, room_id=make.room(session).id, **elsewhere)
        book(session, cast, cast.desk, TEN + 30 * MINUTE, room_id=room.id)

    def test_a_room_stays_taken_for_the_buffers(self, session: Session, cast: Cast) -> None:
        long = make.service(session, buffer_after_minutes=15)
        make.offer(session, cast.dr_roth, long)
        room = make.room(session)
        book(session, cast, cast.desk, room_id=room.id, service_id=long.id)
        with refused(session, RoomTaken):
            book(session, cast, cast.desk, TEN + 30 * MINUTE, room_id=room.id, doctor_id=cast.dr_weiss.id)

    def test_a_room_in_another_place_is_refused(self, session: Session, cast: Cast) -> None:
        room = make.room(session, location_id=make.location(session).id)
        with refused(session, RoomElsewhere):
            book(session, cast, cast.desk, room_id=room.id)


class TestTheSameFormTwice:
    def test_a_booking_is_answered_with_the_first(self, session: Session, cast: Cast) -> None:
        key = uuid4()
        first = book(session, cast, cast.ada, request_key=key)
        before = written(session)
        assert book(session, cast, cast.ada, request_key=key).id == first.id
        assert written(session) == before

    def test_an_overbooking_is_answered_with_the_first(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada)
        key = uuid4()
        first = overbook(session, cast, cast.desk, request_key=key)
        before = written(session)
        assert overbook(session, cast, cast.desk, request_key=key).id == first.id
        assert written(session) == before

    def test_a_move_is_answered_with_the_first(self, session: Session, cast: Cast) -> None:
        visit, key = book(session, cast, cast.ada), uuid4()
        move(session, cast.ada, visit, on(3, 11), request_key=key)
        before = written(session)
        again = move(session, cast.ada, visit, on(3, 11), request_key=key)
        assert (again.id, again.starts_at) == (visit.id, on(3, 11))
        assert written(session) == before

    def test_a_cancellation_is_answered_with_the_first(self, session: Session, cast: Cast) -> None:
        visit, key = book(session, cast, cast.ada), uuid4()
        cancel(session, cast.ada, visit, request_key=key)
        before = written(session)
        assert cancel(session, cast.ada, visit, request_key=key).status is AppointmentStatus.CANCELLED
        assert written(session) == before

    def test_it_is_answered_even_when_the_time_has_become_too_soon(
        self, session: Session, cast: Cast
    ) -> None:
        """The second click of a double click may fall after the notice has begun."""
        key = uuid4()
        first = book(session, cast, cast.ada, on(1, 10), request_key=key)
        with time_is(NOW + timedelta(seconds=1)):
            assert book(session, cast, cast.ada, on(1, 10), request_key=key).id == first.id

    def test_it_books_nothing_after_its_visit_was_cancelled(self, session: Session, cast: Cast) -> None:
        key = uuid4()
        visit = book(session, cast, cast.ada, request_key=key)
        cancel(session, cast.ada, visit)
        with refused_or_answered(session, visit):
            assert book(session, cast, cast.ada, request_key=key).id == visit.id

    def test_it_books_nothing_after_its_visit_was_moved(self, session: Session, cast: Cast) -> None:
        key = uuid4()
        visit = book(session, cast, cast.ada, request_key=key)
        move(session, cast.ada, visit, on(4, 10))
        with refused_or_answered(session, visit):
            assert book(session, cast, cast.ada, request_key=key).id == visit.id

    def test_a_move_sent_again_later_does_not_move_the_visit_back(self, session: Session, cast: Cast) -> None:
        visit, key = book(session, cast, cast.ada), uuid4()
        move(session, cast.ada, visit, on(3, 11), request_key=key)
        move(session, cast.ada, visit, on(4, 11), request_key=uuid4())
        before = written(session)
        assert move(session, cast.ada, visit, on(3, 11), request_key=key).starts_at == on(4, 11)
        assert written(session) == before

    def test_somebody_elses_key_gives_no_answer(self, session: Session, cast: Cast) -> None:
        key = uuid4()
        book(session, cast, cast.ada, request_key=key)
        with refused(session, FormAlreadySent):
            book(session, cast, cast.ben, on(3, 11), request_key=key)
        with refused(session, SlotTaken):
            book(session, cast, cast.ben, request_key=key)

    def test_it_does_not_answer_with_a_visit_that_was_called_off_since(
        self, session: Session, cast: Cast
    ) -> None:
        key = uuid4()
        visit = book(session, cast, cast.ada, request_key=key)
        cancel(session, cast.ada, visit)
        book(session, cast, cast.ben)
        with refused(session, FormAlreadySent):
            book(session, cast, cast.ada, request_key=key)

    def test_a_key_used_for_one_visit_does_not_answer_for_another(self, session: Session, cast: Cast) -> None:
        """A wrong key must never say "cancelled" of a visit that still stands."""
        key = uuid4()
        book(session, cast, cast.ada, request_key=key)
        other = book(session, cast, cast.ada, on(3, 11))
        with refused(session, FormAlreadySent):
            cancel(session, cast.ada, other, request_key=key)
        with refused(session, FormAlreadySent):
            move(session, cast.ada, other, on(4, 11), request_key=key)


@contextmanager
def refused_or_answered(session: Session, visit: Appointment) -> Iterator[None]:
    """A form sent once more gets its first answer or is told that it was sent; nothing new either way."""
    before = written(session)
    try:
        with session.begin_nested():
            yield
    except FormAlreadySent:
        pass
    assert written(session) == before


class TestMoving:
    def test_a_patient_moves_their_own_visit(self, session: Session, cast: Cast) -> None:
        visit, key = book(session, cast, cast.ada), uuid4()
        with time_is(NOW + MINUTE):
            moved = move(session, cast.ada, visit, on(4, 9, 30), request_key=key)
        session.expire(moved)
        assert moved.id == visit.id
        assert (moved.starts_at, moved.ends_at) == (on(4, 9, 30), on(4, 10))
        assert (moved.blocked.lower, moved.blocked.upper) == (on(4, 9, 30), on(4, 10))
        assert (moved.status, moved.version) == (AppointmentStatus.CONFIRMED, 1)
        assert moved.updated_at == NOW + MINUTE
        assert session.scalar(text("SELECT count(*) FROM appointments")) == 1
        _booked, event = events(session, visit)
        assert (event.kind, event.by_user_id, event.request_key) == (EventKind.MOVED, cast.ada.user_id, key)
        assert event.before == {
            "starts_at": "2026-06-03T08:00:00+00:00",
            "ends_at": "2026-06-03T08:30:00+00:00",
            "doctor_id": cast.dr_roth.id,
        }
        assert event.after == {
            "starts_at": "2026-06-04T07:30:00+00:00",
            "ends_at": "2026-06-04T08:00:00+00:00",
            "doctor_id": cast.dr_roth.id,
        }
        assert is_free(session, cast, TEN)
        assert not is_free(session, cast, on(4, 9, 30))

    def test_the_desk_moves_anybodys_a_doctor_the_own_and_a_stranger_nobodys(
        self, session: Session, cast: Cast
    ) -> None:
        visit = book(session, cast, cast.ada)
        for actor in (cast.stranger, cast.weiss, cast.guardian):
            with refused(session, AccessDenied):
                move(session, actor, visit, on(4, 9))
        assert move(session, cast.roth, visit, on(4, 11)).starts_at == on(4, 11)
        assert move(session, cast.desk, visit, on(4, 9)).starts_at == on(4, 9)
        assert move(session, cast.admin, visit, on(4, 10)).version == 3

    def test_a_guardian_moves_their_childs_visit(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.guardian, patient_id=cast.child_id)
        assert move(session, cast.guardian, visit, on(4, 9)).starts_at == on(4, 9)

    def test_a_visit_moves_to_another_doctor_at_the_price_agreed(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        session.execute(text("UPDATE doctor_services SET price_minor = 9900"))
        moved = move(session, cast.ada, visit, TEN, doctor_id=cast.dr_weiss.id)
        assert (moved.doctor_id, moved.price_minor, moved.starts_at) == (cast.dr_weiss.id, 6000, TEN)
        assert events(session, visit)[-1].after["doctor_id"] == cast.dr_weiss.id

    def test_a_visit_may_move_into_its_own_time(self, session: Session, cast: Cast) -> None:
        long = make.service(session, duration_minutes=60, buffer_before_minutes=10)
        make.offer(session, cast.dr_roth, long)
        visit = book(session, cast, cast.ada, service_id=long.id)
        assert move(session, cast.ada, visit, TEN + 30 * MINUTE).starts_at == TEN + 30 * MINUTE

    def test_a_move_to_where_it_is_changes_nothing(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        before = written(session)
        assert move(session, cast.ada, visit, TEN).version == 0
        assert written(session) == before

    def test_a_taken_time_is_refused_with_the_three_nearest_free_ones(
        self, session: Session, cast: Cast
    ) -> None:
        visit = book(session, cast, cast.ada)
        book(session, cast, cast.ben, on(3, 11))
        for actor in (cast.ada, cast.desk):
            with refused(session, SlotTaken) as refusal:
                move(session, actor, visit, on(3, 11))
            # The visit's own present time is free for it, but no alternative to moving.
            assert refusal.value.alternatives == [on(3, 9, 30), on(3, 10, 30), on(3, 11, 30)]
        session.expire(visit)
        assert visit.starts_at == TEN

    def test_a_patient_with_another_visit_then_is_refused(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        book(session, cast, cast.ada, on(3, 11), doctor_id=cast.dr_weiss.id)
        with refused(session, PatientBusy):
            move(session, cast.ada, visit, on(3, 11))

    @pytest.mark.parametrize(
        ("to", "rule"),
        [
            (on(1, 7), Rule.IN_PAST),
            (on(1, 9), Rule.SHORT_NOTICE),
            (on(31, 10, month=8), Rule.BEYOND_HORIZON),
            (on(3, 12), Rule.OUTSIDE_HOURS),
            (on(3, 10, 7), Rule.OFF_STEP),
        ],
    )
    def test_a_time_that_is_not_offered_is_refused(
        self, session: Session, cast: Cast, to: datetime, rule: Rule
    ) -> None:
        visit = book(session, cast, cast.ada)
        with not_offered(session, rule):
            move(session, cast.ada, visit, to)

    def test_times_that_are_no_instants_are_refused(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with refused(session, NaiveTime):
            move(session, cast.ada, visit, datetime(2026, 6, 4, 10, 0))  # noqa: DTZ001 - that is the point
        with refused(session, NonexistentTime):
            move(session, cast.ada, visit, datetime(2027, 3, 28, 2, 30, tzinfo=BERLIN))

    def test_a_doctor_who_does_not_offer_the_service_is_refused(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        other = make.doctor(session)
        with not_offered(session, Rule.NOT_OFFERED):
            move(session, cast.ada, visit, on(4, 9), doctor_id=other.id)
        with refused(session, NotFound):
            move(session, cast.ada, visit, on(4, 9), doctor_id=10**6)

    def test_an_unknown_visit_is_not_found(self, session: Session, cast: Cast) -> None:
        with refused(session, NotFound):
            appointments.reschedule(session, cast.desk, appointment_id=0, starts_at=TEN)

    def test_moving_is_bound_by_the_window_which_the_desk_may_waive(
        self, session: Session, cast: Cast
    ) -> None:
        visit = book(session, cast, cast.ada)
        with time_is(TEN - DAY + MINUTE):
            for actor in (cast.ada, cast.desk):
                with refused(session, TooLateToMove) as refusal:
                    move(session, actor, visit, on(5, 9))
                assert "24" in str(refusal.value)
            with refused(session, AccessDenied):
                move(session, cast.ada, visit, on(5, 9), waive_policy=True)
            assert move(session, cast.desk, visit, on(5, 9), waive_policy=True).starts_at == on(5, 9)

    def test_a_visit_that_has_begun_or_ended_stays(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with time_is(TEN), refused(session, NoLongerChangeable):
            move(session, cast.desk, visit, on(5, 9), waive_policy=True)
        for status in ("arrived", "in_room", "completed", "expired", "cancelled", "no_show"):
            visit.status = AppointmentStatus(status)
            with refused(session, NoLongerChangeable):
                move(session, cast.desk, visit, on(5, 9), waive_policy=True)

    def test_a_pending_visit_moves_with_its_hold(self, session: Session, cast: Cast) -> None:
        hold = NOW + 30 * MINUTE
        visit = make.appointment(
            session, cast.dr_roth, cast.checkup, TEN, status="pending", hold_expires_at=hold
        )
        moved = move(session, cast.desk, visit, on(4, 9))
        assert (moved.status, moved.hold_expires_at) == (AppointmentStatus.PENDING, hold)

    def test_the_room_comes_along_when_it_is_free(self, session: Session, cast: Cast) -> None:
        room = make.room(session)
        visit = book(session, cast, cast.desk, room_id=room.id)
        assert move(session, cast.ada, visit, on(4, 9)).room_id == room.id

    def test_the_room_is_left_behind_when_it_is_taken(self, session: Session, cast: Cast) -> None:
        room = make.room(session)
        visit = book(session, cast, cast.desk, room_id=room.id)
        book(
            session,
            cast,
            cast.desk,
            on(4, 9),
            room_id=room.id,
            patient_id=cast.ben.patient_ids[0],
            doctor_id=cast.dr_weiss.id,
        )
        moved = move(session, cast.ada, visit, on(4, 9))
        session.expire(moved)
        assert (moved.room_id, moved.starts_at, moved.version) == (None, on(4, 9), 1)

    def test_the_room_is_left_behind_when_the_doctor_is_elsewhere(self, session: Session, cast: Cast) -> None:
        room, elsewhere = make.room(session), make.location(session)
        visit = book(session, cast, cast.desk, room_id=room.id)
        make.override(session, cast.dr_roth, date(2026, 6, 4), "09:00-12:00", location_id=elsewhere.id)
        moved = move(session, cast.ada, visit, on(4, 9))
        assert (moved.room_id, moved.location_id) == (None, elsewhere.id)

    def test_an_overbooked_visit_is_protected_again_once_moved(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada)
        visit = overbook(session, cast, cast.desk)
        moved = move(session, cast.desk, visit, on(3, 11))
        assert moved.overbook_reason is None
        with pytest.raises(IntegrityError, match="ex_appointments_doctor_free"), session.begin_nested():
            make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))


class TestCancelling:
    def test_a_patient_cancels_and_the_time_is_free_again(self, session: Session, cast: Cast) -> None:
        visit, key = book(session, cast, cast.ada), uuid4()
        with time_is(NOW + MINUTE):
            cancel(session, cast.ada, visit, reason="  on a journey  ", request_key=key)
        session.expire(visit)
        assert (visit.status, visit.version) == (AppointmentStatus.CANCELLED, 1)
        assert (visit.starts_at, visit.updated_at) == (TEN, NOW + MINUTE)
        event = events(session, visit)[-1]
        assert (event.kind, event.by_user_id, event.reason, event.request_key) == (
            EventKind.CANCELLED,
            cast.ada.user_id,
            "on a journey",
            key,
        )
        assert event.before["starts_at"] == "2026-06-03T08:00:00+00:00"
        assert is_free(session, cast, TEN)
        assert book(session, cast, cast.ben).id != visit.id

    def test_the_desk_cancels_anybodys_and_a_stranger_nobodys(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        for actor in (cast.stranger, cast.roth, cast.guardian):
            with refused(session, AccessDenied):
                cancel(session, actor, visit)
        assert cancel(session, cast.desk, visit).status is AppointmentStatus.CANCELLED

    def test_a_guardian_cancels_their_childs_visit(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.guardian, patient_id=cast.child_id)
        assert cancel(session, cast.guardian, visit).status is AppointmentStatus.CANCELLED

    def test_a_visit_can_be_cancelled_until_it_begins(self, session: Session, cast: Cast) -> None:
        visit, later = book(session, cast, cast.ada), book(session, cast, cast.ada, on(3, 11))
        with time_is(TEN - timedelta(seconds=1)):
            assert cancel(session, cast.ada, visit).status is AppointmentStatus.CANCELLED
        with time_is(on(3, 11)), refused(session, NoLongerChangeable):
            cancel(session, cast.ada, later)

    def test_the_desk_may_waive_the_window_and_a_patient_may_not(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with time_is(TEN - MINUTE):
            with refused(session, AccessDenied):
                cancel(session, cast.ada, visit, waive_policy=True)
            assert cancel(session, cast.desk, visit, waive_policy=True).status is AppointmentStatus.CANCELLED

    def test_a_patient_may_not_even_ask_for_a_waiver_in_time(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with refused(session, AccessDenied):
            cancel(session, cast.ada, visit, waive_policy=True)

    def test_a_second_cancellation_from_another_form_is_refused(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        cancel(session, cast.ada, visit, request_key=uuid4())
        with refused(session, NoLongerChangeable):
            cancel(session, cast.ada, visit, request_key=uuid4())
        with refused(session, NoLongerChangeable):
            cancel(session, cast.ada, visit)

    def test_a_visit_that_has_begun_or_ended_stays(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with time_is(TEN), refused(session, NoLongerChangeable):
            cancel(session, cast.desk, visit, waive_policy=True)
        for status in ("arrived", "in_room", "completed", "expired", "cancelled", "no_show"):
            visit.status = AppointmentStatus(status)
            with refused(session, NoLongerChangeable):
                cancel(session, cast.desk, visit, waive_policy=True)

    def test_a_pending_visit_is_cancelled_with_its_hold(self, session: Session, cast: Cast) -> None:
        visit = make.appointment(
            session, cast.dr_roth, cast.checkup, TEN, status="pending", hold_expires_at=NOW + 30 * MINUTE
        )
        cancel(session, cast.desk, visit)
        session.expire(visit)
        assert (visit.status, visit.hold_expires_at) == (AppointmentStatus.CANCELLED, None)

    @pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
    def test_a_reason_is_asked_for(self, session: Session, cast: Cast, reason: str) -> None:
        visit = book(session, cast, cast.ada)
        with refused(session, ReasonMissing):
            cancel(session, cast.ada, visit, reason=reason)

    def test_a_reason_has_an_end(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with refused(session, ReasonTooLong) as refusal:
            cancel(session, cast.ada, visit, reason="x" * 501)
        assert "500" in str(refusal.value)
        cancel(session, cast.ada, visit, reason="x" * 499)

    def test_a_reason_that_the_database_cannot_hold_is_refused(self, session: Session, cast: Cast) -> None:
        visit = book(session, cast, cast.ada)
        with pytest.raises(ClinicError), session.begin_nested():
            cancel(session, cast.ada, visit, reason="ill\x00")

    def test_an_unknown_visit_is_not_found(self, session: Session, cast: Cast) -> None:
        with refused(session, NotFound):
            appointments.cancel(session, cast.desk, appointment_id=0, reason="ill")


class TestOverbooking:
    def test_the_desk_squeezes_somebody_into_a_taken_time(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada)
        visit = overbook(session, cast, cast.desk, reason=" severe pain ")
        assert (visit.overbook_reason, visit.starts_at) == ("severe pain", TEN)
        [event] = events(session, visit)
        assert (event.kind, event.reason) == (EventKind.OVERBOOKED, "severe pain")
        assert overbook(session, cast, cast.admin, patient_id=cast.child_id).overbook_reason

    def test_a_free_time_is_simply_booked_and_protected(self, session: Session, cast: Cast) -> None:
        visit = overbook(session, cast, cast.desk)
        assert visit.overbook_reason is None
        assert [event.kind for event in events(session, visit)] == [EventKind.BOOKED]
        with refused(session, SlotTaken):
            book(session, cast, cast.ada)

    def test_nobody_else_overbooks(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada)
        for actor in (cast.ben, cast.stranger, cast.roth):
            with refused(session, AccessDenied):
                overbook(session, cast, actor)

    def test_step_closing_and_notice_are_waived(self, session: Session, cast: Cast) -> None:
        assert overbook(session, cast, cast.desk, on(3, 10, 7)).overbook_reason == "severe pain"
        late = overbook(session, cast, cast.desk, on(3, 11, 55), patient_id=cast.child_id)
        assert late.ends_at == on(3, 12, 25)
        with time_is(on(3, 9, 59)):
            now = overbook(session, cast, cast.desk, TEN, patient_id=cast.stranger.patient_ids[0])
        assert now.starts_at == TEN

    @pytest.mark.parametrize("late", [timedelta(seconds=30), timedelta(microseconds=1)])
    def test_a_visit_starts_on_a_whole_minute(self, session: Session, cast: Cast, late: timedelta) -> None:
        with not_offered(session, Rule.OFF_STEP):
            overbook(session, cast, cast.desk, TEN + late)

    @pytest.mark.parametrize(
        ("at", "rule"),
        [
            (on(1, 7), Rule.IN_PAST),
            (on(31, 10, month=8), Rule.BEYOND_HORIZON),
            (on(3, 8), Rule.OUTSIDE_HOURS),
            (on(3, 12), Rule.OUTSIDE_HOURS),
            (on(3, 17), Rule.OUTSIDE_HOURS),
        ],
    )
    def test_everything_else_holds(self, session: Session, cast: Cast, at: datetime, rule: Rule) -> None:
        with not_offered(session, rule):
            overbook(session, cast, cast.desk, at)

    def test_the_doctors_time_off_holds(self, session: Session, cast: Cast) -> None:
        make.time_off(session, cast.dr_roth, on(3, 10), on(3, 11))
        with not_offered(session, Rule.TIME_OFF):
            overbook(session, cast, cast.desk)

    def test_an_inactive_doctor_and_a_foreign_service_hold(self, session: Session, cast: Cast) -> None:
        with not_offered(session, Rule.NOT_OFFERED):
            overbook(session, cast, cast.desk, service_id=make.service(session).id)
        cast.dr_roth.is_active = False
        with not_offered(session, Rule.DOCTOR_INACTIVE):
            overbook(session, cast, cast.desk)

    def test_the_patients_own_time_holds(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ben, doctor_id=cast.dr_weiss.id)
        with refused(session, PatientBusy):
            overbook(session, cast, cast.desk)
        with refused(session, PatientBusy):
            overbook(session, cast, cast.desk, on(3, 10, 29))

    def test_the_rooms_time_holds(self, session: Session, cast: Cast) -> None:
        room = make.room(session)
        book(session, cast, cast.desk, room_id=room.id)
        with refused(session, RoomTaken):
            overbook(session, cast, cast.desk, room_id=room.id)
        assert overbook(session, cast, cast.desk, room_id=make.room(session).id).overbook_reason

    def test_a_reason_is_asked_for_and_has_an_end(self, session: Session, cast: Cast) -> None:
        book(session, cast, cast.ada)
        with refused(session, ReasonMissing):
            overbook(session, cast, cast.desk, reason="  ")
        with refused(session, ReasonTooLong):
            overbook(session, cast, cast.desk, reason="x" * 501)

    @pytest.mark.parametrize("unknown", ["patient_id", "doctor_id", "service_id", "room_id"])
    def test_what_is_not_there_is_not_found(self, session: Session, cast: Cast, unknown: str) -> None:
        with refused(session, NotFound):
            overbook(session, cast, cast.desk, **{unknown: 0})

    def test_times_that_are_no_instants_are_refused(self, session: Session, cast: Cast) -> None:
        with refused(session, NaiveTime):
            overbook(session, cast, cast.desk, datetime(2026, 6, 3, 10, 0))  # noqa: DTZ001 - that is the point
        with refused(session, NonexistentTime):
            overbook(session, cast, cast.desk, datetime(2027, 3, 28, 2, 30, tzinfo=BERLIN))

    def test_the_time_stays_taken_when_only_the_overbooked_visit_is_left(
        self, session: Session, cast: Cast
    ) -> None:
        first = book(session, cast, cast.ada)
        overbook(session, cast, cast.desk)
        cancel(session, cast.ada, first)
        with refused(session, SlotTaken):
            book(session, cast, cast.stranger)


class TestExpiringHolds:
    def test_only_holds_that_have_run_out_are_freed(self, session: Session, cast: Cast) -> None:
        due, just, later = (
            make.appointment(session, cast.dr_roth, cast.checkup, at, status="pending", hold_expires_at=until)
            for at, until in ((TEN, NOW - MINUTE), (on(3, 11), NOW), (on(3, 13), NOW + MINUTE))
        )
        booked = book(session, cast, cast.ada, on(3, 14))
        assert holds.release(session) == 2
        for each in (due, just, later, booked):
            session.expire(each)
        assert [each.status for each in (due, just, later, booked)] == [
            AppointmentStatus.EXPIRED,
            AppointmentStatus.EXPIRED,
            AppointmentStatus.PENDING,
            AppointmentStatus.CONFIRMED,
        ]
        assert (due.hold_expires_at, due.version, due.updated_at) == (None, 1, NOW)
        [event] = events(session, due)
        assert (event.kind, event.at, event.by_user_id) == (EventKind.EXPIRED, NOW, None)
        assert is_free(session, cast, TEN)
        assert not is_free(session, cast, on(3, 13))

    def test_a_second_run_finds_nothing_left(self, session: Session, cast: Cast) -> None:
        make.appointment(session, cast.dr_roth, cast.checkup, TEN, status="pending", hold_expires_at=NOW)
        assert holds.release(session) == 1
        before = written(session)
        assert holds.release(session) == 0
        assert written(session) == before


class TestTheDatabaseItself:
    """What holds even when somebody writes past `core`."""

    @contextmanager
    def excluded(self, session: Session, constraint: str) -> Iterator[None]:
        with pytest.raises(IntegrityError) as refusal, session.begin_nested():
            yield
        assert isinstance(refusal.value.orig, psycopg.errors.ExclusionViolation)
        assert refusal.value.orig.diag.constraint_name == constraint

    def copy(self, session: Session, visit: Appointment, by: timedelta, **changes: object) -> None:
        """Insert the same visit `by` later by hand."""
        row = {"doctor": visit.doctor_id, "patient": visit.patient_id, "room": visit.room_id} | changes
        session.execute(
            text("""
                INSERT INTO appointments (patient_id, doctor_id, service_id, location_id, room_id, starts_at,
                    ends_at, blocked, status, price_minor, source)
                SELECT :patient, :doctor, service_id, location_id, CAST(:room AS int), starts_at + :by,
                    ends_at + :by, tstzrange(lower(blocked) + :by, upper(blocked) + :by), status, 0, source
                FROM appointments WHERE id = :id
            """),
            row | {"id": visit.id, "by": by},
        )

    def test_a_doctor_is_not_given_twice_buffers_included(self, session: Session, cast: Cast) -> None:
        service = make.service(session, buffer_before_minutes=5, buffer_after_minutes=10)
        visit = make.appointment(session, cast.dr_roth, service, TEN)
        ben = cast.ben.patient_ids[0]
        for minutes in (0, 1, 44, -1, -44):
            with self.excluded(session, "ex_appointments_doctor_free"):
                self.copy(session, visit, minutes * MINUTE, patient=ben)
        for minutes in (45, -45):
            self.copy(session, visit, minutes * MINUTE, patient=ben)

    def test_a_patient_is_not_given_twice_and_needs_no_buffer(self, session: Session, cast: Cast) -> None:
        service = make.service(session, buffer_before_minutes=5, buffer_after_minutes=10)
        visit = make.appointment(session, cast.dr_roth, service, TEN)
        for minutes in (0, 29, -29):
            with self.excluded(session, "ex_appointments_patient_free"):
                self.copy(session, visit, minutes * MINUTE, doctor=cast.dr_weiss.id)
        for minutes in (30, -30):
            self.copy(session, visit, minutes * MINUTE, doctor=make.doctor(session).id)

    def test_a_room_is_not_given_twice_buffers_included(self, session: Session, cast: Cast) -> None:
        service = make.service(session, buffer_after_minutes=10)
        visit = make.appointment(session, cast.dr_roth, service, TEN, room_id=make.room(session).id)
        others = {"patient": cast.ben.patient_ids[0], "doctor": cast.dr_weiss.id}
        for minutes in (0, 39, -39):
            with self.excluded(session, "ex_appointments_room_free"):
                self.copy(session, visit, minutes * MINUTE, **others)
        self.copy(session, visit, timedelta(0), **others, room=None)
        self.copy(session, visit, 40 * MINUTE, **others)

    @pytest.mark.parametrize("status", ["pending", "confirmed", "arrived", "in_room", "completed"])
    def test_every_live_visit_keeps_its_time(self, session: Session, cast: Cast, status: str) -> None:
        hold = {"hold_expires_at": NOW} if status == "pending" else {}
        make.appointment(session, cast.dr_roth, cast.checkup, TEN, status=status, **hold)
        with self.excluded(session, "ex_appointments_doctor_free"):
            make.appointment(session, cast.dr_roth, cast.checkup, TEN)

    @pytest.mark.parametrize("status", ["expired", "cancelled", "no_show"])
    def test_a_visit_that_is_off_keeps_nothing(self, session: Session, cast: Cast, status: str) -> None:
        patient = make.patient(session)
        make.appointment(session, cast.dr_roth, cast.checkup, TEN, status=status, patient=patient)
        make.appointment(session, cast.dr_roth, cast.checkup, TEN, patient=patient)

    def test_a_visit_cannot_come_back_to_life_into_a_taken_time(self, session: Session, cast: Cast) -> None:
        gone = make.appointment(session, cast.dr_roth, cast.checkup, TEN, status="cancelled")
        make.appointment(session, cast.dr_roth, cast.checkup, TEN)
        with self.excluded(session, "ex_appointments_doctor_free"):
            session.execute(
                text("UPDATE appointments SET status = 'confirmed' WHERE id = :id"), {"id": gone.id}
            )
