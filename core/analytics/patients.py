"""Who comes: new patients and those who return."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from core.analytics import steps, sums
from core.analytics.scopes import Scope, Step, first_of_step, next_step
from core.analytics.shapes import Row, Unit, figure
from core.i18n import N_
from db.base import any_of
from db.models import Appointment, AppointmentStatus, Doctor

FEWEST = 5  # patients: a smaller group could say who somebody is
_DAY = timedelta(days=1)
_MONTHS = 12
_BY_STEP_AND_MONTHS = f"""
SELECT step, first_on, month, coalesce(sum(first_in_{{cut}}) FILTER (WHERE is_in_scope), 0)::bigint,
       sum(first_in_month)::bigint, coalesce(sum(first_ever) FILTER (WHERE is_in_scope), 0)::bigint
FROM (
    SELECT *, {sums.STEP} AS step, date_trunc('month', CAST(on_date AS timestamp))::date AS month,
           on_date >= '{{from_on}}' AS is_in_scope
    FROM days
) AS days
GROUP BY GROUPING SETS ((step), (first_on, month))"""


@figure(
    N_("New and returning patients"),
    N_(
        "Patients who came: those with a visit that was completed then. New: their first completed visit at"
        " the clinic was then; the others return. Each patient counts once in each day, week or month."
        " Where a doctor, service or place is chosen, only visits there count, also as the first. Groups of"
        " one to four patients are not shown, nor then a total of new ones, from which they could be found;"
        " who returns is counted in each row again, so that there is no total of them."
    ),
    (N_("From"), Unit.STEP),
    (N_("New"), Unit.COUNT),
    (N_("Returning"), Unit.COUNT, False),
)
def new_and_returning(session: Session, scope: Scope) -> list[Row]:
    found = seen(session, scope).by_step
    counts = [(step, *found.get(step, (0, 0))) for step in scope.steps()]
    return [(step, shown(new), shown(came - new)) for step, came, new in counts]


@figure(
    N_("Patients who come back"),
    N_(
        "Of the patients whose first completed visit at the clinic was in a month of the period, the share"
        " who had a completed visit so many months later; month 0 is that of the first. Groups of one to"
        " four patients are not shown, so that nobody can be made out: neither of those who came back nor of"
        " those who did not. Always by month; where a doctor, service or place is chosen, only visits there"
        " count, also as the first."
    ),
    (N_("First seen in"), Unit.MONTH),
    (N_("Patients"), Unit.COUNT, False),
    (N_("Months later"), Unit.COUNT, False),
    (N_("Came back"), Unit.SHARE),
)
def cohorts(session: Session, scope: Scope) -> list[Row]:
    months = replace(scope, step=Step.MONTH).steps()
    of: defaultdict[date, dict[int, int]] = defaultdict(dict)
    for (first_on, month), count in seen(session, scope).by_months.items():
        if first_on >= months[0]:
            of[first_on][_months(first_on, month)] = count
    rows: list[Row] = []
    for first_on, counts in sorted(of.items()):
        whole = counts[0]
        for later in range(min(_months(first_on, months[-1]), _MONTHS) + 1):
            back = counts.get(later, 0)
            is_hidden = any(shown(each) is None for each in (whole, back, whole - back))
            rows.append((first_on, shown(whole), later, None if is_hidden else back / whole))
    return rows


def shown(count: int) -> int | None:
    """A number of patients, or None where they are so few that one could be made out."""
    return None if 0 < count < FEWEST else count


def _months(first_on: date, later_on: date) -> int:
    return (later_on.year - first_on.year) * 12 + later_on.month - first_on.month


class Seen(NamedTuple):
    """How many patients came: by step, those who came and those of them who are new; by both months."""

    by_step: dict[date, tuple[int, int]]
    by_months: dict[tuple[date, date], int]


def seen(session: Session, scope: Scope) -> Seen:
    """Who came in the scope, with groups of one to four patients."""
    return sums.once(session, ("seen", scope), lambda: _read(session, scope))


def _read(session: Session, scope: Scope) -> Seen:
    """The months are read from their first days on, and the steps only from where the scope begins.

    Of a step that the scope begins in the midst of, the first visits of patients are not those of the step.
    """
    whole = replace(scope.over(first_of_step(scope.from_on, Step.MONTH), scope.until_on), step=scope.cut)
    query = _BY_STEP_AND_MONTHS.format(cut=scope.cut.value, from_on=scope.from_on.isoformat())
    by_step: dict[date, tuple[int, int]] = {}
    by_months: dict[tuple[date, date], int] = {}
    for step, first_on, month, came, came_in_month, new in sums.read(session, whole, "patient_days", query):
        if step is not None:
            by_step[step] = (came, new)
        else:
            by_months[first_on, month] = came_in_month
    begun_on = scope.steps()[0]
    if begun_on < scope.from_on:
        _came, new = by_step.get(begun_on, (0, 0))
        by_step[begun_on] = (_came_in_part(session, scope), new)
    return Seen(by_step, by_months)


def _came_in_part(session: Session, scope: Scope) -> int:
    """How many patients came from the first day of the scope until the end of its first step."""
    ends_on = next_step(scope.steps()[0], scope.cut) - _DAY
    part = scope.over(scope.from_on, min(ends_on, scope.until_on))
    query = select(func.count(distinct(Appointment.patient_id))).where(
        Appointment.doctor_id == any_of(select(Doctor.id)),  # along the index by doctor
        Appointment.status == AppointmentStatus.COMPLETED,
        *steps.within(session, part, Appointment.starts_at),
        *(getattr(Appointment, name) == wanted for name, wanted in scope.filters.items()),
    )
    return session.scalar(query) or 0
