"""Messages: everything that was sent to a patient about visits, how it fared, and what they answered."""

import streamlit as st

from core import clinics, message_logs
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.contacts import preferences_form
from pages.ui.messages import show_lines
from pages.ui.people import choose_patient

actor = require(Role.STAFF, Role.ADMIN)

st.title(_("Messages"))
st.caption(_("What was sent to a patient about visits, whether it arrived, and what they answered."))
patient = choose_patient(actor)
if patient is None:
    st.stop()
with reading() as session:
    zone = clinics.zone(session)
    lines = message_logs.of_patient(session, actor, patient_id=patient.id)
log, wishes = st.columns([3, 2], gap="large")
with log:
    st.header(_("Sent and received"))
    show_lines(lines, zone)
    if len(lines) == message_logs.SHOWN:
        st.caption(_("The latest {count} messages.").format(count=message_logs.SHOWN))
with wishes:
    st.header(_("How they are told"))
    preferences_form(actor, patient.id)
