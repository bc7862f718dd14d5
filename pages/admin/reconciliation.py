"""Card payments: what the card processor says beside what we say, differences first."""

from datetime import datetime, time, timedelta

import streamlit as st

from core import clinics, clock, reconciliations, wall_time
from core.i18n import _
from db.config import config
from db.models import Role
from pages.ui import reading, require
from pages.ui.reconciliation import asked_of_them, lines_table, totals

actor = require(Role.ADMIN)

MOST_DAYS = 92

with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
today = clock.now().astimezone(zone).date()

st.title(_("Card payments"))
st.caption(_("What the card processor says beside what the clinic's ledger says, to the cent."))
if not config().takes_cards_online:
    st.info(_("This clinic takes no payments online. Set STRIPE_SECRET_KEY, and start the portal again."))
    st.stop()
chosen = st.date_input(
    _("Days"),
    value=(today - timedelta(days=6), today),
    max_value=today,
    format="YYYY-MM-DD",
    key="cards_days",
)
if not isinstance(chosen, tuple) or len(chosen) != 2:
    st.caption(_("Please choose the last day too."))
    st.stop()
first, last = chosen
if (last - first).days >= MOST_DAYS:
    st.info(_("Please choose at most {days} days.").format(days=MOST_DAYS))
    st.stop()
since, until = (
    wall_time.instant_reached(zone, datetime.combine(on, time())) for on in (first, last + timedelta(days=1))
)
theirs = asked_of_them(since, until)
with reading() as session:
    lines = reconciliations.compared(session, actor, theirs, since=since, until=until)
totals(lines, clinic.currency)
lines_table(lines, zone, clinic.currency)
