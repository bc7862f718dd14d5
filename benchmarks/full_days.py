"""A clinic whose board is full today: 40 doctors and 600 visits in all states, in a database of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import psycopg
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from benchmarks.clinic import Clinic
from core import clock, tills
from core.access import Actor
from db.config import config
from db.migrate import migrate
from db.models import (
    Appointment,
    AppointmentStatus,
    ClinicSettings,
    Doctor,
    DoctorService,
    Location,
    Patient,
    PaymentMethod,
    Role,
    Room,
    Service,
    Source,
    User,
    WeeklyHours,
)
from db.session import forget_engine, new_engine, unit_of_work

DOCTORS, VISITS_EACH = 40, 15
NAME = "full_day"
LENGTH = timedelta(minutes=30)
FIRST = ("Ada", "Ben", "Chidi", "Dilara", "Emil", "Freya", "Giulia", "Henrik", "Ines", "Jonas")
LAST = ("Okafor", "Sato", "Brandt", "Yılmaz", "Moreau", "Lindqvist", "Haddad", "Nowak", "Ferreira", "Osei")
CONFIRMED, ARRIVED, IN_ROOM, COMPLETED, NO_SHOW = (
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.IN_ROOM,
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
)


@contextmanager
def full_day(clinic: Clinic) -> Iterator[str]:
    """The address of the database, made anew beside the large clinic; `db.session.engine()` is on it."""
    url = make_url(clinic.url)
    own = url.set(database=NAME).render_as_string(hide_password=False)
    with psycopg.connect(clinic.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
    _look_at(own)
    try:
        engine = new_engine(own)
        migrate(engine)
        fill()
        engine.dispose()
        yield own
    finally:
        _look_at(clinic.url)


def _look_at(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    config.cache_clear()
    forget_engine()


def fill() -> None:
    """Put the people and the day into an empty database: the day is now half over, wherever that is."""
    with unit_of_work() as session:
        now = clock.now().replace(second=0, microsecond=0)
        zone = _zone_of_noon(now)
        session.add(
            ClinicSettings(name="Linden Clinic", time_zone=zone, currency="EUR", requires_second_factor=False)
        )
        place = Location(name="Main house", address="Lindenstraße 1, Berlin")
        service = Service(name="Check-up", duration_minutes=30, step_minutes=30, price_minor=6000)
        desk = User(username="rita", name="Rita Empfang", role=Role.STAFF, locale="en_GB")
        session.add_all([place, service, desk])
        session.flush()
        rooms = [Room(location_id=place.id, name=f"Room {number + 1}") for number in range(DOCTORS)]
        session.add_all(rooms)
        session.flush()
        visits = [
            visit
            for number in range(DOCTORS)
            for visit in _days_visits(session, number, place, service, rooms[number].id, now)
        ]
        session.add_all(visits)
        session.flush()
        actor = Actor(desk.id, desk.role, desk.name)
        for visit in [each for each in visits if each.status is not NO_SHOW][::3]:
            tills.take(
                session,
                actor,
                appointment_id=visit.id,
                method=PaymentMethod.CASH,
                amount_minor=visit.price_minor,
            )


def _zone_of_noon(now: datetime) -> str:
    """A zone in which it is about noon: the day's visits are to start on one day."""
    hours = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def _days_visits(
    session: Session, number: int, place: Location, service: Service, room_id: int, now: datetime
) -> list[Appointment]:
    """The visits of one doctor: half of them over, one in the room, one who waits, the rest to come."""
    account = User(username=f"doctor{number}", name=f"Dr. {LAST[number % 10]} {number}", role=Role.DOCTOR)
    session.add(account)
    session.flush()
    doctor = Doctor(user_id=account.id)
    session.add(doctor)
    session.flush()
    session.add(DoctorService(doctor_id=doctor.id, service_id=service.id))
    session.add_all(
        WeeklyHours(
            doctor_id=doctor.id,
            location_id=place.id,
            weekday=weekday,
            opens_at=datetime(2026, 1, 1, 6, tzinfo=UTC).time(),
            closes_at=datetime(2026, 1, 1, 20, tzinfo=UTC).time(),
        )
        for weekday in range(1, 8)
    )
    people = [
        Patient(
            name=f"{FIRST[(number + at) % 10]} {LAST[(number * 7 + at) % 10]}",
            birth_on=date(1950 + number, 1 + at % 12, 1 + at),
        )
        for at in range(VISITS_EACH)
    ]
    session.add_all(people)
    session.flush()
    first = now - LENGTH * (VISITS_EACH // 2) - timedelta(minutes=number % 30)
    return [
        _visit(doctor.id, person.id, place.id, service.id, room_id, first + LENGTH * at, now, at)
        for at, person in enumerate(people)
    ]


def _visit(
    doctor_id: int,
    patient_id: int,
    location_id: int,
    service_id: int,
    room_id: int,
    starts_at: datetime,
    now: datetime,
    at: int,
) -> Appointment:
    middle = VISITS_EACH // 2
    status = (
        (NO_SHOW if at == 2 else COMPLETED)
        if at < middle
        else {middle: IN_ROOM, middle + 1: ARRIVED}.get(at, CONFIRMED)
    )
    has_come = status in {ARRIVED, IN_ROOM, COMPLETED}
    return Appointment(
        doctor_id=doctor_id,
        patient_id=patient_id,
        location_id=location_id,
        service_id=service_id,
        room_id=room_id,
        starts_at=starts_at,
        ends_at=starts_at + LENGTH,
        blocked=Range(starts_at, starts_at + LENGTH),
        status=status,
        price_minor=6000,
        source=Source.PORTAL,
        arrived_at=min(now, starts_at) - timedelta(minutes=5 + at) if has_come else None,
        in_room_at=min(now, starts_at + timedelta(minutes=doctor_id % 30)) if status is IN_ROOM else None,
        attending_at=now - timedelta(days=1) if at % 2 else None,
    )


def touch() -> None:
    """Let somebody arrive, or take that back: a visit goes from one list of the board to another."""
    with unit_of_work() as session:
        visit = session.scalars(
            select(Appointment)
            .where(Appointment.status.in_([CONFIRMED, ARRIVED]), Appointment.attending_at.is_not(None))
            .order_by(Appointment.starts_at, Appointment.id)
            .limit(1)
        ).one()
        is_back = visit.status is ARRIVED
        visit.status = CONFIRMED if is_back else ARRIVED
        visit.arrived_at = None if is_back else clock.now()
