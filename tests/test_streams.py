"""Personal files on their way out: read first, made then, sent in parts, and only so much at once."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from core.access import Actor
from core.printouts import Places
from db.session import engine
from pages.front import handouts, streams
from pages.front.handouts import Print
from tests import portal, raw
from tests.portal import Cookies
from tests.presses import PATIENCE_SECONDS, Held
from tests.test_pages import residents

__all__ = ["residents"]
pytestmark = pytest.mark.usefixtures("residents")
LONG = b"%PDF-" + b"x" * 300_000


@dataclass
class Browser:
    """Somebody who asks for a file, and may go away."""

    cookies: Cookies
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[Message] = field(default_factory=list)
    goes_after: int = -1  # messages

    async def ask(self, what: Held, places: Places | None = None) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = [(b"cookie", cookie.encode())]
        scope = {"type": "http", "method": "GET", "path": "/files/x", "headers": headers, "query_string": b""}

        def build(_session: Session, _actor: Actor) -> Print:
            return Print(what, "x.pdf")

        request = Request(scope, self._receive, self._send)
        answer = await handouts.answer(request, build, places=places or Places(2))
        await answer(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if len(self.received) == self.goes_after:
            raise OSError
        self.received.append(message)

    @property
    def status(self) -> int:
        return int(self.received[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.received[0]["headers"])

    @property
    def parts(self) -> list[bytes]:
        return [message["body"] for message in self.received[1:]]


@pytest.fixture
def ada(database: Engine) -> Cookies:
    return portal.signed_in(database, "ada")


@pytest.fixture
def ben(database: Engine) -> Cookies:
    return portal.signed_in(database, "ben")


async def begun(held: Held) -> None:
    """The loop is free meanwhile: otherwise nothing would ever begin."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not held.begun.is_set():
            await asyncio.sleep(0.01)


def played(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    raw.play(story())


def test_no_connection_is_held_while_a_document_is_made(ada: Cookies) -> None:
    held: list[int] = []
    what = Held(look=lambda: held.append(engine().pool.checkedout()))  # type: ignore[attr-defined]
    what.go_on.set()

    async def story() -> None:
        browser = Browser(ada)
        await browser.ask(what)
        assert browser.status == 200

    played(story)
    assert held == [0]


def test_a_file_is_sent_in_parts_and_its_length_before(ada: Cookies) -> None:
    what = Held(LONG)
    what.go_on.set()

    async def story() -> None:
        browser = Browser(ada)
        await browser.ask(what)
        assert b"".join(browser.parts) == LONG
        assert browser.headers[b"content-length"] == str(len(LONG)).encode()
        assert max(map(len, browser.parts)) < len(LONG) / 3

    played(story)


def test_whoever_goes_away_stops_the_work_and_leaves_the_place(ada: Cookies) -> None:
    what, places = Held(), Places(1)

    async def story() -> None:
        browser = Browser(ada)
        asking = asyncio.ensure_future(browser.ask(what, places))
        await begun(what)
        browser.gone.set()
        with pytest.raises(ClientDisconnect):
            await asyncio.wait_for(asking, PATIENCE_SECONDS)
        assert what.ended.is_set()
        assert browser.received == []
        assert places.take(0)

    played(story)


def test_a_download_that_breaks_off_closes_its_file(ada: Cookies) -> None:
    made = handouts.streams.printouts.paper()
    made.write(LONG)

    async def story() -> None:
        browser = Browser(ada, goes_after=2)
        answer = streams.Streamed(made, media_type="application/pdf", headers={})
        with pytest.raises(OSError):  # noqa: PT011 - what a server raises has no message
            await answer({"type": "http"}, browser._receive, browser._send)
        assert made.closed

    played(story)


def test_whoever_finds_no_place_is_told_so_on_a_page_and_when_to_come_again(
    ada: Cookies, ben: Cookies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE_SECONDS", 0.2)
    what, places = Held(), Places(1)

    async def story() -> None:
        first, second, again = Browser(ada), Browser(ben), Browser(ada)
        asking = asyncio.ensure_future(first.ask(what, places))
        await begun(what)
        for browser in (second, again):
            await browser.ask(Held(), places)
            assert browser.status == 503
            assert int(browser.headers[b"retry-after"]) > 0
            assert "Too many documents are being made just now." in browser.parts[0].decode()
        what.go_on.set()
        await asking
        assert first.status == 200

    played(story)


def test_whoever_waits_a_moment_gets_the_next_place(ada: Cookies, ben: Cookies) -> None:
    what, after, places = Held(), Held(), Places(1)
    after.go_on.set()

    async def story() -> None:
        first, second = Browser(ada), Browser(ben)
        asking = asyncio.ensure_future(first.ask(what, places))
        await begun(what)
        waiting = asyncio.ensure_future(second.ask(after, places))
        await asyncio.sleep(0.2)
        assert not after.begun.is_set()
        what.go_on.set()
        await asyncio.gather(asking, waiting)
        assert (first.status, second.status) == (200, 200)

    played(story)
