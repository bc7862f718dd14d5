"""My hours: when I work, on which dates otherwise, and when I am away."""

import streamlit as st

from core.i18n import _
from db.models import Role
from pages.ui import require
from pages.ui.doctor_hours import show_hours

actor = require(Role.DOCTOR)

st.title(_("My hours"))
if actor.doctor_id is None:
    st.info(_("There is no doctor to show."))
    st.stop()
show_hours(actor, actor.doctor_id)
