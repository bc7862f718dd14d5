"""The views of a doctor's calendar, and the days that each shows."""

from datetime import date, timedelta
from enum import StrEnum

from core.i18n import N_, first_weekday


class View(StrEnum):
    WEEK = "timeGridWeek"
    MONTH = "dayGridMonth"
    LIST = "sevenDays"  # as a list, from a day on


VIEWS = {View.WEEK: N_("Week"), View.MONTH: N_("Month"), View.LIST: N_("List")}


def first_day(view: View, on: date) -> date:
    """The day with which a view of `on` begins: weeks as the reader's language has it, lists with `on`."""
    if view is View.MONTH:
        return on.replace(day=1)
    if view is View.LIST:
        return on
    return on - timedelta(days=(on.weekday() - first_weekday()) % 7)


def days_shown(view: View, first: date) -> tuple[date, date]:
    """The first and the last day that a view draws: a month in whole weeks."""
    if view is not View.MONTH:
        return first, first + timedelta(days=6)
    begins = first_day(View.WEEK, first)
    return begins, begins + timedelta(days=41)


def turned(view: View, first: date, by: int) -> date:
    """The first day of the view before (-1) or after (1)."""
    if view is not View.MONTH:
        return first + timedelta(days=7 * by)
    return (first + timedelta(days=40 if by > 0 else -1)).replace(day=1)
