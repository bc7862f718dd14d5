"""Patients' records: who may open one, what is in it, and the emergency in which a doctor opens another's."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from core import access, audit, clock, patients, record_items, treatments
from core.access import Action, Actor
from core.appointment_events import required_reason
from core.errors import AccessDenied, ClinicError, NotFound
from core.i18n import N_
from core.record_items import Item
from core.treatments import NEVER_A_VISIT, has_visit, in_force, visit_with
from db.models import Appointment, AppointmentStatus, Doctor, EmergencyAccess, Patient, Service, Sex, User

EMERGENCY_LASTS = timedelta(hours=2)
REASON_LEAST = 10
RESULTS = 20


class ReasonTooShort(ClinicError):
    message = N_("Please say in a few words what the emergency is: it will be looked at.")


class OwnPatientAlready(ClinicError):
    message = N_("This is your own patient: the record opens without an emergency.")


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as the record lists it, times in UTC."""

    appointment_id: int
    starts_at: datetime
    status: AppointmentStatus
    doctor_id: int
    doctor: str
    service: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a patient's doctors and the patient read. `emergency_until` is set when only that opened it."""

    patient_id: int
    name: str
    birth_on: date
    sex: Sex
    items: list[Item]
    coming: list[Visit]
    past: list[Visit]
    emergency_until: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """A patient as the search for a record shows one, and whether the record opens at once."""

    patient_id: int
    name: str
    birth_on: date
    is_own: bool


def open_record(session: Session, actor: Actor, *, patient_id: int) -> Record:
    """Open the record of a patient. The trail keeps every look. Raises `AccessDenied`, `NotFound`."""
    emergency = treatments.look(session, actor, patient_id=patient_id)
    who = select(Patient.name, Patient.birth_on, Patient.sex).where(Patient.id == patient_id)
    items = record_items.listed(session, patient_id)
    coming, past = _visits(session, patient_id)
    until = emergency.expires_at if emergency else None
    return Record(patient_id, *session.execute(who).one(), items, coming, past, until)


def _visits(session: Session, patient_id: int) -> tuple[list[Visit], list[Visit]]:
    """The visits ahead, the next first, and those that are over or missed, the latest first."""
    rows = session.execute(
        select(
            Appointment.ends_at,
            Appointment.id,
            Appointment.starts_at,
            Appointment.status,
            Appointment.doctor_id,
            User.name,
            Service.name,
        )
        .join(Appointment.doctor)
        .join(Doctor.user)
        .join(Appointment.service)
        .where(Appointment.patient_id == patient_id, Appointment.status.not_in(NEVER_A_VISIT))
        .order_by(Appointment.starts_at)
    )
    now = clock.now()
    coming: list[Visit] = []
    past: list[Visit] = []
    for ends_at, number, starts_at, status, doctor_id, doctor, service in rows:
        visit = Visit(number, starts_at, status, doctor_id, doctor, service)
        (coming if ends_at > now else past).append(visit)
    return coming, past[::-1]


def search_records(session: Session, actor: Actor, *, text: str) -> list[Found]:
    """At most 20 patients whose name or birth date (as 1980-12-31) fits `text`, by name, for a doctor.

    It shows who they are and nothing else. The trail keeps that the doctor searched.
    """
    access.require(actor, Action.SEARCH_RECORDS)
    audit.record_read(session, actor, Action.SEARCH_RECORDS, kind="doctor", number=actor.doctor_id or 0)
    fitting = patients.named_or_born(text)
    return _found(session, actor, fitting) if fitting else []


def identify(session: Session, actor: Actor, *, patient_id: int) -> Found:
    """Who a patient of the search is, and whether the record opens at once. Raises `NotFound`."""
    access.require(actor, Action.SEARCH_RECORDS, patient_id=patient_id)
    found = _found(session, actor, [Patient.id == patient_id])
    if not found:
        raise NotFound
    return found[0]


def _found(session: Session, actor: Actor, fitting: list[ColumnElement[bool]]) -> list[Found]:
    is_emergency = exists().where(
        EmergencyAccess.doctor_id == actor.doctor_id,
        EmergencyAccess.patient_id == Patient.id,
        EmergencyAccess.expires_at > clock.now(),
    )
    is_own = or_(visit_with(actor.doctor_id, Appointment.patient_id == Patient.id), is_emergency)
    rows = session.execute(
        select(Patient.id, Patient.name, Patient.birth_on, is_own)
        .where(*fitting)
        .order_by(Patient.name_folded, Patient.id)
        .limit(RESULTS)
    )
    return [Found(*row) for row in rows]


def break_glass(session: Session, actor: Actor, *, patient_id: int, reason: str) -> EmergencyAccess:
    """Let a doctor open the record of a patient they never had a visit with, for two hours.

    An administrator looks at each. While one is in force, another is the same one. Raises `AccessDenied`,
    `NotFound`, `OwnPatientAlready`, `ReasonMissing`, `ReasonTooShort`, `ReasonTooLong`, `ReasonUnreadable`.
    """
    access.require(actor, Action.BREAK_GLASS, patient_id=patient_id)
    if actor.doctor_id is None:
        raise AccessDenied(Action.BREAK_GLASS, patient_id=patient_id)
    why = required_reason(reason)
    if sum(character.isalnum() for character in why) < REASON_LEAST:
        raise ReasonTooShort
    if session.get(Patient, patient_id) is None:
        raise NotFound
    if has_visit(session, actor.doctor_id, patient_id):
        raise OwnPatientAlready
    # One doctor's emergencies take turns: the button pressed twice opens one.
    session.get_one(Doctor, actor.doctor_id, with_for_update={"key_share": True}, populate_existing=True)
    if known := in_force(session, actor.doctor_id, patient_id):
        return known
    now = clock.now()
    opened = EmergencyAccess(
        doctor_id=actor.doctor_id,
        patient_id=patient_id,
        reason=why,
        opened_at=now,
        expires_at=now + EMERGENCY_LASTS,
    )
    session.add(opened)
    session.flush()
    audit.record(
        session, actor, Action.BREAK_GLASS, kind="emergency access", number=opened.id, patient_id=patient_id
    )
    return opened
