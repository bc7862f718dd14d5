"""The large clinic that is measured: a PostgreSQL of its own under var/bench, seeded once and kept."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from db import embedded
from db.config import config
from db.session import forget_engine

ROOT = Path(__file__).parent.parent
_STALE_DAYS = 3  # the seed is relative to its day: an old one has no list for today and a thin fortnight

_MOST_OFFERED = """
SELECT s.id FROM doctor_services o JOIN services s ON s.id = o.service_id AND s.is_active
GROUP BY s.id ORDER BY count(*) DESC,
"""


@dataclass(frozen=True)
class Clinic:
    """Where the clinic is, and who of it the measurements are about."""

    url: str
    appointments: int

    def connect(self) -> psycopg.Connection[Any]:
        """A bare connection that speaks UTC, as the portal's do."""
        return psycopg.connect(self.url, options="-c timezone=UTC -c jit=off")

    @cached_property
    def service_id(self) -> int:
        """The service that the search page opens with: the one that most doctors offer."""
        return self.number(_MOST_OFFERED + " s.name LIMIT 1")

    @cached_property
    def quick_service_id(self) -> int:
        """Of the services that most doctors offer, the one with most times in an hour."""
        return self.number(_MOST_OFFERED + " step_minutes, s.id LIMIT 1")

    @cached_property
    def doctor_ids(self) -> list[int]:
        """The doctors who offer it."""
        return self.numbers(
            "SELECT doctor_id FROM doctor_services WHERE service_id = %s ORDER BY doctor_id", self.service_id
        )

    @cached_property
    def idle_patient_ids(self) -> list[int]:
        """Patients without a visit ahead: they can take any time."""
        return self.numbers(
            "SELECT id FROM patients EXCEPT SELECT patient_id FROM appointments"
            " WHERE ends_at > now() ORDER BY id"
        )

    def number(self, query: str, *parameters: Any) -> int:
        """The first number a query finds."""
        return self.numbers(query, *parameters)[0]

    def numbers(self, query: str, *parameters: Any) -> list[int]:
        """The first column of what a query finds."""
        with self.connect() as connection:
            return [row[0] for row in connection.execute(query, parameters)]

    def forget_bookings(self) -> None:
        """Delete what measuring has booked: the seed numbers its own appointments from 1 without a gap."""
        with self.connect() as connection:
            connection.execute(
                "DELETE FROM appointment_events WHERE appointment_id > %s", [self.appointments]
            )
            connection.execute("DELETE FROM notifications WHERE appointment_id > %s", [self.appointments])
            connection.execute("DELETE FROM appointments WHERE id > %s", [self.appointments])
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE appointments, appointment_events")


@contextmanager
def large_clinic(doctors: int, appointments: int) -> Iterator[Clinic]:
    """Run the clinic of this size, made when there is none, with the server's ordinary settings.

    `db.session.engine()` is on it too.
    """
    directory = ROOT / "var" / "bench" / f"postgres-{doctors}-{appointments}"
    with embedded.running(directory) as url:
        os.environ.update(DATABASE_URL=url, CLINIC_ENV="development")
        config.cache_clear()
        forget_engine()
        _run("db.migrate")
        if not _is_fresh(url, appointments):
            print(f"Seeding {doctors:,} doctors and {appointments:,} appointments, once ...", flush=True)
            size = ["--doctors", str(doctors), "--appointments", str(appointments)]
            _run("db.seed", "--reset", *size)
        clinic = Clinic(url, appointments)
        clinic.forget_bookings()
        try:
            yield clinic
        finally:
            forget_engine()


def _is_fresh(url: str, appointments: int) -> bool:
    """Whether the clinic is there and its newest booking, made as it was seeded, is a recent one."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT max(created_at) > now() - make_interval(days => %s) FROM appointments WHERE id <= %s",
            [_STALE_DAYS, appointments],
        ).fetchone()
    return bool(row and row[0])


def _run(*module: str) -> None:
    subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=True)
