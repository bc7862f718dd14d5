"""Who is at this screen: read afresh from the session cookie on every run and click."""

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import sign_ins
from core.access import Actor
from core.i18n import _, use_locale
from db.models import Role
from db.session import unit_of_work

SESSION_COOKIE = "__Host-sid"
BROWSER_COOKIE = "__Host-bid"


def token() -> str | None:
    """The session token of this browser.

    Without `server.py` in front there are no cookies; then it lives as long as the tab does.
    """
    found: str | None = st.context.cookies.get(SESSION_COOKIE) or st.session_state.get("sign_in_token")
    return found


def current_actor() -> Actor | None:
    """Who is signed in here, None when nobody is. Sets the language of what follows."""
    with unit_of_work() as session:
        actor = sign_ins.current_actor(session, token())
    if actor is not None:
        st.session_state["locale"] = actor.locale
    use_locale(st.session_state.get("locale", "en"))
    return actor


def require(*roles: Role) -> Actor:
    """The guard of a page: the actor, if signed in with one of `roles`; otherwise the page ends here."""
    actor = current_actor()
    if actor is None:
        st.warning(_("Please sign in to see this page."))
        st.stop()
    if actor.role not in roles:
        st.error(_("This page is not for your role."))
        st.stop()
    return actor


def sign_in(username: str, password: str) -> None:
    """Open a session in this browser. Raises `WrongPassword`."""
    browser = st.context.cookies.get(BROWSER_COOKIE)
    with unit_of_work() as session:
        user = sign_ins.check_password(session, username, password)
        if browser:
            sign_ins.grant(session, user_id=user.id, browser=browser)
            new_token = None
        else:
            new_token = sign_ins.start(session, user_id=user.id)
    if new_token:
        st.session_state["sign_in_token"] = new_token
    else:
        _leave_for("/session/start")


def sign_out() -> None:
    """End this browser's session on the server, then clear its cookie."""
    ending = token()
    if ending:
        with unit_of_work() as session:
            sign_ins.end(session, ending)
    st.session_state.pop("sign_in_token", None)
    if st.context.cookies.get(SESSION_COOKIE):
        _leave_for("/session/end")


def _leave_for(path: str) -> None:
    """Send the browser to one of our own routes, by the message that `st.login` sends."""
    message = ForwardMsg()
    message.auth_redirect.url = path
    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(message)
