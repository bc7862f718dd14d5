"""Who is at this screen: read afresh from the session cookie on every run and click."""

import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import accounts, clinics, grants, identities, second_factors, sign_ins, throttles
from core.access import Actor
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_, negotiate, use_locale
from core.identities import Identity
from core.second_factors import WrongCode
from core.sign_ins import WrongPassword
from core.throttles import TooManyTries
from db.models import User
from db.session import unit_of_work
from pages.front.cookies import browser_cookie, session_cookie
from pages.front.visitors import OWNER_HEADER
from pages.ui.navigation import BOARD, FIND_DOCTOR, SIGN_IN, SIGNED_OUT, TODAY, name_of

# Pages that only the signed-out have, and those where a role lands: Streamlit has them at / alone.
_AT_ROOT = {name_of(page) for page in (SIGN_IN, *SIGNED_OUT, FIND_DOCTOR, TODAY, BOARD)}


class CookiesRefused(ClinicError):
    message = N_("To sign in, please let your browser keep cookies of this portal, and open it again.")


class SignInAgain(ClinicError):
    message = N_("That took too long. Please sign in again.")


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
        actor = acting(session)
    if actor is not None:
        st.session_state["locale"] = actor.locale
    use_locale(st.session_state.get("locale") or browsers_language())
    return actor


def acting(session: Any) -> Actor | None:
    """Who is signed in here, as the database has them in this transaction."""
    return sign_ins.current_actor(
        session, token(), is_active_use=not is_guarded(), address=st.context.ip_address
    )


def browsers_language() -> str:
    """The language that the browser asks for, if the clinic offers it, with its country's dates."""
    wanted = st.context.locale
    with unit_of_work() as session:
        own, offered = clinics.offered_languages(session)
    return negotiate(wanted, offered, own) if isinstance(wanted, str) else own


def sign_in(username: str, password: str) -> None:
    """Check a password, before which the try is counted; the browser may then `go_on`.

    Raises `WrongPassword`, `TooManyTries`, `CookiesRefused`.
    """
    browser, address = _browser(), st.context.ip_address
    with unit_of_work() as session:
        user = accounts.named(session, username)
        name = user.username if user else username  # one account has one number of tries, however it is named
        is_over = throttles.is_over(session, username=name, address=address)
    if is_over:
        _keep_failure(username, Event.TOO_MANY_TRIES)
        raise TooManyTries
    try:
        with unit_of_work() as session:
            user = sign_ins.check_password(session, username, password)
            if not grants.offer(session, user, browser=browser):
                raise WrongPassword
            throttles.forgive_here(session, username=name, address=address)
    except WrongPassword:
        _keep_failure(username, Event.SIGN_IN_FAILED)
        raise


def _keep_failure(username: str, event: Event) -> None:
    with unit_of_work() as session:
        sign_ins.note_failure(session, username=username, address=st.context.ip_address, event=event)


def sign_in_with(identity: Identity) -> bool:
    """Let in whoever is linked to an identity that Google or Facebook just confirmed; whether somebody is."""
    browser = known_browser()
    if browser is None:
        return False
    with unit_of_work() as session:
        user = identities.spend(session, identity)
        return user is not None and grants.offer(session, user, browser=browser)


def waiting() -> User | None:
    """Who has given their password in this browser and not yet their second factor, if anybody has."""
    browser = known_browser()
    if browser is None:
        return None
    with unit_of_work() as session:
        return grants.waiting(session, browser=browser)


def give_second_factor(code: str) -> list[str]:
    """Check the code of whoever is `waiting`; then they may `enter`. New recovery codes if the app is new.

    Raises `WrongCode`, `TooManyTries`, `NothingToConfirm`, `SignInAgain`.
    """
    user, browser = waiting(), _browser()
    if user is None:
        raise SignInAgain
    with unit_of_work() as session:
        is_over = second_factors.is_over(session, user_id=user.id, address=st.context.ip_address)
    if is_over:
        _keep_failure(user.username, Event.TOO_MANY_TRIES)
        raise TooManyTries
    codes: list[str] = []
    try:
        with unit_of_work() as session:
            account = session.get_one(User, user.id)
            if second_factors.has(account):
                second_factors.check(session, account, code, address=st.context.ip_address)
            else:
                codes = second_factors.confirm(session, account, code=code)
            life = grants.SECOND_FACTOR_LIFE if codes else grants.LIFE
            if not grants.complete(session, browser=browser, user_id=user.id, life=life):
                raise SignInAgain
    except WrongCode:
        _keep_failure(user.username, Event.CODE_REFUSED)
        raise
    return codes


def start_over() -> None:
    """Forget whose password was given."""
    if browser := known_browser():
        with unit_of_work() as session:
            grants.withdraw(session, browser=browser)


def go_on() -> None:
    """After the password: enter, or draw the page again, which then asks for the second factor."""
    if waiting() is not None:
        st.rerun()
    enter()
    if not is_guarded():
        st.rerun()


def enter() -> None:
    """Exchange what was granted for a session: by our route, which sets the cookie, or for this tab alone."""
    if is_guarded():
        _leave_for(f"/session/start?{urlencode({'to': _here()})}")
        return
    with unit_of_work() as session:
        st.session_state["sign_in_token"] = grants.redeem(session, browser=_browser())


def _browser() -> str:
    """This browser's secret, to which a grant is bound. Raises `CookiesRefused`."""
    browser = known_browser()
    if browser is None:
        raise CookiesRefused
    return browser


def known_browser() -> str | None:
    """The secret in the browser's cookie; where no guard sets one, a secret of this tab's own."""
    found: str | None = st.context.cookies.get(browser_cookie())
    if found or is_guarded():
        return found
    made: str = st.session_state.setdefault("sign_in_browser", secrets.token_urlsafe(24))
    return made


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
    """The path and query of this page, to come back to; the first page instead of one `_AT_ROOT`."""
    query = urlencode({name: value for name, value in st.query_params.to_dict().items() if name != "ended"})
    path = urlsplit(st.context.url or "/").path or "/"
    if path.rpartition("/")[2] in _AT_ROOT:
        return "/"
    return f"{path}?{query}" if query else path


def _leave_for(path: str) -> None:
    """Send the browser to one of our own routes, by the message that `st.login` sends."""
    message = ForwardMsg()
    message.auth_redirect.url = path
    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(message)
