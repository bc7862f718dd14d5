"""The query for visits that their doctor's hours do not cover, with what is the cause."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import clinics, clock, hours, wall_time
from core.availability import LONGEST_HORIZON
from db.session import run

_DAY = timedelta(days=1)
_LOOKED_AT = "id, time_version, doctor_id, service_id, room_id, location_id, starts_at, ends_at"
# Nearly every visit lies within the hours of the week on a day like any other. Those are set aside first,
# many at once; only for the others the day is looked at as closely as it takes.
# A cause names what causes it, so that a later one of the same kind is another: the day's hours as they are,
# the number of the absence or of the closed day.
_STRANDED = f"""
WITH stretch AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(wall_to)s AS timestamp[]), CAST(%(offsets)s AS interval[]),
        CAST(%(next_offsets)s AS interval[]), CAST(%(begins_at)s AS timestamptz[]),
        CAST(%(ends_at)s AS timestamptz[])
    ) AS t (wall_to, utc_offset, next_offset, begins_at, resumes_at)
), visit AS MATERIALIZED (
    SELECT a.*, stretch.*, CAST(a.starts_at AT TIME ZONE 'UTC' + utc_offset AS date) AS on_date,
           CAST(a.starts_at AT TIME ZONE 'UTC' + utc_offset AS time) AS wall
    FROM (
        SELECT {_LOOKED_AT} FROM appointments WHERE status = 'confirmed' AND starts_at > %(since)s
        UNION ALL
        SELECT {_LOOKED_AT} FROM appointments WHERE status = 'pending' AND starts_at > %(since)s
        UNION ALL
        SELECT {_LOOKED_AT} FROM appointments WHERE status = 'arrived' AND starts_at > %(since)s
    ) AS a
    JOIN stretch ON a.starts_at >= begins_at AND a.starts_at < resumes_at
    WHERE (CAST(%(doctor_id)s AS int) IS NULL OR a.doctor_id = %(doctor_id)s)
      AND (CAST(%(appointment_id)s AS int) IS NULL OR a.id = %(appointment_id)s)
), usual AS MATERIALIZED (
    SELECT v.id
    FROM visit v
    JOIN doctor_services o ON o.doctor_id = v.doctor_id AND o.service_id = v.service_id
    JOIN weekly_hours w ON w.doctor_id = v.doctor_id AND w.location_id = v.location_id
        AND w.weekday = CAST(extract(isodow FROM v.on_date) AS int)
        AND (w.valid_from_on IS NULL OR w.valid_from_on <= v.on_date)
        AND (w.valid_until_on IS NULL OR w.valid_until_on >= v.on_date)
        AND w.opens_at <= v.wall AND v.wall < w.closes_at AND v.on_date + w.closes_at < v.wall_to
        AND v.ends_at <= (v.on_date + w.closes_at - v.utc_offset) AT TIME ZONE 'UTC'
    WHERE v.doctor_id NOT IN (SELECT id FROM doctors WHERE NOT is_active)
      AND v.service_id NOT IN (SELECT id FROM services WHERE NOT is_active)
      AND v.location_id NOT IN (SELECT id FROM locations WHERE NOT is_active)
      AND (v.room_id IS NULL OR v.room_id NOT IN (SELECT id FROM rooms WHERE NOT is_active))
      AND v.on_date NOT IN (SELECT on_date FROM closures)
      AND (v.doctor_id, v.on_date) NOT IN (SELECT doctor_id, on_date FROM date_overrides)
      AND NOT EXISTS (SELECT FROM time_off t
                      WHERE t.doctor_id = v.doctor_id AND t.ends_at > v.starts_at AND t.starts_at < v.ends_at)
), caused AS (
    SELECT v.id, v.time_version, v.starts_at, v.location_id,
        (v.doctor_id, v.on_date) IN (SELECT doctor_id, on_date FROM date_overrides) AS has_own_hours,
        array_remove(ARRAY[
        CASE WHEN NOT d.is_active THEN 'doctor' END,
        CASE WHEN NOT s.is_active OR o.service_id IS NULL THEN 'service' END,
        CASE WHEN NOT r.is_active THEN 'room:' || r.id END,
        CASE WHEN h.covers IS NOT TRUE THEN
            coalesce((SELECT 'closed:' || min(k.id) FROM closures k
                      WHERE k.on_date = v.on_date AND coalesce(k.location_id, v.location_id) = v.location_id
                      AND EXISTS ({hours.closing("v.doctor_id", "v.on_date")})),
                     'hours:' || coalesce(h.named, '')) END
    ], NULL) || ARRAY(
        SELECT 'away:' || t.id FROM time_off t
        WHERE t.doctor_id = v.doctor_id AND t.ends_at > v.starts_at AND t.starts_at < v.ends_at ORDER BY t.id
    ) AS causes
    FROM visit v JOIN doctors d ON d.id = v.doctor_id JOIN services s ON s.id = v.service_id
    LEFT JOIN doctor_services o ON o.doctor_id = v.doctor_id AND o.service_id = v.service_id
    LEFT JOIN rooms r ON r.id = v.room_id
    CROSS JOIN LATERAL (
        SELECT string_agg(opens_at || '-' || closes_at || '@' || location_id, ',' ORDER BY opens_at) AS named,
               bool_or(location_id = v.location_id AND opens_at <= v.wall AND v.wall < closes_at
                       AND v.ends_at <= closing_at) AS covers
        FROM ({hours.on_date("v.doctor_id", "v.on_date")}) AS day
        CROSS JOIN LATERAL (SELECT CASE
            WHEN v.on_date + closes_at >= v.wall_to AND v.next_offset IS NOT NULL
            THEN greatest((v.on_date + closes_at - v.next_offset) AT TIME ZONE 'UTC', v.resumes_at)
            ELSE (v.on_date + closes_at - v.utc_offset) AT TIME ZONE 'UTC' END AS closing_at) AS instant
    ) AS h
    WHERE v.id NOT IN (SELECT id FROM usual)
)
SELECT c.id, causes, c.starts_at, l.is_active, has_own_hours
FROM caused c JOIN locations l ON l.id = c.location_id
WHERE cardinality(causes) > 0 AND NOT EXISTS (
    SELECT FROM kept_visits k
    WHERE k.appointment_id = c.id AND k.time_version = c.time_version AND c.causes <@ k.causes)
