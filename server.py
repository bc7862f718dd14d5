"""The portal as an ASGI application: `streamlit run server.py`.

Around the Streamlit pages it adds what a page cannot do: set and clear the session cookie, hand out
personal files to their owner only, and say whether the portal is healthy.
"""

import gc
import logging
import secrets
import sys
from urllib.parse import urlsplit
from uuid import uuid4

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import calendars, sign_ins
from core.errors import ClinicError
from core.i18n import _, use_locale
from core.startup import require_ready
from db.config import config
from db.session import answers, unit_of_work
from pages.ui.sessions import BROWSER_COOKIE, SESSION_COOKIE

log = logging.getLogger("portal")


def _cookie(name: str, value: str, max_age: int | None = None) -> str:
    """A `__Host-` cookie: this host only, never readable by scripts. Browsers treat localhost as secure."""
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return f"{name}={value}; Path=/; HttpOnly; Secure; SameSite=Lax{age}"


class BrowserCookie:
    """Gives each new browser a secret of its own, to which a sign-in's grant is then bound."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or BROWSER_COOKIE in Request(scope).cookies:
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                kind = dict(message["headers"]).get(b"content-type", b"")
                if kind.startswith(b"text/html") and not scope["path"].startswith("/component/"):
                    cookie = _cookie(BROWSER_COOKIE, secrets.token_urlsafe(24)).encode()
                    message["headers"] = [*message["headers"], (b"set-cookie", cookie)]
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _to(path: str, cookie: str | None = None) -> Response:
    response = RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})
    if cookie is not None:
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
    browser, older = request.cookies.get(BROWSER_COOKIE), request.cookies.get(SESSION_COOKIE)
    address = request.client.host if request.client else None

    def exchange() -> str | None:
        with unit_of_work() as session:
            token = sign_ins.redeem(session, browser=browser, address=address) if browser else None
            if token and older:
                sign_ins.end(session, older)
            return token

    token = await run_in_threadpool(exchange)
    return _to(_own_path(request), _cookie(SESSION_COOKIE, token) if token else None)


async def end_session(request: Request) -> Response:
    """Clear the cookie of a session that is over. A live one stays: a forged link signs nobody out."""
    token = request.cookies.get(SESSION_COOKIE)

    def is_live() -> bool:
        with unit_of_work() as session:
            return sign_ins.current_actor(session, token, is_active_use=False) is not None

    if token and not await run_in_threadpool(is_live):
        return _to("/", _cookie(SESSION_COOKIE, "", max_age=0))
    return _to("/")


async def visit_calendar(request: Request) -> Response:
    """The .ics of a visit, for those who may see the visit; for anybody else it does not exist."""
    token, number = request.cookies.get(SESSION_COOKIE), request.path_params["number"]
    appointment_id = int(number) if number.isdecimal() and len(number) < 10 else 0

    def build() -> bytes | None:
        with unit_of_work() as session:
            actor = sign_ins.current_actor(session, token)
            if actor is None:
                return None
            use_locale(actor.locale)
            return calendars.visit_ics(
                session, actor, appointment_id=appointment_id, public_url=config().public_url
            )

    try:
        content = await run_in_threadpool(build)
    except ClinicError:
        return PlainTextResponse(_("That is not here any more."), 404)
    if content is None:
        return PlainTextResponse(_("Please sign in to see this page."), 401)
    headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="appointment.ics"'}
    return Response(content, media_type="text/calendar", headers=headers)


async def healthz(_request: Request) -> Response:
    """200 when the portal can reach its database, 503 when it cannot."""

    is_well = await run_in_threadpool(answers)
    return PlainTextResponse("ok" if is_well else "the database does not answer", 200 if is_well else 503)


def report_error(error: Exception) -> bool:
    """Log what went wrong under a number and show the person that number only."""
    reference = uuid4().hex[:8]
    log.error("Reference %s", reference, exc_info=error)
    advice = _("Please try again, and tell reception this number if it happens again: {reference}")
    st.error(advice.format(reference=reference), title=_("Something went wrong"))
    return True


require_ready()
if config().is_production and st.get_option("client.showErrorDetails") != "none":
    sys.exit("client.showErrorDetails must be none when CLINIC_ENV is production: it shows people the code.")
app = st.App(
    "Home.py",
    routes=[
        Route("/session/start", start_session),
        Route("/session/end", end_session),
        Route("/files/appointments/{number}.ics", visit_calendar),
        Route("/healthz", healthz),
    ],
    middleware=[Middleware(BrowserCookie)],
    on_script_error=report_error,
)
gc.freeze()  # what the imports made stays for good: no collection need look at it again
