"""A flag on the pages of who settles visits: how many are without hours."""

from datetime import timedelta

import streamlit as st

from core import access, clock, strandings
from core.access import Action, Actor
from core.i18n import ngettext
from pages.ui.navigation import UNSETTLED
from pages.ui.refusals import reading

AS_OFTEN = timedelta(seconds=15)  # it looks at every visit ahead: too much for each run of a page
_COUNTED = "unsettled_counted"


def flag_unsettled(actor: Actor) -> None:
    """Say that visits wait for a decision: to the desk of all doctors', to doctors of theirs."""
    if not access.may(actor, Action.SEE_DAY, doctor_id=actor.doctor_id):
        return
    now = clock.now()
    count, counted_at = st.session_state.get(_COUNTED, (0, None))
    if counted_at is None or not counted_at <= now < counted_at + AS_OFTEN:
        with reading() as session:
            count = strandings.count(session, actor)
        st.session_state[_COUNTED] = count, now
    if count:
        told = ngettext("{count} visit without hours", "{count} visits without hours", count)
        st.page_link(UNSETTLED, label=told.format(count=count), icon=":material/event_busy:")
