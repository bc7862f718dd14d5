"""One visit as a PDF: who and when, the signed note with its vitals, prescriptions and letters."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from collections.abc import Sequence

from reportlab.platypus.flowables import Flowable
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import (
    audit,
    doctor_letters,
    letterheads,
    notes,
    pdf_pages,
    pdfs,
    prescriptions,
    record_parts,
    treatments,
)
from core.access import Action, Actor
from core.errors import NotFound
from core.i18n import _, clock_time, long_day, short_date
from core.pdf_pages import Document, Sheet
from core.summaries import STATUS
from core.treatments import NEVER_A_VISIT
from db.models import Appointment, Doctor, Letter, NoteVersion, Prescription


def to_print(session: Session, actor: Actor, *, appointment_id: int) -> Document:
    """A visit on the clinic's paper; a patient reads its note once that was released.

    Raises `AccessDenied`, `NotFound`.
    """
    visit = session.scalar(
        select(Appointment)
        .where(Appointment.id == appointment_id)
        .options(
            joinedload(Appointment.patient),
            joinedload(Appointment.doctor).joinedload(Doctor.user),
            joinedload(Appointment.service),
            joinedload(Appointment.location),
        )
    )
    if visit is None:
        raise NotFound
    patient_id = visit.patient_id
    treatments.look(session, actor, patient_id=patient_id)
    if visit.status in NEVER_A_VISIT:
        raise NotFound
    audit.record_read(
        session, actor, Action.SEE_RECORD, kind="visit summary", number=visit.id, patient_id=patient_id
    )
    versions = notes.of_patient(session, actor, patient_id=patient_id).get(visit.id, [])
    prescribed = prescriptions.of_patient(session, actor, patient_id=patient_id)
    letters = doctor_letters.of_patient(session, actor, patient_id=patient_id)
    sheet = letterheads.sheet(session)
    story = [
        *_head(visit, sheet),
        *_note(versions, sheet),
        *_prescribed([each for each in prescribed if each.appointment_id == visit.id], sheet),
        *_letters([each for each in letters if each.appointment_id == visit.id], sheet),
    ]
    about = pdf_pages.About(visit.patient.name, visit.patient.birth_on)
    return Document(story, sheet, _title(visit, sheet), about)


def _title(visit: Appointment, sheet: Sheet) -> str:
    on = short_date(visit.starts_at.astimezone(sheet.zone).date())
    return _("Visit of {date}").format(date=on)


def _head(visit: Appointment, sheet: Sheet) -> list[Flowable]:
    zone = sheet.zone
    begins = long_day(visit.starts_at.astimezone(zone).date())
    times = f"{clock_time(visit.starts_at, zone)} – {clock_time(visit.ends_at, zone)}"
    facts = [
        (_("Patient"), visit.patient.name),
        (_("Birth date"), short_date(visit.patient.birth_on)),
        (_("When"), f"{begins}, {times}"),
        (_("Service"), visit.service.name),
        (_("Doctor"), visit.doctor.user.name),
        (_("Where"), visit.location.name),
        (_("Status"), _(STATUS[visit.status])),
    ]
    return [*pdfs.letterhead(sheet), pdfs.title(_title(visit, sheet)), pdfs.facts(facts)]


def _note(versions: Sequence[NoteVersion], sheet: Sheet) -> list[Flowable]:
    said = (
        record_parts.note(versions, sheet.zone) if versions else [pdfs.words(_("There is no note to read."))]
    )
    return [pdfs.heading(_("Note")), *said]


def _prescribed(found: Sequence[Prescription], sheet: Sheet) -> list[Flowable]:
    parts = [part for each in found for part in record_parts.prescription(each, sheet.zone)]
    return [pdfs.heading(_("Prescriptions")), *parts] if parts else []


def _letters(found: Sequence[Letter], sheet: Sheet) -> list[Flowable]:
    parts = [part for each in found for part in record_parts.letter(each, sheet.zone)]
    return [pdfs.heading(_("Letters")), *parts] if parts else []
