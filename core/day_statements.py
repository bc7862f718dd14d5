"""The SQL of what days of the clinic come to, from the visits, the ledger and the hours themselves.

Parameters are the arrays of `core.day_parts`. Each is one query without ORDER BY, whose columns are
those of the table it fills; two say of single visits what they add to it.
"""

from collections.abc import Sequence

from core import hours

LEAD_DAYS = (0, 1, 3, 8, 15, 31)  # how long ahead visits are booked: each up to before the next
# What is not additive is kept of all visits together and of these parts of them.
PARTS: tuple[tuple[str, ...], ...] = (
    *((), ("service_id",), ("location_id",)),
    ("service_id", "location_id"),
)
_TOLD_APART = ("service_id", "location_id")
_DAY = """day AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(dates)s AS date[]), CAST(%(begins)s AS timestamptz[]), CAST(%(ends)s AS timestamptz[])
    ) AS t (on_date, begins_at, ends_at)
)"""
# Along the index by doctor: the days of few are found at once, and those of all need no other.
_VISIT = """
    FROM day CROSS JOIN doctors d
    JOIN appointments a ON a.doctor_id = d.id AND a.starts_at >= day.begins_at AND a.starts_at < day.ends_at
"""
# What the ledger says of a visit in the clinic's currency counts once the visit is over. A completed visit
# that has no invoice in any is owed its price, and one that was called off or missed nothing.
_LEDGER = """
    LEFT JOIN LATERAL (
        SELECT sum(CASE e.currency WHEN c.currency THEN e.amount_minor ELSE 0 END)
                   FILTER (WHERE e.series = 'invoice') AS invoiced_minor,
               -sum(e.amount_minor) FILTER (WHERE e.series = 'receipt' AND e.currency = c.currency)
                   AS received_minor
        FROM ledger_entries e CROSS JOIN (SELECT currency FROM settings) AS c
        WHERE e.appointment_id = a.id AND a.status IN ('completed', 'cancelled', 'no_show')
    ) AS ledger ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.status NOT IN ('completed', 'cancelled', 'no_show') THEN 0
            ELSE coalesce(ledger.invoiced_minor, CASE a.status WHEN 'completed' THEN a.price_minor ELSE 0 END)
            END AS earned_minor,
            CASE WHEN a.in_room_at >= a.arrived_at
            THEN extract(epoch FROM a.in_room_at - a.arrived_at) END AS waited_seconds
    ) AS m
"""
_AMOUNTS = """coalesce(sum(a.price_minor) FILTER (WHERE a.status <> 'cancelled'), 0)::bigint AS booked_minor,
       sum(m.earned_minor)::bigint AS earned_minor,
       sum(greatest(0, m.earned_minor - coalesce(ledger.received_minor, 0)))::bigint AS owed_minor,
       coalesce(sum(greatest(0, a.price_minor - m.earned_minor))
           FILTER (WHERE a.status = 'no_show'), 0)::bigint AS lost_minor"""
