"""When the visits of today will really begin, as far as can be seen now."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from db.models import AppointmentStatus

NOTICED = timedelta(minutes=10)  # a visit that begins no later than that is on time
STEP = timedelta(minutes=5)
CONFIRMED, ARRIVED, IN_ROOM = (
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.IN_ROOM,
)


class Turn(Protocol):
    """What is asked of a visit."""

    @property
    def id(self) -> int: ...
    @property
    def doctor_id(self) -> int: ...
    @property
    def status(self) -> AppointmentStatus: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def in_room_at(self) -> datetime | None: ...


def predicted(visits: Iterable[Turn], now: datetime) -> dict[int, datetime]:
    """When each visit that is still to begin will, by number: one after the other for each doctor.

    Who is in the room stays as long as the visit is, and has been there since `in_room_at`; then come those
    who wait and those who are expected, in the order of their times. Who is expected since the visit began
    and has not come holds nobody up beyond the visit's own end, and is told nothing.
    """
    of_doctor: defaultdict[int, list[Turn]] = defaultdict(list)
    for visit in visits:
        of_doctor[visit.doctor_id].append(visit)
    begins: dict[int, datetime] = {}
    for turns in of_doctor.values():
        begins |= _of_one(turns, now)
    return begins


def _of_one(turns: list[Turn], now: datetime) -> dict[int, datetime]:
    ends = [
        (each.in_room_at or each.starts_at) + (each.ends_at - each.starts_at)
        for each in turns
        if each.status is IN_ROOM
    ]
    free_at = max([now, *ends])
    begins = {}
    for each in sorted(turns, key=lambda turn: (turn.starts_at, turn.id)):
        if each.status is CONFIRMED and each.starts_at <= now:
            free_at = max(free_at, each.ends_at)
        elif each.status in {CONFIRMED, ARRIVED}:
            begins[each.id] = max(each.starts_at, free_at)
            free_at = begins[each.id] + (each.ends_at - each.starts_at)
    return begins


def late_minutes(visit: Turn, begins_at: datetime | None) -> int:
    """How late a visit will begin, in minutes rounded up to five; 0 where it is on time."""
    late = timedelta() if begins_at is None else begins_at - visit.starts_at
    return 0 if late <= NOTICED else -(-late // STEP) * int(STEP.total_seconds() // 60)
