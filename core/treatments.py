"""Who treats whom: what opens a patient's record to a doctor, and lets the doctor write in it."""

from sqlalchemy import ColumnElement, Exists, exists, select
from sqlalchemy.orm import Session

from core import access, audit, clock
from core.access import Action, Actor
from core.errors import NotFound
from db.models import Appointment, AppointmentStatus, EmergencyAccess, Patient

# A booking that was never paid for or was called off makes nobody somebody's doctor.
NEVER_A_VISIT = (AppointmentStatus.PENDING, AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED)


def treating_doctor(session: Session, actor: Actor, patient_id: int) -> int | None:
    """The actor's number as a doctor if the patient is theirs, or an emergency access is in force.

    A patient becomes a doctor's with a visit that stands, is over or was missed. One that was called off or
    never paid for does not count, and it cannot be called off once it has begun.
    """
    is_own, emergency = _way_in(session, actor, patient_id)
    return actor.doctor_id if is_own or emergency else None


def require_own(session: Session, actor: Actor, action: Action, *, patient_id: int) -> int:
    """The actor's number as a doctor whose own patient this is: who writes in the record. An emergency opens
    it for reading only. Raises `AccessDenied`.
    """
    own = actor.doctor_id if has_visit(session, actor.doctor_id, patient_id) else None
    access.require(actor, action, patient_id=patient_id, doctor_id=own)
    assert own is not None  # the table gives such actions to doctors alone  # noqa: S101
    return own


def look(session: Session, actor: Actor, *, patient_id: int) -> EmergencyAccess | None:
    """Let the actor read a patient's record, and note it in the trail, once in ten minutes.

    Returns the emergency access when only that opens it. Raises `AccessDenied`, `NotFound`.
    """
    is_own, emergency = _way_in(session, actor, patient_id)
    doctor_id = actor.doctor_id if is_own or emergency else None
    access.require(actor, Action.SEE_RECORD, patient_id=patient_id, doctor_id=doctor_id)
    if session.scalar(select(Patient.id).where(Patient.id == patient_id)) is None:
        raise NotFound
    seen = ("record", patient_id) if emergency is None else ("emergency access", emergency.id)
    audit.record_read(session, actor, Action.SEE_RECORD, kind=seen[0], number=seen[1], patient_id=patient_id)
    return emergency


def _way_in(session: Session, actor: Actor, patient_id: int) -> tuple[bool, EmergencyAccess | None]:
    """Whether the patient is the actor's as a doctor; if not, the emergency access in force, if any."""
    if actor.doctor_id is None:
        return False, None
    if has_visit(session, actor.doctor_id, patient_id):
        return True, None
    return False, in_force(session, actor.doctor_id, patient_id)


def has_visit(session: Session, doctor_id: int | None, patient_id: int) -> bool:
    """Whether a patient is a doctor's by a visit."""
    return bool(session.scalar(select(visit_with(doctor_id, Appointment.patient_id == patient_id))))


def visit_with(doctor_id: int | None, of_patient: ColumnElement[bool]) -> Exists:
    """That a doctor has or had a visit which counts, of the patient named by `of_patient`."""
    return exists().where(
        Appointment.doctor_id == doctor_id, Appointment.status.not_in(NEVER_A_VISIT), of_patient
    )


def in_force(session: Session, doctor_id: int, patient_id: int) -> EmergencyAccess | None:
    """The emergency access that opens a patient's record to a doctor now, if there is one."""
    return session.scalar(
        select(EmergencyAccess)
        .where(
            EmergencyAccess.doctor_id == doctor_id,
            EmergencyAccess.patient_id == patient_id,
            EmergencyAccess.expires_at > clock.now(),
        )
        .order_by(EmergencyAccess.expires_at.desc())
        .limit(1)
    )
