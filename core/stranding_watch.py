"""Watching the visits without hours: noting them as time goes by, and telling who may stay after all."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import (
    announcements,
    choice_links,
    clinics,
    clock,
    placements,
    stranding_notes,
    strandings,
    uncovered,
)
from db.models import Appointment, AppointmentStatus, ChoiceLink


def watch(session: Session) -> int:
    """Note which visits are without hours, and tell patients whose visit has hours again; how many of both.

    Told are those who were asked to choose another time and have not: their link ends. Safe to run twice at
    once.
    """
    if not clinics.is_founded(session):
        return 0
    asked = _asked(session)  # before the hours are looked at: who is asked in between is not among them
    found = uncovered.rows(session, since=strandings.looks_back_to(session))
    noted = stranding_notes.note(session, found, midnight=strandings.midnight(session))
    without = {each.id for each in found}
    return noted + sum(_tell(session, number) for number in asked if number not in without)


def _asked(session: Session) -> Collection[int]:
    """The visits ahead whose patients have a link to choose another time, as they stand."""
    query = (
        select(ChoiceLink.appointment_id)
        .join(Appointment, Appointment.id == ChoiceLink.appointment_id)
        .where(
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.time_version == Appointment.time_version,
            Appointment.status == AppointmentStatus.CONFIRMED,
            Appointment.starts_at > clock.now(),
        )
        .order_by(Appointment.id)
    )
    return session.scalars(query).all()


def _tell(session: Session, appointment_id: int) -> bool:
    """Tell that a visit stays, unless it has changed or been chosen for in the meantime; whether so."""
    visit = placements.locked(session, appointment_id)
    link = choice_links.asked(session, visit)
    if link is None or visit.status is not AppointmentStatus.CONFIRMED:
        return False
    choice_links.end(session, visit.id)
    announcements.stays(session, visit, link)
    return True
