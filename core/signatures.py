"""What doctors have signed at a visit."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from db.models import Letter, NoteVersion, Prescription


def has_signed(session: Session, appointment_id: int) -> bool:
    """Whether a note, a prescription or a letter of a visit was signed: it took place then."""
    papers = [
        exists().where(each.appointment_id == appointment_id, each.signed_at.is_not(None))
        for each in (NoteVersion, Prescription, Letter)
    ]
    return bool(session.scalar(select(or_(*papers))))
