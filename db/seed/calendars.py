"""Wall time and working hours: when a doctor works on a given date, and which instant a wall time is."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from db.models import DateOverride, TimeOff, WeeklyHours

ZONE = ZoneInfo("Europe/Berlin")


@cache
def instant(on: date, minute: int) -> datetime:
    """The instant of a wall time, as minutes after local midnight. A repeated one means its first time."""
    return datetime.combine(on, time(*divmod(minute, 60)), ZONE).astimezone(UTC)


@cache
def exists(on: date, minute: int) -> bool:
    """Whether the clocks show this wall time at all that day: an hour is skipped each spring."""
    shown = instant(on, minute).astimezone(ZONE)
    return shown.date() == on and minute_of(shown.time()) == minute


def minute_of(at: time) -> int:
    return at.hour * 60 + at.minute


def time_of(minute: int) -> time:
    return time(*divmod(minute, 60))


class Stretch(NamedTuple):
    """Working time at one place, in minutes after local midnight."""

    location_id: int
    opens: int
    closes: int


class Schedule:
    """One doctor's hours, answered by date the way the portal's slot search answers them."""

    def __init__(
        self, weekly: Iterable[WeeklyHours], overrides: Iterable[DateOverride], time_off: Iterable[TimeOff]
    ) -> None:
        self._weekly: dict[int, list[tuple[date, Stretch]]] = defaultdict(list)
        for hours in weekly:
            stretch = Stretch(hours.location_id, minute_of(hours.opens_at), minute_of(hours.closes_at))
            self._weekly[hours.weekday].append((hours.valid_until_on or date.max, stretch))
        self._overrides: dict[date, list[Stretch]] = {}
        for override in overrides:
            self._add(override)
        self._time_off = [(off.starts_at, off.ends_at) for off in time_off]

    def _add(self, override: DateOverride) -> None:
        stretches = self._overrides.setdefault(override.on_date, [])
        if override.location_id and override.opens_at and override.closes_at:
            stretches.append(
                Stretch(override.location_id, minute_of(override.opens_at), minute_of(override.closes_at))
            )

    def stretches(self, on: date) -> list[Stretch]:
        """The working time of a date: its overrides where it has any, or else the weekly hours."""
        if on in self._overrides:
            return self._overrides[on]
        return [stretch for until, stretch in self._weekly[on.isoweekday()] if on <= until]

    def is_away(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether time off touches the time between two instants."""
        return any(starts_at < off_ends and off_starts < ends_at for off_starts, off_ends in self._time_off)
