"""Visits as an iCalendar file (RFC 5545): one for its patient, a doctor's own for the doctor."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from icalendar import Calendar, Event
from sqlalchemy.orm import Session

from core import agendas, audit, clinics, clock
from core.access import Action, Actor
from core.i18n import _
from db.models import Appointment, AppointmentStatus

_STATUS = {
    AppointmentStatus.PENDING: "TENTATIVE",
    AppointmentStatus.CANCELLED: "CANCELLED",
    AppointmentStatus.EXPIRED: "CANCELLED",
    AppointmentStatus.NO_SHOW: "CANCELLED",
}


def visit_ics(session: Session, actor: Actor, *, appointment_id: int, public_url: str) -> bytes:
    """The visit as an .ics file in the clinic's zone, its daylight-saving rules included.

    The UID stays and SEQUENCE grows when the visit moves or is cancelled, so that a calendar replaces the
    old entry. Nothing clinical is in it: no service, no specialty. Raises `NotFound`, `AccessDenied`.
    """
    appointment = agendas.one(session, actor, appointment_id)
    audit.record_read(
        session,
        actor,
        Action.SEE_APPOINTMENT,
        kind="appointment",
        number=appointment.id,
        patient_id=appointment.patient_id,
    )
    return of_visits(session, [appointment], public_url=public_url)


def of_visits(session: Session, visits: Sequence[Appointment], *, public_url: str) -> bytes:
    """Visits, with their people, as one .ics file for whoever may have it."""
    return _written(session, Calendar(), visits, [_event(session, visit, public_url) for visit in visits])


def of_doctor(session: Session, visits: Sequence[Appointment], *, public_url: str) -> bytes:
    """A doctor's visits, with patients, services and places, for a calendar that others may see too.

    A patient is two initials, and what for is not told.
    """
    calendar = Calendar()
    calendar.add("x-wr-calname", clinics.settings(session).name)
    calendar.add("refresh-interval", timedelta(minutes=30), {"value": "DURATION"})  # RFC 7986
    calendar.add("x-published-ttl", "PT30M")  # the same, for older programs
    events = [_doctors_event(session, visit, public_url) for visit in visits]
    return _written(session, calendar, visits, events)


def initials(name: str) -> str:
    """A. O. for Ada Okafor: the first letters of the first word and of the last."""
    words = name.split()
    return " ".join(f"{word[0].upper()}." for word in (words if len(words) < 2 else (words[0], words[-1])))


def _written(
    session: Session, calendar: Calendar, visits: Sequence[Appointment], events: Sequence[Event]
) -> bytes:
    calendar.add("prodid", "-//Clinic Portal//EN")
    calendar.add("version", "2.0")
    for event in events:
        calendar.add_component(event)
    zone = clinics.zone(session)
    if days := [visit.starts_at.astimezone(zone).date() for visit in visits]:
        calendar.add_missing_timezones(min(days).replace(month=1, day=1), max(days).replace(month=12, day=31))
    content: bytes = calendar.to_ical()
    return content


def _doctors_event(session: Session, visit: Appointment, public_url: str) -> Event:
    event = _begun(session, visit, public_url)
    event.add("summary", initials(visit.patient.name))
    place = visit.location.name if visit.room is None else f"{visit.location.name}, {visit.room.name}"
    event.add("location", _("Video") if visit.service.is_video else place)
    return event


def _event(session: Session, appointment: Appointment, public_url: str) -> Event:
    event = _begun(session, appointment, public_url)
    clinic = clinics.settings(session)
    event.add("summary", _("Visit at {clinic}").format(clinic=clinic.name))
    event.add("description", _("With {doctor}.").format(doctor=appointment.doctor.user.name))
    event.add("location", f"{appointment.location.name}, {appointment.location.address}")
    return event


def _begun(session: Session, appointment: Appointment, public_url: str) -> Event:
    """What an event of a visit has whoever it is for."""
    zone = clinics.zone(session)
    event = Event()
    event.add("uid", f"appointment-{appointment.id}@{urlsplit(public_url).hostname}")
    event.add("sequence", appointment.version)
    event.add("dtstamp", clock.now())
    event.add("last-modified", appointment.updated_at)
    event.add("dtstart", appointment.starts_at.astimezone(zone))
    event.add("dtend", appointment.ends_at.astimezone(zone))
    event.add("status", _STATUS.get(appointment.status, "CONFIRMED"))
    return event
