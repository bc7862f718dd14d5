"""Choose a new password with a code, for those who have forgotten theirs."""

from functools import partial

import streamlit as st

from core import password_resets
from core.i18n import N_, _
from pages.ui import perform_signed_out
from pages.ui.fields import code_field, password_field, two_steps
from pages.ui.navigation import REGISTER, SIGN_IN

ASK, CODE = "ask", "code"


def ask() -> None:
    name = st.session_state.get("reset_name") or ""
    if perform_signed_out(
        password_resets.ask,
        trying=partial(password_resets.is_asking_over, name=name),
        name=name,
        done=N_("If there is such an account, a code is on its way to it. Please enter it."),
        clear=("reset_name",),
    ):
        st.session_state["reset_part"] = CODE
        st.session_state["reset_code_name"] = name.strip()


def finish() -> None:
    given = {
        "name": st.session_state.get("reset_code_name") or "",
        "password": st.session_state.get("reset_password") or "",
    }
    perform_signed_out(
        password_resets.finish,
        trying=partial(password_resets.is_over, **given),
        **given,
        code=st.session_state.get("reset_code") or "",
        done=N_("Your password is changed. Please sign in with it."),
        clear=("reset_code", "reset_code_name", "reset_password"),
        then=SIGN_IN,
    )


st.title(_("Forgotten password"))
part = two_steps({ASK: _("Ask for a code"), CODE: _("I have a code")}, "reset_part")
if part == CODE:
    with st.form("reset_finish"):
        st.text_input(_("Email or user name"), key="reset_code_name", autocomplete="username", max_chars=254)
        code_field(_("Code"), "reset_code")
        password_field(_("New password"), "reset_password", is_new=True)
        st.form_submit_button(_("Change my password"), type="primary", on_click=finish, width="stretch")
    st.caption(_("The code works once, for half an hour. Whoever is signed in to the account is signed out."))
else:
    with st.form("reset_ask"):
        st.text_input(_("Email or user name"), key="reset_name", autocomplete="username", max_chars=254)
        st.form_submit_button(_("Send me a code"), type="primary", on_click=ask, width="stretch")
with st.container(horizontal=True):
    st.page_link(SIGN_IN, label=_("Sign in"), icon=":material/login:")
    st.page_link(REGISTER, label=_("Create an account"), icon=":material/person_add:")
