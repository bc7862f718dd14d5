"""Who comes: new patients and those who return."""

from collections import defaultdict
from dataclasses import replace
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.analytics import steps, sums
from core.analytics.scopes import Scope, Step
from core.analytics.shapes import Row, Unit, figure
from core.i18n import N_
from db.models import Appointment, AppointmentStatus

FEWEST = 5  # patients: a smaller group could say who somebody is
_MONTHS = 12


@figure(
    N_("New and returning patients"),
    N_(
        "Patients who came: those with a visit that was completed then. New: their first completed visit at"
        " the clinic was then; the others return. Each patient counts once in each day, week or month."
        " Where a doctor, service or place is chosen, only visits there count, also as the first. Groups of"
        " one to four patients are not shown, so that nobody can be made out."
    ),
    (N_("From"), Unit.STEP),
    (N_("New"), Unit.COUNT),
    (N_("Returning"), Unit.COUNT),
)
def new_and_returning(session: Session, scope: Scope) -> list[Row]:
    came: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0])
    for first_on, step, count in _seen(session, scope, in_scope=True):
        came[step][first_on != step] += count
    return [(step, *map(shown, came[step])) for step in scope.steps()]


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
    (N_("Patients"), Unit.COUNT),
    (N_("Months later"), Unit.COUNT),
    (N_("Came back"), Unit.SHARE),
)
def cohorts(session: Session, scope: Scope) -> list[Row]:
    monthly = replace(scope, step=Step.MONTH)
    of: defaultdict[date, dict[int, int]] = defaultdict(dict)
    for first_on, step, count in _seen(session, monthly, in_scope=False):
        if first_on is not None:
            of[first_on][_months(first_on, step)] = count
    rows: list[Row] = []
    for first_on, counts in sorted(of.items()):
        whole = counts[0]
        for later in range(min(_months(first_on, monthly.steps()[-1]), _MONTHS) + 1):
            back = counts.get(later, 0)
            is_hidden = any(shown(each) is None for each in (whole, back, whole - back))
            rows.append((first_on, shown(whole), later, None if is_hidden else back / whole))
    return rows


def shown(count: int) -> int | None:
    """A number of patients, or None where they are so few that one could be made out."""
    return None if 0 < count < FEWEST else count


def _months(first_on: date, later_on: date) -> int:
    return (later_on.year - first_on.year) * 12 + later_on.month - first_on.month


def _seen(session: Session, scope: Scope, *, in_scope: bool) -> list[tuple[date | None, date, int]]:
    """How many patients were seen in each step, by the step in which they were first seen: None if before.

    What a first step has before the scope is before if only days `in_scope` count, else part of that step.
    """
    alike = replace(scope, step=scope.cut)
    return sums.once(session, ("seen", alike, in_scope), lambda: _read(session, alike, in_scope=in_scope))


def _read(session: Session, scope: Scope, *, in_scope: bool) -> list[tuple[date | None, date, int]]:
    sums.with_memory(session)
    begins_at, ends_at = steps.bounds(session, scope)
    number = steps.number(session, scope, Appointment.starts_at)
    if in_scope:
        number = case((Appointment.starts_at < begins_at, 0), else_=number)
    seen = (
        select(Appointment.patient_id, number.label("step"))
        .where(Appointment.status == AppointmentStatus.COMPLETED, Appointment.starts_at < ends_at)
        .where(*(getattr(Appointment, name) == wanted for name, wanted in scope.filters.items()))
        .group_by(Appointment.patient_id, number)
        .cte("seen")
    )
    firsts = (
        select(seen.c.patient_id, func.min(seen.c.step).label("first"))
        .group_by(seen.c.patient_id)
        .cte("firsts")
    )
    rows = session.execute(
        select(firsts.c.first, seen.c.step, func.count())
        .join(firsts, firsts.c.patient_id == seen.c.patient_id)
        .where(seen.c.step > 0)
        .group_by(firsts.c.first, seen.c.step)
    )
    first = scope.steps()
    return [(first[began - 1] if began else None, first[step - 1], count) for began, step, count in rows]
