"""Who is at this screen: read afresh from the session cookie on every run and click."""

from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import sign_ins, throttles
from core.access import Actor
from core.errors import ClinicError
from core.i18n import N_, use_locale
from core.throttles import TooManyTries
from db.session import unit_of_work
from pages.front.cookies import browser_cookie, session_cookie
from pages.front.visitors import OWNER_HEADER


class CookiesRefused(ClinicError):
    message = N_("To sign in, please let your browser keep cookies of this portal, and open it again.")


def is_guarded() -> bool:
    """Whether `server.py` is in front: then the guard notes when a session is used, and pages do not."""
    return OWNER_HEADER in st.context.headers


def has_cookie() -> bool:
    """Whether the session came with a cookie, and so reaches our routes beside the pages too."""
    return bool(st.context.cookies.get(session_cookie()))


def token() -> str | None:
    """The session token of this browser.

    Without `server.py` in front there are no cookies; then it lives as long as the tab does. Behind the guard
    it does not count: the guard watches over cookies only.
    """
    found: str | None = st.context.cookies.get(session_cookie())
    return found or (None if is_guarded() else st.session_state.get("sign_in_token"))


def current_actor() -> Actor | None:
    """Who is signed in here, None when nobody is. Sets the language of what follows."""
    with unit_of_work() as session:
        actor = sign_ins.current_actor(session, token(), is_active_use=not is_guarded())
    if actor is not None:
        st.session_state["locale"] = actor.locale
    use_locale(st.session_state.get("locale", "en"))
    return actor


def sign_in(username: str, password: str) -> None:
    """Open a session in this browser. Raises `WrongPassword`, `TooManyTries`, `CookiesRefused`."""
    browser = st.context.cookies.get(browser_cookie())
    if browser is None and is_guarded():
        raise CookiesRefused
    with unit_of_work() as session:
        is_over = throttles.is_over(session, username=username, address=st.context.ip_address)
    if is_over:
        raise TooManyTries
    with unit_of_work() as session:
        user = sign_ins.check_password(session, username, password)
        throttles.forgive(session, username=username)
        if browser:
            sign_ins.grant(session, user_id=user.id, browser=browser)
            new_token = None
        else:
            new_token = sign_ins.start(session, user_id=user.id)
    if new_token:
        st.session_state["sign_in_token"] = new_token
    else:
        _leave_for(f"/session/start?{urlencode({'to': _here()})}")


def sign_out() -> None:
    """End this browser's session on the server, then clear its cookie."""
    ending = token()
    if ending:
        with unit_of_work() as session:
            sign_ins.end(session, ending)
    st.session_state.pop("sign_in_token", None)
    if has_cookie():
        _leave_for("/session/end")


def _here() -> str:
    """The path and query of this page, to come back to."""
    query = urlencode(st.query_params.to_dict())
    path = urlsplit(st.context.url or "/").path or "/"
    return f"{path}?{query}" if query else path


def _leave_for(path: str) -> None:
    """Send the browser to one of our own routes, by the message that `st.login` sends."""
    message = ForwardMsg()
    message.auth_redirect.url = path
    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(message)
