"""The demo clinic's mailbox: every message that a real clinic would have sent."""

import streamlit as st

from core import clinics, notifications
from core.i18n import _, day_and_time
from pages.ui import plain, reading
from pages.ui.navigation import SIGN_IN
from pages.ui.sessions import current_actor

with reading() as session:
    is_open, zone = notifications.has_mailbox(session), clinics.zone(session)
    messages = notifications.mailbox(session)

st.title(_("Demo mailbox"))
if not is_open:
    st.error(_("This clinic sends its messages to the people they are for. There is no mailbox here."))
    st.stop()
st.write(_("Nothing leaves this machine: these are the last messages that a real clinic would have sent."))
st.button(_("Look again"), icon=":material/refresh:", key="mailbox_refresh")
if not messages:
    st.info(_("No message yet."), icon=":material/mail:")
for message in messages:
    with st.container(border=True):
        st.markdown(f"**{plain(message.subject or _('Text message'))}**")
        st.caption(f"{plain(message.sent_to)} · {day_and_time(message.created_at, zone)}")
        st.text(message.body or _("The code in this message has run out."))
if current_actor() is None:
    st.page_link(SIGN_IN, label=_("Sign in"), icon=":material/login:")
