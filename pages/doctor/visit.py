"""Visit: the patient in the chair on one screen, with the note beside it; prescribe, write, finish."""

import streamlit as st

from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.kept import follow, hide_what_is_not_true
from pages.ui.navigation import TODAY
from pages.ui.queries import asked_number
from pages.ui.signed_prescriptions import signed_prescriptions
from pages.ui.visit_charts import banner, chart
from pages.ui.visit_ends import end_section
from pages.ui.visit_letters import letters_section
from pages.ui.visit_lists import lists_section
from pages.ui.visit_note import name_of as note_name
from pages.ui.visit_note import note_section
from pages.ui.visit_prescription import name_of as prescription_name
from pages.ui.visit_prescription import prescribe
from pages.ui.visit_sides import answers, files, last_visits

actor = require(Role.DOCTOR)

visit_id = asked_number("visit")
if not visit_id:
    st.title(_("Visit"))
    st.info(_("Open a visit from your day."))
    st.page_link(TODAY, label=_("Today"), icon=":material/today:")
    st.stop()
with reading(is_by_address=True) as session:
    found = chart(session, actor, visit_id)
hide_what_is_not_true()
patient_id = found.record.patient_id
who, end = st.columns([7, 3], vertical_alignment="top")
with who:
    banner(found)
with end:
    end_section(found, actor)
work, side = st.columns([2, 1], gap="large")
with work:
    note, prescription, letters = st.tabs([_("Note"), _("Prescription"), _("Letters")])
    with note:
        note_section(found.note, found.zone)
    with prescription:
        prescribe(visit_id, patient_id)
        signed_prescriptions(found.prescriptions, visit_id, actor, found.zone)
    with letters:
        letters_section(found.letter_drafts, found.letters, visit_id, found.zone)
with side:
    answers(found.intake)
    last_visits(found)
    files(found)
    st.header(_("Lists"))
    lists_section(found.record, found.zone)
drafts = [f"letter_{letter.id}" for letter in found.letter_drafts]
follow(note_name(visit_id), prescription_name(patient_id), *drafts)
