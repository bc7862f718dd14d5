"""Register as a patient: the form, then the code that was emailed."""

from datetime import date
from functools import partial

import streamlit as st

from core import clinics, clock, registrations
from core.i18n import N_, _
from pages.ui import perform_signed_out, reading
from pages.ui.fields import code_field, password_field, two_steps
from pages.ui.navigation import RESET_PASSWORD, SIGN_IN
from pages.ui.sessions import known_browser

FORM, CODE = "form", "code"
FIELDS = ("register_name", "register_birth", "register_phone", "register_password", "register_consent")


def ask() -> None:
    given = {
        "name": st.session_state.get("register_name") or "",
        "birth_on": st.session_state.get("register_birth"),
        "phone": st.session_state.get("register_phone") or "",
        "email": st.session_state.get("register_email") or "",
        "password": st.session_state.get("register_password") or "",
    }
    if perform_signed_out(
        registrations.ask,
        trying=partial(registrations.is_asking_over, **given),
        **given,
        has_sms_consent=bool(st.session_state.get("register_consent")),
        browser=known_browser() or "",
        done=N_("We have sent you an email. Please enter the code in it."),
        clear=FIELDS,
    ):
        st.session_state["register_part"] = CODE
        st.session_state["register_code_email"] = given["email"].strip()
        st.session_state["register_email"] = ""


def confirm() -> None:
    email = st.session_state.get("register_code_email") or ""
    perform_signed_out(
        registrations.confirm,
        trying=partial(registrations.is_over, email=email),
        email=email,
        code=st.session_state.get("register_code") or "",
        browser=known_browser() or "",
        done=N_("Your account is ready. Please sign in."),
        clear=("register_code", "register_code_email"),
        then=SIGN_IN,
    )


with reading() as session:
    zone = clinics.zone(session)
st.title(_("Create an account"))
part = two_steps({FORM: _("Your details"), CODE: _("Enter your code")}, "register_part")
if part == CODE:
    with st.form("register_confirm"):
        st.text_input(_("Email"), key="register_code_email", autocomplete="email", max_chars=254)
        code_field(_("Code from the email"), "register_code")
        st.form_submit_button(_("Open my account"), type="primary", on_click=confirm, width="stretch")
    st.caption(
        _("The code works for ten minutes. If no email comes, look among unwanted mail, or ask again.")
    )
else:
    with st.form("register"):
        st.text_input(_("Full name"), key="register_name", autocomplete="name", max_chars=200)
        st.date_input(
            _("Birth date"),
            value=None,
            min_value=date(1900, 1, 1),
            max_value=clock.now().astimezone(zone).date(),
            format="YYYY-MM-DD",
            key="register_birth",
        )
        st.text_input(_("Mobile phone"), key="register_phone", autocomplete="tel", max_chars=40)
        st.text_input(_("Email"), key="register_email", autocomplete="email", max_chars=254)
        password_field(_("Password"), "register_password", is_new=True)
        st.checkbox(
            _("Send me text messages about my appointments. I can change this at any time."),
            key="register_consent",
        )
        st.form_submit_button(_("Send me a code"), type="primary", on_click=ask, width="stretch")
with st.container(horizontal=True):
    st.page_link(SIGN_IN, label=_("I have an account"), icon=":material/login:")
    st.page_link(RESET_PASSWORD, label=_("Forgotten password?"), icon=":material/lock_reset:")
