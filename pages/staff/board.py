"""The board: who is expected today, who waits and who is in the room, and what the desk does about it."""

from datetime import timedelta

import streamlit as st

from core import boards, clinics, clock, doctors, rooms
from core.i18n import _, long_day
from db.models import AppointmentStatus, Role
from pages.ui import choice, plain, reading, require
from pages.ui.arrivals import late_popover
from pages.ui.board_visits import visit_panel
from pages.ui.boards import LISTS, OPEN, WALK_IN, Cards, Shown, counted, draw
from pages.ui.sessions import current_actor
from pages.ui.walk_ins import walk_in_panel

actor = require(Role.STAFF, Role.ADMIN)

SECONDS = 5
MINUTE = timedelta(minutes=1)


def panel() -> None:
    """What is open: a visit, or whoever has just come or called."""
    opened = st.session_state.get(OPEN)
    if opened is None:
        return
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(_("Who has come or calls") if opened == WALK_IN else _("Visit"), width="content")
            st.button(
                _("Close"),
                icon=":material/close:",
                type="tertiary",
                on_click=st.session_state.update,
                args=({OPEN: None},),
                key="board_close",
            )
        if opened == WALK_IN:
            walk_in_panel(actor, zone)
        else:
            visit_panel(actor, opened, clinic, zone)


def filters() -> Shown:
    """Which rows are asked for, and a way to tell those of one doctor of a delay."""
    bare = {"index": None, "label_visibility": "collapsed"}
    labels = {name: _(label) for name, (label, _states) in LISTS.items()}
    with st.container(horizontal=True, vertical_alignment="center"):
        doctor_id = choice(
            _("Doctor"), colleagues, placeholder=_("Any doctor"), key="board_doctor", width=240, **bare
        )
        room_id = choice(
            _("Room"), named_rooms, placeholder=_("Any room"), key="board_room", width=170, **bare
        )
        state = choice(_("Status"), labels, placeholder=_("Any status"), key="board_state", width=150, **bare)
        if doctor_id is not None:
            late_popover(doctor_id, _("Running late"))
    return Shown(doctor_id, room_id, state)


@st.fragment(run_every=SECONDS)
def follow() -> None:
    """Look every few seconds, and draw the page anew when something has changed or waiting went on a minute.

    What is typed and not sent yet stays where it is: nothing on the page becomes another field.
    """
    now_acting, now = current_actor(), clock.now()
    if now_acting is None or now.astimezone(zone).date() != today:
        st.rerun()
    with reading() as session:
        mark = boards.fingerprint(session, now_acting, on=today)
    if mark != seen or (somebody_waits and now - drawn_at >= MINUTE):
        st.rerun()


with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    colleagues = {each.id: each.user.name for each in doctors.all_active(session, actor)}
    named_rooms = {each.id: each.name for each in rooms.all_active(session, actor)}
    drawn_at = clock.now()
    today = drawn_at.astimezone(zone).date()
    seen, rows = boards.fingerprint(session, actor, on=today), boards.rows(session, actor, on=today)
somebody_waits = any(row.status is AppointmentStatus.ARRIVED for row in rows)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
        st.title(_("Board"), width="content")
        st.caption(plain(long_day(today)), width="content")
    st.button(
        _("Walk-in or call"),
        icon=":material/person_add:",
        type="primary",
        on_click=st.session_state.update,
        args=({OPEN: WALK_IN},),
        key="board_walk_in",
    )
panel()
wanted = filters()
shown = wanted.of(rows)
if shown:
    st.caption(counted(shown))
    cards = Cards(actor, zone, clinic.currency, drawn_at, rows)
    cards.late_doctors(shown)
    draw(cards, shown, wanted.state)
else:
    st.info(
        _("No visit of today is like that.") if rows else _("There are no visits today."),
        icon=":material/event_available:",
    )
follow()
