"""Stripe's API under /v1: who asks, which call it is, and the same answer to the same idempotency key."""

import asyncio
import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import stripe
from starlette.requests import Request
from starlette.responses import Response
from stripe.params import (
    ChargeRetrieveParams,
    EventListParams,
    EventRetrieveParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
    checkout,
)

from sandbox import stripe_events, stripe_params, stripe_refunds, stripe_sessions
from sandbox.faults import AFTER, BEFORE, Fault, Troubles
from sandbox.store import Answer, Body, Store, new_id
from sandbox.stripe_calls import Call
from sandbox.stripe_errors import Refused, error_body

KEY_LENGTH = 255
KEY_SECONDS = 24 * 60 * 60  # how long a key is remembered

Work = Callable[[Call], Body]


class Operation(NamedTuple):
    """A call of the API: its address, the parameters it takes, and what it does."""

    method: str
    path: re.Pattern[str]
    params: type
    work: Work


def _operation(method: str, path: str, params: Any, work: Work) -> Operation:
    return Operation(method, re.compile(path.replace("{id}", r"(?P<id>\w+)")), params, work)


_SESSIONS, _INTENTS = "/v1/checkout/sessions", "/v1/payment_intents"
OPERATIONS = [
    _operation("POST", _SESSIONS, checkout.SessionCreateParams, stripe_sessions.create),
    _operation("GET", _SESSIONS, checkout.SessionListParams, stripe_sessions.list_page),
    _operation("GET", f"{_SESSIONS}/{{id}}", checkout.SessionRetrieveParams, stripe_sessions.retrieve),
    _operation("POST", f"{_SESSIONS}/{{id}}/expire", checkout.SessionExpireParams, stripe_sessions.expire),
    _operation("GET", _INTENTS, PaymentIntentListParams, stripe_refunds.list_intents),
    _operation("GET", f"{_INTENTS}/{{id}}", PaymentIntentRetrieveParams, stripe_refunds.retrieve_intent),
    _operation("GET", "/v1/charges/{id}", ChargeRetrieveParams, stripe_refunds.retrieve_charge),
    _operation("POST", "/v1/refunds", RefundCreateParams, stripe_refunds.create),
    _operation("GET", "/v1/refunds", RefundListParams, stripe_refunds.list_page),
    _operation("GET", "/v1/refunds/{id}", RefundRetrieveParams, stripe_refunds.retrieve),
    _operation("GET", "/v1/events", EventListParams, stripe_events.list_page),
    _operation("GET", "/v1/events/{id}", EventRetrieveParams, stripe_events.retrieve),
]


class Asked(NamedTuple):
    """A request as it came in."""

    id: str
    method: str
    path: str
    encoded: str
    base: str
    key: str | None

    @property
    def fingerprint(self) -> str:
        pairs = "&".join(sorted(self.encoded.split("&")))
        return hashlib.sha256(f"{self.method} {self.path} {pairs}".encode()).hexdigest()


