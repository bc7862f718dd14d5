"""Visits without hours: what a change has left uncovered, until each is moved, chosen, called off or kept."""

import streamlit as st

from core import clinics, clock, doctors, strandings, suggestions
from core.i18n import _, ngettext
from db.models import Role
from pages.ui import choice, reading, require
from pages.ui.inbox import how_many_more
from pages.ui.settled import show_outcomes
from pages.ui.settling import settle_all_buttons, stranding_row
from pages.ui.time_off import away_form

actor = require(Role.STAFF, Role.ADMIN, Role.DOCTOR)

DRAWN = 25

st.title(_("Visits without hours"))
st.caption(
    _("Visits outside their doctor's hours, and those that have lost their doctor, room, place or service.")
)
with reading() as session:
    zone = clinics.zone(session)
    today = clock.now().astimezone(zone).date()
    colleagues = (
        {} if actor.doctor_id else {each.id: each.user.name for each in doctors.all_active(session, actor)}
    )
if colleagues:
    with st.expander(_("A doctor is away"), icon=":material/sick:"):
        away_form(actor, colleagues, zone, today)
with reading() as session:
    waiting = strandings.waiting(
        session,
        actor,
        doctor_id=actor.doctor_id,
        chosen_id=st.session_state.get("unsettled_doctor"),
        most=DRAWN,
    )
show_outcomes()
if not waiting.total:
    st.success(_("Every visit lies within its doctor's hours."), icon=":material/event_available:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    if len(waiting.doctors) > 1:
        if st.session_state.get("unsettled_doctor") not in waiting.doctors:
            st.session_state.pop("unsettled_doctor", None)
        choice(
            _("Doctor"), waiting.doctors, index=None, placeholder=_("Any"), key="unsettled_doctor", width=320
        )
    ways = {False: _("With the same doctor"), True: _("With a colleague")}
    prefers_others = st.radio(
        _("Suggest times"), list(ways), format_func=ways.__getitem__, horizontal=True, key="unsettled_others"
    )
with reading() as session:
    times = suggestions.suggest(session, actor, visits=[each.visit for each in waiting.shown])
counted = ngettext(
    "{count} visit waits for a decision.", "{count} visits wait for a decision.", waiting.total
)
st.caption(counted.format(count=waiting.total))
how_many_more(len(waiting.shown), waiting.total)
every = st.container()
rows = [
    stranding_row(each, times[each.visit.id], zone, prefers_others=bool(prefers_others))
    for each in waiting.shown
]
with every:
    settle_all_buttons(rows)
