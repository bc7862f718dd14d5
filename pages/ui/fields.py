"""Fields that several forms have, told to the browser so that it can fill them in."""

import streamlit as st

from core.i18n import _
from core.passwords import LENGTHS


def password_field(label: str, key: str, *, is_new: bool = False) -> None:
    """A password: the current one, or one that is being chosen."""
    advice = _("At least {least} characters. A few words that do not belong together are easy to remember.")
    st.text_input(
        label,
        type="password",
        key=key,
        autocomplete="new-password" if is_new else "current-password",
        max_chars=LENGTHS.stop - 1,
        help=advice.format(least=LENGTHS.start) if is_new else None,
    )


def two_steps(names: dict[str, str], key: str) -> str:
    """Which of two steps is shown, the first at first: `names` by their keys, in order."""
    st.session_state.setdefault(key, next(iter(names)))
    return st.segmented_control(
        _("Step"), list(names), format_func=names.get, required=True, label_visibility="collapsed", key=key
    )


def code_field(label: str, key: str) -> None:
    """A one-time code, which phones offer to fill in from the message."""
    st.text_input(label, key=key, autocomplete="one-time-code", max_chars=40)
