"""What people are told about their visits."""

from sqlalchemy.orm import Session

from db.models import Appointment


def offered(session: Session, appointment: Appointment) -> None:
    """Tell the patient that a time from the waitlist is held for them."""
