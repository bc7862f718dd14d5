"""Who waits at the demo clinic: each for a time that somebody else has, and is offered it when it frees."""

from datetime import datetime

from sqlalchemy import Connection, text

from db.seed.calendars import ZONE
from db.seed.families import MOTHER

_DEMO_DOCTOR = 1
# A visit of the mother's and one of the demo doctor's, for which she waits herself; and one of another's.
_WAIT = """
    WITH visit AS (
        SELECT a.id, a.patient_id, a.doctor_id, a.service_id, a.starts_at,
               a.starts_at AT TIME ZONE :zone AS begins, a.ends_at AT TIME ZONE :zone AS ends
        FROM appointments a
        JOIN doctors d ON d.id = a.doctor_id AND d.is_active AND d.is_accepting_patients
        JOIN doctor_services o ON o.doctor_id = a.doctor_id AND o.service_id = a.service_id
        WHERE a.status = 'confirmed' AND a.starts_at > :now + interval '1 day'
    ), wanted AS (
        (SELECT 1 AS place, visit.* FROM visit WHERE patient_id = :mother ORDER BY starts_at LIMIT 1)
        UNION ALL
        (SELECT 2, visit.* FROM visit WHERE patient_id > 3 AND doctor_id = :doctor
         AND starts_at > :now + interval '3 days' ORDER BY starts_at LIMIT 1)
        UNION ALL
        (SELECT 3, visit.* FROM visit WHERE patient_id > 3 AND doctor_id <> :doctor
         AND starts_at > :now + interval '4 days' ORDER BY starts_at, id LIMIT 1)
    )
    INSERT INTO waitlist_entries (patient_id, service_id, doctor_id, from_on, until_on, weekdays,
                                  from_time, until_time, state, created_at, created_by_id)
    SELECT waiting.id, service_id, doctor_id, CAST(begins AS date), CAST(begins AS date),
           ARRAY[CAST(extract(isodow FROM begins) AS smallint)], CAST(begins AS time), CAST(ends AS time),
           'waiting', :now - place * interval '7 hours', waiting.user_id
    FROM wanted CROSS JOIN LATERAL (
        SELECT p.id, p.user_id FROM patients p
        WHERE p.user_id IS NOT NULL AND (p.id = :mother) = (place = 2) AND NOT EXISTS (
            SELECT FROM appointments own WHERE own.patient_id = p.id AND own.status = 'confirmed'
            AND own.starts_at < wanted.starts_at + interval '3 hours'
            AND own.ends_at > wanted.starts_at - interval '1 hour')
        ORDER BY p.id OFFSET CASE WHEN place = 2 THEN 0 ELSE place END LIMIT 1
    ) AS waiting
    ORDER BY place
"""


def join(connection: Connection, now: datetime) -> None:
    """Put three people on the waitlist of the loaded clinic; fewer where there is nothing to wait for."""
    wanted = {"zone": ZONE.key, "now": now, "mother": MOTHER, "doctor": _DEMO_DOCTOR}
    connection.execute(text(_WAIT), wanted)
