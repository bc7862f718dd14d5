"""Overview: today beside a week ago, this month beside the last, what waits, and the way to all figures."""

import streamlit as st

from core import clinics, clock, figure_dashboards, figures
from core.analytics.scopes import Scope
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.dashboards import links
from pages.ui.glances import compared_cards, open_cards
from pages.ui.navigation import FIGURES

actor = require(Role.ADMIN)

st.title(_("Overview"))
with reading() as session:
    today = clock.now().astimezone(clinics.zone(session)).date()
    scope = Scope(today, today)
    compared, waiting = (
        figures.read(session, actor, key=figure.key, scope=scope)
        for figure in figure_dashboards.figures_of("overview")
    )
compared_cards(compared)
open_cards(waiting)
links("overview", scope)

st.header(_("All figures"))
with st.container(horizontal=True):
    for name, (page, icon) in FIGURES.items():
        st.page_link(page, label=_(figure_dashboards.TITLES[name]), icon=icon)
