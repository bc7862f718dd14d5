"""A doctor's day on paper: who comes when, and which times are free. Nothing clinical stands on it."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from datetime import date, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import access, bidi, days, letterheads, pdfs
from core.access import Action, Actor
from core.days import Entry, Kind
from core.errors import NotFound
from core.i18n import _, clock_time, long_day, short_date
from core.pdf_pages import Document
from core.summaries import STATUS
from db.models import Doctor


def to_print(session: Session, actor: Actor, *, doctor_id: int, on: date) -> Document:
    """The list of a doctor's day, free gaps included. Raises `AccessDenied`, `NotFound`."""
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    doctor = session.scalar(select(Doctor).where(Doctor.id == doctor_id).options(joinedload(Doctor.user)))
    if doctor is None:
        raise NotFound
    entries = days.timeline(session, actor, doctor_id=doctor_id, on=on)
    sheet = letterheads.sheet(session)
    title = _("{doctor}: {day}").format(doctor=bidi.isolated(doctor.user.name), day=long_day(on))
    rows = [_row(entry, sheet.zone) for entry in entries]
    headings = (_("When"), _("Patient"), _("Birth date"), _("Service"), _("Room"), _("Status"))
    listed = pdfs.table(headings, rows, (37, None, 25, None, 20, 24)) if rows else pdfs.words(_("No visits."))
    return Document([*pdfs.letterhead(sheet), pdfs.title(title), listed], sheet, title)


def _row(entry: Entry, zone: tzinfo) -> tuple[str, ...]:
    when = f"{clock_time(entry.starts_at, zone)} – {clock_time(entry.ends_at, zone)}"
    if entry.visit is None:
        return (when, _("Free") if entry.kind is Kind.FREE else _("Away"), "", "", "", "")
    visit = entry.visit
    return (
        when,
        visit.patient.name,
        short_date(visit.patient.birth_on),
        visit.service.name,
        visit.room.name if visit.room else "",
        _(STATUS[visit.status]),
    )
