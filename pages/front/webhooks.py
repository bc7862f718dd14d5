"""Where the card processor tells what happened, if it can reach us. Else the jobs find out a little later."""

import threading

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import processor_events, stripe_cards
from core.cards import Happening
from db.session import unit_of_work

MOST_BYTES = 256 * 1024  # events are some kilobytes

_is_looked_into = threading.Lock()
_has_news = threading.Event()


async def stripe(request: Request) -> Response:
    """Store a signed event and answer at once; it is looked into after that, or by the jobs.

    Anything that Stripe has not signed in the last five minutes is refused, and so is what is too long.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return PlainTextResponse("too long", 413)
    happened = stripe_cards.signed(body, request.headers.get("stripe-signature", ""))
    if happened is None:
        return PlainTextResponse("not signed by Stripe", 400)
    await run_in_threadpool(_store, happened)
    return PlainTextResponse("stored", background=BackgroundTask(_look_into_it))


def _store(happened: Happening) -> None:
    with unit_of_work() as session:
        processor_events.store(session, [happened])


def _look_into_it() -> None:
    """Have what came looked into, by one thread however much comes; the others are for people."""
    _has_news.set()
    while _has_news.is_set() and _is_looked_into.acquire(blocking=False):
        try:
            _has_news.clear()
            processor_events.apply_waiting()
        finally:
            _is_looked_into.release()


WEBHOOKS = [Route("/webhooks/stripe", stripe, methods=["POST"])]
