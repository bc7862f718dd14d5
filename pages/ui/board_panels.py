"""What is open above the board: a visit, who has just come or calls, or a doctor who is away."""

from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st

from core import clock
from core.access import Actor
from core.i18n import N_, _
from db.models import ClinicSettings
from pages.ui.board_visits import visit_panel
from pages.ui.boards import AWAY, OPEN, WALK_IN
from pages.ui.time_off import away_form
from pages.ui.walk_ins import walk_in_panel

_Kind = Literal["primary", "secondary", "tertiary"]
TITLES = {WALK_IN: N_("Who has come or calls"), AWAY: N_("A doctor is away")}


def open_buttons() -> None:
    """What one may begin with at any time."""
    with st.container(horizontal=True, width="content"):
        _button(_("A doctor is away"), "sick", AWAY, kind="secondary")
        _button(_("Walk-in or call"), "person_add", WALK_IN, kind="primary")


def _button(label: str, icon: str, opens: str | None, *, kind: _Kind) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        type=kind,
        on_click=st.session_state.update,
        args=({OPEN: opens},),
        key=f"board_{(opens or 'close').replace('-', '_')}",
    )


def panel(
    actor: Actor,
    opened: int | str | None,
    clinic: ClinicSettings,
    zone: ZoneInfo,
    colleagues: Mapping[int, str],
) -> None:
    """Whatever is `opened`, with a way to close it; nothing where nothing is."""
    if opened is None:
        return
    with st.container(border=True, key=f"shown_{opened}"):  # scrolled to, see `pages/front/typing.js`
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(_(TITLES[opened]) if isinstance(opened, str) else _("Visit"), width="content")
            _button(_("Close"), "close", None, kind="tertiary")
        if opened == WALK_IN:
            walk_in_panel(actor, zone)
        elif opened == AWAY:
            today = clock.now().astimezone(zone).date()
            away_form(actor, colleagues, zone, today, after=_close)
        elif isinstance(opened, int):
            visit_panel(actor, opened, clinic, zone)


def _close() -> None:
    st.session_state[OPEN] = None
