"""The guard: every request and every websocket passes here before our routes and Streamlit see it."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from core.i18n import N_, _
from db.config import config
from db.session import NoAnswer
from pages.front import headers, sockets
from pages.front.addresses import is_own_host, is_own_origin
from pages.front.cookies import browser_cookie, cookies_of, set_cookie
from pages.front.traces import WENT_WRONG, log_error
from pages.front.visitors import visitor_of
from pages.ui import uploads

ANONYMOUS_TABS = 50  # open at once from one address
STREAM = "/_stcore/stream"

_PROBES = {"/healthz", "/_stcore/health"}  # asked under names from inside a network
_CLOSED = ("/_stcore/metrics", "/_stcore/script-health-check")
_AGENTS = "/_stcore/agent"
_MEDIA = "/media/"

NOT_HERE = N_("That is not here.")
WRONG_ADDRESS = N_("The portal does not answer under this address.")
WRONG_ORIGIN = N_("Only the portal's own pages may connect here.")
SIGN_IN = N_("Please sign in to see this page.")
TOO_MANY_TABS = N_("Too many pages are open from your address. Please close some, or sign in.")
NO_DATABASE = N_("The portal cannot reach its database. Please try again in a minute.")
AGAIN_SECONDS = 5

Refusal = tuple[int, str]


class Guard:
    """Turns away what should not come in, and puts the security headers on whatever goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.anonymous: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        serve = self._http if scope["type"] == "http" else self._websocket
        try:
            await serve(scope, receive, answer)
        except (ClientDisconnect, ClientDisconnected):  # a tab that was closed while it opened
            return
        except NoAnswer:
            await answer.refuse(503, _(NO_DATABASE), {"refresh": str(AGAIN_SECONDS)})
        except Exception as error:
            await answer.refuse(500, _(WENT_WRONG).format(reference=log_error(error)))

    async def _http(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if refusal := await _refusal(scope):
            await answer.refuse(*refusal)
        else:
            await self.app(scope, receive, answer.send)

    async def _websocket(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if refusal := _socket_refusal(scope):
            await answer.refuse(*refusal)
            return
        visitor = await visitor_of(scope)
        with self._one_more(None if visitor.is_signed_in else _address(scope)) as is_too_many:
            if is_too_many:
                await answer.refuse(429, _(TOO_MANY_TABS))
            else:
                await sockets.serve(self.app, scope, receive, answer.send, visitor)

    @contextmanager
    def _one_more(self, address: str | None) -> Iterator[bool]:
        """Count an anonymous tab while it is open; whether its address has too many. None is not counted."""
        if address is None:
            yield False
            return
        self.anonymous[address] += 1
        try:
            yield self.anonymous[address] > ANONYMOUS_TABS
        finally:
            self.anonymous[address] -= 1
            if not self.anonymous[address]:
                del self.anonymous[address]


async def _refusal(scope: Scope) -> Refusal | None:
    """Why a request is turned away, None when it is let in."""
    path = scope["path"]
    if path not in _PROBES and not is_own_host(_sent(scope, b"host")):
        return 421, _(WRONG_ADDRESS)
    if path.startswith(_CLOSED) or (path.startswith(_AGENTS) and not _is_open_for_agents()):
        return 404, _(NOT_HERE)
    if path.startswith(_MEDIA) and not (await visitor_of(scope)).is_signed_in:
        return 401, _(SIGN_IN)
    if path.startswith(uploads.PATH):
        error = uploads.refusal(scope["method"], path, await visitor_of(scope))
        return None if error is None else (403, str(error))
    return None


def _socket_refusal(scope: Scope) -> Refusal | None:
    """Why a websocket is turned away, None when it may open.

    Streamlit lets some other origins pass, and about the rest it asks an outside host while everybody waits.
    """
    if not is_own_host(_sent(scope, b"host")):
        return 421, _(WRONG_ADDRESS)
    if not is_own_origin(_sent(scope, b"origin")):
        return 403, _(WRONG_ORIGIN)
    return None if scope["path"] == STREAM else (404, _(NOT_HERE))


def _is_open_for_agents() -> bool:
    """Streamlit's agent API reads and clicks pages for anybody: only in development, and when asked for."""
    return not config().is_production and bool(st.get_option("server.enableAgentApi"))


def _sent(scope: Scope, name: bytes) -> str:
    """The header of that name, "" unless it was sent exactly once."""
    found = [value for each, value in scope["headers"] if each == name]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _address(scope: Scope) -> str:
    """The address a request came from, or what a proxy that uvicorn trusts says of it."""
    client = scope.get("client")
    return client[0] if client else "unknown"


class _Answer:
    """What is sent back, with our headers. Once it has begun, nothing else can be said."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            made = headers.guarded(self._scope["path"], list(message.get("headers", ())))
            message = {**message, "headers": made + self._browser_cookie(made)}
        self._has_begun = True
        await self._send(message)

    async def refuse(self, status: int, sentence: str, more: dict[str, str] | None = None) -> None:
        """Answer with one sentence, unless something was answered already."""
        if not self._has_begun:
            await PlainTextResponse(sentence, status, more)(self._scope, self._receive, self.send)

    def _browser_cookie(self, made: headers.Headers) -> headers.Headers:
        """For a page that opens in a browser new to us: the secret to which a sign-in's grant is bound."""
        is_page = dict(made).get(b"content-type", b"").startswith(b"text/html")
        is_frame = self._scope["path"].startswith("/component/")
        if not is_page or is_frame or browser_cookie() in cookies_of(self._scope):
            return []
        return [(b"set-cookie", set_cookie(browser_cookie(), secrets.token_urlsafe(24)).encode())]
