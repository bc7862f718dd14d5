"""Today's figures: how the visits of today stand, and what was taken and paid back today."""

import streamlit as st

from core import today_figures
from core.analytics.revenue import METHODS
from core.i18n import _, long_day, money
from db.models import AppointmentStatus, Role
from pages.ui import plain, reading, require
from pages.ui.words import STATUS

actor = require(Role.STAFF, Role.ADMIN)

st.title(_("Today's figures"))
with reading() as session:
    today = today_figures.read(session, actor)
st.caption(long_day(today.on))

st.header(_("Visits"))
if not today.visits:
    st.info(_("No visits today."), icon=":material/event_busy:")
else:
    with st.container(horizontal=True):
        st.metric(_("All"), sum(today.visits.values()), border=True, width=140)
        for status in AppointmentStatus:
            if status in today.visits:
                st.metric(_(STATUS[status][0]), today.visits[status], border=True, width=140)

st.header(_("Takings"))
if not today.takings:
    st.info(_("Nothing was taken or paid back today."), icon=":material/payments:")
with st.container(horizontal=True):
    for each in today.takings:
        with st.container(width=240):
            kept = money(each.received_minor - each.refunded_minor, today.currency)
            st.metric(_(METHODS[each.method]), plain(kept), border=True)
            said = _("Taken {taken}, given back {given}").format(
                taken=money(each.received_minor, today.currency),
                given=money(each.refunded_minor, today.currency),
            )
            st.caption(plain(said))
