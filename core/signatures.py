"""What doctors sign at a visit: the notes, the prescriptions and the letters, once it has begun."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from core.errors import ClinicError
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, Letter, NoteVersion, Prescription

BEGUN = (AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM, AppointmentStatus.COMPLETED)


class NotArrived(ClinicError):
    message = N_("This can be signed once the patient has arrived. Until then it stays a draft.")


def require_arrived(visit: Appointment | None) -> None:
    """Raise `NotArrived` unless there is a visit that has begun."""
    if visit is None or visit.status not in BEGUN:
        raise NotArrived


def has_signed(session: Session, appointment_id: int) -> bool:
    """Whether a note, a prescription or a letter of a visit was signed: it took place then."""
    papers = [
        exists().where(each.appointment_id == appointment_id, each.signed_at.is_not(None))
        for each in (NoteVersion, Prescription, Letter)
    ]
    return bool(session.scalar(select(or_(*papers))))
