"""Closed days: those of the clinic or one place, and a country's public holidays to take over."""

from datetime import date

import streamlit as st

from core import clinics, clock, closures, doctors
from core.i18n import N_, _, country, dated
from db.models import Role
from pages.ui import choice, perform, plain, reading, require
from pages.ui.affected import foresee, save_button, show_affected

actor = require(Role.ADMIN)

YEARS = 3  # that are offered: this one and the next two


def reopen(closure_id: int) -> None:
    perform(closures.reopen, closure_id=closure_id, done=N_("Open again: weekly hours count on that day."))


def empty() -> None:
    st.session_state["holidays_name"] = ""


st.title(_("Closed days"))
with reading() as session:
    zone = clinics.zone(session)
    closed = closures.ahead(session, actor)
    places = {each.id: each.name for each in doctors.places(session, actor)}
    home = closures.home_country(session)
today = clock.now().astimezone(zone).date()
st.caption(
    _("Weekly hours do not count on these days. A doctor who works all the same gets hours for that date.")
)
if not closed:
    st.info(_("No closed day is planned."), icon=":material/event_available:")
for each in closed:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        where = "" if each.location_id is None else f" · {plain(places.get(each.location_id, ''))}"
        st.markdown(f"**{plain(dated(each.on_date))}** · {plain(each.name)}{where}", width="stretch")
        st.button(_("Open"), on_click=reopen, args=(each.id,), key=f"holidays_open_{each.id}")

st.header(_("Close a day"))
with st.container(horizontal=True, vertical_alignment="bottom"):
    on: date | None = st.date_input(
        _("Day"), value=today, min_value=today, format="YYYY-MM-DD", key="holidays_on", width=200
    )
    name = st.text_input(_("Why"), max_chars=closures.NAME_LENGTH, key="holidays_name", width=320)
    place = choice(
        _("Where"), places, index=None, placeholder=_("The whole clinic"), key="holidays_place", width=240
    )
if on is not None and name.strip():
    change = {"days": {on: name}, "location_id": place}
    foreseen = foresee(actor, closures.close, **change)
    show_affected(foreseen, zone)
    save_button(
        _("Close"), foreseen, closures.close, change, done=N_("Closed."), key="holidays_close", after=empty
    )
else:
    st.button(_("Close"), disabled=True, help=_("Say which day and why first."), key="holidays_not_yet")

st.header(_("Public holidays"))
known = closures.countries()
named = {code: country(code) for code in sorted(known, key=country)}
with st.container(horizontal=True, vertical_alignment="bottom"):
    index = list(named).index(home) if home else None
    land = choice(_("Country"), named, index=index, key="holidays_country", width=240)
    regions = {code: code for code in known.get(land or "", [])}
    region = choice(
        _("Region"), regions, index=None, placeholder=_("Everywhere"), key="holidays_region", width=200
    )
    year = st.selectbox(_("Year"), range(today.year, today.year + YEARS), key="holidays_year", width=120)
if land is None:
    st.stop()
are_closed = {each.on_date for each in closed if each.location_id is None}
offered = {
    on: holiday
    for on, holiday in closures.public_holidays(land, region, year).items()
    if on >= today and on not in are_closed
}
if not offered:
    st.info(_("All of them are closed days already, or over."), icon=":material/done_all:")
    st.stop()
chosen = [
    on
    for on, holiday in offered.items()
    if st.checkbox(f"{plain(dated(on))} · {plain(holiday)}", value=True, key=f"holidays_{land}_{region}_{on}")
]
if chosen:
    adopting = {"days": {on: offered[on] for on in chosen}}
    foreseen = foresee(actor, closures.close, **adopting)
    show_affected(foreseen, zone)
    save_button(
        _("Close on these days"),
        foreseen,
        closures.close,
        adopting,
        done=N_("Closed on these days."),
        key="holidays_adopt",
    )
