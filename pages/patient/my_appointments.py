"""My appointments: what is coming, to move or cancel; and what has been."""

import streamlit as st

from core import agendas, clinics, intakes, waitlists
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.intake_fields import intake_link
from pages.ui.navigation import FIND_DOCTOR
from pages.ui.visits import visit_actions, visit_card
from pages.ui.waitlists import show_offers

actor = require(Role.PATIENT)

PAST_SHOWN = 10

shown = st.session_state.setdefault("visits_past_shown", PAST_SHOWN)
with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    coming = agendas.upcoming(session, actor, patient_ids=actor.patient_ids)
    lines = waitlists.own(session, actor, patient_ids=actor.patient_ids)
    questions = intakes.ahead(session, actor, patient_ids=actor.patient_ids)
    past = agendas.past(session, actor, patient_ids=actor.patient_ids, limit=shown + 1)
with_patient = len(actor.patient_ids) > 1
upcoming = [visit for visit in coming if not visit.is_offered]

st.title(_("My appointments"))
show_offers(actor, lines, coming, clinic, zone)
if not upcoming:
    st.info(_("You have no appointment ahead."), icon=":material/event:")
    st.page_link(FIND_DOCTOR, label=_("Find a doctor"), icon=":material/search:")
for visit in upcoming:
    with st.container(border=True):
        visit_card(visit, zone, with_patient=with_patient)
        intake_link(questions.get(visit.id))
        visit_actions(visit, actor, clinic, zone)

st.header(_("Past and cancelled"))
if not past:
    st.caption(_("Nothing yet."))
for visit in past[:shown]:
    with st.container(border=True):
        visit_card(visit, zone, with_patient=with_patient)
if len(past) > shown:

    def show_more() -> None:
        st.session_state["visits_past_shown"] += PAST_SHOWN

    st.button(_("Show more"), on_click=show_more, key="visits_more", width="stretch")
