"""What every request passes first: only this machine's names, and no other site's page may press a button."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = {"localhost", "127.0.0.1"}
_READING = {"GET", "HEAD"}
# Forms lead back to whatever site asked for the payment, so `form-action` names no site.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action http: https:"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"same-origin"),  # with none at all, browsers send no origin to check either
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]


class Gate:
    """Around the application: refuses strangers, adds headers, and can cut a connection without an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := _refusal(scope):
            await PlainTextResponse(refusal, 403)(scope, receive, send)
            return
        scope["cut"] = _cutting(send)
        try:
            await self._app(scope, receive, _with_headers(send))
        except ConnectionCut:
            return


class ConnectionCut(Exception):
    """The connection is gone: nobody waits for an answer."""


def _refusal(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if _hostname(f"//{host}") not in HOSTS:
        return "The sandbox answers on this machine only."
    if scope["method"] in _READING:
        return None
    origin = headers.get("origin")
    is_foreign = origin is not None and origin != f"http://{host}"
    if is_foreign or headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return "Only the sandbox's own pages may do that."
    return None


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *_HEADERS]
        await send(message)

    return answer


def _cutting(send: Send) -> Callable[[], Awaitable[None]]:
    """A way to cut the connection. uvicorn has none of its own, but `send` is a method of what holds it."""

    async def cut() -> None:
        send.__self__.transport.abort()  # type: ignore[attr-defined]
        await asyncio.sleep(0)  # uvicorn hears of it, and no longer waits for an answer
        raise ConnectionCut

    return cut
