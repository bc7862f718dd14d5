"""Visits of a scope by hour, by how long ahead they were booked, and by whether patients said they come."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from core.analytics import sums
from core.analytics.scopes import Scope
from core.day_statements import LEAD_DAYS
from core.i18n import N_

# How long ahead, in days: each up to before the next.
LEADS = tuple(
    zip(
        LEAD_DAYS,
        (
            N_("Less than a day ahead"),
            N_("1 to 2 days"),
            N_("3 to 7 days"),
            N_("8 to 14 days"),
            N_("15 to 30 days"),
            N_("More than 30 days"),
        ),
        strict=True,
    )
)
_SUMMED = (
    " SELECT trait, value, sum(booked)::bigint, sum(completed)::bigint, sum(missed)::bigint"
    " FROM days GROUP BY trait, value"
)


class Odds(NamedTuple):
    """How many visits were booked, completed and missed."""

    booked: int = 0
    completed: int = 0
    missed: int = 0

    @property
    def rate(self) -> float | None:
        """Missed of those that were completed or missed; None where there were none."""
        over = self.completed + self.missed
        return self.missed / over if over else None


class Found(NamedTuple):
    """By hour of the clinic's day, by place in `LEADS`, and by whether the patient said they come."""

    by_hour: dict[int, Odds]
    by_lead: dict[int, Odds]
    by_confirmation: dict[bool, Odds]


def of(session: Session, scope: Scope) -> Found:
    """The visits that were to begin in the scope and were not called off."""
    return sums.once(session, ("odds", scope), lambda: _read(session, scope))


def _read(session: Session, scope: Scope) -> Found:
    found: dict[str, dict[int, Odds]] = {"hour": {}, "lead": {}, "confirmed": {}}
    for trait, value, *counts in sums.read(session, scope, "odds_days", _SUMMED):
        found[trait][value] = Odds(*counts)
    by_confirmation = {bool(value): each for value, each in found["confirmed"].items()}
    return Found(found["hour"], found["lead"], by_confirmation)
