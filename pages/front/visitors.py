"""Who is behind a request or a websocket, as far as its cookies tell."""

import hashlib
import secrets
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from core import sign_ins
from db.session import unit_of_work
from pages.front.cookies import browser_cookie, cookies_of, session_cookie

OWNER_HEADER = "x-portal-owner"  # named in server.trustedUserHeaders too


@dataclass(frozen=True)
class Visitor:
    """Somebody signed in, who has a live token, or not.

    `owner` is the same for all requests of one session, or of one signed-out browser, and tells neither
    secret. Streamlit resumes a tab for its owner only.
    """

    token: str | None
    owner: str

    @property
    def is_signed_in(self) -> bool:
        return self.token is not None


async def visitor_of(scope: Scope) -> Visitor:
    """Who asks. Raises `NoAnswer`, while the database is away, if there is a session to ask about."""
    cookies = cookies_of(scope)
    token = cookies.get(session_cookie())
    if token and await run_in_threadpool(is_live, token, is_active_use=False):
        return Visitor(token, _owner("session", token))
    browser = cookies.get(browser_cookie()) or secrets.token_urlsafe()  # nobody else, without a cookie
    return Visitor(None, _owner("browser", browser))


def is_live(token: str, *, is_active_use: bool) -> bool:
    """Whether the session is still good; `is_active_use` keeps it so."""
    with unit_of_work() as session:
        return sign_ins.current_actor(session, token, is_active_use=is_active_use) is not None


def _owner(kind: str, secret: str) -> str:
    return hashlib.sha256(f"{kind} {secret}".encode()).hexdigest()
