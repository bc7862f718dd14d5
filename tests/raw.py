"""A browser's side of the portal, spoken by hand: what somebody with a script of their own can send."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any, TypeVar
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import InvalidStatus

PATIENCE_SECONDS = 20.0
Told = TypeVar("Told")


def play(story: Coroutine[Any, Any, Told]) -> Told:
    """Run a story to its end, in a thread of its own: a module's Chromium has a loop in the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, story).result()


class Tab:
    """One open websocket. `session_id` is Streamlit's number of it, `seen` what the server has sent."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.seen: list[ForwardMsg] = []
        self.session_id = ""

    async def send(self, message: BackMsg) -> None:
        await self.socket.send(message.SerializeToString())

    async def rerun(
        self,
        widgets: Iterable[WidgetState] = (),
        *,
        page: str = "",
        query: str = "",
        fragment: str = "",
        url: str = "",
        is_auto: bool = False,
    ) -> list[ForwardMsg]:
        """Run the page, as a click does, and wait until it is drawn."""
        message = BackMsg()
        run = message.rerun_script
        run.SetInParent()
        run.page_name, run.query_string, run.fragment_id, run.is_auto_rerun = page, query, fragment, is_auto
        run.widget_states.widgets.extend(widgets)
        if url:
            run.context_info.url = url
        await self.send(message)
        return await self.until("script_finished")

    async def until(self, kind: str) -> list[ForwardMsg]:
        """What the server sends up to a message of that kind."""
        received: list[ForwardMsg] = []
        while not received or received[-1].WhichOneof("type") != kind:
            content = await asyncio.wait_for(self.socket.recv(), PATIENCE_SECONDS)
            assert isinstance(content, bytes)
            message = ForwardMsg.FromString(content)
            received.append(message)
            if message.WhichOneof("type") == "new_session":
                self.session_id = message.new_session.initialize.session_id or self.session_id
        self.seen += received
        return received

    async def is_quiet(self, seconds: float = 1.0) -> bool:
        """Whether for a while nothing is run, and the server leaves the tab alone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        content = await self.socket.recv()
                    except websockets.ConnectionClosed:
                        return False
                    assert isinstance(content, bytes)
                    if ForwardMsg.FromString(content).WhichOneof("type") in {"new_session", "auth_redirect"}:
                        return False
        return True

    async def closed_with(self) -> int | None:
        """The code with which the server closes the socket, once it has."""
        with contextlib.suppress(websockets.ConnectionClosed):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await self.socket.recv()
        return self.socket.close_code


@contextlib.asynccontextmanager
async def tab(
    address: str,
    cookies: dict[str, str] | None = None,
    *,
    origin: str | None = "own",
    resume: str = "",
    host: str = "",
    **headers: str,
) -> AsyncIterator[Tab]:
    """Open the websocket of the portal at `address`. Raises `InvalidStatus` when it is refused."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookies:
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if origin is not None:
        sent["Origin"] = address if origin == "own" else origin
    protocols = ["streamlit", "x", *([resume] if resume else [])]
    server = urlsplit(address)
    async with websockets.connect(
        f"ws://{host or server.netloc}/_stcore/stream",
        host=server.hostname,
        port=server.port,
        subprotocols=protocols,
        additional_headers=sent,
        max_size=None,
        compression=None,
        proxy=None,
    ) as socket:
        yield Tab(socket)


async def refused(address: str, cookies: dict[str, str] | None = None, **how: str | None) -> int:
    """The status with which a websocket is refused, 0 when it is not."""
    try:
        async with tab(address, cookies, **how):  # type: ignore[arg-type] # each is what `tab` takes
            return 0
    except InvalidStatus as refusal:
        return refusal.response.status_code


@dataclass(frozen=True)
class Answer:
    """What came back for a request: nothing is followed, nothing is kept."""

    status: int
    content: bytes
    headers: Message

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it sets; "" for those that it clears."""
        set_by_it = (each.partition(";")[0].partition("=") for each in self.headers.get_all("set-cookie", []))
        return {name: value for name, _sign, value in set_by_it}


def ask(
    address: str,
    path: str,
    cookies: dict[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> Answer:
    """Send one request."""
    server = urlsplit(address)
    connection = HTTPConnection(server.hostname or "", server.port, timeout=PATIENCE_SECONDS)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookies:
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), answer.headers)
    finally:
        connection.close()


def elements(messages: Iterable[ForwardMsg]) -> Iterator[tuple[str, Any]]:
    """What the messages draw: the kind of each element and the element."""
    for message in messages:
        if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
            kind = message.delta.new_element.WhichOneof("type")
            if kind:
                yield kind, getattr(message.delta.new_element, kind)


def texts(messages: Iterable[ForwardMsg]) -> str:
    """Everything that can be read of what the messages draw."""
    found = []
    for _kind, element in elements(messages):
        said = (getattr(element, name, None) for name in ("body", "label", "message"))
        found += [value for value in said if isinstance(value, str) and value]
    return "\n".join(found)


def widget(messages: Iterable[ForwardMsg], name: str) -> str:
    """The number of the widget with a label or key."""
    for _kind, element in elements(messages):
        number = getattr(element, "id", "")
        if number and (getattr(element, "label", None) == name or number.endswith(f"-{name}")):
            return str(number)
    raise KeyError(name)


def pressed(number: str) -> WidgetState:
    """A button that is pressed."""
    return WidgetState(id=number, trigger_value=True)


def typed(number: str, text: str) -> WidgetState:
    """A text field with something in it."""
    return WidgetState(id=number, string_value=text)
