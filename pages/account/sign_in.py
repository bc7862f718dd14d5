"""Sign in with user name and password."""

import streamlit as st

from core.i18n import _
from pages.ui.sign_in_form import sign_in_form

st.title(_("Sign in"))
sign_in_form()
