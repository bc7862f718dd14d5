"""Between the clinic's wall clock and instants, across the days on which clocks change.

Where clocks go forward, some wall times do not exist; where they go back, some happen twice and
the first counts. Both follow from one list: the stretches of wall time with a constant offset.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.errors import ClinicError
from core.i18n import N_

_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


class NaiveTime(ClinicError):
    message = N_("That time says nothing about its time zone.")


class NonexistentTime(ClinicError):
    message = N_("That time does not exist: clocks go forward over it on that day.")


class Stretch(NamedTuple):
    """Wall times `[wall_from, wall_to)` that lie `offset` east of UTC; repeated ones are left out.

    `ends_at` is the instant at which the next stretch begins.
    """

    wall_from: datetime
    wall_to: datetime
    offset: timedelta
    ends_at: datetime


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always knows its offset
    return offset


def _transition(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first instant after `before` with the offset of `after`, to the second."""
    offset = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
    return after


@lru_cache(maxsize=256)
def stretches(zone: ZoneInfo, first_on: date, last_on: date) -> tuple[Stretch, ...]:
    """The stretches that cover the days `first_on` to `last_on` in `zone`, in order.

    Looks for changes hour by hour: no zone has ever changed twice within one.
    """
    wall_from = datetime.combine(first_on, time())
    wall_end = datetime.combine(last_on, time()) + _DAY
    at = datetime.combine(first_on - _DAY, time(), UTC)
    until = datetime.combine(last_on + 2 * _DAY, time(), UTC)
    offset = _offset(zone, at)
    found: list[Stretch] = []
    while at < until:
        following = at + _HOUR
        if (changed := _offset(zone, following)) != offset:
            change = _transition(zone, at, following)
            wall_change = change.replace(tzinfo=None) + offset
            resumes = max(wall_change, change.replace(tzinfo=None) + changed)
            ends_at = (resumes - changed).replace(tzinfo=UTC)
            found.append(Stretch(wall_from, wall_change, offset, ends_at))
            wall_from, offset = max(resumes, wall_from), changed
        at = following
    found.append(Stretch(wall_from, wall_end, offset, (wall_end - offset).replace(tzinfo=UTC)))
    return tuple(part for part in found if part.wall_from < min(part.wall_to, wall_end))


@lru_cache(maxsize=256)
def offsets(zone: ZoneInfo, first_on: date, last_on: date) -> tuple[tuple[datetime, timedelta], ...]:
    """From which instants on clocks in `zone` are how far east of UTC, from before a day until after another.

    Looks for changes day by day: no zone has ever changed to and fro within one.
    """
    at = datetime.combine(first_on - 2 * _DAY, time(), UTC)
    until = datetime.combine(last_on + 2 * _DAY, time(), UTC)
    found = [(at, _offset(zone, at))]
    while at < until:
        following = at + _DAY
        if (changed := _offset(zone, following)) != found[-1][1]:
            found.append((_transition(zone, at, following), changed))
        at = following
    return tuple(found)


def first_instant(zone: ZoneInfo, wall: datetime) -> datetime | None:
    """The first instant at which clocks in `zone` show the naive `wall`, in UTC; None where they skip it."""
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return at if at.astimezone(zone).replace(tzinfo=None) == wall else None


def instant_reached(zone: ZoneInfo, wall: datetime) -> datetime:
    """The first instant at which clocks in `zone` have reached `wall`, shown or jumped over, in UTC."""
    for part in stretches(zone, wall.date() - _DAY, wall.date()):
        if wall < part.wall_to:
            return (max(wall, part.wall_from) - part.offset).replace(tzinfo=UTC)
    return stretches(zone, wall.date() - _DAY, wall.date())[-1].ends_at


def require_instant(at: datetime) -> datetime:
    """`at` in UTC. Raises `NaiveTime` without a zone, `NonexistentTime` in a gap of its own zone.

    The calendar's last day counts as the one before, from where every zone can still be reached.
    """
    if at.utcoffset() is None:
        raise NaiveTime
    try:
        utc = at.astimezone(UTC)
    except OverflowError:  # at the very ends of the calendar
        return _LAST if at.year > _FIRST.year else _FIRST
    if utc.astimezone(at.tzinfo).replace(tzinfo=None) != at.replace(tzinfo=None):
        raise NonexistentTime
    return max(min(utc, _LAST), _FIRST)
