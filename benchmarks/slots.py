"""Free time, against the bare reads of the rows it is computed from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.clinic import Clinic
from benchmarks.timing import Figure, in_turns, times_slower
from core import availability, clinics, clock, next_times
from db.models import Service
from db.models.appointments import LIVE
from db.session import engine, unit_of_work

REPEATS = 30
TARGET = 2.0
_FORTNIGHT, _QUARTER = 14, 90

_HOURS = """
SELECT doctor_id, weekday, NULL::date, opens_at, closes_at FROM weekly_hours
WHERE doctor_id = ANY(%(doctor_ids)s) AND (valid_from_on IS NULL OR valid_from_on <= %(until_on)s)
  AND (valid_until_on IS NULL OR valid_until_on >= %(from_on)s)
UNION ALL
SELECT doctor_id, NULL, on_date, opens_at, closes_at FROM date_overrides
WHERE doctor_id = ANY(%(doctor_ids)s) AND on_date BETWEEN %(from_on)s AND %(until_on)s
"""
_TAKEN = f"""
SELECT doctor_id, {{columns}} FROM appointments
WHERE doctor_id = ANY(%(doctor_ids)s) AND {LIVE}
  AND lower(blocked) > %(from_at)s - interval '24 hours' AND lower(blocked) < %(until_at)s
  AND upper(blocked) > %(from_at)s
"""
_AS_TIMES = _TAKEN.format(columns="lower(blocked), upper(blocked)")
_AS_RANGE = _TAKEN.format(columns="blocked")


class Span:
    """Some doctors over some days from today on, asked of `core` and of bare SQL."""

    def __init__(
        self, clinic: Clinic, doctor_ids: Sequence[int], days: int, service_id: int | None = None
    ) -> None:
        self.service_id = service_id or clinic.service_id
        self.doctor_ids = list(doctor_ids)
        with unit_of_work() as session:
            zone = clinics.zone(session)
        self.from_on = clock.now().astimezone(zone).date()
        self.until_on = self.from_on + timedelta(days=days - 1)
        self._bounds = {
            "doctor_ids": self.doctor_ids,
            "from_on": self.from_on,
            "until_on": self.until_on,
            "from_at": _midnight(self.from_on, zone),
            "until_at": _midnight(self.until_on + timedelta(days=1), zone),
        }

    def free_slots(self, session: Session) -> dict[int, list[datetime]]:
        return availability.free_slots(
            session,
            doctor_ids=self.doctor_ids,
            service_id=self.service_id,
            from_on=self.from_on,
            until_on=self.until_on,
        )

    def ask_core(self) -> None:
        with unit_of_work() as session:
            self.free_slots(session)

    def ask_next(self) -> None:
        with unit_of_work() as session:
            next_times.of_doctors(session, doctor_ids=self.doctor_ids, service_id=self.service_id)

    def read(self, connection: psycopg.Connection[Any], taken: str) -> int:
        """Fetch the hours and the taken times; how many rows."""
        hours = connection.execute(_HOURS, self._bounds).fetchall()
        return len(hours) + len(connection.execute(taken, self._bounds).fetchall())


def measure(clinic: Clinic) -> list[Figure]:
    """One to all doctors over a fortnight, everybody's next free time, and a full doctor's quarter."""
    everybody = clinic.doctor_ids
    name = f"{len(everybody)} doctors × {_FORTNIGHT} days"
    span = Span(clinic, everybody, _FORTNIGHT)
    quick = Span(clinic, everybody, _FORTNIGHT, clinic.quick_service_id)
    return [
        _against_reads(clinic, name, span, _AS_TIMES, at_most=TARGET),
        _against_reads(clinic, f"{name}, against reading ranges", span, _AS_RANGE),
        _against_reads(clinic, f"{name}, every quarter of an hour", quick),
        _against_reads(clinic, f"20 doctors × {_FORTNIGHT} days", Span(clinic, everybody[:20], _FORTNIGHT)),
        _against_reads(clinic, f"1 doctor × {_FORTNIGHT} days", Span(clinic, everybody[:1], _FORTNIGHT)),
        _against_reads(clinic, f"1 doctor × {_QUARTER} days", Span(clinic, everybody[:1], _QUARTER)),
        _next_free(clinic, span),
        _full_quarter(clinic, everybody[0]),
    ]


def _against_reads(
    clinic: Clinic, name: str, span: Span, taken: str = _AS_TIMES, at_most: float | None = None
) -> Figure:
    """Each figure has connections of its own, so that none inherits the plans another settled on."""
    engine().dispose()
    with clinic.connect() as bare:
        bare.autocommit = True
        ours, reads = in_turns(REPEATS, span.ask_core, partial(span.read, bare, taken))
    return times_slower(name, ours, reads, at_most=at_most)


def _next_free(clinic: Clinic, span: Span) -> Figure:
    engine().dispose()
    with clinic.connect() as bare:
        bare.autocommit = True
        ours, reads = in_turns(REPEATS, span.ask_next, partial(span.read, bare, _AS_TIMES))
    return times_slower(f"next free time of {len(span.doctor_ids)} doctors", ours, reads)


def _full_quarter(clinic: Clinic, doctor_id: int) -> Figure:
    """A doctor without any free time left, made so in a transaction that is rolled back."""
    engine().dispose()
    span = Span(clinic, [doctor_id], _QUARTER)
    with _filled(clinic, span) as session:
        driver = session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        ours, reads = in_turns(
            REPEATS, partial(span.free_slots, session), partial(span.read, driver, _AS_TIMES)
        )
    return times_slower(f"fully booked doctor × {_QUARTER} days", ours, reads)


@contextmanager
def _filled(clinic: Clinic, span: Span) -> Iterator[Session]:
    with Session(engine()) as session, session.begin() as transaction:
        service = session.get_one(Service, span.service_id)
        patient_id = clinic.idle_patient_ids[0]
        while free := span.free_slots(session):
            for starts_at in apart(free[span.doctor_ids[0]], service):
                session.execute(
                    text("""
                        INSERT INTO appointments (patient_id, doctor_id, service_id, location_id, starts_at,
                            ends_at, blocked, status, price_minor, source)
                        SELECT :patient_id, :doctor_id, s.id, (SELECT min(id) FROM locations), :at,
                            :at + make_interval(mins => duration_minutes),
                            tstzrange(:at - make_interval(mins => buffer_before_minutes),
                                      :at + make_interval(mins => duration_minutes + buffer_after_minutes)),
                            'confirmed', 0, 'desk'
                        FROM services s WHERE s.id = :service_id
                    """),
                    {
                        "patient_id": patient_id,
                        "doctor_id": span.doctor_ids[0],
                        "service_id": span.service_id,
                        "at": starts_at,
                    },
                )
        yield session
        transaction.rollback()


def apart(free: Sequence[datetime], service: Service) -> list[datetime]:
    """As many of one doctor's free times as can all be booked: none reaches into another's buffers."""
    reach = service.buffer_before_minutes + service.duration_minutes + service.buffer_after_minutes
    chosen: list[datetime] = []
    for at in free:
        if not chosen or at - chosen[-1] >= timedelta(minutes=reach):
            chosen.append(at)
    return chosen


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone)
