"""After the password: the code from the app, or setting the app up for the first time."""

import streamlit as st

from core import second_factors
from core.errors import ClinicError
from core.i18n import _
from db.models import User
from db.session import unit_of_work
from pages.ui import sessions
from pages.ui.enrolment import show_enrolment, show_recovery_codes

_RECOVERY_CODES = "second_step_recovery_codes"  # shown until they were noted, then gone


def second_step() -> bool:
    """Ask whoever gave the right password for the code of their app; whether there is somebody to ask."""
    if codes := st.session_state.get(_RECOVERY_CODES):
        show_recovery_codes(codes)
        st.button(_("I have kept them. Sign in"), type="primary", on_click=_finish, key="second_step_finish")
        return True
    user = sessions.waiting()
    if user is None:
        return False
    if not second_factors.has(user):
        _draw_enrolment(user)
    with st.form("second_step"):
        st.text_input(
            _("Code from your app"),
            key="second_step_code",
            autocomplete="one-time-code",
            max_chars=20,
        )
        if second_factors.has(user):
            st.caption(_("Without your phone, type one of your recovery codes."))
        st.form_submit_button(_("Go on"), type="primary", on_click=_submit, width="stretch")
    if error := st.session_state.pop("second_step_error", None):
        st.error(error)
    st.button(
        _("Sign in as somebody else"), type="tertiary", on_click=sessions.start_over, key="second_step_back"
    )
    return True


def _draw_enrolment(user: User) -> None:
    """What a new app needs, the same until one of its codes was given."""
    with unit_of_work() as session:
        account = session.get_one(User, user.id)
        enrolment = second_factors.pending(session, account) or second_factors.begin(session, account)
    st.write(_("People who work here sign in with their phone too: it takes a minute to set up."))
    show_enrolment(enrolment)


def _submit() -> None:
    try:
        codes = sessions.give_second_factor(st.session_state["second_step_code"])
    except ClinicError as error:
        st.session_state["second_step_error"] = str(error)
        return
    if codes:
        st.session_state[_RECOVERY_CODES] = codes
    else:
        sessions.enter()


def _finish() -> None:
    st.session_state.pop(_RECOVERY_CODES, None)
    sessions.enter()
