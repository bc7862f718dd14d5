"""Files that take a while: a place among those who have one made, the work in a thread, the file in parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from threading import Event
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from core import printouts
from core.i18n import _
from core.printouts import BrokenOff, Places, Printable, TooBusy

PATIENCE_SECONDS = 5.0  # for a place
AGAIN_SECONDS = 20
_LOOK_SECONDS = 0.1  # between two looks whether there is a place, and whether somebody still waits
_CHUNK = 64 * 1024


@asynccontextmanager
async def place(request: Request, places: Places, person: int) -> AsyncIterator[None]:
    """A place for the person, while others go on. Raises `TooBusy` when none is free for some seconds."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not places.take(person):
        if asyncio.get_running_loop().time() > deadline:
            raise TooBusy
        await _still_there(request)
        await asyncio.sleep(_LOOK_SECONDS)
    try:
        yield
    finally:
        places.leave(person)


async def made(request: Request, what: Printable) -> IO[bytes]:
    """The file, made in a thread. Whoever goes away meanwhile stops the work."""
    stopped = Event()

    def told(_share: float) -> None:
        if stopped.is_set():
            raise BrokenOff

    file = printouts.paper()
    work = asyncio.ensure_future(run_in_threadpool(what.write, file, told))
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK_SECONDS))[0]:
            await _still_there(request)
        await work
    except BaseException:
        stopped.set()
        await asyncio.wait({work})  # its place is free once it has ended
        file.close()
        raise
    return file


async def _still_there(request: Request) -> None:
    if await request.is_disconnected():
        raise ClientDisconnect


class Streamed(Response):
    """A file in chunks, closed at the end, also when the download is broken off."""

    def __init__(self, file: IO[bytes], *, media_type: str, headers: dict[str, str]) -> None:
        self._file = file
        size = file.seek(0, 2)
        super().__init__(media_type=media_type, headers={**headers, "content-length": str(size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file as file:
            file.seek(0)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while chunk := await run_in_threadpool(file.read, _CHUNK):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def come_again(sentence: str) -> Response:
    """A page that says so, and asks again by itself."""
    lines = (
        "<!doctype html>",
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(sentence)}</title>",
        "<style>:root { color-scheme: light dark; font: 1.1rem/1.6 sans-serif }",
        "body { margin: 15vh auto; max-width: 32rem; padding: 0 1rem }</style>",
        f"<p>{escape(sentence)}</p>",
        f'<p><a href="">{escape(_("Try again"))}</a></p>',
    )
    again = {"retry-after": str(AGAIN_SECONDS)}
    return HTMLResponse("\n".join(lines), 503, again)
