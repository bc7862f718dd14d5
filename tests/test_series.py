"""Visits that come back every few weeks: at the same wall time, all of them or none, told in one message."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import appointments, compositions, series, series_changes
from core.compositions import Composed
from core.errors import AccessDenied
from core.i18n import day
from core.series import SeriesRefused, SeriesTooLong
from core.series_changes import NoSeries
from db.models import Appointment, AppointmentStatus, Notification, Patient, VisitSeries
from db.session import unit_of_work
from tests import make, messages
from tests.at_once import at_once
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is
from tests.phones import Phones

TEN = on(3, 10)
WEEK = timedelta(weeks=1)


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    return assemble(session)


def wish(cast: Cast) -> dict[str, int]:
    return {
        "patient_id": cast.ada.patient_ids[0],
        "doctor_id": cast.dr_roth.id,
        "service_id": cast.checkup.id,
    }


def book(session: Session, cast: Cast, count: int = 4) -> list[Appointment]:
    starts = [TEN + number * WEEK for number in range(count)]
    return series.book(session, cast.desk, **wish(cast), starts=starts, every_weeks=1)


def times(visits: list[Appointment]) -> list[datetime]:
    return [visit.starts_at for visit in visits]


def test_a_plan_keeps_the_wall_time_over_the_change_of_clocks(session: Session, cast: Cast) -> None:
    with time_is(datetime(2026, 10, 12, 8, tzinfo=BERLIN)):
        planned = series.plan(
            session,
            cast.desk,
            **wish(cast),
            starts_at=datetime(2026, 10, 14, 10, tzinfo=BERLIN),
            every_weeks=1,
            visits=4,
        )
    assert [each.problem for each in planned] == [""] * 4
    instants = [each.starts_at for each in planned]
    assert [at.astimezone(BERLIN).hour for at in instants if at] == [10] * 4
    assert [at.astimezone(UTC).hour for at in instants if at] == [8, 8, 9, 9]


def test_a_plan_says_what_is_in_the_way_and_what_is_free_nearby(session: Session, cast: Cast) -> None:
    make.appointment(session, cast.dr_roth, cast.checkup, TEN + WEEK)
    make.time_off(session, cast.dr_roth, on(17, 0), on(18, 0))
    hers = make.appointment(session, cast.dr_weiss, cast.checkup, TEN + 3 * WEEK, patient=_ada(session, cast))
    planned = series.plan(session, cast.desk, **wish(cast), starts_at=TEN, every_weeks=1, visits=4)
    free, taken, away, busy = planned
    assert (free.problem, free.alternatives) == ("", [])
    assert taken.problem == "That time is taken."
    assert away.problem == "The doctor is away at that time."
    assert busy.problem == "There is already another visit at that time."
    for each in (taken, away, busy):
        assert len(each.alternatives) == 3
        assert each.starts_at not in each.alternatives
    assert hers.starts_at not in busy.alternatives
    assert session.scalar(select(func.count()).select_from(VisitSeries)) == 0, "a plan saves nothing"


def _ada(session: Session, cast: Cast) -> Patient:
    return session.get_one(Patient, cast.ada.patient_ids[0])


def test_a_time_that_clocks_skip_is_planned_as_a_conflict(session: Session, cast: Cast) -> None:
    make.weekly_hours(session, cast.dr_roth, "01:00-05:00", on=[7])
    with time_is(datetime(2026, 3, 16, 8, tzinfo=BERLIN)):
        planned = series.plan(
            session,
            cast.desk,
            **wish(cast),
            starts_at=datetime(2026, 3, 22, 2, 30, tzinfo=BERLIN),
            every_weeks=1,
            visits=2,
        )
    assert planned[0].problem == ""
    assert planned[1].starts_at is None
    assert "does not exist" in planned[1].problem
    assert planned[1].alternatives


def test_all_are_booked_as_one_series(session: Session, cast: Cast) -> None:
    booked = book(session, cast)
    assert times(booked) == [TEN + number * WEEK for number in range(4)]
    assert len({visit.series_id for visit in booked}) == 1
    assert booked[0].series_id is not None


def test_one_that_cannot_be_leaves_none(database: Engine) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
        make.appointment(session, cast.dr_roth, cast.checkup, TEN + 2 * WEEK)
    with pytest.raises(SeriesRefused) as refused, unit_of_work(database) as session:
        book(session, cast)
    assert day((TEN + 2 * WEEK).date()) in str(refused.value)
    with unit_of_work(database) as session:
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1
        assert session.scalar(select(func.count()).select_from(VisitSeries)) == 0
        assert session.scalar(select(func.count()).select_from(Notification)) == 0


def test_a_form_that_is_sent_twice_at_once_books_once(database: Engine) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
    key = uuid4()
    starts = [TEN + number * WEEK for number in range(3)]

    def press(_number: int) -> list[int]:
        with unit_of_work(database) as session:
            booked = series.book(
                session, cast.desk, **wish(cast), starts=starts, every_weeks=1, request_key=key
            )
            return [visit.id for visit in booked]

    first, second = at_once(2, press)
    assert first == second
    with unit_of_work(database) as session:
        assert session.scalar(select(func.count()).select_from(Appointment)) == 3


@pytest.mark.parametrize(("visits", "weeks"), [(1, 1), (27, 1), (2, 0), (2, 13)])
def test_a_series_has_bounds(session: Session, cast: Cast, visits: int, weeks: int) -> None:
    with pytest.raises(SeriesTooLong):
        series.plan(session, cast.desk, **wish(cast), starts_at=TEN, every_weeks=weeks, visits=visits)


def test_one_message_tells_of_all(session: Session, cast: Cast, phone: Phones) -> None:
    messages.reached(session, cast.ada, phone="+4915112345678")
    booked = book(session, cast)
    first, *others = session.scalars(select(Notification).order_by(Notification.id)).all()
    assert len(others) == 3
    composed = compositions.compose(session, first)
    assert isinstance(composed, Composed)
    assert {each.id for each in composed.carried} == {each.id for each in others}
    said = composed.written.body
    assert f"you are booked for {day(TEN.date())}, 10:00" in said
    assert f" and 3 more times until {day(booked[-1].starts_at.date())}. To change it: " in said


def test_moving_one_leaves_the_others_and_moving_the_rest_takes_those_after_it(
    session: Session, cast: Cast
) -> None:
    first, second, third, fourth = book(session, cast)
    appointments.reschedule(session, cast.desk, appointment_id=first.id, starts_at=on(3, 11))
    moved = series_changes.reschedule(session, cast.desk, appointment_id=second.id, starts_at=on(11, 9, 30))
    assert [visit.id for visit in moved] == [second.id, third.id, fourth.id]
    assert first.starts_at == on(3, 11)
    assert times(moved) == [on(11, 9, 30) + number * WEEK for number in range(3)]


@pytest.mark.parametrize("days", [7, -7], ids=["a week later", "a week earlier"])
def test_a_series_moves_over_its_own_times(session: Session, cast: Cast, days: int) -> None:
    starts = [TEN + number * WEEK for number in range(1, 4)]
    booked = series.book(session, cast.desk, **wish(cast), starts=starts, every_weeks=1)
    to = booked[0].starts_at + timedelta(days=days)
    moved = series_changes.reschedule(session, cast.desk, appointment_id=booked[0].id, starts_at=to)
    assert times(moved) == [to + number * WEEK for number in range(3)]


def test_a_move_that_one_of_them_cannot_make_moves_none(database: Engine) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
        booked = book(session, cast)
        make.appointment(session, cast.dr_roth, cast.checkup, on(18, 10))
    with pytest.raises(SeriesRefused), unit_of_work(database) as session:
        series_changes.reschedule(session, cast.desk, appointment_id=booked[1].id, starts_at=on(11, 10))
    with unit_of_work(database) as session:
        rows = session.scalars(
            select(Appointment).where(Appointment.series_id.is_not(None)).order_by(Appointment.starts_at)
        )
        assert times(list(rows)) == [TEN + number * WEEK for number in range(4)]


@pytest.mark.parametrize("days", [1, -1], ids=["a day later", "a day earlier"])
def test_a_series_whose_move_is_sent_twice_at_once_moves_once(database: Engine, days: int) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
        first_id = book(session, cast)[0].id
    key, to = uuid4(), TEN + timedelta(days=days)

    def press(_number: int) -> list[datetime]:
        with unit_of_work(database) as session:
            return times(
                series_changes.reschedule(
                    session, cast.desk, appointment_id=first_id, starts_at=to, request_key=key
                )
            )

    first, second = at_once(2, press)
    assert first == second == [to + number * WEEK for number in range(4)]
    with unit_of_work(database) as session:
        rows = session.scalars(select(Appointment).order_by(Appointment.starts_at))
        assert times(list(rows)) == first


def test_calling_off_a_series_twice_at_once_has_one_answer(database: Engine) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
        first_id = book(session, cast)[0].id
    key = uuid4()

    def press(_number: int) -> int:
        with unit_of_work(database) as session:
            wanted = {"appointment_id": first_id, "reason": "Better", "request_key": key}
            return len(series_changes.cancel(session, cast.desk, **wanted))

    assert sorted(at_once(2, press), key=str) == [0, 4]


def test_calling_off_the_rest_keeps_what_was_before(session: Session, cast: Cast) -> None:
    first, second, third, fourth = book(session, cast)
    key = uuid4()
    for expected in ([second.id, third.id, fourth.id], []):
        ended = series_changes.cancel(
            session, cast.desk, appointment_id=second.id, reason="Better", request_key=key
        )
        assert [visit.id for visit in ended] == expected
    assert first.status is AppointmentStatus.CONFIRMED
    assert {each.status for each in (second, third, fourth)} == {AppointmentStatus.CANCELLED}


def test_what_has_begun_or_belongs_to_nothing_has_no_rest(session: Session, cast: Cast) -> None:
    alone = make.appointment(session, cast.dr_roth, cast.checkup, on(4, 10))
    first, *_others = book(session, cast, 2)
    with pytest.raises(NoSeries):
        series_changes.cancel(session, cast.desk, appointment_id=alone.id, reason="Better")
    with time_is(on(3, 10, 5)):
        rest = series_changes.following(session, cast.desk, appointment_id=first.id)
    assert first.id not in [visit.id for visit in rest]


def test_series_are_the_desks(session: Session, cast: Cast) -> None:
    booked = book(session, cast)
    for actor in (cast.ada, cast.stranger, cast.roth):
        with pytest.raises(AccessDenied):
            series.book(session, actor, **wish(cast), starts=[TEN, TEN + WEEK], every_weeks=1)
        with pytest.raises(AccessDenied):
            series_changes.cancel(session, actor, appointment_id=booked[0].id, reason="Better")
        with pytest.raises(AccessDenied):
            series_changes.reschedule(session, actor, appointment_id=booked[0].id, starts_at=on(3, 11))
    assert {visit.status for visit in booked} == {AppointmentStatus.CONFIRMED}