# Each column has the type that it has in its table: rows that are kept and rows that are not stand below each
# other, and what is wider takes twice as long to add up.
VISITS = f"""
WITH {_DAY}
SELECT day.on_date, a.doctor_id, a.service_id, a.location_id,
       count(*) FILTER (WHERE a.status <> 'cancelled')::int AS booked,
       count(*) FILTER (WHERE a.status = 'cancelled')::int AS cancelled,
       count(*) FILTER (WHERE a.status = 'completed')::int AS completed,
       count(*) FILTER (WHERE a.status = 'no_show')::int AS missed,
       count(m.waited_seconds)::int AS waited,
       coalesce(sum(m.waited_seconds), 0)::bigint AS waited_seconds,
       {_AMOUNTS}
{_VISIT} {_LEDGER}
WHERE a.status NOT IN ('pending', 'expired')
GROUP BY day.on_date, a.doctor_id, a.service_id, a.location_id
"""
_IN, _BACK = "e.kind = 'payment'", "e.kind IN ('refund', 'refund_failed')"
_METHODS = ("online", "terminal", "cash")
_BY_METHOD = ",\n       ".join(
    f"coalesce({sign}sum(e.amount_minor) FILTER (WHERE {kind} AND e.method = '{method}'), 0)::bigint"
    f" AS {name}_{method}_minor"
    for name, sign, kind in (("received", "-", _IN), ("refunded", "", _BACK))
    for method in _METHODS
)
# Day by day along the index, and one look at a visit for each entry: what is left is few beside all of them.
# OFFSET 0 keeps the planner from reading the whole ledger instead.
MONEY = f"""
WITH {_DAY}
SELECT day.on_date, a.doctor_id, a.service_id, a.location_id, e.currency,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.kind IN ('invoice', 'credit')), 0)::bigint
           AS invoiced_minor,
       {_BY_METHOD}
FROM day
CROSS JOIN LATERAL (
    SELECT * FROM ledger_entries WHERE at >= day.begins_at AND at < day.ends_at OFFSET 0
) AS e
CROSS JOIN LATERAL (
    SELECT doctor_id, service_id, location_id FROM appointments WHERE id = e.appointment_id LIMIT 1
) AS a
GROUP BY day.on_date, a.doctor_id, a.service_id, a.location_id, e.currency
"""
# What each of some visits adds to the sums of days, by the same rules.
VISIT_AMOUNTS = f"""
SELECT a.id, {_AMOUNTS}
FROM appointments a {_LEDGER}
WHERE a.id = ANY(%(ids)s) GROUP BY a.id
"""
MONEY_AMOUNTS = f"""
SELECT e.appointment_id,
       {_BY_METHOD}
FROM ledger_entries e
WHERE e.appointment_id = ANY(%(ids)s) AND e.at >= %(begins_at)s AND e.at < %(ends_at)s
    AND e.currency = %(currency)s
GROUP BY e.appointment_id
"""
# A wall time lies in the part of its day that has not ended when clocks show it, and time off is taken away.
_OPEN = f"""
open AS ({hours.of_days()}), opened AS (
    SELECT o.on_date, o.doctor_id, o.location_id, unnest(
        CAST(span AS tstzmultirange) - coalesce((
            SELECT range_agg(tstzrange(t.starts_at, t.ends_at)) FROM time_off t
            WHERE t.doctor_id = o.doctor_id AND tstzrange(t.starts_at, t.ends_at) && span
        ), '{{}}')) AS span
    FROM open o
    CROSS JOIN LATERAL (SELECT o.on_date + o.opens_at AS opens, o.on_date + o.closes_at AS closes) AS wall
    JOIN part p ON p.on_date = o.on_date AND p.reached <= wall.opens AND wall.opens < p.wall_to
    JOIN part q ON q.on_date = o.on_date AND q.reached <= wall.closes AND wall.closes < q.wall_to
    CROSS JOIN LATERAL (SELECT tstzrange(
        (greatest(wall.opens, p.wall_from) - p.utc_offset) AT TIME ZONE 'UTC',
        (greatest(wall.closes, q.wall_from) - q.utc_offset) AT TIME ZONE 'UTC') AS span) AS s
)"""
_TIME = "least(upper(x.span), slice.ends_at) - greatest(lower(x.span), slice.begins_at)"
# A visit may have begun the day before, and its buffer may reach into the day from the next one.
HOURS = f"""
WITH {_DAY}, slice AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(hour_dates)s AS date[]), CAST(%(hours)s AS int[]), CAST(%(hour_begins)s AS timestamptz[]),
        CAST(%(hour_ends)s AS timestamptz[])) AS t (on_date, hour, begins_at, ends_at)
), part AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(part_dates)s AS date[]), CAST(%(reached)s AS timestamp[]), CAST(%(wall_from)s AS timestamp[]),
        CAST(%(wall_to)s AS timestamp[]), CAST(%(offsets)s AS interval[])
    ) AS t (on_date, reached, wall_from, wall_to, utc_offset)
), {_OPEN}, taken AS (
    SELECT day.on_date, a.doctor_id, a.location_id, a.blocked AS span
    FROM day CROSS JOIN doctors d JOIN appointments a ON a.doctor_id = d.id
        AND a.starts_at > day.begins_at - interval '1 day' AND a.starts_at < day.ends_at + interval '1 day'
        AND a.blocked && tstzrange(day.begins_at, day.ends_at)
    WHERE a.status NOT IN ('pending', 'expired', 'cancelled')
)
SELECT x.on_date, x.doctor_id, x.location_id, slice.hour,
       coalesce(extract(epoch FROM sum({_TIME}) FILTER (WHERE x.is_offered)), 0)::int AS offered_seconds,
       coalesce(extract(epoch FROM sum({_TIME}) FILTER (WHERE NOT x.is_offered)), 0)::int AS booked_seconds
FROM (SELECT *, true AS is_offered FROM opened UNION ALL SELECT *, false FROM taken) AS x
JOIN slice ON slice.on_date = x.on_date
    AND slice.begins_at < upper(x.span) AND lower(x.span) < slice.ends_at
GROUP BY x.on_date, x.doctor_id, x.location_id, slice.hour
"""
_TRAITS = ("hour", "lead", "confirmed")
_LEADS = f"CAST(ARRAY{list(LEAD_DAYS)} AS double precision[])"
_AHEAD = "CAST(extract(epoch FROM a.starts_at - a.created_at) AS double precision) / 86400"
_ODDS = f"""
WITH {_DAY}, visit AS MATERIALIZED (
    SELECT day.on_date, a.service_id, a.location_id,
           extract(hour FROM a.starts_at AT TIME ZONE 'UTC' + (CAST(%(offsets)s AS interval[]))[
               width_bucket(a.starts_at, CAST(%(changed)s AS timestamptz[]))])::int AS hour,
           greatest(width_bucket({_AHEAD}, {_LEADS}) - 1, 0) AS lead,
           (a.attending_at IS NOT NULL)::int AS confirmed, count(*) AS booked,
           count(*) FILTER (WHERE a.status = 'completed') AS completed,
           count(*) FILTER (WHERE a.status = 'no_show') AS missed
    {_VISIT}
    WHERE a.status NOT IN ('pending', 'expired', 'cancelled') {{filters}}
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT on_date, {{apart}},
       CASE WHEN grouping(hour) = 0 THEN 'hour' WHEN grouping(lead) = 0 THEN 'lead'
            ELSE 'confirmed' END AS trait,
       coalesce(hour, lead, confirmed) AS value,
       sum(booked)::int AS booked, sum(completed)::int AS completed, sum(missed)::int AS missed
FROM visit GROUP BY GROUPING SETS ({{sets}})
"""


