"""The form for user name and password, wherever somebody who is signed out arrives."""

import streamlit as st

from core.errors import ClinicError
from core.i18n import _
from pages.ui.sessions import sign_in


def _submit() -> None:
    try:
        sign_in(st.session_state["sign_in_username"], st.session_state["sign_in_password"])
    except ClinicError as error:
        st.session_state["sign_in_error"] = str(error)
    else:
        st.session_state.pop("sign_in_error", None)


def sign_in_form() -> None:
    """Draw the form; who signs in comes back to the page they asked for."""
    with st.form("sign_in"):
        st.text_input(_("User name"), key="sign_in_username", autocomplete="username", max_chars=254)
        st.text_input(
            _("Password"),
            type="password",
            key="sign_in_password",
            autocomplete="current-password",
            max_chars=128,
        )
        st.form_submit_button(_("Sign in"), type="primary", on_click=_submit, width="stretch")
    if error := st.session_state.pop("sign_in_error", None):
        st.error(error)
