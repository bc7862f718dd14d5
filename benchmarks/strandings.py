"""The list of visits that no hours cover: asked for by every page of reception's and around every change."""

from typing import Any

import psycopg

from benchmarks.clinic import Clinic
from benchmarks.timing import Figure, in_turns, times_slower
from core import strandings
from db.session import unit_of_work

REPEATS = 30
_AHEAD = """
    SELECT id, doctor_id, service_id, room_id, location_id, starts_at, ends_at FROM appointments
    WHERE status = 'confirmed' AND starts_at > now()
      AND (doctor_id = %(doctor_id)s OR CAST(%(doctor_id)s AS int) IS NULL)
"""


def measure(clinic: Clinic) -> list[Figure]:
    """Of the whole clinic, and of one doctor, as around a change of hours."""
    with clinic.connect() as connection:
        return [
            _figure(connection, "of the whole clinic", None),
            _figure(connection, "of one doctor", clinic.doctor_ids[0]),
        ]


def _figure(connection: psycopg.Connection[Any], name: str, doctor_id: int | None) -> Figure:
    def ask() -> None:
        with unit_of_work() as session:
            strandings.find(session, doctor_id=doctor_id)

    def read() -> int:
        return len(connection.execute(_AHEAD, {"doctor_id": doctor_id}).fetchall())

    ours, bare = in_turns(REPEATS, ask, read)
    return times_slower(f"{name}, {read():,} visits ahead", ours, bare)
