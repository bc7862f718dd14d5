"""A visit as an iCalendar file (RFC 5545), for the calendar on a patient's phone."""

from urllib.parse import urlsplit

from icalendar import Calendar, Event
from sqlalchemy.orm import Session

from core import agendas, clinics
from core.access import Actor
from core.i18n import _
from db.models import AppointmentStatus


def visit_ics(session: Session, actor: Actor, *, appointment_id: int, public_url: str) -> bytes:
    """The visit as an .ics file in the clinic's zone, its daylight-saving rules included.

    The UID stays and SEQUENCE grows when the visit moves or is cancelled, so that a calendar replaces the
    old entry. Nothing clinical is in it: no service, no specialty. Raises `NotFound`, `AccessDenied`.
    """
    appointment = agendas.one(session, actor, appointment_id)
    clinic, zone = clinics.settings(session), clinics.zone(session)
    event = Event()
    event.add("uid", f"appointment-{appointment.id}@{urlsplit(public_url).hostname}")
    event.add("sequence", appointment.version)
    event.add("dtstamp", appointment.updated_at)
    event.add("dtstart", appointment.starts_at.astimezone(zone))
    event.add("dtend", appointment.ends_at.astimezone(zone))
    event.add("summary", _("Visit at {clinic}").format(clinic=clinic.name))
    event.add("description", _("With {doctor}.").format(doctor=appointment.doctor.user.name))
    event.add("location", f"{appointment.location.name}, {appointment.location.address}")
    is_off = appointment.status is AppointmentStatus.CANCELLED
    event.add("status", "CANCELLED" if is_off else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Clinic Portal//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_off else "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content
