"""The visits of a record on the screen, each with its signed note and what was answered before it."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import streamlit as st

from core.i18n import _, clock_time, short_date
from core.intakes import Intake
from core.records import Record, Visit
from db.models import AppointmentStatus, NoteVersion
from pages.ui.downloads import download
from pages.ui.intake_fields import show_answers
from pages.ui.navigation import VISIT
from pages.ui.note_versions import show_note
from pages.ui.portions import show_portion
from pages.ui.words import plain, status_badge


def show_visits(
    record: Record,
    notes: Mapping[int, Sequence[NoteVersion]],
    answers: Mapping[int, Intake],
    zone: tzinfo,
    *,
    doctor_id: int | None = None,
) -> None:
    """Those that are coming, then the past ones, the latest first. `doctor_id` is of the doctor who reads."""

    def draw(visit: Visit) -> None:
        with st.container(border=True):
            number = visit.appointment_id
            _show_visit(visit, notes.get(number, ()), answers.get(number), zone)
            if doctor_id is not None and visit.doctor_id == doctor_id:
                st.page_link(
                    VISIT,
                    label=_("Open the visit"),
                    icon=":material/stethoscope:",
                    query_params={"visit": str(number)},
                )

    for name, heading, visits in (
        ("coming", _("Coming visits"), record.coming),
        ("past", _("Past visits"), record.past),
    ):
        st.subheader(heading)
        show_portion(visits, draw, key=f"record_{name}_{record.patient_id}", nothing=_("None."))


def _show_visit(visit: Visit, versions: Sequence[NoteVersion], answers: Intake | None, zone: tzinfo) -> None:
    on = visit.starts_at.astimezone(zone).date()
    st.markdown(
        f"**{short_date(on)}, {clock_time(visit.starts_at, zone)}** {status_badge(visit.status)}  \n"
        f"{plain(visit.service)} · {plain(visit.doctor)}"
    )
    if answers is not None:
        with st.expander(_("Answers before the visit"), icon=":material/quiz:"):
            show_answers(answers, zone)
    if versions:
        with st.expander(_("Note"), icon=":material/clinical_notes:"):
            show_note(versions, zone)
    if versions or visit.status is AppointmentStatus.COMPLETED:
        download(_("Visit as PDF"), f"/files/visits/{visit.appointment_id}.pdf")
