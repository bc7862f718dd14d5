"""Open the account that an administrator offered to an email address."""

from functools import partial

import streamlit as st

from core import invites
from core.i18n import N_, _
from pages.ui import perform_signed_out
from pages.ui.fields import code_field, password_field
from pages.ui.navigation import SIGN_IN


def accept() -> None:
    given = {
        "email": st.session_state.get("accept_email") or "",
        "username": st.session_state.get("accept_username") or "",
        "password": st.session_state.get("accept_password") or "",
    }
    perform_signed_out(
        invites.accept,
        trying=partial(invites.is_over, **given),
        **given,
        code=st.session_state.get("accept_code") or "",
        done=N_("Your account is ready. Please sign in."),
        clear=("accept_email", "accept_username", "accept_password", "accept_code"),
        then=SIGN_IN,
    )


st.title(_("Accept an invite"))
st.write(_("Your invite came by email, with a code. Choose how you will sign in."))
with st.form("accept"):
    st.text_input(_("Email the invite came to"), key="accept_email", autocomplete="email", max_chars=254)
    code_field(_("Code from the email"), "accept_code")
    st.text_input(
        _("User name"),
        key="accept_username",
        autocomplete="username",
        max_chars=60,
        placeholder=_("Leave empty to sign in with your email"),
    )
    password_field(_("Password"), "accept_password", is_new=True)
    st.form_submit_button(_("Open my account"), type="primary", on_click=accept, width="stretch")
st.page_link(SIGN_IN, label=_("Sign in"), icon=":material/login:")
