"""Ways to personal files, which have addresses of ours that check who asks."""

import streamlit as st

from core.i18n import _
from pages.ui.sessions import has_cookie


def download(label: str, address: str, *, is_main: bool = False) -> None:
    """A link to a file under `/files/`; nothing where the browser could not be told apart there."""
    if has_cookie():
        st.link_button(
            label, address, icon=":material/download:", type="primary" if is_main else "secondary", wrap=True
        )


def say_if_none() -> None:
    """Say why a page has no links to files, where it has none."""
    if not has_cookie():
        st.caption(_("Downloads need the clinic's own address. Please ask reception."))
