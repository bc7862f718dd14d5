"""A signed letter as a PDF, its addressee where a window envelope shows it."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from reportlab.platypus.flowables import Flowable
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import audit, letter_wordings, letterheads, pdf_pages, pdfs, record_parts, treatments
from core.access import Action, Actor
from core.errors import NotFound
from core.i18n import _, long_day
from core.pdf_pages import Document, Sheet
from db.models import Doctor, Letter, Paper

# Where the address begins, in mm from the upper edge: by DIN 5008 form B, and for a US no. 10 envelope.
_WINDOW = {Paper.A4: 55, Paper.LETTER: 52}
_WINDOW_HEIGHT = 33
_MARGIN = 20


def to_print(session: Session, actor: Actor, *, letter_id: int) -> Document:
    """A signed letter on the clinic's paper. Raises `AccessDenied`, `NotFound`."""
    found = session.scalar(
        select(Letter)
        .where(Letter.id == letter_id)
        .options(joinedload(Letter.doctor).joinedload(Doctor.user), joinedload(Letter.patient))
    )
    if found is None:
        raise NotFound
    treatments.look(session, actor, patient_id=found.patient_id)
    if found.signed_at is None:
        raise NotFound
    audit.record_read(
        session, actor, Action.SEE_RECORD, kind="letter", number=found.id, patient_id=found.patient_id
    )
    sheet = letterheads.sheet(session)
    about = pdf_pages.About(found.patient.name, found.patient.birth_on)
    name = _(letter_wordings.NAMES[found.kind])
    return Document(_story(found, name, sheet), sheet, name, about)


def _story(found: Letter, name: str, sheet: Sheet) -> list[Flowable]:
    assert found.signed_at is not None  # noqa: S101 - asked before
    dated = long_day(found.signed_at.astimezone(sheet.zone).date())
    signature = record_parts.signed(found.doctor.user.name, found.signed_at, sheet.zone)
    return [
        *pdfs.until(pdfs.letterhead(sheet), _WINDOW[sheet.paper] - _MARGIN, sheet.width),
        *pdfs.until([pdfs.words(found.addressee, pdfs.OWN)], _WINDOW_HEIGHT, sheet.width),
        pdfs.words(dated, pdfs.DATE),
        pdfs.title(name),
        pdfs.words(found.body),
        pdfs.together([pdfs.gap(8), pdfs.note(signature)]),
    ]
