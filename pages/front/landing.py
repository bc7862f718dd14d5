"""The page on which somebody lands is at "/" alone: under its own name Streamlit would not find it.

Nor does it find anything below a page: its browser side would look for its own parts there, and stay white.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core import sign_ins
from db.models import Role
from db.session import unit_of_work
from pages.front.cookies import cookies_of, session_cookie
from pages.ui.navigation import BEHIND_GUARDS, LANDING, SIGN_IN, SIGNED_OUT, name_of


def _address(page: str) -> str:
    return f"/{name_of(page)}"


_LANDS_ON = {role: _address(page) for role, page in LANDING.items()}
_ASKED_ABOUT = {*_LANDS_ON.values(), _address(SIGN_IN)}
_PAGES = {_address(page) for page in (*BEHIND_GUARDS, *SIGNED_OUT, SIGN_IN)}


class Landing:
    """Leads whoever asks for the page they land on by name to where it is, and from below a page to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        to = None
        if scope["type"] == "http":
            path = scope["path"].rstrip()  # a name may be pasted with a blank
            to = await _at_home(scope, path) if path in _ASKED_ABOUT else _above(scope)
        if to is None:
            await self.app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        await RedirectResponse(f"{to}?{query}" if query else to, 303)(scope, receive, send)


async def _at_home(scope: Scope, path: str) -> str | None:
    """Where the page at a path is, if whoever asks lands on it."""
    role = await run_in_threadpool(_role, cookies_of(scope).get(session_cookie()))
    own = _LANDS_ON.get(role) if role else None
    return "/" if path in {own, _address(SIGN_IN)} else None


def _above(scope: Scope) -> str | None:
    """The page below which a person asks for something; what scripts ask for there is not there."""
    page, _sign, below = scope["path"][1:].partition("/")
    is_person = "text/html" in Headers(scope=scope).get("accept", "")
    return f"/{page}" if below and is_person and f"/{page}" in _PAGES else None


def _role(token: str | None) -> Role | None:
    if not token:
        return None
    with unit_of_work() as session:
        actor = sign_ins.current_actor(session, token, is_active_use=False)
        return actor and actor.role