"""


class Uncovered(NamedTuple):
    """A visit in numbers, its causes, whether its place is in use, and its date has hours of its own."""

    id: int
    causes: list[str]
    starts_at: datetime
    is_place_active: bool
    has_own_hours: bool


def rows(
    session: Session, *, since: datetime, doctor_id: int | None = None, appointment_id: int | None = None
) -> list[Uncovered]:
    """The visits after `since` that nothing covers and nobody has decided to keep.

    They are confirmed, pending, or their patient is waiting. It is one statement, and sees what the session
    has flushed.
    """
    zone = clinics.zone(session)
    today = clock.now().astimezone(zone).date()
    parts = wall_time.stretches(zone, since.astimezone(zone).date(), today + LONGEST_HORIZON + _DAY)
    session.flush()
    found = run(
        session,
        _STRANDED,
        {
            "since": since,
            "doctor_id": doctor_id,
            "appointment_id": appointment_id,
            "wall_to": [part.wall_to for part in parts],
            "offsets": [part.offset for part in parts],
            "next_offsets": [*(part.offset for part in parts[1:]), None],
            "begins_at": [datetime.min.replace(tzinfo=UTC), *(part.ends_at for part in parts[:-1])],
            "ends_at": [*(part.ends_at for part in parts[:-1]), datetime.max.replace(tzinfo=UTC)],
        },
    )
    return [Uncovered(*row) for row in found]
