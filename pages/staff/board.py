"""The board: who is expected today, who waits and who is in the room, and what the desk does about it."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from core import boards, clinics, clock, doctors, rooms
from core.access import Actor
from core.boards import Row
from core.i18n import _, long_day
from db.models import Role
from pages.ui import plain, reading, require
from pages.ui.board_filters import filters
from pages.ui.board_panels import open_buttons, panel
from pages.ui.board_parts import Board, Parts
from pages.ui.boards import OPEN, Cards, Listed, first, in_lists, parts
from pages.ui.sessions import current_actor

actor = require(Role.STAFF, Role.ADMIN)

SECONDS = 5
MINUTE = timedelta(minutes=1)


def in_words(acting: Actor, rows: Sequence[Row]) -> Parts:
    """What is to be drawn of the visits that are asked for; nothing where there are none."""
    shown = wanted.of(rows)
    if not shown:
        return {}
    lists = in_lists(shown, wanted.state)
    drawn = {name: first(name, listed) for name, listed in lists.items()}
    with reading() as session:
        numbers = [row.id for rows_drawn in drawn.values() for row in rows_drawn]
        details = boards.details(session, acting, visit_ids=numbers)
    cards = Cards(acting, zone, clinic.currency, clock.now(), rows)
    listed = {
        name: Listed(
            name,
            len(lists[name]),
            tuple(cards.card(row, details[row.id]) for row in rows_drawn if row.id in details),
            has_more=len(rows_drawn) < len(lists[name]),
        )
        for name, rows_drawn in drawn.items()
    }
    return parts(cards.head(shown), listed)


@st.fragment(run_every=SECONDS)
def follow() -> None:
    """Look every few seconds, and draw anew what has changed: the lists, or the page where more is open.

    After a minute it is the page in any case, for all that is said above the board. What is typed and not
    sent yet stays where it is: nothing on the page becomes another field.
    """
    if board.is_new:
        board.is_new = False
        return
    acting, now = current_actor(), clock.now()
    if acting is None or now.astimezone(zone).date() != today or now - drawn_at >= MINUTE:
        st.rerun()
    with reading() as session:
        mark = boards.fingerprint(session, acting, on=today)
        has_changed = mark != board.mark
        rows = boards.rows(session, acting, on=today) if has_changed and opened is None else None
    if rows is not None:
        board.become(mark, in_words(acting, rows))
    elif has_changed:
        st.rerun()


with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    colleagues = {each.id: each.user.name for each in doctors.all_active(session, actor)}
    named_rooms = {each.id: each.name for each in rooms.all_active(session, actor)}
    drawn_at = clock.now()
    today = drawn_at.astimezone(zone).date()
    seen, rows = boards.fingerprint(session, actor, on=today), boards.rows(session, actor, on=today)
opened = st.session_state.get(OPEN)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
        st.title(_("Board"), width="content")
        st.caption(plain(long_day(today)), width="content")
    open_buttons()
panel(actor, opened, clinic, zone, colleagues)
wanted = filters(colleagues, named_rooms)
board = Board(seen, in_words(actor, rows))
if not board.is_empty:
    board.draw(wanted.state)
else:
    st.info(
        _("No visit of today is like that.") if rows else _("There are no visits today."),
        icon=":material/event_available:",
    )
follow()
