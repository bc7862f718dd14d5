"""The board: who is expected today, who waits and who is in the room, and what the desk does about it."""

import streamlit as st

from core import clinics, clock, doctors, rooms
from core.i18n import _, long_day
from db.models import Role
from pages.ui import choice, plain, reading, require
from pages.ui.arrivals import late_popover
from pages.ui.board_visits import visit_panel
from pages.ui.boards import LISTS, OPEN, WALK_IN, Board, Cards, Shown, counted, draw
from pages.ui.sessions import current_actor
from pages.ui.walk_ins import walk_in_panel

actor = require(Role.STAFF, Role.ADMIN)

SECONDS = 5


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
    """Look every few seconds whether something has changed, without touching the rest of the page.

    What a click here has come to is said by the whole page, which also opens what it has opened.
    """
    now = clock.now()
    is_over = now.astimezone(zone).date() != board.on
    if is_over or "message" in st.session_state or st.session_state.get(OPEN) != drawn_open:
        st.rerun()
    now_acting = current_actor()  # speaks the language too, which nobody else does here
    if now_acting is None:
        st.rerun()
    with reading() as session:
        board.look(session, now_acting)
    rows = wanted.of(board.rows)
    if not rows:
        st.info(
            _("There are no visits today.") if not board.rows else _("No visit of today is like that."),
            icon=":material/event_available:",
        )
        return
    st.caption(counted(rows))
    cards = Cards(now_acting, zone, clinic.currency, now, board.rows)
    cards.late_doctors(rows)
    draw(cards, rows, wanted.state)


with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    colleagues = {each.id: each.user.name for each in doctors.all_active(session, actor)}
    named_rooms = {each.id: each.name for each in rooms.all_active(session, actor)}
board = Board(clock.now().astimezone(zone).date())
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
        st.title(_("Board"), width="content")
        st.caption(plain(long_day(board.on)), width="content")
    st.button(
        _("Walk-in or call"),
        icon=":material/person_add:",
        type="primary",
        on_click=st.session_state.update,
        args=({OPEN: WALK_IN},),
        key="board_walk_in",
    )
drawn_open = st.session_state.get(OPEN)
panel()
wanted = filters()
follow()
