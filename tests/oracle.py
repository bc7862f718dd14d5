"""When a doctor can be booked, found the slow way: every minute in turn, looking at the clock on the wall.

It shares no code with `core`. What wall time means is not computed from offsets but observed: the clock is
watched from two days before, a time shown for the second time is a repeat, and closing time is reached at the
first minute that shows it or a later one.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LIVE = ("pending", "confirmed", "arrived", "in_room", "completed")

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hours:
    weekday: int
    opens: time
    closes: time
    valid_from_on: date | None = None
    valid_until_on: date | None = None
    place: int = 1

    def holds(self, on: date) -> bool:
        return (
            self.weekday == on.isoweekday()
            and (self.valid_from_on is None or on >= self.valid_from_on)
            and (self.valid_until_on is None or on <= self.valid_until_on)
        )


@dataclass(frozen=True)
class Override:
    on: date
    opens: time | None = None
    closes: time | None = None
    place: int = 1


@dataclass(frozen=True)
class Closed:
    """A day on which a place, or without one all of them, is closed."""

    on: date
    place: int | None = None


@dataclass(frozen=True)
class Room:
    """`fits` says whether the service may take place in it."""

    id: int
    place: int = 1
    is_active: bool = True
    fits: bool = True


@dataclass(frozen=True)
class Visit:
    id: int
    status: str
    blocked: Span
    room: int | None = None


@dataclass
class Doctor:
    is_active: bool = True
    is_accepting: bool = True
    is_offering: bool = True
    hours: list[Hours] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    time_off: list[Span] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def stretches(self, on: date, clinic: "Clinic") -> list[tuple[time, time, int]]:
        """The hours of one date with their places, those at places that are in use and open."""
        special = [override for override in self.overrides if override.on == on]
        if special:
            return [
                (each.opens, each.closes, each.place)
                for each in special
                if each.opens and each.closes and each.place not in clinic.given_up
            ]
        return [
            (each.opens, each.closes, each.place)
            for each in self.hours
            if each.holds(on) and each.place not in clinic.given_up and not clinic.is_closed(each.place, on)
        ]

    def loses_hours(self, on: date, clinic: "Clinic") -> bool:
        """Whether a closed day takes hours of that date away."""
        if any(override.on == on for override in self.overrides):
            return False
        return any(each.holds(on) and clinic.is_closed(each.place, on) for each in self.hours)


@dataclass(frozen=True)
class Service:
    """Minutes and days; notice and horizon are None where the clinic's count."""

    duration: int
    step: int
    buffer_before: int = 0
    buffer_after: int = 0
    notice: int | None = None
    horizon: int | None = None
    is_active: bool = True
    needs_room: bool = False


@dataclass(frozen=True)
class Clinic:
    """`given_up` are the places that are no longer in use."""

    zone: ZoneInfo
    notice: int
    horizon: int
    closed: tuple[Closed, ...] = ()
    given_up: frozenset[int] = frozenset()
    rooms: tuple[Room, ...] = ()

    def is_closed(self, place: int, on: date) -> bool:
        return any(each.on == on and each.place in (None, place) for each in self.closed)


class Clock:
    """A wall clock watched minute by minute."""

    def __init__(self, zone: ZoneInfo, begins: datetime, ends: datetime) -> None:
        self.walls: dict[datetime, datetime] = {}
        self.repeats: set[datetime] = set()
        self.records: list[
            tuple[datetime, datetime]
        ] = []  # (wall, minute) whenever the clock shows its latest yet
        seen: set[datetime] = set()
        minute = begins
        while minute < ends:
            wall = minute.astimezone(zone).replace(tzinfo=None, fold=0)
            self.walls[minute] = wall
            if wall in seen:
                self.repeats.add(minute)
            seen.add(wall)
            if not self.records or wall > self.records[-1][0]:
                self.records.append((wall, minute))
            minute += MINUTE

    def shows(self, at: datetime) -> tuple[datetime, bool]:
        """What the clock shows at `at`, and whether it has shown it before."""
        minute = at.replace(second=0, microsecond=0)
        return self.walls[minute] + (at - minute), minute in self.repeats

    def reaches(self, wall: datetime) -> datetime:
        """The first minute at which the clock shows `wall` or has jumped over it."""
        return self.records[bisect_left(self.records, (wall,))][1]

    def minutes(self, from_on: date, until_on: date) -> Iterator[datetime]:
        """Every minute of these days, in order."""
        return (minute for minute, wall in self.walls.items() if from_on <= wall.date() <= until_on)


