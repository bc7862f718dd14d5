"""A visit as an iCalendar file (RFC 5545), for the calendar on a patient's phone."""

from collections.abc import Sequence
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
    calendar = Calendar()
    calendar.add("prodid", "-//Clinic Portal//EN")
    calendar.add("version", "2.0")
    zone = clinics.zone(session)
    for visit in visits:
        calendar.add_component(_event(session, visit, public_url))
    days = [visit.starts_at.astimezone(zone).date() for visit in visits]
    calendar.add_missing_timezones(min(days).replace(month=1, day=1), max(days).replace(month=12, day=31))
    content: bytes = calendar.to_ical()
    return content


def _event(session: Session, appointment: Appointment, public_url: str) -> Event:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    event = Event()
    event.add("uid", f"appointment-{appointment.id}@{urlsplit(public_url).hostname}")
    event.add("sequence", appointment.version)
    event.add("dtstamp", clock.now())
    event.add("last-modified", appointment.updated_at)
    event.add("dtstart", appointment.starts_at.astimezone(zone))
    event.add("dtend", appointment.ends_at.astimezone(zone))
    event.add("summary", _("Visit at {clinic}").format(clinic=clinic.name))
    event.add("description", _("With {doctor}.").format(doctor=appointment.doctor.user.name))
    event.add("location", f"{appointment.location.name}, {appointment.location.address}")
    event.add("status", _STATUS.get(appointment.status, "CONFIRMED"))
    return event