class Api:
    """The API as an endpoint of the sandbox's application."""

    def __init__(self, store: Store, troubles: Troubles) -> None:
        self._store, self._troubles = store, troubles
        self._in_flight: set[str] = set()

    async def __call__(self, request: Request) -> Response:
        asked = await _read(request)
        self._troubles.note(asked.method, asked.path, asked.key)
        try:
            _require_key_of_account(request)
            return await self._once(request, asked)
        except Refused as refused:
            return _response(asked, refused.status, json.dumps(refused.error))

    async def _once(self, request: Request, asked: Asked) -> Response:
        """Answer, unless another request with the same key is being answered."""
        if asked.key is None:
            return await self._with_faults(request, asked)
        if len(asked.key) > KEY_LENGTH:
            raise Refused(f"Idempotency keys can have at most {KEY_LENGTH} characters.")
        if asked.key in self._in_flight:
            raise Refused(
                "There is currently another in-progress request using this Idempotent Key.",
                code="idempotency_key_in_use",
                status=409,
                kind="idempotency_error",
            )
        self._in_flight.add(asked.key)
        try:
            return await self._with_faults(request, asked)
        finally:
            self._in_flight.remove(asked.key)

    async def _with_faults(self, request: Request, asked: Asked) -> Response:
        fault = self._troubles.next_for(asked.method, asked.path)
        if fault and fault.when == BEFORE and (trouble := await self._trouble(request, asked, fault)):
            return trouble
        answer = self._answer(asked)
        if fault and fault.when == AFTER and (trouble := await self._trouble(request, asked, fault)):
            return trouble
        return answer

    async def _trouble(self, request: Request, asked: Asked, fault: Fault) -> Response | None:
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "drop":
            await request.scope["cut"]()
        if fault.kind == "429":
            raise Refused("Too many requests.", code="rate_limit", status=429)
        body = json.dumps(error_body("An unexpected error occurred.", kind="api_error"))
        if asked.key:  # errors of the server's are kept: a second try with the key gets the same
            with self._store.transaction():
                self._store.keep_answer(asked.key, Answer(asked.fingerprint, 500, body))
        return _response(asked, 500, body)

    def _answer(self, asked: Asked) -> Response:
        with self._store.transaction():
            stripe_sessions.lapse(self._store)
            if kept := self._kept(asked):
                return _response(asked, kept.status, kept.body, is_replayed=True)
        status, body, is_kept = self._worked(asked)
        if asked.key and is_kept:
            with self._store.transaction():
                self._store.keep_answer(asked.key, Answer(asked.fingerprint, status, body))
        return _response(asked, status, body)

    def _kept(self, asked: Asked) -> Answer | None:
        """What this very request was answered before."""
        if asked.key is None:
            return None
        kept = self._store.answer_to(asked.key, self._store.now() - KEY_SECONDS)
        if kept and kept.request != asked.fingerprint:
            raise Refused(
                "Keys for idempotent requests can only be used with the same parameters as at first. "
                f"Try using a key other than '{asked.key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return kept

    def _worked(self, asked: Asked) -> tuple[int, str, bool]:
        """Do the work. An answer from before any work was done is not to be kept."""
        try:
            with self._store.transaction():
                return 200, json.dumps(self._work(asked), indent=2), True
        except Refused as refused:
            return refused.status, json.dumps(refused.error), refused.is_kept

    def _work(self, asked: Asked) -> Body:
        for operation in OPERATIONS:
            match = operation.path.fullmatch(asked.path)
            if match and operation.method == asked.method:
                form = stripe_params.checked(operation.params, stripe_params.parsed(asked.encoded))
                request = {"id": asked.id, "idempotency_key": asked.key}
                key = match.groupdict().get("id", "")
                return operation.work(Call(self._store, form, key, asked.base, request))
        raise Refused(f"Unrecognized request URL ({asked.method}: {asked.path}).", status=404)


async def _read(request: Request) -> Asked:
    body = (await request.body()).decode(errors="replace")
    is_post = request.method == "POST"
    return Asked(
        id=new_id("req", 14),
        method=request.method,
        path=request.url.path,
        encoded=body if is_post else request.url.query,
        base=f"http://{request.headers['host']}",
        key=request.headers.get("idempotency-key") if is_post else None,
    )


def _require_key_of_account(request: Request) -> None:
    """Any test key will do; a live one never."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            token = ""
    if not re.fullmatch(r"sk_test_\w+", token):
        raise Refused(
            "Invalid API Key provided: the sandbox takes any that begins with sk_test_.", status=401
        )


def _response(asked: Asked, status: int, body: str, *, is_replayed: bool = False) -> Response:
    headers = {"request-id": asked.id, "stripe-version": stripe.api_version}
    if asked.key:
        headers |= {"idempotency-key": asked.key.encode("latin-1", "replace").decode("latin-1")}
        if status >= 500:
            headers["stripe-should-retry"] = "false"
    if is_replayed:
        headers["idempotent-replayed"] = "true"
    return Response(body, status, headers, media_type="application/json")
