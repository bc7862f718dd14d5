"""What figures are about: a period of days of the clinic, perhaps one doctor, service or place."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from core.errors import ClinicError
from core.i18n import N_

LONGEST_DAYS = 5 * 366
_DAY = timedelta(days=1)
_DAILY, _WEEKLY = 45, 200  # days up to which a period is told by day and by week


class DaysInWrongOrder(ClinicError):
    message = N_("The last day comes before the first. Please choose the days again.")


class PeriodTooLong(ClinicError):
    message = N_("Please choose at most five years.")


class Step(StrEnum):
    """What a period is cut into. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Scope:
    """Days are the clinic's, both included. Raises `DaysInWrongOrder`, `PeriodTooLong`."""

    from_on: date
    until_on: date
    doctor_id: int | None = None
    service_id: int | None = None
    location_id: int | None = None
    step: Step | None = None

    def __post_init__(self) -> None:
        if self.until_on < self.from_on:
            raise DaysInWrongOrder
        if self.days > LONGEST_DAYS:
            raise PeriodTooLong

    @property
    def days(self) -> int:
        return (self.until_on - self.from_on).days + 1

    @property
    def cut(self) -> Step:
        """The step that was chosen, or the one that suits the length."""
        if self.step is not None:
            return self.step
        return Step.DAY if self.days <= _DAILY else Step.WEEK if self.days <= _WEEKLY else Step.MONTH

    @property
    def filters(self) -> dict[str, int]:
        """What is asked for beside the period, by the columns of a visit."""
        named = {name: getattr(self, name) for name in ("doctor_id", "service_id", "location_id")}
        return {name: number for name, number in named.items() if number is not None}

    def steps(self) -> list[date]:
        """The first day of every step that the period touches, in order; the first may lie before it."""
        found, on = [], first_of_step(self.from_on, self.cut)
        while on <= self.until_on:
            found.append(on)
            on = next_step(on, self.cut)
        return found

    def over(self, from_on: date, until_on: date) -> "Scope":
        """The same of another period."""
        return replace(self, from_on=from_on, until_on=until_on)


def first_of_step(on: date, step: Step) -> date:
    """The first day of the day, week or month that a day is in."""
    if step is Step.WEEK:
        return on - timedelta(days=on.weekday())
    return on.replace(day=1) if step is Step.MONTH else on


def next_step(on: date, step: Step) -> date:
    """The first day after the step that begins on a day."""
    if step is Step.MONTH:
        return date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return on + (timedelta(days=7) if step is Step.WEEK else _DAY)
