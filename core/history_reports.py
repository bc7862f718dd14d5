"""The history of a patient as a PDF: a period, and the sections of the record that were chosen."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from reportlab.platypus.flowables import Flowable
from sqlalchemy.orm import Session

from core import (
    attachments,
    audit,
    doctor_letters,
    history_choices,
    letterheads,
    notes,
    pdfs,
    prescriptions,
    record_parts,
    records,
)
from core.access import Action, Actor
from core.bidi import isolated
from core.history_choices import ALL, SECTIONS, Choices, Section
from core.i18n import _, megabytes, short_date
from core.pdf_pages import About, Document, Sheet
from core.records import Record
from core.summaries import SEX, STATUS


@dataclass(frozen=True, slots=True)
class _Report:
    """Whose record it is, who reads it, and from which day until which, both included."""

    session: Session
    actor: Actor
    record: Record
    sheet: Sheet
    choices: Choices

    def covers(self, at: datetime) -> bool:
        on = at.astimezone(self.sheet.zone).date()
        return (self.choices.from_on or on) <= on <= (self.choices.until_on or on)


def to_print(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    from_on: date | None = None,
    until_on: date | None = None,
    sections: Iterable[str] = ALL,
) -> Document:
    """The sections of a patient's record on the clinic's paper, of a period with both its days included.

    The lists stand as they are now. A patient reads the notes that were released. Raises
    `PeriodTurnedRound`, `NoSuchSection`, `AccessDenied`, `NotFound`.
    """
    record = records.open_record(session, actor, patient_id=patient_id)
    choices = history_choices.chosen(from_on, until_on, sections)
    audit.record_read(
        session, actor, Action.SEE_RECORD, kind="history report", number=patient_id, patient_id=patient_id
    )
    report = _Report(session, actor, record, letterheads.sheet(session), choices)
    title = _("Patient history")
    story = _head(report, title)
    for section in choices.sections:
        story += [pdfs.heading(_(SECTIONS[section])), *_PARTS[section](report)]
    return Document(story, report.sheet, title, About(record.name, record.birth_on))


def _head(report: _Report, title: str) -> list[Flowable]:
    record = report.record
    facts = [
        (_("Patient"), record.name),
        (_("Birth date"), short_date(record.birth_on)),
        (_("Sex"), _(SEX[record.sex])),
        (_("Period"), _period(report.choices.from_on, report.choices.until_on)),
    ]
    return [*pdfs.letterhead(report.sheet), pdfs.title(title), pdfs.facts(facts)]


def _period(from_on: date | None, until_on: date | None) -> str:
    if from_on and until_on:
        return _("{first} to {last}").format(first=short_date(from_on), last=short_date(until_on))
    if from_on:
        return _("from {date}").format(date=short_date(from_on))
    if until_on:
        return _("until {date}").format(date=short_date(until_on))
    return _("everything")


def _lists(report: _Report) -> Sequence[Flowable]:
    return record_parts.lists(report.record.items, report.sheet.zone)


def _visits(report: _Report) -> Sequence[Flowable]:
    """Every visit of the period, the latest first, with its note where there is one to read."""
    signed = notes.of_patient(report.session, report.actor, patient_id=report.record.patient_id)
    parts: list[Flowable] = []
    for visit in [*reversed(report.record.coming), *report.record.past]:
        if not report.covers(visit.starts_at):
            continue
        when = record_parts.moment(visit.starts_at, report.sheet.zone)
        parts.append(pdfs.subheading(f"{when} · {isolated(visit.service)}"))
        parts.append(pdfs.note(f"{isolated(visit.doctor)} · {_(STATUS[visit.status])}"))
        if visit.appointment_id in signed:
            parts += record_parts.note(signed[visit.appointment_id], report.sheet.zone)
    return parts or _none()


def _prescriptions(report: _Report) -> Sequence[Flowable]:
    found = prescriptions.of_patient(report.session, report.actor, patient_id=report.record.patient_id)
    parts: list[Flowable] = []
    for each in found:
        if each.signed_at and report.covers(each.signed_at):
            parts.append(pdfs.subheading(short_date(each.signed_at.astimezone(report.sheet.zone).date())))
            parts += record_parts.prescription(each, report.sheet.zone)
    return parts or _none()


def _letters(report: _Report) -> Sequence[Flowable]:
    found = doctor_letters.of_patient(report.session, report.actor, patient_id=report.record.patient_id)
    signed = [each for each in found if each.signed_at and report.covers(each.signed_at)]
    parts = [part for each in signed for part in record_parts.letter(each, report.sheet.zone)]
    return parts or _none()


def _files(report: _Report) -> Sequence[Flowable]:
    found = attachments.of_patient(report.session, report.actor, patient_id=report.record.patient_id)
    zone = report.sheet.zone
    rows = [
        (record_parts.moment(each.added_at, zone), each.name, each.added_by, megabytes(each.size))
        for each in found
        if report.covers(each.added_at)
    ]
    if not rows:
        return _none()
    return [pdfs.table((_("Added"), _("File"), _("By"), _("Size")), rows, (40, None, 40, 22), amounts=3)]


def _none() -> list[Flowable]:
    return [pdfs.words(_("None."))]


_PARTS: dict[Section, Callable[[_Report], Sequence[Flowable]]] = {
    Section.LISTS: _lists,
    Section.VISITS: _visits,
    Section.PRESCRIPTIONS: _prescriptions,
    Section.LETTERS: _letters,
    Section.FILES: _files,
}
