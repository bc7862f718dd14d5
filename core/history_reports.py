"""The history of a patient as a PDF: a period, and the sections of the record that were chosen."""

# mypy: allow-untyped-calls
# ReportLab has no types.

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict

from reportlab.platypus.flowables import Flowable
from sqlalchemy.orm import Session

from core import (
    attachments,
    audit,
    doctor_letters,
    letterheads,
    notes,
    pdf_pages,
    pdfs,
    prescriptions,
    record_parts,
    records,
)
from core.access import Action, Actor
from core.bidi import isolated
from core.errors import ClinicError
from core.i18n import N_, _, megabytes, short_date
from core.pdf_pages import Sheet
from core.records import Record
from core.summaries import SEX, STATUS


class Section(StrEnum):
    LISTS = "lists"
    VISITS = "visits"
    PRESCRIPTIONS = "prescriptions"
    LETTERS = "letters"
    FILES = "files"


ALL = tuple(Section)
_YEARS = range(1900, 2201)  # a slip of the keyboard is noticed, and no day is beyond the calendar's end
SECTIONS = {
    Section.LISTS: N_("Lists"),
    Section.VISITS: N_("Visits"),
    Section.PRESCRIPTIONS: N_("Prescriptions"),
    Section.LETTERS: N_("Letters"),
    Section.FILES: N_("Files"),
}


class PeriodTurnedRound(ClinicError):
    message = N_("The last day of the period cannot be before the first.")


class PeriodUnreadable(ClinicError):
    message = N_("Please give the days of the period as in 2026-12-31.")


class NoSuchSection(ClinicError):
    message = N_("Please choose among the sections of the record, at least one.")


class Wanted(TypedDict):
    """What of a record is to be printed, as `as_pdf` takes it."""

    from_on: date | None
    until_on: date | None
    sections: Iterable[str]


def from_query(query: Mapping[str, str]) -> Wanted:
    """What an address asks for: `from`, `until`, and `sections` with commas between, each left out at will.

    Raises `PeriodUnreadable`.
    """
    from_on, until_on = (day(query[name]) if query.get(name) else None for name in ("from", "until"))
    sections = query["sections"].split(",") if "sections" in query else ALL
    return Wanted(from_on=from_on, until_on=until_on, sections=sections)


def day(text: str) -> date:
    """A day written as in 2026-12-31. Raises `PeriodUnreadable`."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise PeriodUnreadable
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise PeriodUnreadable from None
    if found.year not in _YEARS:
        raise PeriodUnreadable
    return found


@dataclass(frozen=True, slots=True)
class _Report:
    """Whose record it is, who reads it, and from which day until which, both included."""

    session: Session
    actor: Actor
    record: Record
    sheet: Sheet
    from_on: date | None
    until_on: date | None

    def covers(self, at: datetime) -> bool:
        on = at.astimezone(self.sheet.zone).date()
        return (self.from_on or on) <= on <= (self.until_on or on)


def as_pdf(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    from_on: date | None = None,
    until_on: date | None = None,
    sections: Iterable[str] = ALL,
) -> bytes:
    """The sections of a patient's record on the clinic's paper, of a period with both its days included.

    The lists stand as they are now. A patient reads the notes that were released. Raises
    `PeriodTurnedRound`, `NoSuchSection`, `AccessDenied`, `NotFound`.
    """
    record = records.open_record(session, actor, patient_id=patient_id)
    chosen = _chosen(sections)
    if from_on and until_on and until_on < from_on:
        raise PeriodTurnedRound
    audit.record_read(
        session, actor, Action.SEE_RECORD, kind="history report", number=patient_id, patient_id=patient_id
    )
    report = _Report(session, actor, record, letterheads.sheet(session), from_on, until_on)
    title = _("Patient history")
    story = _head(report, title)
    for section in chosen:
        story += [pdfs.heading(_(SECTIONS[section])), *_PARTS[section](report)]
    about = pdf_pages.About(record.name, record.birth_on)
    return pdf_pages.build(story, report.sheet, title=title, about=about)


def _chosen(sections: Iterable[str]) -> list[Section]:
    """What was chosen, in the order in which a record is read."""
    given = set(sections)
    if not given or not given <= set(ALL):
        raise NoSuchSection
    return [section for section in ALL if section in given]


def _head(report: _Report, title: str) -> list[Flowable]:
    record = report.record
    facts = [
        (_("Patient"), record.name),
        (_("Birth date"), short_date(record.birth_on)),
        (_("Sex"), _(SEX[record.sex])),
        (_("Period"), _period(report.from_on, report.until_on)),
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
