"""Twilio's API under /2010-04-01: who asks, which call it is, and the trouble that was asked for."""

import asyncio
import base64
import binascii
import json
import re
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sandbox import twilio_lists, twilio_messages
from sandbox.faults import AFTER, BEFORE, Fault, Troubles
from sandbox.store import Body, Store
from sandbox.twilio_errors import Refused, answer
from sandbox.twilio_messages import SETTINGS
from sandbox.twilio_rules import Form
from sandbox.twilio_shapes import API, shown

_ADDRESS = re.compile(rf"{API}/Accounts/(?P<account>\w+)/Messages(/(?P<sid>\w+))?\.json")


class TwilioApi:
    """The API as an endpoint of the sandbox's application."""

    def __init__(self, store: Store, troubles: Troubles) -> None:
        self._store, self._troubles = store, troubles

    async def __call__(self, request: Request) -> Response:
        encoded = (await request.body()).decode(errors="replace")
        method, path = request.method, request.url.path
        self._troubles.note(method, path, None)
        form = dict(parse_qsl(encoded if method == "POST" else request.url.query, keep_blank_values=True))
        try:
            account = self._account(request)
            fault = self._troubles.next_for(method, path)
            if fault and fault.when == BEFORE:
                await self._trouble(request, fault)
            response = self._answer(method, path, account, form)
            if fault and fault.when == AFTER:
                await self._trouble(request, fault)
        except Refused as refused:
            return answer(refused)
        return response

    async def _trouble(self, request: Request, fault: Fault) -> None:
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "drop":
            await request.scope["cut"]()
        elif fault.kind == "429":
            raise Refused(20429, 429)
        else:
            raise Refused(20500, 500)

    def _account(self, request: Request) -> str:
        """Whose password it is: that of the account this sandbox was told of, else of any."""
        scheme, _space, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            account, _colon, token = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            account, token = "", ""
        told = self._store.setting(SETTINGS) or {}
        is_right = (told.get("account") or account, told.get("token") or token) == (account, token)
        if (
            scheme.lower() != "basic"
            or not re.fullmatch("AC[0-9a-f]{32}", account)
            or not token
            or not is_right
        ):
            raise Refused(20003, 401)
        return account

    def _answer(self, method: str, path: str, account: str, form: Form) -> Response:
        match = _ADDRESS.fullmatch(path)
        if match is None or match["account"] != account:
            raise Refused(20404, 404)
        with self._store.transaction():
            twilio_messages.move_on(self._store)
        with self._store.transaction():
            status, body = self._done(method, match["sid"], account, form)
        return Response(json.dumps(body) if body is not None else "", status, media_type="application/json")

    def _done(self, method: str, sid: str | None, account: str, form: Form) -> tuple[int, Body | None]:
        store = self._store
        if sid is None and method == "POST":
            return 201, shown(twilio_messages.create(store, account, form))
        if sid is None and method == "GET":
            return 200, twilio_lists.page(store, account, form)
        if sid is not None and method == "GET":
            return 200, shown(twilio_messages.found(store, account, sid))
        if sid is not None and method == "POST":
            return 200, shown(twilio_messages.update(store, account, sid, form))
        if sid is not None and method == "DELETE":
            twilio_messages.delete(store, account, sid)
            return 204, None
        raise Refused(20404, 404)
