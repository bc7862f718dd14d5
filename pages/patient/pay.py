"""Pay for a visit: to the card processor by a link, and back to here, where the processor is asked."""

import streamlit as st

from core import agendas, attempts, checkouts, clinics
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.navigation import MY_APPOINTMENTS
from pages.ui.paying import follow, what_became
from pages.ui.queries import asked_number
from pages.ui.visits import visit_card

actor = require(Role.PATIENT)

visit_id = asked_number("visit")
if not visit_id:
    st.switch_page(MY_APPOINTMENTS)
with reading(is_by_address=True) as session:
    begun = attempts.progress(session, actor, appointment_id=visit_id).attempt
if begun is not None:
    checkouts.advance(begun.id)  # what the address says is nobody's word
with reading(is_by_address=True) as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    stands = attempts.progress(session, actor, appointment_id=visit_id)
    visit = agendas.one(session, actor, visit_id)

st.page_link(MY_APPOINTMENTS, label=_("My appointments"), icon=":material/arrow_back:")
st.title(_("Payment"))
with st.container(border=True):
    visit_card(visit, zone, with_patient=len(actor.patient_ids) > 1)
what_became(visit, stands, clinic.currency)
follow(visit, stands)
