"""What tests ask of the sandbox, as JSON under /sandbox/: what payers, banks and clocks do. No provider's."""

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import faults, stripe_refunds, stripe_sessions, twilio_control
from sandbox.faults import Fault, Troubles
from sandbox.store import Body, Store
from sandbox.stripe_calls import found
from sandbox.stripe_errors import Refused

Told = dict[str, Any]
Do = Callable[[Store, Told, str], Any]


def routes(store: Store, troubles: Troubles) -> list[Route]:
    """The addresses below /sandbox/."""

    def route(path: str, do: Do) -> Route:
        async def answer(request: Request) -> Response:
            return _answered(store, do, await request.body(), request.path_params.get("id", ""))

        return Route(f"/sandbox/{path}", answer, methods=["POST"])

    def forget(store: Store, _told: Told, _id: str) -> None:
        store.empty()
        troubles.forget()

    async def calls(_request: Request) -> Response:
        return JSONResponse({"calls": list(troubles.calls)})

    async def texts(_request: Request) -> Response:
        return JSONResponse(twilio_control.taken(store))

    return [
        Route("/sandbox/calls", calls),
        Route("/sandbox/texts", texts, methods=["GET"]),
        *(route(path, do) for path, do in twilio_control.CONTROLS.items()),
        route("faults", lambda _store, told, _id: troubles.expect(_fault(told))),
        route("reset", forget),
        route("clock", _set_clock),
        route("webhooks", _set_webhooks),
        route("events/{id}/resend", _resend),
        route("next_refund", _set_next_refund),
        route(
            "refunds/{id}/succeed",
            lambda store, _told, id_: stripe_refunds.succeed(store, _refund(store, id_)),
        ),
        route("refunds/{id}/fail", lambda store, _told, id_: stripe_refunds.fail(store, _refund(store, id_))),
        route("sessions/{id}/pay", _pay),
        route("sessions/{id}/decline", _decline),
        route(
            "sessions/{id}/settle",
            lambda store, _told, id_: stripe_sessions.settle(store, _session(store, id_)),
        ),
        route(
            "sessions/{id}/fail", lambda store, _told, id_: stripe_sessions.fail(store, _session(store, id_))
        ),
    ]


def _answered(store: Store, do: Do, body: bytes, key: str) -> Response:
    try:
        told = json.loads(body or b"{}")
        with store.transaction():
            stripe_sessions.lapse(store)
        with store.transaction():
            done = do(store, told, key)
    except Refused as refused:
        return JSONResponse(refused.error, refused.status)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return JSONResponse({"error": {"message": f"{type(error).__name__}: {error}"}}, 400)
    return JSONResponse(done if isinstance(done, dict) else {})


def _session(store: Store, key: str) -> Body:
    return found(store, stripe_sessions.KIND, key, "session")


def _refund(store: Store, key: str) -> Body:
    return found(store, stripe_refunds.KIND, key, "id")


def _fault(told: Told) -> Fault:
    fault = Fault(**told)
    if fault.kind not in faults.KINDS or fault.when not in {faults.BEFORE, faults.AFTER}:
        raise ValueError(f"no fault is called {fault.kind!r} {fault.when!r}")
    return fault


def _set_clock(store: Store, told: Told, _key: str) -> None:
    store.set("clock", None if told["now"] is None else int(told["now"]))


def _set_webhooks(store: Store, told: Told, _key: str) -> None:
    store.set("webhooks", (store.setting("webhooks") or {}) | told)


def _set_next_refund(store: Store, told: Told, _key: str) -> None:
    if told["status"] not in stripe_refunds.LIVE:
        raise ValueError("a refund is pending or succeeded at first")
    store.set("next_refund", told["status"])


def _resend(store: Store, _told: Told, key: str) -> None:
    store.schedule(found(store, "event", key, "id")["id"], 0, time.time())


def _pay(store: Store, told: Told, key: str) -> Body:
    return stripe_sessions.pay(store, _session(store, key), told.get("as", "card"))


def _decline(store: Store, _told: Told, key: str) -> Body:
    """A declined card changes nothing: the session stays open."""
    session = _session(store, key)
    stripe_sessions.require_open(session, "paid")
    return session
