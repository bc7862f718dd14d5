"""Sign in with user name and password, or find the way to an account."""

import streamlit as st

from core import notifications
from core.i18n import _
from pages.ui import reading
from pages.ui.navigation import DEMO_MAILBOX, REGISTER, RESET_PASSWORD
from pages.ui.sign_in_form import sign_in_form

st.title(_("Sign in"))
if "ended" in st.query_params:
    st.info(_("You are signed out here."), icon=":material/logout:")
sign_in_form()
with st.container(horizontal=True):
    st.page_link(REGISTER, label=_("Create an account"), icon=":material/person_add:")
    st.page_link(RESET_PASSWORD, label=_("Forgotten password?"), icon=":material/lock_reset:")
    with reading() as session:
        has_mailbox = notifications.has_mailbox(session)
    if has_mailbox:
        st.page_link(DEMO_MAILBOX, label=_("Demo mailbox"), icon=":material/mail:")
