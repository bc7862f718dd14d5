"""One open tab's websocket, between the browser and Streamlit."""

import asyncio
import time
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from db.session import NoAnswer
from pages.front import frames
from pages.front.visitors import OWNER_HEADER, Visitor, is_live
from pages.front.watch import Ended, open_tab

SESSION_ENDED = 4401  # close codes: ours, and "try again later"
TRY_AGAIN = 1013
_GOODBYE_SECONDS = 2.0
_LAST_WISH_SECONDS = 2.0  # in which what a browser asked for right before it was gone is still done
_LONGEST_END = 200  # bytes of the message by which Streamlit says that a run has ended


async def serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
    """Let a visitor's tab talk to Streamlit, for as long as the session it was opened with lives."""
    headers = [(name, value) for name, value in scope["headers"] if not name.startswith(b"x-portal-")]
    headers.append((OWNER_HEADER.encode(), visitor.owner.encode()))
    scope["query_string"] = b""  # nothing reads it, and uvicorn would log it
    with open_tab(visitor.token) as ended:
        tab = _Tab(visitor, receive, send, ended)
        try:
            await app({**scope, "headers": headers}, tab.receive, tab.send)
        finally:
            tab.forget()


class _Tab:
    """Stands between the two: `receive` and `send` are what Streamlit is given in place of the browser's."""

    def __init__(self, visitor: Visitor, receive: Receive, send: Send, ended: Ended) -> None:
        self._visitor = visitor
        self._from_browser = receive
        self._to_browser = send
        self._ended = ended
        self._next: asyncio.Future[Message] | None = None
        self._is_closed = False
        self._wishes = _Wishes()

    async def send(self, message: Message) -> None:
        self._wishes.note_sent(message)
        if not self._is_closed:
            await self._to_browser(message)

    async def receive(self) -> Message:
        """The next message that may pass. When the session is over it is asked for by nobody any more."""
        while (message := await self._next_message()) is not None:
            if message["type"] != "websocket.receive":
                if message["type"] == "websocket.disconnect":
                    await self._grant_last_wish()
                return message
            frame = frames.read(message.get("bytes"))
            if frame is None:
                continue
            if not (frame.does_something and self._visitor.token):
                return message
            try:
                if await run_in_threadpool(is_live, self._visitor.token, is_active_use=frame.is_use):
                    self._wishes.note_asked()
                    return message
            except NoAnswer:
                return await self._close(TRY_AGAIN)
            break
        return await self._leave()

    def forget(self) -> None:
        """Stop waiting for the browser."""
        if self._next is not None:
            self._next.cancel()

    async def _grant_last_wish(self) -> None:
        """Let Streamlit finish what it was just asked for before it hears that the browser is gone.

        It stops where it is then, and what somebody typed right before closing the tab would not be saved.
        """
        self._is_closed = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wishes.are_done.wait(), self._wishes.seconds_left())

    async def _next_message(self) -> Message | None:
        """What the browser says next, None as soon as the session is over."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._from_browser())
        await asyncio.wait({self._next, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            return None
        message, self._next = self._next.result(), None
        return message

    async def _leave(self) -> Message:
        """Have the browser leave the page first: a tab that is only cut off keeps showing what it shows."""
        self._is_closed = True
        goodbye = ForwardMsg()
        goodbye.auth_redirect.url = "/session/end"  # the message by which `st.logout` leads away
        with suppress(OSError, RuntimeError, TimeoutError):  # the browser may be gone, or not listening
            content = {"type": "websocket.send", "bytes": goodbye.SerializeToString()}
            await asyncio.wait_for(self._to_browser(content), _GOODBYE_SECONDS)
        return await self._close(SESSION_ENDED)

    async def _close(self, code: int) -> Message:
        self._is_closed = True
        with suppress(OSError, RuntimeError, TimeoutError):
            await asyncio.wait_for(
                self._to_browser({"type": "websocket.close", "code": code}), _GOODBYE_SECONDS
            )
        return {"type": "websocket.disconnect", "code": code}


class _Wishes:
    """What a browser has asked for in the last seconds, and whether all of it was done."""

    def __init__(self) -> None:
        self.are_done = asyncio.Event()
        self.are_done.set()
        self._open = 0
        self._asked_at = 0.0

    def note_asked(self) -> None:
        # Streamlit may answer several with one run: what is older than its time is not counted for ever.
        self._open = self._open + 1 if self.seconds_left() > 0 else 1
        self._asked_at = time.monotonic()
        self.are_done.clear()

    def note_sent(self, message: Message) -> None:
        content = message.get("bytes") or b""
        if not self._open or not 0 < len(content) <= _LONGEST_END:
            return
        if ForwardMsg.FromString(content).WhichOneof("type") == "script_finished":
            self._open -= 1
            if not self._open:
                self.are_done.set()

    def seconds_left(self) -> float:
        return max(0.0, self._asked_at + _LAST_WISH_SECONDS - time.monotonic())
