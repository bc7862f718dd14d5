"""Patients who say that they come: by text, in the portal, or on the phone to the desk."""

from sqlalchemy.orm import Session

from core import access, appointment_events, clock, placements
from core.access import Action, Actor
from core.appointment_errors import NoLongerChangeable
from db.models import Appointment, AppointmentStatus, EventKind


def confirm(session: Session, actor: Actor, *, appointment_id: int) -> bool:
    """Note that the patient comes to a confirmed visit ahead; whether that was not known before.

    Raises `NoLongerChangeable`, `NotFound`, `AccessDenied`.
    """
    visit = placements.locked(session, appointment_id)
    access.require(actor, Action.MOVE, patient_id=visit.patient_id)
    return _confirm(session, actor, visit)


def confirm_by_text(session: Session, appointment_id: int) -> bool:
    """What `confirm` does, for the patient who has said so by text. Raises `NoLongerChangeable`."""
    return _confirm(session, None, placements.locked(session, appointment_id))


def _confirm(session: Session, actor: Actor | None, visit: Appointment) -> bool:
    if visit.status is not AppointmentStatus.CONFIRMED or visit.starts_at <= clock.now():
        raise NoLongerChangeable
    if visit.attending_at is not None:
        return False
    visit.attending_at = visit.updated_at = clock.now()
    appointment_events.record(session, actor, visit, EventKind.ATTENDING)
    return True
