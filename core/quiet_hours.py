"""When nobody wants a text: at night, by the clock where the person is."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.wall_time import instant_reached

_DAY = timedelta(days=1)
EVENING_LEAD = timedelta(minutes=30)  # before the night begins, for what cannot wait until it ends


class Quiet(NamedTuple):
    """The night from `begins` to `ends` (wall times, over midnight) in `zone`."""

    begins: time
    ends: time
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether `at` (aware) is at night."""
        wall = at.astimezone(self.zone).time()
        return wall >= self.begins or wall < self.ends

    def over_at(self, at: datetime) -> datetime:
        """The first instant (UTC) at or after `at` that is not at night."""
        if not self.holds(at):
            return at.astimezone(UTC)
        local = at.astimezone(self.zone)
        morning = local.date() if local.time() < self.ends else local.date() + _DAY
        return self._at(morning, self.ends)

    def evening_before(self, at: datetime) -> datetime:
        """Half an hour before the night that `at` is in began, in UTC."""
        local = at.astimezone(self.zone)
        evening = local.date() if local.time() >= self.begins else local.date() - _DAY
        return self._at(evening, self.begins) - EVENING_LEAD

    def _at(self, on: date, wall: time) -> datetime:
        """Where clocks jump over it, the instant at which they have."""
        return instant_reached(self.zone, datetime.combine(on, wall))
