"""The SQL behind free time: working hours minus time off minus what is blocked, cut by the service's step.

One statement answers for any number of doctors and days. Wall time becomes instants through the
offsets of `core.wall_time`, sent along as its stretches: one, or two where clocks change in between.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.wall_time import stretches
from db.models.appointments import LIVE
from db.models.services import SUITABLE_ROOM

_DAY = timedelta(days=1)
_LIVE = LIVE.replace("status", "a.status")

_WANTED_PLACE = "(CAST(%(location_id)s AS int) IS NULL OR {}.location_id = CAST(%(location_id)s AS int))"

# `lo` and `hi` bound the instants at which a visit may start within a stretch of hours, `anchor` is where
# its steps count from. A blocked range forbids the open interval of starts that would touch it; where a room
# is needed, so does whatever all the rooms of the place that would do forbid.
_FREE = f"""
WITH service AS (
    SELECT s.id, s.needs_room, make_interval(mins => s.step_minutes) AS step,
           make_interval(mins => s.duration_minutes) AS duration,
           make_interval(mins => s.duration_minutes + s.buffer_after_minutes) AS reach,
           make_interval(mins => s.buffer_before_minutes) AS before,
           CAST(%(now)s AS timestamptz) + CASE WHEN %(by_staff)s THEN interval '0' ELSE make_interval(
               mins => coalesce(s.minimum_notice_minutes, c.minimum_notice_minutes)) END AS earliest,
           CAST(%(today)s AS date) + coalesce(s.horizon_days, c.horizon_days) AS last_on
    FROM services s CROSS JOIN settings c
    WHERE s.id = %(service_id)s AND s.is_active
), provider AS (
    SELECT d.id FROM unnest(CAST(%(doctor_ids)s AS int[])) AS asked(id) JOIN doctors d USING (id)
    JOIN doctor_services o ON o.doctor_id = d.id AND o.service_id = %(service_id)s
    WHERE d.is_active AND (d.is_accepting_patients OR %(by_staff)s)
), stretch AS (
    SELECT * FROM unnest(
        CAST(%(wall_from)s AS timestamp[]), CAST(%(wall_to)s AS timestamp[]), CAST(%(offsets)s AS interval[]),
        CAST(%(next_offsets)s AS interval[]), CAST(%(ends_at)s AS timestamptz[])
    ) AS t (wall_from, wall_to, utc_offset, next_offset, ends_at)
), day AS (
    SELECT CAST(d AS date) AS on_date, CAST(extract(isodow FROM d) AS int) AS weekday, stretch.*,
           CAST(d AS date) IN (SELECT on_date FROM closures WHERE location_id IS NULL) AS is_closed
    FROM service
    CROSS JOIN generate_series(
        CAST(%(from_on)s AS timestamp), least(CAST(%(until_on)s AS date), service.last_on),
        interval '1 day') AS d
    JOIN stretch ON wall_from < d + interval '1 day' AND wall_to > d
), hours AS (
    SELECT w.doctor_id, w.location_id, day.*,
           day.on_date + w.opens_at AS opens, day.on_date + w.closes_at AS closes
    FROM provider JOIN weekly_hours w ON w.doctor_id = provider.id
    JOIN day ON day.weekday = w.weekday AND NOT day.is_closed
    WHERE w.location_id NOT IN (SELECT id FROM locations WHERE NOT is_active) AND {_WANTED_PLACE.format("w")}
      AND (w.location_id, day.on_date) NOT IN (
          SELECT location_id, on_date FROM closures WHERE location_id IS NOT NULL)
      AND (w.valid_from_on IS NULL OR w.valid_from_on <= day.on_date)
      AND (w.valid_until_on IS NULL OR w.valid_until_on >= day.on_date)
      AND (w.doctor_id, day.on_date) NOT IN (
          SELECT doctor_id, on_date FROM date_overrides WHERE on_date BETWEEN %(from_on)s AND %(until_on)s)
    UNION ALL
    SELECT x.doctor_id, x.location_id, day.*, day.on_date + x.opens_at, day.on_date + x.closes_at
    FROM provider JOIN date_overrides x ON x.doctor_id = provider.id JOIN day ON day.on_date = x.on_date
    WHERE x.opens_at IS NOT NULL AND x.location_id NOT IN (SELECT id FROM locations WHERE NOT is_active)
      AND {_WANTED_PLACE.format("x")}
), piece AS (
    SELECT doctor_id, location_id, needs_room, step, CAST(opens - utc_offset AS timestamptz) AS anchor,
           greatest(
               CAST(greatest(opens, wall_from, on_date + CAST(%(from_wall)s AS interval)) - utc_offset
                    AS timestamptz), earliest) AS lo,
           least(
               CASE WHEN closes >= wall_to AND next_offset IS NOT NULL
                    THEN greatest(CAST(closes - next_offset AS timestamptz), ends_at)
                    ELSE CAST(closes - utc_offset AS timestamptz) END - duration,
               CAST(least(wall_to, on_date + CAST(%(until_wall)s AS interval)) - utc_offset AS timestamptz)
                   - interval '1 second') AS hi
    FROM hours CROSS JOIN service
), busy AS MATERIALIZED (
    SELECT doctor_id, range_agg(starts) AS starts FROM (
        SELECT a.doctor_id, tstzrange(lower(a.blocked) - reach, upper(a.blocked) + before, '()') AS starts
        FROM provider JOIN appointments a ON a.doctor_id = provider.id AND {_LIVE}
         AND lower(a.blocked) BETWEEN CAST(%(first_at)s AS timestamptz) - interval '30 hours'
                                  AND CAST(%(last_at)s AS timestamptz) + interval '30 hours'
         AND a.id IS DISTINCT FROM CAST(%(ignoring)s AS int)
        CROSS JOIN service
        UNION ALL
        SELECT t.doctor_id, tstzrange(t.starts_at - duration, t.ends_at, '()')
        FROM provider JOIN time_off t ON t.doctor_id = provider.id
         AND t.ends_at > CAST(%(first_at)s AS timestamptz)
         AND t.starts_at < CAST(%(last_at)s AS timestamptz) + interval '1 day'
        CROSS JOIN service
    ) AS forbidden GROUP BY doctor_id
), rooms_busy AS MATERIALIZED (
    SELECT location_id, range_intersect_agg(starts) AS starts FROM (
        SELECT r.location_id, coalesce(range_agg(
            tstzrange(lower(a.blocked) - reach, upper(a.blocked) + before, '()')
        ) FILTER (WHERE a.id IS NOT NULL), '{{}}') AS starts
        FROM service s JOIN rooms r ON s.needs_room AND {SUITABLE_ROOM}
        LEFT JOIN appointments a ON a.room_id = r.id AND {_LIVE} AND a.room_id IS NOT NULL
         AND lower(a.blocked) BETWEEN CAST(%(first_at)s AS timestamptz) - interval '30 hours'
                                  AND CAST(%(last_at)s AS timestamptz) + interval '30 hours'
         AND a.id IS DISTINCT FROM CAST(%(ignoring)s AS int)
        GROUP BY r.id
    ) AS each_room GROUP BY location_id
), gap AS (
    SELECT piece.doctor_id, anchor, step,
           unnest(tstzmultirange(tstzrange(lo, hi, '[]')) - coalesce(busy.starts, '{{}}')
                  - CASE WHEN needs_room THEN coalesce(rooms_busy.starts, '{{(,)}}') ELSE '{{}}' END) AS free
    FROM piece LEFT JOIN busy USING (doctor_id) LEFT JOIN rooms_busy USING (location_id) WHERE lo <= hi
), candidate AS (
    SELECT doctor_id, free, generate_series(
        date_bin(step, lower(free) + step - interval '1 microsecond', anchor), upper(free), step) AS starts_at
    FROM gap
)
"""

# A gap can end just before a forbidden moment or begin just after one: the range says whether it does.
_IN_GAPS = "FROM candidate WHERE free @> starts_at GROUP BY doctor_id"
ALL_FREE = f"{_FREE} SELECT doctor_id, array_agg(starts_at) {_IN_GAPS}"
FIRST_FREE = f"{_FREE} SELECT doctor_id, min(starts_at) {_IN_GAPS}"


class Within(NamedTuple):
    """Which part of the day's wall time a visit starts in, as time since midnight, and at which place."""

    from_wall: timedelta = timedelta()
    until_wall: timedelta = _DAY
    location_id: int | None = None


