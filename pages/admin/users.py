"""Accounts: find them, change their role, end their sessions, turn them off, and invite new ones."""

import streamlit as st

from core import users
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.account_rows import account_row
from pages.ui.invitations import show_invites
from pages.ui.words import ROLE

actor = require(Role.ADMIN)

STATES = {"active": True, "inactive": False}


def turn(page: int) -> None:
    st.session_state["users_page"] = page


st.title(_("Users"))
accounts, invited = st.tabs([_("Accounts"), _("Invites")])
with accounts:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            _("Find"), placeholder=_("Name, user name or email"), max_chars=100, key="users_text"
        )
        role = st.selectbox(
            _("Role"),
            list(Role),
            index=None,
            placeholder=_("Every role"),
            format_func=lambda role: _(ROLE[role]),
            key="users_role",
        )
        names = {"active": _("Active"), "inactive": _("Inactive")}
        state = st.selectbox(
            _("State"),
            list(names),
            index=None,
            placeholder=_("Either"),
            format_func=names.get,
            key="users_state",
        )
    wish = (text, role, state)
    if st.session_state.setdefault("users_wish", wish) != wish:
        st.session_state["users_wish"], st.session_state["users_page"] = wish, 0
    page: int = st.session_state.setdefault("users_page", 0)
    with reading() as session:
        found, has_more = users.search(
            session, actor, text=text, role=role, is_active=STATES.get(state or ""), page=page
        )
    if not found:
        st.info(_("Nobody fits that. Check the spelling, or leave a wish out."))
    for each in found:
        account_row(actor, each)
    with st.container(horizontal=True):
        st.button(_("Back"), on_click=turn, args=(page - 1,), disabled=page == 0, key="users_back")
        st.button(_("More"), on_click=turn, args=(page + 1,), disabled=not has_more, key="users_more")
with invited:
    show_invites(actor)
