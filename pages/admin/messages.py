"""Messages: when the clinic reminds, its quiet hours, and the words of each text, with a preview."""

import streamlit as st

from core import clinics
from core.i18n import _
from db.config import config
from db.models import Role
from pages.ui import reading, require
from pages.ui.message_settings import settings_form
from pages.ui.message_words import words_panel

actor = require(Role.ADMIN)

with reading() as session:
    clinic = clinics.settings(session)

st.title(_("Texts and reminders"))
if not config().sends_texts:
    st.warning(_("Texts are not set up: messages go by email alone."), icon=":material/sms_failed:")
elif config().texts_are_simulated:
    st.info(_("Texts are simulated: they stay in the sandbox's phones."), icon=":material/science:")
st.header(_("When"))
settings_form(clinic)
st.header(_("Words"))
words_panel(actor)
