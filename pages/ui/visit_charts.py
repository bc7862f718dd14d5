"""Everything that the page of a visit shows of its patient, read at once; and who it is, in a banner."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import streamlit as st

from core import (
    attachments,
    clinics,
    clock,
    doctor_letters,
    intakes,
    letter_drafts,
    notes,
    prescription_drafts,
    prescriptions,
    records,
)
from core.access import Actor
from core.attachments import FileEntry
from core.i18n import N_, _, clock_time, ngettext, short_date
from core.intakes import Intake
from core.notes import VisitNote
from core.record_items import SEVERITIES, Item
from core.records import Record, Visit
from db.models import ItemKind, Letter, NoteVersion, Prescription
from pages.ui.found import born
from pages.ui.words import SEX, age, plain, status_badge

FEW = 6  # of what is in the banner, but for allergies: nobody may overlook one


@dataclass(frozen=True, slots=True)
class Chart:
    """A visit with the record of its patient."""

    zone: tzinfo
    visit: Visit
    note: VisitNote
    record: Record
    notes: dict[int, list[NoteVersion]]
    prescriptions: list[Prescription]
    prescription_draft: Prescription | None
    letter_drafts: list[Letter]
    letters: list[Letter]
    files: list[FileEntry]
    intake: Intake

    @property
    def unsigned(self) -> list[str]:
        """What has been begun and is not signed, in sentences; a visit should have a signed note."""
        draft = self.prescription_draft
        said = {
            N_("The note is not signed."): not self.note.is_signed,
            N_("The amendment is not signed."): self.note.is_signed and self.note.is_draft_new,
            N_("The prescription is not signed."): draft is not None and bool(draft.items),
            N_("A letter is not signed."): bool(self.letter_drafts),
        }
        return [_(sentence) for sentence, is_so in said.items() if is_so]

    @property
    def earlier(self) -> list[Visit]:
        """The patient's other visits that are over, the latest first."""
        return [each for each in self.record.past if each.appointment_id != self.visit.appointment_id]


def chart(session: Any, actor: Actor, visit_id: int) -> Chart:
    """What is shown at one's own visit. Raises `NotAVisit`, `AccessDenied`, `NotFound`."""
    note = notes.of_visit(session, actor, appointment_id=visit_id)
    patient_id = note.patient_id
    record = records.open_record(session, actor, patient_id=patient_id)
    [visit] = [each for each in (*record.coming, *record.past) if each.appointment_id == visit_id]
    return Chart(
        zone=clinics.zone(session),
        visit=visit,
        note=note,
        record=record,
        notes=notes.of_patient(session, actor, patient_id=patient_id),
        prescriptions=prescriptions.of_patient(session, actor, patient_id=patient_id),
        prescription_draft=prescription_drafts.of_patient(session, actor, patient_id=patient_id),
        letter_drafts=letter_drafts.of_patient(session, actor, patient_id=patient_id),
        letters=doctor_letters.of_patient(session, actor, patient_id=patient_id),
        files=attachments.of_patient(session, actor, patient_id=patient_id),
        intake=intakes.of_visit(session, actor, appointment_id=visit_id),
    )


def banner(found: Chart) -> None:
    """Who is in the chair, and what nobody may overlook: allergies first, the severe ones before others."""
    record, visit = found.record, found.visit
    st.title(plain(record.name))
    years = age(record.birth_on, clock.now().astimezone(found.zone).date())
    aged = ngettext("{years} year", "{years} years", years).format(years=years)
    when = f"{short_date(visit.starts_at.astimezone(found.zone).date())}, "
    when += clock_time(visit.starts_at, found.zone)
    st.markdown(
        f"**{aged}, {_(SEX[record.sex])}**, {plain(born(record.birth_on))} · {plain(visit.service)}, "
        f"{plain(when)} {status_badge(visit.status)}"
    )
    allergies = _counting(record, ItemKind.ALLERGY)
    if allergies:
        st.error(f"**{_('Allergies')}:** " + " · ".join(map(_allergy, allergies)), icon=":material/warning:")
    else:
        st.caption(_("No allergies written down"))
    for column, kind, heading, nothing in zip(
        st.columns(2),
        (ItemKind.MEDICATION, ItemKind.PROBLEM),
        (_("Medication"), _("Problems")),
        (_("No medication written down"), _("No problems written down")),
        strict=True,
    ):
        items = _counting(record, kind)
        with column:
            if items:
                st.markdown(f"**{heading}:** " + " · ".join(map(_item, items[:FEW])) + _how_many_more(items))
            else:
                st.caption(nothing)


def _counting(record: Record, kind: ItemKind) -> list[Item]:
    return [each for each in record.items if each.kind is kind and each.ended_at is None]


def _allergy(item: Item) -> str:
    severity = f" ({_(SEVERITIES[item.severity])})" if item.severity else ""
    details = f": {plain(item.details)}" if item.details else ""
    return f"**{plain(item.name)}**{severity}{details}"


def _how_many_more(items: list[Item]) -> str:
    more = len(items) - FEW
    if more <= 0:
        return ""
    told = ngettext("{count} more in the lists", "{count} more in the lists", more).format(count=more)
    return f" · :gray[{told}]"


def _item(item: Item) -> str:
    return f"{plain(item.name)}, {plain(item.details)}" if item.details else plain(item.name)
