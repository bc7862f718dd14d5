"""Puts our script into the page that Streamlit ships: it saves what is typed while it is typed.

It also scrolls to what was opened out of sight. The script is `typing.js`. The page is the same file for
every address that is a page of the portal, and its name for caches has to change when the script does.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from core.i18n import N_, _

Headers = list[tuple[bytes, bytes]]

NOT_HERE = N_("That is not here.")
_SCRIPT = (Path(__file__).parent / "typing.js").read_bytes()
VERSION = hashlib.sha256(_SCRIPT).hexdigest()[:16]
_TAG = f'<script type="module" src="./typing.{VERSION}.js"></script>'
# What would be answered from the file as it is on the disk.
_UNHEARD = {b"if-modified-since", b"range", b"if-range", b"accept-encoding"}
_OTHERS = ("/static/", "/media/", "/files/", "/component/", "/_stcore/")


class _Index(NamedTuple):
    """The page with our script in it: `shipped` and `tag` are what caches call it without, and with it."""

    content: bytes
    shipped: bytes
    tag: bytes


class Typing:
    """Hands out the page with our script in it, and leaves everything else as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_OTHERS):
            await self.app(scope, receive, send)
            return
        index = _index()
        has_page = False

        async def answer(message: Message) -> None:
            nonlocal has_page
            if message["type"] == "http.response.start":
                if dict(message["headers"]).get(b"etag") == index.shipped:
                    has_page = scope["method"] == "GET" and message["status"] == 200
                    message = {**message, "headers": _renamed(message["headers"], index)}
            elif has_page:
                is_last = not message.get("more_body")
                message = {**message, "body": index.content if is_last else b""}
            await send(message)

        asked = _asking_for(scope["headers"], index)
        await self.app({**scope, "headers": asked}, receive, answer)


@cache
def _index() -> _Index:
    path = Path(get_static_dir()) / "index.html"
    shipped = FileResponse(path, stat_result=path.stat()).headers["etag"]
    before, head, after = path.read_text(encoding="utf-8").partition("</head>")
    content = f"{before}{_TAG}\n  {head}{after}".encode()
    return _Index(content, shipped.encode(), b'"%s"' % hashlib.sha256(content).hexdigest()[:32].encode())


def _asking_for(headers: Headers, index: _Index) -> Headers:
    """A request's headers as Streamlit may see them: what is kept under our name is the file as it is."""
    asked = []
    for name, value in headers:
        if name in _UNHEARD:
            continue
        if name == b"if-none-match":
            value = value.replace(index.shipped, b'"without"').replace(index.tag, index.shipped)  # noqa: PLW2901
        asked.append((name, value))
    return asked


def _renamed(headers: Headers, index: _Index) -> Headers:
    """A response's headers as they are true of the page with our script."""
    size = str(len(index.content)).encode()
    ours = {b"etag": index.tag, b"content-length": size}
    return [
        (name, ours.get(name, value))
        for name, value in headers
        if name not in {b"last-modified", b"accept-ranges"}
    ]


async def _script(request: Request) -> Response:
    """The script under the name of this version: kept for good, since another has another name."""
    if request.path_params["version"] != VERSION:
        return PlainTextResponse(_(NOT_HERE), 404)
    for_good = {"cache-control": "public, immutable, max-age=31536000"}
    return Response(_SCRIPT, media_type="text/javascript", headers=for_good)


TYPING = [Route("/typing.{version}.js", _script)]
