"""streamlit-authenticator's sign-in form over our own accounts, throttles and sessions.

Of the package only the form is used. Its model, which keeps all users in memory, and its cookie, which lives
on after signing out, are replaced; what is private to 0.4.2 is pinned by tests/test_authenticator.py.
"""

from typing import Any

import streamlit as st
from streamlit_authenticator.controllers import AuthenticationController
from streamlit_authenticator.utilities import LoginError
from streamlit_authenticator.views import Authenticate

from core.errors import ClinicError
from core.i18n import _
from pages.ui import sessions

_KEYS = ("name", "authentication_status", "username")  # what the form looks at; nobody is ever kept there


class _Controller(AuthenticationController):  # type: ignore[misc] # the package has no types
    """Hands what was typed to `sessions.sign_in`, a password with the blanks around it."""

    def __init__(self) -> None:
        for key in _KEYS:
            st.session_state.setdefault(key, None)

    def login(self, username: str | None = None, password: str | None = None, *_: Any, **__: Any) -> bool:
        """Whether the password was right; the next step is up to the cookie below. Raises `LoginError`."""
        if not (username and password):
            raise LoginError(_("Please give your user name or email, and your password."))
        try:
            sessions.sign_in(username, password)
        except ClinicError as error:
            raise LoginError(str(error)) from None
        return True


class _Cookie:
    """Where the package would write its own cookie, ours is fetched."""

    def get_cookie(self) -> None:
        return None

    def set_cookie(self) -> None:
        sessions.go_on()


class SignInForm(Authenticate):  # type: ignore[misc] # the package has no types
    """The form, without the package's table of users and its cookie."""

    def __init__(self) -> None:
        self.path = self.api_key = None
        self.attrs = {"login_sleep_time": 0}
        self.cookie_controller = _Cookie()
        self.authentication_controller = _Controller()

    def draw(self) -> None:
        """Draw the form, and say in one sentence why somebody was not let in."""
        labels = {
            "Form name": _("With your password"),
            "Username": _("User name or email"),
            "Password": _("Password"),
            "Login": _("Sign in"),
        }
        try:
            self.login(fields=labels, key="sign_in")
        except LoginError as error:
            st.error(str(error))
