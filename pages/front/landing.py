"""The page on which somebody lands is at "/" alone: under its own name Streamlit would not find it."""

from pathlib import PurePath

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core import sign_ins
from db.models import Role
from db.session import unit_of_work
from pages.front.cookies import cookies_of, session_cookie
from pages.ui.navigation import LANDING, SIGN_IN


def _address(page: str) -> str:
    return f"/{PurePath(page).stem}"


_LANDS_ON = {role: _address(page) for role, page in LANDING.items()}
_ASKED_ABOUT = {*_LANDS_ON.values(), _address(SIGN_IN)}


class Landing:
    """Leads whoever asks for the page they land on by its name to where it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in _ASKED_ABOUT:
            role = await run_in_threadpool(_role, cookies_of(scope).get(session_cookie()))
            if scope["path"] in {_LANDS_ON.get(role) if role else None, _address(SIGN_IN)}:
                query = scope["query_string"].decode("latin-1")
                await RedirectResponse(f"/?{query}" if query else "/", 303)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _role(token: str | None) -> Role | None:
    if not token:
        return None
    with unit_of_work() as session:
        actor = sign_ins.current_actor(session, token, is_active_use=False)
        return actor and actor.role
