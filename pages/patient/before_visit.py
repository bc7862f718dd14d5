"""Before the visit: the questions that the clinic asks, answered until it begins."""

import streamlit as st

from core import agendas, clinics, intakes
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.intake_fields import intake_form, show_answers
from pages.ui.navigation import MY_APPOINTMENTS
from pages.ui.queries import asked_number
from pages.ui.visits import visit_card

actor = require(Role.PATIENT)

if "visit" not in st.query_params:
    st.switch_page(MY_APPOINTMENTS)
st.page_link(MY_APPOINTMENTS, label=_("My appointments"), icon=":material/arrow_back:")
st.title(_("Before the visit"))
with reading(is_by_address=True) as session:
    zone = clinics.zone(session)
    visit = agendas.one(session, actor, asked_number("visit"))
    intake = intakes.of_visit(session, actor, appointment_id=visit.id)
with st.container(border=True):
    visit_card(visit, zone, with_patient=len(actor.patient_ids) > 1)
if not intake.asked:
    st.info(_("Nothing is asked before this visit."), icon=":material/check:")
elif intake.is_open:
    st.write(_("Your doctor reads the answers at the visit. You can change them until it begins."))
    if intake.answered_at is not None:
        st.caption(_("You have answered. What you change below counts once it is saved."))
    intake_form(intake)
elif intake.answered_at is None:
    st.info(_("Nothing was answered before this visit."), icon=":material/lock:")
else:
    st.info(_("The visit has begun or is off: the answers can no longer be changed."), icon=":material/lock:")
    show_answers(intake, zone)
