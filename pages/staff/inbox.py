"""Inbox: texts that need a person, with a suggested answer, and patients whom a message did not reach."""

import streamlit as st

from core import clinics, inbox, unreached
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.inbox import how_many_more, leave_if_asked, text_panel, unreached_panel

actor = require(Role.STAFF, Role.ADMIN)

EVERY_SECONDS = 15

st.title(_("Inbox"))
leave_if_asked()
with reading() as session:
    zone = clinics.zone(session)
    # Counted first: what comes after it is drawn by the next look.
    counts = inbox.count(session, actor), unreached.count(session, actor)
    texts = inbox.waiting(session, actor)
    lost = unreached.waiting(session, actor)


@st.fragment(run_every=EVERY_SECONDS)
def watch() -> None:
    """Draw the page again when something has come or was dealt with, and at no other time."""
    with reading() as session:
        now = inbox.count(session, actor), unreached.count(session, actor)
    if now != counts:
        st.rerun()


watch()
st.header(_("Texts to answer"))
how_many_more(len(texts), counts[0])
if not texts:
    st.info(_("Nothing to answer. Texts that we do not understand come here."), icon=":material/inbox:")
for waiting in texts:
    with st.container(border=True):
        text_panel(waiting, zone)
st.header(_("Not reached"))
how_many_more(len(lost), counts[1])
if not lost:
    st.info(_("Every message about a coming visit has arrived."), icon=":material/mark_email_read:")
for each in lost:
    with st.container(border=True):
        unreached_panel(each, zone)
