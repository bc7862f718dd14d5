"""Which pages each role has, the first being where they land."""

import streamlit as st
from streamlit.navigation.page import Page

from core.access import Actor
from core.i18n import _
from db.models import Role

FIND_DOCTOR = "pages/patient/find_doctor.py"
DOCTOR = "pages/patient/doctor.py"
MY_APPOINTMENTS = "pages/patient/my_appointments.py"
TODAY = "pages/doctor/today.py"
BOOK_FOR_PATIENT = "pages/staff/book_for_patient.py"
USERS = "pages/admin/users.py"
PROFILE = "pages/account/profile.py"
SECURITY = "pages/account/security.py"
SIGN_IN = "pages/account/sign_in.py"
REGISTER = "pages/account/register.py"
RESET_PASSWORD = "pages/account/reset_password.py"  # noqa: S105 - a page, not a password
ACCEPT_INVITE = "pages/account/accept_invite.py"
DEMO_MAILBOX = "pages/account/demo_mailbox.py"

SIGNED_OUT = (REGISTER, RESET_PASSWORD, ACCEPT_INVITE, DEMO_MAILBOX)
BEHIND_GUARDS = (FIND_DOCTOR, DOCTOR, MY_APPOINTMENTS, TODAY, BOOK_FOR_PATIENT, USERS, PROFILE, SECURITY)


def pages_for(actor: Actor | None) -> list[Page]:
    """The pages of whoever is here. A menu is no permission: each page has its own guard."""
    if actor is None:
        # Every page, so that a link leads to its guard, which lets one sign in and stay there.
        return [st.Page(SIGN_IN, title=_("Sign in"), default=True), *_hidden(SIGNED_OUT + BEHIND_GUARDS)]
    own = [
        st.Page(PROFILE, title=_("Profile"), icon=":material/person:"),
        st.Page(SECURITY, title=_("Security"), icon=":material/lock:"),
    ]
    return [*_of_role(actor), *own, *_hidden((DEMO_MAILBOX,))]


def _hidden(pages: tuple[str, ...]) -> list[Page]:
    return [st.Page(page, visibility="hidden") for page in pages]


def _of_role(actor: Actor) -> list[Page]:
    today = st.Page(TODAY, title=_("Today"), icon=":material/today:", default=actor.role is Role.DOCTOR)
    if actor.role is Role.PATIENT:
        return [
            st.Page(FIND_DOCTOR, title=_("Find a doctor"), icon=":material/search:", default=True),
            st.Page(MY_APPOINTMENTS, title=_("My appointments"), icon=":material/event:"),
            st.Page(DOCTOR, title=_("Book"), visibility="hidden"),
        ]
    if actor.role is Role.DOCTOR:
        return [today]
    booking = st.Page(
        BOOK_FOR_PATIENT, title=_("Book for a patient"), icon=":material/event_available:", default=True
    )
    if actor.role is Role.ADMIN:
        return [booking, today, st.Page(USERS, title=_("Users"), icon=":material/group:")]
    return [booking, today]
