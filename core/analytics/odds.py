"""Visits of a scope by hour, by how long ahead they were booked, and by whether the patient said they come.

Read from the visits themselves, once for all figures of a page.
"""

from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core import clinics, day_parts, wall_time
from core.analytics import sums
from core.analytics.scopes import Scope
from core.i18n import N_
from db.session import run

# How long ahead, in days: each up to before the next.
LEADS = (
    (0, N_("Less than a day ahead")),
    (1, N_("1 to 2 days")),
    (3, N_("3 to 7 days")),
    (8, N_("8 to 14 days")),
    (15, N_("15 to 30 days")),
    (31, N_("More than 30 days")),
)
_STATEMENT = """
WITH stretch AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(begins)s AS timestamptz[]), CAST(%(ends)s AS timestamptz[]),
        CAST(%(offsets)s AS interval[])
    ) AS t (begins_at, ends_at, utc_offset)
), visit AS (
    SELECT extract(hour FROM a.starts_at AT TIME ZONE 'UTC' + utc_offset)::int AS hour,
           width_bucket(
               CAST(extract(epoch FROM a.starts_at - a.created_at) AS double precision) / 86400,
               CAST(%(leads)s AS double precision[])
           ) AS lead,
           (a.attending_at IS NOT NULL)::int AS confirmed, count(*) AS booked,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'no_show') AS missed
    FROM stretch s JOIN appointments a ON a.starts_at >= s.begins_at AND a.starts_at < s.ends_at
    WHERE a.status NOT IN ('pending', 'expired', 'cancelled') {filters}
    GROUP BY 1, 2, 3
)
SELECT hour, lead, confirmed, sum(booked)::bigint, sum(completed)::bigint, sum(missed)::bigint
FROM visit GROUP BY GROUPING SETS ((hour), (lead), (confirmed))
"""


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
    session.flush()
    sums.with_memory(session)
    filters = "".join(f" AND a.{name} = %({name})s" for name in scope.filters)
    rows = run(session, _STATEMENT.format(filters=filters), _stretches(session, scope) | scope.filters)
    return Found(
        {hour: Odds(*counts) for hour, _lead, _confirmed, *counts in rows if hour is not None},
        {max(lead - 1, 0): Odds(*counts) for _hour, lead, _confirmed, *counts in rows if lead is not None},
        {bool(confirmed): Odds(*counts) for _h, _lead, confirmed, *counts in rows if confirmed is not None},
    )


def _stretches(session: Session, scope: Scope) -> dict[str, Any]:
    zone = clinics.zone(session)
    begins_at, _ = day_parts.bounds_of(zone, scope.from_on)
    parts = wall_time.stretches(zone, scope.from_on, scope.until_on)
    ends = [part.ends_at for part in parts]
    return {
        "begins": [begins_at, *ends[:-1]],
        "ends": ends,
        "offsets": [part.offset for part in parts],
        "leads": [days for days, _name in LEADS],
    }
