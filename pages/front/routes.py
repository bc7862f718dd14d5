"""Our own addresses beside the pages: sessions, health, feeds, files, logo, photos, typing and webhooks."""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import grants, sign_ins
from db.session import unit_of_work
from pages.front.cookies import browser_cookie, forget_streamlit_sign_in, session_cookie, set_cookie
from pages.front.feeds import FEEDS
from pages.front.files import FILES
from pages.front.health import healthz
from pages.front.last_words import LAST_WORDS
from pages.front.logo import LOGO
from pages.front.photos import PHOTOS
from pages.front.typing import TYPING
from pages.front.visitors import is_live
from pages.front.webhooks import WEBHOOKS


def _to(path: str, cookies: list[str]) -> Response:
    response = RedirectResponse(path, status_code=303)
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


def _own_path(request: Request) -> str:
    """The page to come back to after signing in, never one of another site."""
    wanted = request.query_params.get("to", "/")
    parts = urlsplit(wanted)
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc
    return wanted if is_own else "/"


async def start_session(request: Request) -> Response:
    """Exchange the browser's grant, if it has one, for a session cookie; an older session ends."""
    browser, older = request.cookies.get(browser_cookie()), request.cookies.get(session_cookie())
    address = request.client.host if request.client else None
    browser_name = request.headers.get("user-agent")

    def exchange() -> str | None:
        with unit_of_work() as session:
            if not browser:
                return None
            token = grants.redeem(session, browser=browser, address=address, browser_name=browser_name)
            if token and older:
                sign_ins.end(session, older, reason="signed in again")
            return token

    token = await run_in_threadpool(exchange)
    if token is None:
        return _to(_own_path(request), [])
    return _to(_own_path(request), [set_cookie(session_cookie(), token)])


async def end_session(request: Request) -> Response:
    """Clear the cookies of a session that is over, and lead to a page that says so.

    A live one stays: a forged link signs nobody out.
    """
    token = request.cookies.get(session_cookie())
    if token and await run_in_threadpool(is_live, token, is_active_use=False):
        return _to("/", [])
    cookies = [set_cookie(session_cookie(), "", max_age=0)] if token else []
    return _to("/?ended" if token else "/", cookies + forget_streamlit_sign_in(request.cookies))


ROUTES = [
    Route("/session/start", start_session),
    Route("/session/end", end_session),
    *FILES,
    *WEBHOOKS,
    LOGO,
    FEEDS,
    *PHOTOS,
    LAST_WORDS,
    *TYPING,
    Route("/healthz", healthz),
]