ANYWHERE = Within()


@lru_cache(maxsize=256)
def _stretches(zone: ZoneInfo, from_on: date, until_on: date) -> dict[str, Any]:
    """The parameters that say how wall time maps to instants over the days of the range."""
    parts = stretches(zone, from_on, until_on)
    following = [part.offset for part in parts[1:]]
    return {
        "wall_from": [part.wall_from for part in parts],
        "wall_to": [part.wall_to for part in parts],
        "offsets": [part.offset for part in parts],
        "next_offsets": [*following, None],
        "ends_at": [part.ends_at for part in parts],
    }


def parameters(
    zone: ZoneInfo,
    now: datetime,
    *,
    doctor_ids: Sequence[int],
    service_id: int,
    from_on: date,
    until_on: date,
    by_staff: bool,
    ignoring: int | None,
    within: Within = ANYWHERE,
) -> dict[str, Any]:
    """What `ALL_FREE` and `FIRST_FREE` need to know. Days are the clinic's, both ends included."""
    return _stretches(zone, from_on, until_on) | {
        "from_on": from_on,
        "until_on": until_on,
        "now": now,
        "today": now.astimezone(zone).date(),
        "doctor_ids": list(doctor_ids),
        "service_id": service_id,
        "by_staff": by_staff,
        "ignoring": ignoring,
        **within._asdict(),
        "first_at": datetime.combine(from_on, time(), zone),
        "last_at": datetime.combine(until_on, time(), zone) + _DAY,
    }
