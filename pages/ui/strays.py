"""An address that somebody's menu does not have: its page's own guard speaks, and there is a way on."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import streamlit as st
from streamlit.navigation.page import Page

from core.i18n import _
from db.models import Role
from pages.ui.actions import Message, Place
from pages.ui.navigation import BEHIND_GUARDS, LANDING, SIGN_IN, SIGNED_OUT, name_of


def with_asked(menu: Mapping[str, Sequence[Page]], role: Role | None) -> dict[str, list[Page]]:
    """The menu and, hidden in it, the page that the address names where the menu does not have it.

    Streamlit would lay a box of its own over the page on which one lands. That one is at / and keeps its own
    name all the same: no other may have it.
    """
    pages = {section: list(there) for section, there in menu.items()}
    name = _asked_name()
    known = {page.url_path for there in pages.values() for page in there} | {name_of(_landing(role)), ""}
    if name not in known and "/" not in name:
        pages[""].append(_page_named(name, role))
    return pages


def _asked_name() -> str:
    """The last part of the address at which a browser says that it is, be that nonsense."""
    with suppress(ValueError):
        return unquote(urlsplit(st.context.url or "").path.rpartition("/")[2]).strip()
    return ""


def _page_named(name: str, role: Role | None) -> Page:
    for script in BEHIND_GUARDS:
        if name_of(script) == name:
            return st.Page(script, visibility="hidden")

    def stray() -> None:
        if name in map(name_of, SIGNED_OUT):
            st.info(_("This page is for whoever is not signed in. Sign out to open it."))
        else:
            st.info(_("There is no page at this address."))
        way_on(role)

    return st.Page(stray, title=_("No such page"), url_path=name, visibility="hidden")


def way_on(role: Role | None) -> None:
    """A button to the page on which somebody lands."""
    label = _("To the first page")
    st.button(label, icon=":material/home:", on_click=_go, args=(_landing(role),), key="strays_way_on")


def _landing(role: Role | None) -> str:
    return LANDING[role] if role else SIGN_IN


def _go(to: str) -> None:
    """Not by a link: a page that is run again to follow it would keep its refusal twice."""
    st.session_state["message"] = Message(True, "", place=Place(to))
