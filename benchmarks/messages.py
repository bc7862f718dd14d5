"""Messages sent through `core`, with a carrier that answers at once, against the bare claim in SQL.

Ours decides for each whether it is still true, who gets it, how and in which words; the bare client claims
the same rows and notes that they were sent, in two transactions each, and knows nothing.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count

from benchmarks.clinic import Clinic
from benchmarks.timing import Figure, alternated, share_of_rate
from core import clock, deliveries, reminders
from core.sms import Accepted, Progress, Received
from db.config import config
from db.session import unit_of_work

ROUNDS, WARM_UP_ROUNDS = 10, 2
MESSAGES = 100  # a round
TARGET = 0.1
_ACCOUNT = {
    "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
    "TWILIO_AUTH_TOKEN": "none",
    "TWILIO_FROM": "+14155550100",
    "TWILIO_API_BASE": "http://127.0.0.1:1",
}
# One visit ahead of each of so many people who agree to texts, so that none carries another.
_FILL = """
    INSERT INTO notifications (kind, key, patient_id, appointment_id, time_version, send_after, created_at,
        expires_at, channel, sent_to, subject, body, is_secret, status, attempts)
    SELECT 'booked', 'benchmark:' || a.id, a.patient_id, a.id, a.time_version, now(), now(), a.starts_at,
        'sms', '', '', '', false, 'pending', 0
    FROM (
        SELECT DISTINCT ON (p.id) v.* FROM appointments v JOIN patients p ON p.id = v.patient_id
        JOIN users u ON u.id = p.user_id AND u.phone IS NOT NULL AND u.sms_consent_at IS NOT NULL
        WHERE v.status = 'confirmed' AND v.starts_at > now() + interval '1 day' AND p.guardian_id IS NULL
        ORDER BY p.id, v.starts_at LIMIT %s
    ) a
"""
_CLAIM = """
    UPDATE notifications SET status = 'sending', lease = gen_random_uuid(), attempts = attempts + 1,
        send_after = now() + interval '1 minute', attempted_at = now()
    WHERE id = (
        SELECT id FROM notifications WHERE status = 'pending' AND send_after <= now()
        ORDER BY send_after, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, sent_to, body
"""
_NOTE = """
    UPDATE notifications SET status = 'sent', lease = NULL, sent_at = now(), provider_id = %s WHERE id = %s
"""


class Instant:
    """A carrier that takes everything at once."""

    sender: str | None = "+14155550100"

    def __init__(self) -> None:
        self._numbers = count(time.time_ns())

    def send(self, *, to: str, body: str, valid_seconds: int | None, before: datetime) -> Accepted:
        return Accepted(f"SM{next(self._numbers)}", "queued", 1, clock.now())

    def find(self, *, to: str, body: str, since: datetime) -> list[Accepted]:
        return []

    def fetch(self, provider_id: str) -> Progress:
        return Progress(provider_id, "delivered", None, 1)

    def received(self, *, since: datetime) -> list[Received]:
        return []


def measure(clinic: Clinic) -> list[Figure]:
    """Messages a second, and how long the look for reminders that are due takes when there is nothing new."""
    with _texting(clinic):
        ours, bare = alternated(
            ROUNDS,
            _ours(clinic, Instant()),
            _bare(clinic),
            warm_up=WARM_UP_ROUNDS,
        )
        _remind()
        [scan, nothing] = alternated(ROUNDS, _timed(_remind), _timed(_no_work), warm_up=WARM_UP_ROUNDS)
    share = share_of_rate("claimed and sent", ours, bare, MESSAGES, at_least=TARGET)
    typical = sorted(a - b for a, b in zip(scan, nothing, strict=True))[len(scan) // 2]
    return [share, Figure("the scan for reminders", f"{typical * 1000:.0f} ms", "", "")]


@contextmanager
def _texting(clinic: Clinic) -> Iterator[None]:
    """Texts are sent here, at any hour; afterwards nothing of it is left."""
    before = {name: os.environ.get(name) for name in _ACCOUNT}
    os.environ.update(_ACCOUNT)
    config.cache_clear()
    with clinic.connect() as connection:
        connection.execute("UPDATE settings SET quiet_from = '23:59', quiet_until = '00:00'")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        config.cache_clear()
        _empty(clinic)


def _empty(clinic: Clinic) -> None:
    with clinic.connect() as connection:
        connection.execute("DELETE FROM notifications")


def _filled(clinic: Clinic) -> None:
    _empty(clinic)
    with clinic.connect() as connection:
        written = connection.execute(_FILL, [MESSAGES]).rowcount
    assert written == MESSAGES, "the clinic is too small: too few people agree to texts"


def _ours(clinic: Clinic, carrier: Instant) -> Callable[[], float]:
    def run() -> float:
        _filled(clinic)
        started = time.perf_counter()
        sent = deliveries.send_waiting(sms=carrier)
        took = time.perf_counter() - started
        assert sent == MESSAGES
        assert clinic.number("SELECT count(*) FROM notifications WHERE status = 'sent'") == MESSAGES
        return took

    return run


def _bare(clinic: Clinic) -> Callable[[], float]:
    connection, numbers = clinic.connect(), count(time.time_ns())

    def run() -> float:
        _filled(clinic)
        started = time.perf_counter()
        for _message in range(MESSAGES):
            [(number, _to, _body)] = connection.execute(_CLAIM).fetchall()
            connection.commit()
            connection.execute(_NOTE, [f"SM{next(numbers)}", number])
            connection.commit()
        return time.perf_counter() - started

    return run


def _remind() -> None:
    with unit_of_work() as session:
        reminders.remind(session)


def _no_work() -> None:
    with unit_of_work():
        pass


def _timed(work: Callable[[], None]) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return run
