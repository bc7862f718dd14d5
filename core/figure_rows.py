"""Which visits stand behind a row of a figure."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from core import figure_charts
from core.analytics.messages import CHANNELS
from core.analytics.names import Named
from core.analytics.revenue import METHODS
from core.analytics.scopes import Scope, Step, next_step
from core.errors import NotFound
from core.figures import Table
from db.models import AppointmentStatus, Channel, PaymentMethod

_DAY = timedelta(days=1)
_AHEAD = "revenue-forecast"
_COHORTS = "patients-cohorts"
_BY_STEP = (
    *("revenue-over_time", "utilisation-over_time", "missed-over_time", _AHEAD),
    *("patients-new_and_returning", "demand-recovered"),
)
# The column of a visit that is the number of who or what a row is named after.
_BY_NAME = {
    "revenue-by_doctor": "doctor_id",
    "utilisation-by_doctor": "doctor_id",
    "missed-by_doctor": "doctor_id",
    "revenue-by_service": "service_id",
    "revenue-by_place": "location_id",
}
# By which of a visit's own traits a row narrows the scope.
_BY_PART = {
    "revenue-by_specialty": "specialty",
    "revenue-by_method": "method",
    "missed-by_lead": "lead",
    "demand-lead_times": "lead",
    "missed-by_confirmation": "has_said",
    "messages-answered": "reminded_by",
}


class Wanted(NamedTuple):
    """The visits that were to begin in a scope; Monday is weekday 1.

    Those `ahead` are confirmed and have not begun; those that are `kept` were not called off. `lead` is a
    place in `odds.LEADS`. Those of patients `first_seen` in a scope had no completed visit before. With a
    `method` they are those whose money came or went by it in the scope, with `reminded_by` those of which a
    reminder was sent in it, and those that are `recovered` were offered in it to somebody who waited, and
    taken: whenever they were to begin.
    """

    scope: Scope
    weekday: int | None = None
    hour: int | None = None
    status: AppointmentStatus | None = None
    is_ahead: bool = False
    is_kept: bool = False
    lead: int | None = None
    has_said: bool | None = None
    specialty: str | None = None
    first_seen: Scope | None = None
    method: PaymentMethod | None = None
    reminded_by: Channel | None = None
    is_recovered: bool = False


def wanted(table: Table, row: int) -> Wanted | None:
    """The visits behind a row; None where it is not of visits, or of too few patients to say who they are.

    Behind the total there is no list: each of its visits is behind a row.
    """
    if row >= len(table.rows) or is_hidden(table, row):
        return None
    if table.figure.key.startswith("utilisation-"):  # services share the hours
        table = table._replace(scope=replace(table.scope, service_id=None))
    key, values, scope = table.figure.key, table.rows[row], table.scope
    counted = _counted(key)
    if key in _BY_STEP:
        return Wanted(_of_step(table, values[0]), **counted)
    if key == _COHORTS:
        seen, later = _cohort(scope, values[0], values[2])
        return Wanted(later, first_seen=seen, **counted)
    if key == "utilisation-by_hour":
        return Wanted(scope, values[0], values[1], **counted)
    if key == "missed-by_hour":
        return Wanted(scope, hour=values[0], **counted)
    if key in _BY_PART:
        return Wanted(scope, **counted | {_BY_PART[key]: _part(key, row, values[0])})
    if key in _BY_NAME and isinstance(values[0], Named):
        narrowed: dict[str, Any] = {_BY_NAME[key]: values[0].number}
        return Wanted(replace(scope, **narrowed), **counted)
    return None


def mark(table: Table, row: int) -> str:
    """What a row is of, as an address has it: a number, a day, an hour of a weekday."""
    names = [table.rows[row][column] for column in figure_charts.naming(table.figure)]
    return "~".join(str(each.number if isinstance(each, Named) else each) for each in names)


def marked(table: Table, of: str) -> int:
    """The row of that mark. Raises `NotFound`."""
    for row in range(len(table.rows)):
        if mark(table, row) == of:
            return row
    raise NotFound


def is_hidden(table: Table, row: int) -> bool:
    """Whether a number of patients in the row is too small to be told."""
    is_there = row < len(table.rows)
    return is_there and table.figure.key.startswith("patients-") and None in table.rows[row]


def _counted(key: str) -> dict[str, Any]:
    """Which of the visits of its scope a figure counts."""
    page, _hyphen, _name = key.partition("-")
    status = {"missed": AppointmentStatus.NO_SHOW, "patients": AppointmentStatus.COMPLETED}.get(page)
    is_of_offers = key == "demand-recovered"
    is_kept = page in {"utilisation", "demand"} and not is_of_offers
    return {"status": status, "is_kept": is_kept, "is_ahead": key == _AHEAD, "is_recovered": is_of_offers}


def _of_step(table: Table, first_on: date) -> Scope:
    """The days of a step that are in the scope; what is expected lies ahead, whatever the period."""
    scope, last_on = table.scope, next_step(first_on, figure_charts.step(table)) - _DAY
    if table.figure.key == _AHEAD:
        return scope.over(first_on, last_on)
    return scope.over(max(first_on, scope.from_on), min(last_on, scope.until_on))


def _cohort(scope: Scope, first_on: date, months: int) -> tuple[Scope, Scope]:
    """The month in which patients were first seen, and that of so many months later."""
    later_on = first_on
    for _month in range(months):
        later_on = next_step(later_on, Step.MONTH)
    seen, later = (
        scope.over(begins_on, min(next_step(begins_on, Step.MONTH) - _DAY, scope.until_on))
        for begins_on in (first_on, later_on)
    )
    return seen, later


def _part(key: str, row: int, name: str) -> object:
    """What the row of a trait stands for."""
    if key == "revenue-by_method":
        return next(method for method, named in METHODS.items() if named == name)
    if key == "messages-answered":
        return next(channel for channel, named in CHANNELS.items() if named == name)
    if key == "missed-by_confirmation":
        return row == 0
    return name if key == "revenue-by_specialty" else row
