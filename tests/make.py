"""Rows for tests: plain functions that add one thing with believable defaults and return it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from db.base import Base
from db.models import (
    Appointment,
    AppointmentStatus,
    ClinicSettings,
    DateOverride,
    Doctor,
    DoctorService,
    ItemKind,
    Location,
    Patient,
    Payment,
    PaymentMethod,
    PaymentState,
    RecordItem,
    Refund,
    RefundCause,
    RefundState,
    Role,
    Room,
    Service,
    Source,
    TimeOff,
    User,
    WeeklyHours,
)

WEEKDAYS = range(1, 6)
EVERY_DAY = range(1, 8)
OFFICE_HOURS = "09:00-12:00 13:00-17:00"
BIRTH_ON = date(1985, 5, 17)

_numbers = count(1)
_Row = TypeVar("_Row")


def clinic(session: Session, **changes: Any) -> ClinicSettings:
    """The one row of settings: Berlin time, two hours' notice, 90 days ahead, 24 hours to cancel."""
    settings = session.get(ClinicSettings, 1)
    if settings is None:
        settings = _added(
            session, ClinicSettings(name="Linden Clinic", time_zone="Europe/Berlin", currency="EUR")
        )
    for name, value in changes.items():
        setattr(settings, name, value)
    session.flush()
    session.info.pop("clinic_settings", None)  # core reads the row once a session
    return settings


def location(session: Session, **changes: Any) -> Location:
    return _added(
        session,
        Location(**{"name": f"House {next(_numbers)}", "address": "Lindenstraße 1, Berlin"} | changes),
    )


def main_location(session: Session) -> Location:
    """The place that rows are put in when nobody says where."""
    found = session.scalar(select(Location).order_by(Location.id).limit(1))
    return found or location(session, name="Main house")


def room(session: Session, **changes: Any) -> Room:
    if "location_id" not in changes:
        changes["location_id"] = main_location(session).id
    return _added(session, Room(**{"name": f"Room {next(_numbers)}"} | changes))


def user(session: Session, role: Role = Role.PATIENT, **changes: Any) -> User:
    number = next(_numbers)
    return _added(
        session, User(**{"username": f"user{number}", "name": f"User {number}", "role": role} | changes)
    )


def accounts(session: Session, wanted: Iterable[tuple[str, Role]]) -> list[User]:
    """Several accounts at once, by name and role, which is quicker than one after the other."""
    return _all_added(
        session,
        [User(username=f"user{next(_numbers)}", name=name, role=role) for name, role in wanted],
    )


def patients_of(session: Session, accounts: Iterable[User]) -> list[Patient]:
    """The patients whose accounts these are."""
    return _all_added(
        session, [Patient(name=each.name, birth_on=BIRTH_ON, user_id=each.id) for each in accounts]
    )


def service(session: Session, **changes: Any) -> Service:
    """Half an hour, every half hour, without buffers, notice and horizon as the clinic has them."""
    defaults = {
        "name": f"Check-up {next(_numbers)}",
        "duration_minutes": 30,
        "step_minutes": 30,
        "price_minor": 6000,
    }
    return _added(session, Service(**defaults | changes))


def doctor(
    session: Session,
    *,
    offers: Iterable[Service] = (),
    hours: str = OFFICE_HOURS,
    on: Sequence[int] = WEEKDAYS,
    name: str | None = None,
    **changes: Any,
) -> Doctor:
    """A doctor who offers `offers` and works `hours` on the ISO weekdays `on`."""
    account = user(session, Role.DOCTOR, name=name or f"Dr. {next(_numbers)}")
    made = _added(session, Doctor(**{"user_id": account.id, "user": account} | changes))
    for each in offers:
        offer(session, made, each)
    if hours:
        weekly_hours(session, made, hours, on=on)
    return made


def offer(
    session: Session, doctor: Doctor, service: Service, *, price_minor: int | None = None
) -> DoctorService:
    return _added(session, DoctorService(doctor_id=doctor.id, service_id=service.id, price_minor=price_minor))


def weekly_hours(
    session: Session, doctor: Doctor, hours: str, *, on: Sequence[int] = WEEKDAYS, **changes: Any
) -> list[WeeklyHours]:
    """Stretches written as "09:00-12:00 13:00-17:00", on each of the ISO weekdays `on`."""
    place = changes.pop("location_id", None) or main_location(session).id
    made = [
        WeeklyHours(
            doctor_id=doctor.id,
            location_id=place,
            weekday=day,
            opens_at=opens,
            closes_at=closes,
            **changes,
        )
        for day in on
        for opens, closes in _stretches(hours)
    ]
    return _all_added(session, made)


def override(
    session: Session, doctor: Doctor, on: date, hours: str = "", *, location_id: int | None = None
) -> list[DateOverride]:
    """Other hours on one date; without any, the doctor does not work that day."""
    if not hours:
        return [_added(session, DateOverride(doctor_id=doctor.id, on_date=on))]
    place = location_id or main_location(session).id
    return [
        _added(
            session,
            DateOverride(
                doctor_id=doctor.id, location_id=place, on_date=on, opens_at=opens, closes_at=closes
            ),
        )
        for opens, closes in _stretches(hours)
    ]


