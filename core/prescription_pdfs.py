"""A signed prescription as a PDF, for the pharmacy. A withdrawn one says so in letters nobody overlooks."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from reportlab.platypus.flowables import Flowable
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import audit, letterheads, pdf_pages, pdfs, record_parts, treatments
from core.access import Action, Actor
from core.errors import NotFound
from core.i18n import N_, _, long_day, short_date
from core.pdf_pages import Document, Sheet
from core.prescription_drafts import PARTS
from db.models import Doctor, Prescription, PrescriptionItem

_IN_HEADING = ("drug", "strength", "form")
_WITHDRAWN = N_("WITHDRAWN: do not use")  # on every page: pages come apart


def to_print(session: Session, actor: Actor, *, prescription_id: int) -> Document:
    """A signed prescription on the clinic's paper. Raises `AccessDenied`, `NotFound`."""
    found = session.scalar(
        select(Prescription)
        .where(Prescription.id == prescription_id)
        .options(
            selectinload(Prescription.items),
            joinedload(Prescription.doctor).joinedload(Doctor.user),
            joinedload(Prescription.patient),
        )
    )
    if found is None:
        raise NotFound
    treatments.look(session, actor, patient_id=found.patient_id)
    if found.signed_at is None:
        raise NotFound
    audit.record_read(
        session,
        actor,
        Action.SEE_RECORD,
        kind="prescription",
        number=found.id,
        patient_id=found.patient_id,
    )
    sheet = letterheads.sheet(session)
    warning = _(_WITHDRAWN) if found.withdrawn_at is not None else ""
    about = pdf_pages.About(found.patient.name, found.patient.birth_on, warning)
    name = _("Prescription {number}").format(number=found.id)
    return Document(_story(found, name, sheet), sheet, name, about)


def _story(found: Prescription, name: str, sheet: Sheet) -> list[Flowable]:
    assert found.signed_at is not None  # noqa: S101 - asked before
    story: list[Flowable] = [*pdfs.letterhead(sheet), pdfs.title(name)]
    if found.withdrawn_at is not None:
        story += [
            pdfs.warning(_(_WITHDRAWN)),
            pdfs.words(record_parts.withdrawal(found, sheet.zone), pdfs.RED_TEXT),
            pdfs.gap(3),
        ]
    facts = [
        (_("Patient"), found.patient.name),
        (_("Birth date"), short_date(found.patient.birth_on)),
        (_("Date"), long_day(found.signed_at.astimezone(sheet.zone).date())),
        (_("Doctor"), found.doctor.user.name),
    ]
    story.append(pdfs.facts(facts))
    for number, item in enumerate(found.items, start=1):
        heading = pdfs.heading(f"{number}. {record_parts.drug(item)}")
        story.append(pdfs.together([heading, pdfs.facts(_item(item))]))
    signature = record_parts.signed(found.doctor.user.name, found.signed_at, sheet.zone)
    return [*story, pdfs.together([pdfs.gap(8), pdfs.words(signature, pdfs.TEXT)])]


def _item(item: PrescriptionItem) -> list[tuple[str, str]]:
    said = ((_(label), getattr(item, part)) for part, label in PARTS.items() if part not in _IN_HEADING)
    return [(label, words) for label, words in said if words]
