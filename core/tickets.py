"""The slip of paper that somebody waits with: when, with whom and where, and nobody's full name."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from sqlalchemy.orm import Session

from core import agendas, letterheads, pdfs
from core.access import Actor
from core.i18n import _, clock_time, long_day
from core.pdf_pages import Document


def initials(name: str) -> str:
    """The first letters of a name's words, as they may stand on a screen in a waiting room."""
    return " ".join(f"{word[0].upper()}." for word in name.split() if word[0].isalpha())


def to_print(session: Session, actor: Actor, *, appointment_id: int) -> Document:
    """A visit's ticket on the clinic's paper. Raises `AccessDenied`, `NotFound`."""
    visit = agendas.one(session, actor, appointment_id)
    sheet = letterheads.sheet(session)
    title = _("Ticket {number}").format(number=visit.id)
    facts = [
        (_("For"), initials(visit.patient.name)),
        (_("Day"), long_day(visit.starts_at.astimezone(sheet.zone).date())),
        (_("Time"), clock_time(visit.starts_at, sheet.zone)),
        (_("Doctor"), visit.doctor.user.name),
        (_("Where"), ", ".join(each.name for each in (visit.room, visit.location) if each)),
    ]
    return Document([*pdfs.letterhead(sheet), pdfs.title(title), pdfs.facts(facts)], sheet, title)
