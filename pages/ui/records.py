"""A patient's record on the screen: who it is, the lists, the visits, the papers, the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import streamlit as st

from core import attachments, clock, doctor_letters, history_choices, intakes, notes, prescriptions
from core.access import Actor
from core.attachments import FileEntry
from core.i18n import _, clock_time, ngettext
from core.intakes import Intake
from core.records import Record
from db.models import ItemKind, Letter, NoteVersion, Prescription, Severity
from pages.ui.found import born
from pages.ui.history_report import history_report
from pages.ui.record_files import add_file, show_files
from pages.ui.record_lists import show_lists
from pages.ui.record_papers import show_letters, show_prescriptions
from pages.ui.record_visits import show_visits
from pages.ui.words import SEX, age, plain


@dataclass(frozen=True, slots=True)
class Papers:
    """What is in a record beside its lists and visits; notes and answers by the visit's number."""

    notes: Mapping[int, Sequence[NoteVersion]]
    answers: Mapping[int, Intake]
    prescriptions: Sequence[Prescription]
    letters: Sequence[Letter]
    files: Sequence[FileEntry]


def papers_of(session: Any, actor: Actor, *, patient_id: int) -> Papers:
    """What the actor may read of a patient's: of notes, patients get those that were released."""
    return Papers(
        notes=notes.of_patient(session, actor, patient_id=patient_id),
        answers=intakes.of_patient(session, actor, patient_id=patient_id),
        prescriptions=prescriptions.of_patient(session, actor, patient_id=patient_id),
        letters=doctor_letters.of_patient(session, actor, patient_id=patient_id),
        files=attachments.of_patient(session, actor, patient_id=patient_id),
    )


def show_head(record: Record, zone: tzinfo) -> None:
    """Who it is, with the allergies; a banner on top when only an emergency opened the record."""
    if record.emergency_until is not None:
        until = clock_time(record.emergency_until, zone)
        st.error(
            _("Emergency access until {time}. Every look is recorded.").format(time=until),
            icon=":material/emergency:",
        )
    st.title(plain(record.name))
    years = age(record.birth_on, clock.now().astimezone(zone).date())
    aged = ngettext("{years} year", "{years} years", years).format(years=years)
    st.caption(f"{born(record.birth_on)}, {aged}, {_(SEX[record.sex])}")
    allergies = [each for each in record.items if each.kind is ItemKind.ALLERGY and each.ended_at is None]
    if not allergies:
        st.caption(_("No allergies written down"))
        return
    badges = [
        f":red-badge[{':material/warning: ' if each.severity is Severity.SEVERE else ''}{plain(each.name)}]"
        for each in allergies
    ]
    st.markdown(f"{_('Allergies')}: {' '.join(badges)}")


def show_record(actor: Actor, record: Record, papers: Papers, zone: tzinfo) -> None:
    """Everything in a record, part by part, as the actor reads it. In an emergency it is for reading only.

    From their own visits doctors go to the visit's page.
    """
    today = clock.now().astimezone(zone).date()
    is_long = history_choices.is_long(record, papers.notes.values(), papers.letters)
    history_report(actor, record, today, is_long=is_long)
    # Without numbers in them: a tab whose name changes is another one, and the first is shown again.
    names = [_("Lists"), _("Visits"), _("Prescriptions"), _("Letters"), _("Files")]
    lists, visits, prescribed, letters, files = st.tabs(names, key="record_tabs")
    with lists:
        show_lists(record.items, zone)
    with visits:
        show_visits(record, papers.notes, papers.answers, zone, doctor_id=actor.doctor_id)
    with prescribed:
        show_prescriptions(papers.prescriptions, record.patient_id, zone)
    with letters:
        show_letters(papers.letters, record.patient_id, zone)
    with files:
        if record.emergency_until is None:
            add_file(record, zone)
        show_files(papers.files, record, zone)
