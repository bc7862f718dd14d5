"""Notifications: whether visits are confirmed and reminded of by text or email, and in which time zone."""

import streamlit as st

from core import patients
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.contacts import preferences_form
from pages.ui.words import plain

actor = require(Role.PATIENT)

with reading() as session:
    mine = patients.own(session, actor)

st.title(_("Notifications"))
st.markdown(_("We write when a visit is booked, moved or cancelled, and remind you before it."))
preferences_form(actor, actor.patient_ids[0])
if len(mine) > 1:
    names = ", ".join(each.name for each in mine[1:])
    st.caption(_("You are told about the visits of {names} in the same way.").format(names=plain(names)))
