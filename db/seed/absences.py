"""When doctors do not keep their weekly hours: leave, closed days, Saturday openings."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from db.models import DateOverride, TimeOff
from db.seed.calendars import Schedule, Stretch, instant, time_of
from db.seed.clinics import HORIZON_DAYS, MITTE

HISTORY_DAYS = 548  # eighteen months
_PUBLIC_HOLIDAYS = {(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}  # those of Berlin with a fixed date
_SATURDAY = 6
_A_FULL_DAY = [Stretch(MITTE, 9 * 60, 12 * 60 + 30), Stretch(MITTE, 13 * 60 + 30, 17 * 60)]

Changes = dict[date, list[Stretch]]  # the hours of a date instead of the weekly ones


class Absences:
    """Makes the exceptions of a doctor who otherwise keeps the `weekly` schedule."""

    def __init__(self, today: date, rng: Random, weekly: Schedule) -> None:
        self._today = today
        self._rng = rng
        self._weekly = weekly

    def of(self, doctor_id: int, opens_saturdays: bool) -> tuple[list[DateOverride], list[TimeOff]]:
        """The exceptions behind and ahead. The demo doctor, who is the first, has time for the next days."""
        changed = self._public_holidays()
        if opens_saturdays:
            changed |= self._saturdays()
        time_off = [*self._past_leave()]
        if doctor_id == 1:
            changed |= self._days_of_demo_doctor(changed)
            time_off.append(self._leave(self._ahead(40, 55), 7, "Annual leave"))
            time_off.append(_afternoon(self._ahead(5, 8), "Conference"))
        else:
            changed |= {self._ahead(3, 40): [] for _ in range(self._rng.randint(1, 2))}
            if self._rng.random() < 0.6:
                time_off.append(self._leave(self._ahead(12, 60), self._rng.randint(5, 12), "Annual leave"))
            if self._rng.random() < 0.4:
                time_off.append(_afternoon(self._ahead(4, 25), "Training"))
        for off in time_off:
            off.doctor_id = doctor_id
        return _overrides(doctor_id, changed), time_off

    def _days_of_demo_doctor(self, changed: Changes) -> Changes:
        """A closed day, and hours today: whoever opens the demo finds visits, also on a Sunday."""
        days: Changes = {self._ahead(9, 12): []}
        if self._today in changed or not self._weekly.stretches(self._today):
            days[self._today] = _A_FULL_DAY
        return days

    def _ahead(self, soonest: int, latest: int) -> date:
        """A date some days from today on which the doctor would have worked, if there is one soon after."""
        on = self._today + timedelta(days=self._rng.randint(soonest, latest))
        days = (on + timedelta(days=later) for later in range(7))
        return next((day for day in days if self._weekly.stretches(day)), on)

    def _public_holidays(self) -> Changes:
        span = (self._today + timedelta(days=offset) for offset in range(-HISTORY_DAYS, 2 * HORIZON_DAYS))
        return {
            day: []
            for day in span
            if (day.month, day.day) in _PUBLIC_HOLIDAYS and self._weekly.stretches(day)
        }

    def _saturdays(self) -> Changes:
        """The first Saturday of each month, at the place of the doctor's first hours of the week."""
        span = (self._today + timedelta(days=offset) for offset in range(-120, HORIZON_DAYS))
        places = [stretch.location_id for weekday in range(7) for stretch in self._on_weekday(weekday)]
        if not places:
            return {}
        opening = [Stretch(places[0], 9 * 60, 13 * 60)]
        return {day: opening for day in span if day.isoweekday() == _SATURDAY and day.day <= 7}

    def _on_weekday(self, weekday: int) -> list[Stretch]:
        return self._weekly.stretches(self._today + timedelta(days=weekday))

    def _past_leave(self) -> Iterator[TimeOff]:
        for months_ago in (2, 7, 13):
            first = self._today - timedelta(days=30 * months_ago + self._rng.randint(0, 50))
            yield self._leave(first, self._rng.randint(5, 14), "Annual leave")

    def _leave(self, first: date, days: int, reason: str) -> TimeOff:
        return TimeOff(
            starts_at=instant(first, 0), ends_at=instant(first + timedelta(days=days), 0), reason=reason
        )


def _afternoon(on: date, reason: str) -> TimeOff:
    return TimeOff(starts_at=instant(on, 13 * 60), ends_at=instant(on, 20 * 60), reason=reason)


def _overrides(doctor_id: int, changed: Changes) -> list[DateOverride]:
    """Rows for the changed dates: one without times where nothing is left of the day."""
    rows = []
    for on, stretches in sorted(changed.items()):
        for stretch in stretches:
            rows.append(
                DateOverride(
                    doctor_id=doctor_id,
                    on_date=on,
                    location_id=stretch.location_id,
                    opens_at=time_of(stretch.opens),
                    closes_at=time_of(stretch.closes),
                )
            )
        if not stretches:
            rows.append(DateOverride(doctor_id=doctor_id, on_date=on))
    return rows
