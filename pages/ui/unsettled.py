"""A flag on the pages of who settles visits: how many are without hours."""

import streamlit as st

from core import access, strandings
from core.access import Action, Actor
from core.i18n import ngettext
from pages.ui.navigation import UNSETTLED
from pages.ui.refusals import reading


def flag_unsettled(actor: Actor) -> None:
    """Say that visits wait for a decision: to the desk of all doctors', to doctors of theirs."""
    if not access.may(actor, Action.SEE_DAY, doctor_id=actor.doctor_id):
        return
    with reading() as session:
        count = strandings.count(session, actor)
    if count:
        told = ngettext("{count} visit is without hours", "{count} visits are without hours", count)
        st.page_link(UNSETTLED, label=told.format(count=count), icon=":material/event_busy:")
