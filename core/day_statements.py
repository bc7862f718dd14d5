"""The SQL of what days of the clinic come to, from the visits, the ledger and the hours themselves.

Parameters are the arrays of `core.day_parts.instants`. Each is one query without ORDER BY, whose columns are
those of the table it fills.
"""

from core import hours

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
            THEN extract(epoch FROM a.in_room_at - a.arrived_at) END AS waited_seconds,
            greatest(0, extract(epoch FROM a.starts_at - a.created_at)) AS lead_seconds
    ) AS m
"""
VISITS = f"""
WITH {_DAY}
SELECT day.on_date, a.doctor_id, a.service_id, a.location_id,
       count(*) FILTER (WHERE a.status <> 'cancelled') AS booked,
       count(*) FILTER (WHERE a.status = 'cancelled') AS cancelled,
       count(*) FILTER (WHERE a.status = 'completed') AS completed,
       count(*) FILTER (WHERE a.status = 'no_show') AS missed,
       count(*) FILTER (WHERE a.status <> 'cancelled' AND a.overbook_reason IS NOT NULL) AS overbooked,
       count(m.waited_seconds) AS waited,
       coalesce(sum(m.waited_seconds), 0)::bigint AS waited_seconds,
       coalesce(sum(m.lead_seconds) FILTER (WHERE a.status <> 'cancelled'), 0)::bigint AS lead_seconds,
       coalesce(sum(a.price_minor) FILTER (WHERE a.status <> 'cancelled'), 0) AS booked_minor,
       sum(m.earned_minor) AS earned_minor,
       sum(greatest(0, m.earned_minor - coalesce(ledger.received_minor, 0))) AS owed_minor,
       coalesce(sum(greatest(0, a.price_minor - m.earned_minor)) FILTER (WHERE a.status = 'no_show'), 0)
           AS lost_minor
{_VISIT} {_LEDGER}
WHERE a.status NOT IN ('pending', 'expired')
GROUP BY day.on_date, a.doctor_id, a.service_id, a.location_id
"""
_IN, _BACK = "e.kind = 'payment'", "e.kind IN ('refund', 'refund_failed')"
_METHODS = ("online", "terminal", "cash")
_BY_METHOD = ",\n       ".join(
    f"coalesce({sign}sum(e.amount_minor) FILTER (WHERE {kind} AND e.method = '{method}'), 0)"
    f" AS {name}_{method}_minor"
    for name, sign, kind in (("received", "-", _IN), ("refunded", "", _BACK))
    for method in _METHODS
)
# One look at a visit for each entry: entries of a day are few beside all visits.
MONEY = f"""
WITH {_DAY}
SELECT day.on_date, a.doctor_id, a.service_id, a.location_id, e.currency,
       coalesce(sum(e.amount_minor) FILTER (WHERE e.kind IN ('invoice', 'credit')), 0) AS invoiced_minor,
       {_BY_METHOD}
FROM day JOIN ledger_entries e ON e.at >= day.begins_at AND e.at < day.ends_at
CROSS JOIN LATERAL (
    SELECT doctor_id, service_id, location_id FROM appointments WHERE id = e.appointment_id LIMIT 1
) AS a
GROUP BY day.on_date, a.doctor_id, a.service_id, a.location_id, e.currency
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
