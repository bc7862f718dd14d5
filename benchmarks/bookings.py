"""Bookings through `core`, against the same statements and against one INSERT, both by bare psycopg.

The statements of each booking are recorded first, in a transaction that is rolled back, so that the bare
client sends exactly what `core` would have sent. Clients are threads of one process, as the portal's are, and
for comparison processes, which do not share Python's one lock.
"""

import multiprocessing
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, islice
from threading import local
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import uuid4

import psycopg
from sqlalchemy.orm import Session

from benchmarks.clinic import Clinic
from benchmarks.slots import apart
from benchmarks.timing import Figure, in_turns, share_of_rate
from core import appointments, availability, clock
from core.access import Actor
from db.models import Role, Service
from db.session import engine, unit_of_work

ROUNDS = 8
WARM_UP_ROUNDS = 1
TARGET = 0.5
_DAYS_AHEAD = 80
_SPAWN = multiprocessing.get_context("spawn")  # a fork would share our connections

_APPOINTMENT = "INSERT INTO appointments ("
_BARE_INSERT = """
INSERT INTO appointments (patient_id, doctor_id, service_id, location_id, starts_at, ends_at, blocked,
    status, price_minor, source)
VALUES (%(patient_id)s, %(doctor_id)s, %(service_id)s, %(location_id)s, %(starts_at)s, %(ends_at)s,
    tstzrange(%(starts_at)s, %(ends_at)s), %(status)s, %(price_minor)s, %(source)s)
"""


class Booking(NamedTuple):
    """One that will succeed: a free time, and a patient who is free too and asks for it."""

    user_id: int
    patient_id: int
    doctor_id: int
    service_id: int
    starts_at: datetime


Statements = list[tuple[str, dict[str, Any]]]
_own = local()


class _OnlyRecording(Exception):
    """Rolls back the transaction in which a booking is recorded."""


def book(bookings: Iterable[Booking]) -> None:
    """Each in a transaction of its own, as a click does it. Runs in the clients."""
    for booking in bookings:
        with unit_of_work(engine()) as session:
            _book(session, booking)


def send(url: str, recorded: Iterable[Statements]) -> None:
    """The statements of each booking in one transaction, its event pointing to the new row."""
    connection = _connection(url)
    for statements in recorded:
        appointment_id = None
        for statement, parameters in statements:
            if "appointment_id" in parameters:
                parameters["appointment_id"] = appointment_id
            rows = connection.execute(statement, parameters).fetchall()
            if _APPOINTMENT in statement:
                appointment_id = rows[0][0]
        connection.commit()


def insert(url: str, rows: Iterable[dict[str, Any]]) -> None:
    """Only the row of each appointment, in a transaction of its own."""
    connection = _connection(url)
    for row in rows:
        connection.execute(_BARE_INSERT, row)
        connection.commit()


def measure(clinic: Clinic) -> list[Figure]:
    """Bookings a second by one client and by eight."""
    figures: list[Figure] = []
    engine().dispose()
    supply = _supply(clinic)
    try:
        for name, clients, each in (
            ("1 client", [ThreadPoolExecutor(1)], 40),
            ("8 threads", [ThreadPoolExecutor(1) for _ in range(8)], 20),
            ("8 processes", [ProcessPoolExecutor(1, _SPAWN) for _ in range(8)], 20),
        ):
            with ExitStack() as stack:
                for client in clients:
                    stack.enter_context(client)
                figures += _race(clinic, name, clients, supply, each)
    finally:
        clinic.forget_bookings()
    return figures