@lru_cache(maxsize=64)
def clock(zone: ZoneInfo, from_on: date, until_on: date) -> Clock:
    """A clock watched from two days before `from_on` until three days after `until_on`."""
    return Clock(
        zone,
        datetime.combine(from_on - 2 * DAY, time(), UTC),
        datetime.combine(until_on + 4 * DAY, time(), UTC),
    )


@dataclass
class Question:
    """What is asked of the oracle: everything but the instant."""

    clinic: Clinic
    service: Service
    doctor: Doctor
    now: datetime
    watched: Clock
    by_staff: bool = False
    ignoring: int | None = None
    everybodys: tuple[Visit, ...] = ()  # the visits of all doctors, who share the rooms

    def why_not(self, at: datetime) -> str | None:
        """The name of the first rule that `at` fails, None when a visit may start then."""
        return next(self._failing(at), None)

    def free(self, from_on: date, until_on: date) -> list[datetime]:
        """Every minute of these days at which a visit may start."""
        return [minute for minute in self.watched.minutes(from_on, until_on) if self.why_not(minute) is None]

    def first_free(self, from_on: date, until_on: date) -> datetime | None:
        minutes = self.watched.minutes(from_on, until_on)
        return next((minute for minute in minutes if self.why_not(minute) is None), None)

    def _failing(self, at: datetime) -> Iterator[str]:
        doctor, service, clinic = self.doctor, self.service, self.clinic
        if not doctor.is_active:
            yield "DOCTOR_INACTIVE"
        if not doctor.is_accepting and not self.by_staff:
            yield "NOT_ACCEPTING"
        if not doctor.is_offering or not service.is_active:
            yield "NOT_OFFERED"
        if at < self.now:
            yield "IN_PAST"
        notice = clinic.notice if service.notice is None else service.notice
        if at - self.now < notice * MINUTE and not self.by_staff:
            yield "SHORT_NOTICE"
        horizon = clinic.horizon if service.horizon is None else service.horizon
        wall, is_repeat = self.watched.shows(at)
        if wall.date() > self.now.astimezone(clinic.zone).date() + horizon * DAY:
            yield "BEYOND_HORIZON"
        if is_repeat:
            yield "REPEATED_HOUR"
        hours = doctor.stretches(wall.date(), clinic)
        open_now = [each for each in hours if each[0] <= wall.time() < each[1]]
        if not open_now:
            yield "CLOSED" if doctor.loses_hours(wall.date(), clinic) else "OUTSIDE_HOURS"
            return
        opens, closes = (datetime.combine(wall.date(), edge) for edge in open_now[0][:2])
        since_opening = (wall - opens).total_seconds()
        if since_opening % (service.step * 60) != 0:
            yield "OFF_STEP"
        ends = at + service.duration * MINUTE
        if ends > self.watched.reaches(closes):
            yield "RUNS_OVER"
        if any(begins < ends and at < over for begins, over in doctor.time_off):
            yield "TIME_OFF"
        begins, over = at - service.buffer_before * MINUTE, ends + service.buffer_after * MINUTE
        counted = [each for each in doctor.visits if each.status in LIVE and each.id != self.ignoring]
        if any(each.blocked[0] < over and begins < each.blocked[1] for each in counted):
            yield "TAKEN"
        if service.needs_room and not self._has_room(open_now[0][2], begins, over):
            yield "NO_ROOM"

    def _has_room(self, place: int, begins: datetime, over: datetime) -> bool:
        for room in self.clinic.rooms:
            inside = [
                each
                for each in self.everybodys
                if each.room == room.id and each.status in LIVE and each.id != self.ignoring
            ]
            is_free = not any(each.blocked[0] < over and begins < each.blocked[1] for each in inside)
            if room.place == place and room.is_active and room.fits and is_free:
                return True
        return False


@dataclass(frozen=True)
class Booked:
    """A visit as the hours see it: where, when and for how long (minutes)."""

    place: int
    at: datetime
    minutes: int


def lies_within(visit: Booked, doctor: Doctor, clinic: Clinic, watched: Clock) -> bool:
    """Whether a doctor's hours cover a whole visit at its place, and no time off touches it."""
    wall, _is_repeat = watched.shows(visit.at)
    ends = visit.at + visit.minutes * MINUTE
    for opens, closes, place in doctor.stretches(wall.date(), clinic):
        is_open = opens <= wall.time() < closes
        if (
            place == visit.place
            and is_open
            and ends <= watched.reaches(datetime.combine(wall.date(), closes))
        ):
            return not any(begins < ends and visit.at < over for begins, over in doctor.time_off)
    return False
