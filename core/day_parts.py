"""Days of the clinic as the database is asked for them: their instants, and those of each hour of theirs."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clinics, wall_time

_DAY = timedelta(days=1)
_QUARTER = timedelta(minutes=15)
_FIRST = text("""
    SELECT min(first_at) FROM (
        SELECT (SELECT min(a.starts_at) FROM appointments a WHERE a.doctor_id = d.id) AS first_at
        FROM doctors d
        UNION ALL SELECT min(at) FROM ledger_entries
    ) AS firsts
""")


class Slice(NamedTuple):
    """A part of a day in which the clinic's clocks show one hour, in UTC."""

    hour: int
    begins_at: datetime
    ends_at: datetime


class Part(NamedTuple):
    """A part of a day with one offset from UTC: wall times from `reached` to before `wall_to` lie in it.

    Times that the clocks skip are reached when it begins, at `wall_from`.
    """

    reached: datetime
    wall_from: datetime
    wall_to: datetime
    offset: timedelta


def first_of(session: Session) -> date | None:
    """The day of the clinic's first visit, or of the first money if that is earlier."""
    first_at: datetime | None = session.scalar(_FIRST)
    return first_at and first_at.astimezone(clinics.zone(session)).date()


def of_days(zone: ZoneInfo, days: Sequence[date]) -> dict[str, Any]:
    """What every statement of `core.day_statements` takes: the days, and when they begin and end."""
    bounds = [bounds_of(zone, day) for day in days]
    return {
        "dates": list(days),
        "begins": [begins_at for begins_at, _ends_at in bounds],
        "ends": [ends_at for _begins_at, ends_at in bounds],
    }


def of_hours(zone: ZoneInfo, days: Sequence[date]) -> dict[str, Any]:
    """What `HOURS` takes: the days, their hours and their parts."""
    slices = [(day, *each) for day in days for each in slices_of(zone, day)]
    parts = [(day, *each) for day in days for each in _parts_of(zone, day)]
    return {
        **of_days(zone, days),
        **_columns(("hour_dates", "hours", "hour_begins", "hour_ends"), slices),
        **_columns(("part_dates", "reached", "wall_from", "wall_to", "offsets"), parts),
    }


def of_clocks(zone: ZoneInfo, days: Sequence[date]) -> dict[str, Any]:
    """What `odds` takes: the days, and from when on clocks were how far from UTC."""
    changes = wall_time.offsets(zone, min(days), max(days))
    return {**of_days(zone, days), **_columns(("changed", "offsets"), changes)}


def of_steps(zone: ZoneInfo, days: Sequence[date], since: date) -> dict[str, Any]:
    """What `patients` takes: the days, when their weeks and months began, and all months from `since` on."""
    months = [since.replace(day=1)]
    while months[-1] < max(days).replace(day=1):
        months.append((months[-1] + 31 * _DAY).replace(day=1))
    return {
        **of_days(zone, days),
        "weeks": [_begins_at(zone, day - day.weekday() * _DAY) for day in days],
        "months": [_begins_at(zone, day.replace(day=1)) for day in days],
        "month_dates": months,
        "month_begins": [_begins_at(zone, month) for month in months],
    }


def bounds_of(zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    """The first instant of a day, and that of the next."""
    return _begins_at(zone, day), _begins_at(zone, day + _DAY)


@lru_cache(maxsize=8192)
def _begins_at(zone: ZoneInfo, day: date) -> datetime:
    begins = datetime.combine(day, time())
    return wall_time.first_instant(zone, begins) or wall_time.instant_reached(zone, begins)


@lru_cache(maxsize=4096)
def slices_of(zone: ZoneInfo, day: date) -> tuple[Slice, ...]:
    """The hours of a day that clocks show: one that happens twice is one slice, one that is skipped is none.

    Looked for quarter by quarter: no zone changes its clocks within one.
    """
    at, ends_at = bounds_of(zone, day)
    found: list[Slice] = []
    while at < ends_at:
        hour, following = at.astimezone(zone).hour, min(at + _QUARTER, ends_at)
        begins_at = found.pop().begins_at if found and found[-1].hour == hour else at
        found.append(Slice(hour, begins_at, following))
        at = following
    return tuple(found)


@lru_cache(maxsize=4096)
def _parts_of(zone: ZoneInfo, day: date) -> tuple[Part, ...]:
    """The parts of a day; none of a date that the zone skipped, as Samoa did the 30th of December 2011."""
    begins = datetime.combine(day, time())
    found: list[Part] = []
    for each in wall_time.stretches(zone, day, day):
        reached = found[-1].wall_to if found else begins
        found.append(Part(reached, each.wall_from, each.wall_to, each.offset))
    return (*found[:-1], *(last._replace(wall_to=begins + 2 * _DAY) for last in found[-1:]))


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}
