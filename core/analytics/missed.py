"""Visits to which nobody came, and what they cost."""

from sqlalchemy.orm import Session

from core.analytics import names, odds, sums
from core.analytics.odds import LEADS, Odds
from core.analytics.scopes import Scope
from core.analytics.shapes import Row, Share, Unit, figure
from core.analytics.sums import VisitSums
from core.i18n import N_

_COUNTS = (
    (N_("Completed"), Unit.COUNT),
    (N_("Missed"), Unit.COUNT),
    (N_("Share missed"), Unit.SHARE, Share("Missed", of=("Completed", "Missed"))),
)
_LOST = (*_COUNTS, (N_("Lost"), Unit.MONEY))
MEANING = N_(
    "Missed: visits that were to begin then and to which nobody came. Share missed: of all that were"
    " completed or missed; visits that were called off, or of which nobody has said what became of them,"
    " are in neither. Lost: the prices of missed visits less what was invoiced for them all the same."
)


@figure(N_("No-shows over time"), MEANING, (N_("From"), Unit.STEP), *_LOST)
def over_time(session: Session, scope: Scope) -> list[Row]:
    found = sums.visits(session, scope).by_step
    return [(step, *_columns(found.get(step, VisitSums()))) for step in scope.steps()]


@figure(N_("No-shows by doctor"), MEANING, (N_("Doctor"), Unit.TEXT), *_LOST)
def by_doctor(session: Session, scope: Scope) -> list[Row]:
    known = names.doctors(session)
    found = sums.added(sums.visits(session, scope).by_group, lambda group: group.doctor_id)
    return _worst_first([(known[number], *_columns(of)) for number, of in found.items()])


@figure(N_("No-shows by hour"), MEANING, (N_("Hour"), Unit.HOUR), *_COUNTS)
def by_hour(session: Session, scope: Scope) -> list[Row]:
    return [(hour, *_odds(of)) for hour, of in sorted(odds.of(session, scope).by_hour.items())]


@figure(
    N_("No-shows by how long ahead they were booked"),
    N_(
        "How long ahead: from when the visit was written down to when it was to begin. A visit that was"
        " moved counts from when it was first booked. Share missed: of all that were completed or missed."
    ),
    (N_("Booked"), Unit.WORD),
    *_COUNTS,
)
def by_lead(session: Session, scope: Scope) -> list[Row]:
    found = odds.of(session, scope).by_lead
    return [(name, *_odds(found.get(place, Odds()))) for place, (_days, name) in enumerate(LEADS)]


@figure(
    N_("No-shows by whether patients said they come"),
    N_(
        "Said they come: the patient confirmed the time that the visit had in the end, by text, in the"
        " portal or by telephone. Share missed: of all that were completed or missed."
    ),
    (N_("Patient"), Unit.WORD),
    *_COUNTS,
)
def by_confirmation(session: Session, scope: Scope) -> list[Row]:
    found = odds.of(session, scope).by_confirmation
    named = ((True, N_("Said they come")), (False, N_("Did not say")))
    return [(name, *_odds(found.get(has_said, Odds()))) for has_said, name in named]


def rate(found: VisitSums) -> float | None:
    """Missed of those that were completed or missed; None where there were none."""
    return Odds(found.booked, found.completed, found.missed).rate


def _columns(found: VisitSums) -> Row:
    return (found.completed, found.missed, rate(found), found.lost_minor)


def _odds(found: Odds) -> Row:
    return (found.completed, found.missed, found.rate)


def _worst_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row[3] is None, -(row[3] or 0), -row[2], row[0]))
