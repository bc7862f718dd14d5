"""Where others tell what happened, if they can reach us. Else the jobs find out a little later."""

import threading

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import delivery_reports, inbound_texts, processor_events, stripe_cards, twilio_sms
from core.cards import Happening
from db.config import config
from db.session import unit_of_work

MOST_BYTES = 256 * 1024  # events are some kilobytes

_is_looked_into = threading.Lock()
_has_news = threading.Event()


async def _body_of(request: Request) -> bytes | None:
    """What a request brings, None where that is too much."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return body


async def stripe(request: Request) -> Response:
    """Store a signed event and answer at once; it is looked into after that, or by the jobs.

    Anything that Stripe has not signed in the last five minutes is refused, and so is what is too long.
    """
    body = await _body_of(request)
    if body is None:
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


async def twilio(request: Request) -> Response:
    """Enter what Twilio has signed: how a text fared, or one to us. Twilio wants no answer to that.

    A callback may come twice, late or out of order; so may a copy of it: each is entered once, forwards.
    """
    body = await _body_of(request)
    if body is None:
        return PlainTextResponse("too long", 413)
    form = twilio_sms.form_of(body)
    url = f"{config().public_url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
    if not twilio_sms.is_signed(url, form, request.headers.get("x-twilio-signature", "")):
        return PlainTextResponse("not signed by Twilio", 403)
    await run_in_threadpool(_take_down, request.url.path, form)
    return Response("<Response/>", media_type="text/xml")


def _take_down(path: str, form: dict[str, str]) -> None:
    with unit_of_work() as session:
        if path == twilio_sms.STATUS_PATH and (progress := twilio_sms.told_progress(form)):
            delivery_reports.note(session, progress)
        elif path == twilio_sms.INBOUND_PATH and (received := twilio_sms.told_text(form)):
            inbound_texts.store(session, [received])


WEBHOOKS = [
    Route("/webhooks/stripe", stripe, methods=["POST"]),
    Route(twilio_sms.STATUS_PATH, twilio, methods=["POST"]),
    Route(twilio_sms.INBOUND_PATH, twilio, methods=["POST"]),
]
