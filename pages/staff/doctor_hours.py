"""A doctor's hours as the desk sets them: every week, on single dates, and time off."""

import streamlit as st

from core import doctors
from core.i18n import _
from db.models import Role
from pages.ui import choice, reading, require
from pages.ui.doctor_hours import show_hours

actor = require(Role.STAFF, Role.ADMIN)

st.title(_("Hours"))
with reading() as session:
    colleagues = {each.id: each.user.name for each in doctors.all_active(session, actor)}
if not colleagues:
    st.info(_("There is no doctor yet."))
    st.stop()
doctor_id = choice(_("Doctor"), colleagues, key="hours_doctor", width=320) or next(iter(colleagues))
show_hours(actor, doctor_id)
