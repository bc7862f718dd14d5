"""The sandbox as an ASGI application, and the server that runs it on this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import control, stripe_pages, twilio_pages
from sandbox.faults import Troubles
from sandbox.gate import Gate
from sandbox.store import Body, Store
from sandbox.stripe_api import Api
from sandbox.twilio_api import TwilioApi
from sandbox.twilio_messages import SETTINGS
from sandbox.twilio_shapes import API
from sandbox.twilio_webhooks import move_on_forever, tell_forever
from sandbox.webhooks import deliver_forever

HOST = "127.0.0.1"
METHODS = ["GET", "POST", "DELETE"]


def application(store: Store) -> Gate:
    """Everything the sandbox answers. `store` is closed with it."""
    troubles = Troubles()
    api, twilio = Api(store, troubles), TwilioApi(store, troubles)

    async def v1(request: Request) -> Response:
        return await api(request)

    async def messages(request: Request) -> Response:
        return await twilio(request)

    @asynccontextmanager
    async def delivering(_app: Starlette) -> AsyncIterator[None]:
        forever = (deliver_forever, move_on_forever, tell_forever)
        tasks = [asyncio.create_task(work(store)) for work in forever]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        store.close()

    routes = [
        Route("/v1/{rest:path}", v1, methods=METHODS),
        Route(f"{API}/{{rest:path}}", messages, methods=METHODS),
        *control.routes(store, troubles),
        *stripe_pages.routes(store),
        *twilio_pages.routes(store),
    ]
    return Gate(Starlette(routes=routes, lifespan=delivering))


class Server(uvicorn.Server):
    """uvicorn's, which leaves signals to `__main__`: its own handlers wait for open connections."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def server_of(directory: Path, webhooks: Body | None = None, texts: Body | None = None) -> Server:
    """A server that keeps what it knows in `directory`. It runs on a socket from `listening`."""
    store = Store(directory)
    if webhooks is not None:
        store.set("webhooks", webhooks)
    if texts is not None:
        store.set(SETTINGS, texts)
    config = uvicorn.Config(
        application(store),
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return Server(config)


def listening(port: int) -> socket.socket:
    """A socket on this machine alone; port 0 takes a free one.

    Its protocol is named, or asyncio would not switch off Nagle's algorithm: 40 ms for each answer.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener
