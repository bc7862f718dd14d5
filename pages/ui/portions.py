"""Lists that may be long: the first of them, and more when they are asked for."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from core.i18n import _

Row = TypeVar("Row")
STEP = 20
FEW = 3  # of what stands beside something else


def show_portion(
    rows: Sequence[Row],
    draw: Callable[[Row], None],
    *,
    key: str,
    nothing: str = "",
    first: int = STEP,
) -> None:
    """Draw the `first` of `rows`, or say that there is `nothing`. `key` is of this list of this person."""
    if not rows and nothing:
        st.caption(nothing)
    shown = portion(key, first)
    for row in rows[:shown]:
        draw(row)
    if len(rows) > shown:
        st.caption(_("{shown} of {count} are shown.").format(shown=shown, count=len(rows)))
        more_button(key, shown)


def more_button(key: str, shown: int) -> None:
    """Ask for more of a list than the ones that are shown."""
    st.button(
        _("Show more"), key=f"{key}_more", on_click=_show_more, args=(key, shown + STEP), width="stretch"
    )


def portion(key: str, first: int = STEP) -> int:
    """How many of a list are drawn."""
    shown: int = st.session_state.get(f"{key}_shown", first)
    return shown


def _show_more(key: str, wanted: int) -> None:
    st.session_state[f"{key}_shown"] = wanted
