"""When visits will really begin: one after the other, given who is in the room since when."""

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from core import delays
from db.models import AppointmentStatus
from tests.cast import on

CONFIRMED, ARRIVED, IN_ROOM, COMPLETED, NO_SHOW = (
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.IN_ROOM,
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
)
HALF = timedelta(minutes=30)


class Visit(NamedTuple):
    """Half an hour with the one doctor, unless told."""

    id: int
    status: AppointmentStatus
    starts_at: datetime
    ends_at: datetime
    in_room_at: datetime | None = None
    doctor_id: int = 1


def visit(
    number: int, status: AppointmentStatus, hour: int, minute: int = 0, in_room_at: datetime | None = None
) -> Visit:
    starts_at = on(1, hour, minute)
    return Visit(number, status, starts_at, starts_at + HALF, in_room_at)


def test_on_time_everybody_begins_when_they_are_booked() -> None:
    visits = [visit(1, CONFIRMED, 10), visit(2, ARRIVED, 10, 30), visit(3, CONFIRMED, 12)]
    assert delays.predicted(visits, on(1, 9, 50)) == {
        1: on(1, 10),
        2: on(1, 10, 30),
        3: on(1, 12),
    }


def test_who_went_in_late_holds_up_those_after_until_a_gap_makes_up_for_it() -> None:
    visits = [
        visit(1, IN_ROOM, 10, in_room_at=on(1, 10, 25)),
        visit(2, ARRIVED, 10, 30),
        visit(3, CONFIRMED, 11),
        visit(4, CONFIRMED, 12),
    ]
    begins = delays.predicted(visits, on(1, 10, 40))
    assert begins == {2: on(1, 10, 55), 3: on(1, 11, 25), 4: on(1, 12)}
    assert [delays.late_minutes(each, begins.get(each.id)) for each in visits] == [0, 25, 25, 0]


def test_a_visit_that_takes_longer_than_planned_is_over_now_at_the_soonest() -> None:
    visits = [visit(1, IN_ROOM, 10, in_room_at=on(1, 10)), visit(2, ARRIVED, 11), visit(3, CONFIRMED, 11, 30)]
    assert delays.predicted(visits, on(1, 11, 17)) == {2: on(1, 11, 17), 3: on(1, 11, 47)}


def test_who_has_not_come_is_waited_for_until_the_visit_would_end_and_no_longer() -> None:
    visits = [visit(1, CONFIRMED, 10), visit(2, ARRIVED, 10, 30)]
    assert delays.predicted(visits, on(1, 10, 5)) == {2: on(1, 10, 30)}
    assert delays.predicted(visits, on(1, 10, 45)) == {2: on(1, 10, 45)}


def test_where_nobody_marks_anything_nobody_is_late() -> None:
    visits = [visit(number, CONFIRMED, 8 + number) for number in range(8)]
    begins = delays.predicted(visits, on(1, 12, 10))
    assert [delays.late_minutes(each, begins.get(each.id)) for each in visits] == [0] * 8


def test_doctors_do_not_hold_each_other_up_and_what_is_over_holds_up_nobody() -> None:
    visits = [
        visit(1, IN_ROOM, 9, in_room_at=on(1, 10)),
        visit(2, COMPLETED, 9, 30),
        visit(3, NO_SHOW, 9, 45),
        visit(4, CONFIRMED, 10, 10)._replace(doctor_id=2),
    ]
    assert delays.predicted(visits, on(1, 10)) == {4: on(1, 10, 10)}


@pytest.mark.parametrize(
    ("late", "said"), [(0, 0), (10, 0), (10.5, 15), (15, 15), (16, 20), (60, 60), (-5, 0)]
)
def test_a_delay_is_said_in_steps_of_five_minutes_from_more_than_ten(late: float, said: int) -> None:
    one = visit(1, CONFIRMED, 10)
    assert delays.late_minutes(one, one.starts_at + timedelta(minutes=late)) == said
    assert delays.late_minutes(one, None) == 0