def odds(filters: str = "", parts: Sequence[Sequence[str]] = ((),)) -> str:
    """A query for the rows of `odds_days`: of the visits, told apart by the columns of each part."""
    sets = [", ".join(("on_date", *part, trait)) for part in parts for trait in _TRAITS]
    apart = _apart([column for column in _TOLD_APART if any(column in part for part in parts)])
    return _ODDS.format(filters=filters, apart=apart, sets=", ".join(f"({each})" for each in sets))


# The first visit of each patient in a day, week or month is the one that had none before it there. So all
# visits of who came on the days are looked at, patient by patient along the index: OFFSET 0 keeps the planner
# from reading everybody's instead.
_PATIENTS = f"""
WITH {_DAY}, came AS (
    SELECT DISTINCT a.patient_id {_VISIT} WHERE a.status = 'completed' {{filters}}
), visit AS (
    SELECT theirs.* FROM came CROSS JOIN LATERAL (
        SELECT a.patient_id, a.service_id, a.location_id, a.starts_at FROM appointments a
        WHERE a.patient_id = came.patient_id AND a.status = 'completed'
            AND a.starts_at < (SELECT max(ends_at) FROM day) {{filters}} OFFSET 0
    ) AS theirs
), seen AS (
    {{seen}}
), stretch AS (
    SELECT * FROM unnest(
        CAST(%(dates)s AS date[]), CAST(%(begins)s AS timestamptz[]), CAST(%(ends)s AS timestamptz[]),
        CAST(%(weeks)s AS timestamptz[]), CAST(%(months)s AS timestamptz[])
    ) WITH ORDINALITY AS t (on_date, begins_at, ends_at, week_at, month_at, place)
)
SELECT stretch.on_date, seen.service_id, seen.location_id,
       (CAST(%(month_dates)s AS date[]))[
           width_bucket(first_at, CAST(%(month_begins)s AS timestamptz[]))] AS first_on,
       count(*) FILTER (WHERE before IS NULL)::int AS first_ever,
       count(*) FILTER (WHERE before IS NULL OR before < month_at)::int AS first_in_month,
       count(*) FILTER (WHERE before IS NULL OR before < week_at)::int AS first_in_week,
       count(*) FILTER (WHERE before IS NULL OR before < begins_at)::int AS first_in_day
FROM seen JOIN stretch ON stretch.place = seen.place AND seen.starts_at < stretch.ends_at
GROUP BY 1, 2, 3, 4
"""
_SEEN = """
    SELECT starts_at, width_bucket(starts_at, CAST(%(begins)s AS timestamptz[])) AS place, {apart},
           lag(starts_at) OVER earlier AS before, min(starts_at) OVER earlier AS first_at
    FROM visit WINDOW earlier AS (PARTITION BY {whose} ORDER BY starts_at)
"""


def patients(filters: str = "", parts: Sequence[Sequence[str]] = ((),)) -> str:
    """A query for the rows of `patient_days`: of the visits, told apart by the columns of each part."""
    seen = [_SEEN.format(apart=_apart(part), whose=", ".join(("patient_id", *part))) for part in parts]
    return _PATIENTS.format(filters=filters, seen=" UNION ALL ".join(seen))


def _apart(columns: Sequence[str]) -> str:
    return ", ".join(
        column if column in columns else f"CAST(NULL AS int) AS {column}" for column in _TOLD_APART
    )