def _race(
    clinic: Clinic, name: str, clients: Sequence[Executor], supply: Iterator[Booking], each: int
) -> list[Figure]:
    """All clients at once, each with `each` bookings a round, by core and in the two bare ways."""

    def rounds() -> list[list[list[Booking]]]:
        found = [[list(islice(supply, each)) for _ in clients] for _ in range(WARM_UP_ROUNDS + ROUNDS)]
        assert len(found[-1][-1]) == each, "the clinic is too small: it has no more free times to book"
        return found

    by_core = iter(rounds())
    same = iter([[_recorded(share) for share in shares] for shares in rounds()])
    bare = iter([[_rows(share) for share in shares] for shares in rounds()])
    core, statements, inserts = in_turns(
        ROUNDS,
        lambda: _all(clients, book, next(by_core)),
        lambda: _all(clients, partial(send, clinic.url), next(same)),
        lambda: _all(clients, partial(insert, clinic.url), next(bare)),
        warm_up=WARM_UP_ROUNDS,
    )
    count = len(clients) * each
    return [
        share_of_rate(f"{name}: of the same statements", core, statements, count, at_least=TARGET),
        share_of_rate(f"{name}: of one INSERT each", core, inserts, count),
    ]


def _all(clients: Sequence[Executor], work: Callable[[Any], None], shares: Sequence[Any]) -> None:
    """Have every client do its share, and wait for the last."""
    for done in [client.submit(work, share) for client, share in zip(clients, shares, strict=True)]:
        done.result()


def _supply(clinic: Clinic) -> Iterator[Booking]:
    """Bookings that do not get into each other's way, in no order of time or doctor.

    Every doctor has patients of their own here, so that nobody is wanted in two places.
    """
    user_id = clinic.number("SELECT id FROM users WHERE username = 'patient'")
    with unit_of_work() as session:
        service = session.get_one(Service, clinic.service_id)
        tomorrow = clock.now().date() + timedelta(days=1)
        free = availability.free_slots(
            session,
            doctor_ids=clinic.doctor_ids,
            service_id=service.id,
            from_on=tomorrow,
            until_on=tomorrow + timedelta(days=_DAYS_AHEAD),
        )
    found = [
        Booking(user_id, patient_id, doctor_id, service.id, starts_at)
        for number, (doctor_id, starts) in enumerate(sorted(free.items()))
        for patient_id, starts_at in zip(
            cycle(clinic.idle_patient_ids[number :: len(free)]), apart(starts, service), strict=False
        )
    ]
    random.Random(1).shuffle(found)
    return iter(found)


def _book(session: Session, booking: Booking) -> None:
    appointments.book(
        session,
        Actor(booking.user_id, Role.PATIENT, "", patient_ids=(booking.patient_id,)),
        patient_id=booking.patient_id,
        doctor_id=booking.doctor_id,
        service_id=booking.service_id,
        starts_at=booking.starts_at,
        request_key=uuid4(),
    )


def _recorded(bookings: Iterable[Booking]) -> list[Statements]:
    """What `core` sends for each booking, statement by statement."""
    return [_statements(booking) for booking in bookings]


def _statements(booking: Booking) -> Statements:
    sent: Statements = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, statement: Any, parameters: Any = None, **options: Any) -> Any:
        if statement:  # an empty one only asks whether the server is there
            sent.append((statement, dict(parameters or {})))
        return execute(cursor, statement, parameters, **options)

    with (
        patch.object(psycopg.Cursor, "execute", noting),
        suppress(_OnlyRecording),
        unit_of_work(engine()) as session,
    ):
        _book(session, booking)
        raise _OnlyRecording
    return sent


def _rows(bookings: list[Booking]) -> list[dict[str, Any]]:
    """The appointments' rows alone, all in the shape of the first one recorded."""
    (first,) = _recorded(bookings[:1])
    row = next(parameters for statement, parameters in first if _APPOINTMENT in statement)
    length = row["ends_at"] - row["starts_at"]
    return [
        row
        | {
            "patient_id": each.patient_id,
            "doctor_id": each.doctor_id,
            "starts_at": each.starts_at,
            "ends_at": each.starts_at + length,
        }
        for each in bookings
    ]


def _connection(url: str) -> psycopg.Connection[Any]:
    """This thread's own bare connection."""
    if getattr(_own, "connection", None) is None:
        _own.connection = psycopg.connect(url, options="-c timezone=UTC -c jit=off")
    connection: psycopg.Connection[Any] = _own.connection
    return connection
