"""Patients who say that they come: by text, in the portal, or on the phone to the desk."""

from sqlalchemy.orm import Session

from core import access, appointment_events, clock, placements
from core.access import Action, Actor
from core.appointment_errors import NoLongerChangeable
from db.models import AppointmentStatus, EventKind


def confirm(session: Session, actor: Actor | None, *, appointment_id: int) -> bool:
    """Note that the patient comes to a confirmed visit ahead; whether that was not known before.

    `actor` is None where the patient has said so by text. Raises `NoLongerChangeable`, `NotFound`,
    `AccessDenied`.
    """
    visit = placements.locked(session, appointment_id)
    if actor is not None:
        access.require(actor, Action.MOVE, patient_id=visit.patient_id)
    if visit.status is not AppointmentStatus.CONFIRMED or visit.starts_at <= clock.now():
        raise NoLongerChangeable
    if visit.attending_at is not None:
        return False
    visit.attending_at = visit.updated_at = clock.now()
    appointment_events.record(session, actor, visit, EventKind.ATTENDING)
    return True