def time_off(session: Session, doctor: Doctor, starts_at: datetime, ends_at: datetime) -> TimeOff:
    return _added(session, TimeOff(doctor_id=doctor.id, starts_at=starts_at, ends_at=ends_at))


def empty(session: Session | Connection, *tables: str) -> None:
    """Empty these tables and what hangs on them: what keeps signed documents steps aside for that.

    Far faster than TRUNCATE, which makes a new file of each table and index.
    """
    emptied = "; ".join(f"DELETE FROM {table}" for table in _hanging_on(tables))
    session.execute(
        text(
            f"SET LOCAL session_replication_role = replica; {emptied};"
            " SET LOCAL session_replication_role = origin"
        )
    )


@cache
def _hanging_on(tables: tuple[str, ...]) -> tuple[str, ...]:
    """The tables, and those that refer to them, directly or through others."""
    found, before = set(tables), 0
    while len(found) > before:
        before = len(found)
        found |= {
            table.name
            for table in Base.metadata.tables.values()
            if any(key.column.table.name in found for key in table.foreign_keys)
        }
    return tuple(sorted(found))


def patient(session: Session, **changes: Any) -> Patient:
    """A patient without an account."""
    return _added(session, Patient(**{"name": f"Patient {next(_numbers)}", "birth_on": BIRTH_ON} | changes))


def record_item(
    session: Session, patient: Patient, name: str, *, kind: ItemKind = ItemKind.ALLERGY, **changes: Any
) -> RecordItem:
    """An entry of a patient's record, an allergy unless another list is meant."""
    defaults = {"patient_id": patient.id, "kind": kind, "name": name, "noted_at": datetime.now(UTC)}
    return _added(session, RecordItem(**defaults | changes))


def known_of(session: Session, patient: Patient) -> None:
    """What tests look for in a record: an allergy and what was before."""
    record_item(session, patient, "Penicillin", details="rash")
    record_item(session, patient, "Migraine", kind=ItemKind.HISTORY)


def appointment(
    session: Session,
    doctor: Doctor,
    service: Service,
    starts_at: datetime,
    *,
    patient: Patient | None = None,
    **changes: Any,
) -> Appointment:
    """A confirmed visit with the service's duration and buffers, past every rule but the database's."""
    starts_at = starts_at.astimezone(UTC)
    ends_at = changes.pop("ends_at", starts_at + timedelta(minutes=service.duration_minutes))
    defaults = {
        "patient_id": patient.id if patient else _somebody(session).id,
        "doctor_id": doctor.id,
        "service_id": service.id,
        "location_id": main_location(session).id,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "blocked": Range(
            starts_at - timedelta(minutes=service.buffer_before_minutes),
            ends_at + timedelta(minutes=service.buffer_after_minutes),
        ),
        "status": AppointmentStatus.CONFIRMED,
        "price_minor": service.price_minor,
        "source": Source.PORTAL,
    }
    return _added(session, Appointment(**defaults | changes))


def payment(session: Session, visit: Appointment, amount_minor: int, **changes: Any) -> Payment:
    """Money for a visit: an attempt to pay online that is open, or what `changes` make of it.

    In the tables only: `core.ledger` knows nothing of it.
    """
    defaults = {
        "appointment_id": visit.id,
        "method": PaymentMethod.ONLINE,
        "state": PaymentState.OPEN,
        "amount_minor": amount_minor,
        "currency": "EUR",
        "created_at": visit.created_at,
    }
    wanted = defaults | changes
    if wanted["method"] == PaymentMethod.ONLINE:
        ends_at = visit.created_at + timedelta(minutes=40)
        wanted = {"expires_at": ends_at, "check_after": visit.created_at} | wanted
    if wanted["state"] == PaymentState.PAID:
        number = f"pi_{next(_numbers)}" if wanted["method"] == PaymentMethod.ONLINE else None
        wanted = {"paid_at": visit.created_at, "provider_payment_id": number} | wanted
    return _added(session, Payment(**wanted))


def refund(session: Session, payment: Payment, amount_minor: int, **changes: Any) -> Refund:
    """Money of a payment that is to go back the way it came, or what `changes` make of it.

    In the tables only: `core.ledger` knows nothing of it.
    """
    defaults = {
        "payment_id": payment.id,
        "method": payment.method,
        "state": RefundState.PENDING,
        "cause": RefundCause.CANCELLED,
        "amount_minor": amount_minor,
        "created_at": payment.created_at,
        "check_after": payment.created_at,
    }
    wanted = defaults | changes
    if wanted["state"] in {RefundState.DONE, RefundState.FAILED}:
        wanted = {"settled_at": payment.created_at} | wanted
    return _added(session, Refund(**wanted))


def _somebody(session: Session) -> Patient:
    return patient(session)


def _stretches(hours: str) -> list[tuple[time, time]]:
    return [
        (time.fromisoformat(opens), time.fromisoformat(closes))
        for opens, _, closes in (stretch.partition("-") for stretch in hours.split())
    ]


def _added(session: Session, row: _Row) -> _Row:
    return _all_added(session, [row])[0]


def _all_added(session: Session, rows: list[_Row]) -> list[_Row]:
    session.add_all(rows)
    session.flush()
    return rows
