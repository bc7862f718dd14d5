"""Watching the visits without hours: noting them as time goes by, and telling who may stay after all."""

from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import (
    announcements,
    choice_links,
    clinics,
    clock,
    heartbeats,
    placements,
    stranding_notes,
    strandings,
    uncovered,
)
from db.models import Appointment, AppointmentStatus, ChoiceLink
from db.session import unit_of_work

JOB = "watch visits without hours"
GRACE = timedelta(minutes=5)  # that a turn may come late, or pass a visit over that somebody is changing


def watch() -> int:
    """Note which visits are without hours, and tell patients whose visit has hours again; how many of both.

    Told are those who were asked to choose another time and have not: their link ends. Each is told in a
    transaction of its own. Safe to run twice at once.
    """
    with unit_of_work() as session:
        if not clinics.is_founded(session):
            return 0
        noted = note(session)
        restored = _restored(session)
    return noted + sum(map(_tell, restored))


def note(session: Session) -> int:
    """Note which visits are without hours while that is known; how many notes have changed.

    It waits for nobody but who does the same: two who write the same notes could lock each other out. What
    was so when a visit's hour came is known since this was done last.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(14, 0)"))
    found = uncovered.rows(session, since=strandings.looks_back_to(session))
    now = clock.now()
    known_since = min(now - GRACE, heartbeats.succeeded_at(session, JOB) or now)
    return stranding_notes.note(
        session, found, midnight=strandings.midnight(session), known_since=known_since
    )


def _restored(session: Session) -> list[int]:
    """The visits ahead that have hours and whose patients were asked to choose another time, and have not."""
    query = (
        select(ChoiceLink.appointment_id)
        .join(Appointment, Appointment.id == ChoiceLink.appointment_id)
        .where(
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.time_version == Appointment.time_version,
            Appointment.status == AppointmentStatus.CONFIRMED,
            Appointment.starts_at > clock.now(),
        )
    )
    asked = session.scalars(query).all()  # before the hours: who is asked in between is not in it
    if not asked:
        return []
    without = {each.id for each in uncovered.rows(session, since=clock.now())}
    return [number for number in asked if number not in without]


def _tell(appointment_id: int) -> bool:
    """Tell that a visit stays, unless it has changed or been chosen for in the meantime; whether so."""
    with unit_of_work() as session:
        visit = placements.locked(session, appointment_id)
        link = choice_links.asked(session, visit)
        if link is None or visit.status is not AppointmentStatus.CONFIRMED:
            return False
        if strandings.find(session, appointment_id=visit.id):
            return False
        choice_links.end(session, visit.id)
        announcements.stays(session, visit, link)
        return True
