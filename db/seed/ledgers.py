"""The books of the demo clinic: payments, refunds, the ledger numbered in the order of time, and the tills.

Visits are made day by day of when they take place, money comes and goes at other times. So its lines are
noted first, and written once all are known; a million of them never pass through Python twice.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from random import Random

from sqlalchemy import Column, Connection, MetaData, Table, insert, text

from db.models import TillClosing
from db.seed import tables
from db.seed.accounts import STAFF_USER
from db.seed.calendars import ZONE
from db.seed.rows import TakingRow

_TAKINGS = Table("seed_takings", MetaData(), *(Column(name) for name in TakingRow._fields))
_FLOAT_MINOR = 20_000  # stays in the drawer overnight, or more where that would not do
_CLOSES = time(20, 45)
_MISCOUNTED_SHARE = 0.02

_MAKE = """
    CREATE TEMPORARY TABLE seed_takings (
        appointment_id integer, step integer, kind text, at timestamptz, amount_minor integer, method text,
        by_user_id integer, is_open boolean
    ) ON COMMIT DROP
"""
_WRITE = (
    "ANALYZE seed_takings",
    """
    INSERT INTO payments (id, public_id, appointment_id, method, state, amount_minor, currency, created_at,
                          paid_at, taken_by_id)
    SELECT row_number() OVER (ORDER BY at, appointment_id), md5('payment ' || appointment_id)::uuid,
           appointment_id, method, 'paid', -amount_minor, c.currency, at, at, by_user_id
    FROM seed_takings, settings c WHERE kind = 'payment' ORDER BY 1
    """,
    """
    INSERT INTO refunds (id, public_id, payment_id, method, amount_minor, cause, reason, state, created_at,
                         asked_by_id, check_after, settled_at, handed_over_by_id)
    SELECT row_number() OVER (ORDER BY asked.at, t.appointment_id), md5('refund ' || t.appointment_id)::uuid,
           p.id, t.method, t.amount_minor, 'cancelled', '', CASE WHEN is_open THEN 'pending' ELSE 'done' END,
           asked.at, asked.by_user_id, asked.at, CASE WHEN NOT is_open THEN t.at END,
           CASE WHEN NOT is_open THEN t.by_user_id END
    FROM seed_takings t JOIN payments p USING (appointment_id)
    JOIN (SELECT appointment_id, at, by_user_id FROM seed_takings WHERE kind = 'credit') asked
        USING (appointment_id)
    WHERE t.kind = 'refund' ORDER BY 1
    """,
    """
    INSERT INTO ledger_entries (id, at, kind, amount_minor, currency, appointment_id, patient_id, method,
                                payment_id, refund_id, by_user_id, series, number, particulars)
    OVERRIDING SYSTEM VALUE
    SELECT row_number() OVER (ORDER BY t.at, a.id, t.step), t.at, t.kind, t.amount_minor, c.currency, a.id,
           a.patient_id, t.method, CASE WHEN t.kind = 'payment' THEN p.id END,
           CASE WHEN t.kind = 'refund' THEN r.id END, t.by_user_id, s.series,
           row_number() OVER (PARTITION BY s.series ORDER BY t.at, a.id, t.step),
           jsonb_build_object(
               'patient', person.name, 'birth_on', person.birth_on, 'service', service.name,
               'doctor', account.name, 'address', place.address, 'clinic', c.name, 'phone', c.phone,
               'starts_at', to_char(a.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'))
    FROM seed_takings t
    JOIN appointments a ON a.id = t.appointment_id JOIN patients person ON person.id = a.patient_id
    JOIN services service ON service.id = a.service_id JOIN locations place ON place.id = a.location_id
    JOIN doctors d ON d.id = a.doctor_id JOIN users account ON account.id = d.user_id
    LEFT JOIN payments p ON p.appointment_id = a.id LEFT JOIN refunds r ON r.payment_id = p.id
    CROSS JOIN settings c CROSS JOIN LATERAL (
        SELECT CASE WHEN t.kind IN ('invoice', 'credit') THEN 'invoice' ELSE 'receipt' END AS series) s
    WHERE NOT t.is_open ORDER BY 1
    """,
    """
    INSERT INTO document_counters (series, last_number)
    SELECT series, max(number) FROM ledger_entries GROUP BY series
    """,
)
_DAYS = text("""
    SELECT CAST(at AT TIME ZONE :zone AS date) AS "on", max(id) AS last_id, max(at) AS last_at,
           max(currency) AS currency,
           coalesce(-sum(amount_minor) FILTER (WHERE method = 'cash'), 0) AS cash,
           coalesce(-sum(amount_minor) FILTER (WHERE method = 'terminal'), 0) AS terminal
    FROM ledger_entries
    WHERE by_user_id = :user_id AND method IS NOT NULL
    AND CAST(at AT TIME ZONE :zone AS date) < :today
    GROUP BY 1 ORDER BY 1
""")


@contextmanager
def being_kept(connection: Connection, today: date) -> Iterator[None]:
    """Write what is noted within the block into the books, and close the tills of the days before today."""
    connection.execute(text(_MAKE))
    yield
    for statement in _WRITE:
        connection.execute(text(statement))
    closings = list(_closings(connection, today))
    if closings:
        connection.execute(insert(TillClosing), closings)


def note(connection: Connection, takings: Iterable[TakingRow]) -> None:
    """Keep lines of the ledger until all are there."""
    tables.copy_rows(connection, _TAKINGS, takings)


def _closings(connection: Connection, today: date) -> Iterator[dict[str, object]]:
    """The receptionist's evenings: counted as the ledger has it, or nearly so, with a note."""
    days = connection.execute(_DAYS, {"zone": ZONE.key, "user_id": STAFF_USER, "today": today}).all()
    rng, usual = Random("tills"), _float(day.cash for day in days)
    opening = usual
    for day in days:
        expected = opening + day.cash
        is_miscounted = expected > usual and rng.random() < _MISCOUNTED_SHARE
        counted = expected - rng.choice([50, 100, 200, 500]) if is_miscounted else expected
        left = min(usual, counted)
        yield {
            "user_id": STAFF_USER,
            "closed_at": max(datetime.combine(day.on, _CLOSES, ZONE), day.last_at + timedelta(minutes=5)),
            "up_to_entry_id": day.last_id,
            "currency": day.currency,
            "opening_minor": opening,
            "expected_minor": expected,
            "counted_minor": counted,
            "left_minor": left,
            "terminal_minor": day.terminal,
            "terminal_counted_minor": day.terminal,
            "note": "Counted twice: somebody got too much change." if is_miscounted else "",
        }
        opening = left


def _float(cash_of_days: Iterable[int]) -> int:
    """What must lie in the drawer so that it never runs empty, however many want their money back."""
    missing = most = 0
    for cash in cash_of_days:
        missing = max(0, missing - cash)
        most = max(most, missing)
    return max(_FLOAT_MINOR, -(-most // 10_000) * 10_000 + 10_000)
