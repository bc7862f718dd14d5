"""Week: a doctor's calendar by week, month or as a list; dragging a visit moves it once that is confirmed."""

from datetime import date

import streamlit as st

from core import agendas, clinics, clock, days, doctors, treatments
from core.i18n import _, dated, day, month_name, ngettext
from db.models import Role
from pages.ui import choice, reading, require
from pages.ui.browsers import is_on_phone
from pages.ui.calendar_feeds import feeds_section
from pages.ui.diaries import clicked, dragged, draw
from pages.ui.diary_changes import TURN, by_hand, question
from pages.ui.diary_views import VIEWS, View, days_shown, first_day, turned
from pages.ui.navigation import VISIT

actor = require(Role.DOCTOR, Role.STAFF, Role.ADMIN)


def turn(to: date) -> None:
    st.session_state["week_on"] = to


with reading() as session:
    zone = clinics.zone(session)
    colleagues = doctors.all_active(session, actor) if actor.is_desk else []
today = clock.now().astimezone(zone).date()
on: date = st.session_state.setdefault("week_on", today)
st.session_state.setdefault("week_view", View.LIST if is_on_phone() else View.WEEK)
heading = st.empty()
with st.container(horizontal=True, vertical_alignment="bottom"):
    doctor_id = actor.doctor_id
    if colleagues:
        named = {each.id: each.user.name for each in colleagues}
        doctor_id = choice(_("Doctor"), named, key="week_doctor", width=320)
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        chosen = st.pills(
            _("View"),
            list(VIEWS),
            format_func=lambda each: _(VIEWS[each]),
            label_visibility="collapsed",
            required=True,
            key="week_view",
        )
        view = View(chosen or View.WEEK)
        first = first_day(view, on)
        before, after = turned(view, first, -1), turned(view, first, 1)
        with st.container(horizontal=True, width="content", gap="small"):
            st.button(
                _("Before"), icon=":material/chevron_left:", on_click=turn, args=(before,), key="week_before"
            )
            st.button(_("Today"), on_click=turn, args=(today,), key="week_today")
            st.button(
                _("After"), icon=":material/chevron_right:", on_click=turn, args=(after,), key="week_after"
            )
from_on, until_on = days_shown(view, first)
named_range = month_name(first) if view is View.MONTH else f"{day(from_on)} – {dated(until_on)}"
heading.title(named_range)
if doctor_id is None:
    st.info(_("There is no doctor to show."))
    st.stop()

with reading() as session:
    shown = {"doctor_id": doctor_id, "from_on": from_on, "until_on": until_on}
    visits = agendas.between(session, actor, **shown)
    hours = days.hours_between(session, actor, **shown) if view is View.WEEK else []
    away = days.away_between(session, actor, **shown)
grid = f"week_grid_{doctor_id}_{view.value}_{first}_{st.session_state.get(TURN, 0)}"
done = st.session_state.get(grid)
pressed = clicked(done, visits)
if pressed and actor.doctor_id and pressed.status not in treatments.NEVER_A_VISIT:
    st.switch_page(VISIT, query_params={"visit": str(pressed.id)})
st.caption(
    ngettext("{count} visit", "{count} visits", len(visits)).format(count=len(visits))
    + (
        f" · {_('Drag a visit to move it, or its lower edge to stretch it.')}"
        if visits and view is View.WEEK
        else ""
    )
    + (f" · {_('No hours on these days.')}" if view is View.WEEK and not hours else "")
)
wanted = dragged(done, visits, zone, hours)
draw(grid, view, first, zone, visits=visits, hours=hours, away=away, wanted=wanted)
if wanted is not None:
    question(actor, wanted, zone)
by_hand(visits, zone)
if actor.doctor_id is not None:
    feeds_section(actor, actor.doctor_id)
