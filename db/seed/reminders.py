"""What the demo clinic has sent of late: a reminder of each visit of the last weeks, as texts and emails."""

from datetime import datetime

from sqlalchemy import Connection, text

from db.seed.calendars import ZONE

# Every thirtieth text does not arrive, and the desk has dealt with that. Who has no phone is written to.
_REMIND = """
    INSERT INTO notifications (
        channel, kind, key, sent_to, subject, body, locale, patient_id, appointment_id, time_version, status,
        attempts, send_after, created_at, attempted_at, sent_at, provider_id, provider_status, segments,
        error, error_code, settled_at, is_secret)
    SELECT channel, 'reminder', 'demo-' || a.id || '-' || a.time_version, coalesce(p.phone, p.email),
           CASE channel WHEN 'email' THEN 'Your visit' ELSE '' END,
           c.name || ': your visit is on '
               || to_char(a.starts_at AT TIME ZONE :zone, 'FMDay, FMDD FMMonth, HH24\\:MI')
               || CASE channel WHEN 'sms' THEN '. Answer C to confirm.' ELSE '.' END,
           p.locale, a.patient_id, a.id, a.time_version,
           CASE WHEN channel = 'email' THEN 'sent' WHEN is_lost THEN 'undelivered' ELSE 'delivered' END,
           1, sent_at, sent_at, sent_at, sent_at,
           CASE channel WHEN 'sms' THEN 'SMdemo' || a.id END,
           CASE WHEN channel = 'email' THEN NULL WHEN is_lost THEN 'undelivered' ELSE 'delivered' END,
           CASE channel WHEN 'sms' THEN 1 END,
           CASE WHEN is_lost THEN 'The phone was switched off or out of reach.' END,
           CASE WHEN is_lost THEN 30003 END,
           CASE WHEN is_lost THEN sent_at + interval '3 hours' END, false
    FROM appointments a JOIN patients p ON p.id = a.patient_id CROSS JOIN settings c
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.phone IS NULL THEN 'email' ELSE 'sms' END AS channel,
               a.starts_at - interval '48 hours' AS sent_at
    ) AS sending
    CROSS JOIN LATERAL (SELECT channel = 'sms' AND a.id % 30 = 0 AS is_lost) AS luck
    WHERE a.starts_at BETWEEN :now - interval '28 days' AND :now AND a.status IN ('completed', 'no_show')
      AND a.created_at < sent_at AND coalesce(p.phone, p.email) IS NOT NULL
    ORDER BY sent_at, a.id
"""


def send(connection: Connection, now: datetime) -> None:
    """Write down the reminders of the visits of the last four weeks. None is of a visit that is ahead."""
    connection.execute(text(_REMIND), {"zone": ZONE.key, "now": now})
