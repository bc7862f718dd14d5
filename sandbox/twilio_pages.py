"""The phones one can look at: what was sent to each number, and a way to answer as its owner."""

from typing import Any
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import twilio_messages, twilio_optouts
from sandbox.drawing import asset, page
from sandbox.store import Body, Store
from sandbox.twilio_messages import KIND
from sandbox.twilio_rules import MOST_CHARACTERS, NUMBER
from sandbox.twilio_segments import segments

SHOWN_PHONES, SHOWN_TEXTS = 50, 100
WORDS = ["C", "R", "N", "Y", "STOP", "START"]  # to answer with one press
FATES: dict[str, tuple[str, str, int | None]] = {
    "arrives": ("It arrives", "delivered", None),
    "off": ("The phone is off", "undelivered", 30003),
    "unknown": ("Nobody has this number", "undelivered", 30005),
    "landline": ("It is a landline", "undelivered", 30006),
    "silent": ("The carrier tells nothing", "sent", None),
}


def routes(store: Store) -> list[Route]:
    """The addresses a browser opens."""
    pages = _Pages(store)
    return [
        Route("/phones", pages.phones),
        Route("/phone.js", asset("phone.js", "text/javascript")),
        Route("/phones/{phone}", pages.phone),
        Route("/phones/{phone}/texts", pages.texts),
        Route("/phones/{phone}/reply", pages.reply, methods=["POST"]),
        Route("/phones/{phone}/fate", pages.fate, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def phones(self, _request: Request) -> Response:
        self._move_on()
        latest = self._store.latest(KIND, "phone", SHOWN_PHONES + 1)
        return page(
            "phones.html",
            phones=[(each, _address(each["phone"])) for each in latest[:SHOWN_PHONES]],
            only=SHOWN_PHONES if len(latest) > SHOWN_PHONES else None,
        )

    async def phone(self, request: Request) -> Response:
        phone = request.path_params["phone"]
        if not NUMBER.fullmatch(phone):
            return page("no_phone.html", 404)
        shown = self._conversation(phone)
        fate = self._store.setting(f"fate of {phone}") or {"status": "delivered", "error_code": None}
        ending = (fate["status"], fate["error_code"])
        return page(
            "phone.html",
            phone=phone,
            here=_address(phone),
            words=WORDS,
            most=MOST_CHARACTERS,
            fates=[(key, words, (status, code) == ending) for key, (words, status, code) in FATES.items()],
            **shown,
        )

    async def texts(self, request: Request) -> Response:
        """The bubbles alone, which the page fetches again and again."""
        return page("texts.html", **self._conversation(request.path_params["phone"]))

    async def reply(self, request: Request) -> Response:
        phone, told = request.path_params["phone"], await _form(request)
        body = told.get("body", "").strip()[:MOST_CHARACTERS]
        if body and NUMBER.fullmatch(phone):
            with self._store.transaction():
                twilio_messages.reply(self._store, phone, body)
        return RedirectResponse(_address(phone), 303)

    async def fate(self, request: Request) -> Response:
        phone, told = request.path_params["phone"], await _form(request)
        if told.get("fate") in FATES:
            _words, status, code = FATES[told["fate"]]
            with self._store.transaction():
                self._store.set(f"fate of {phone}", {"status": status, "error_code": code})
        return RedirectResponse(_address(phone), 303)

    def _conversation(self, phone: str) -> dict[str, Any]:
        self._move_on()
        texts = twilio_messages.conversation(self._store, phone, limit=SHOWN_TEXTS)
        ours = texts[0]["ours"] if texts else None
        return {
            "texts": [(each, _parts(each)) for each in reversed(texts)],
            "is_out": ours is not None and twilio_optouts.is_out(self._store, ours, phone),
        }

    def _move_on(self) -> None:
        with self._store.transaction():
            twilio_messages.move_on(self._store)


def _parts(message: Body) -> str:
    count = segments(message["body"])
    return f"{count} segment{'' if count == 1 else 's'}"


def _address(phone: str) -> str:
    return f"/phones/{quote(phone, safe='+')}"


async def _form(request: Request) -> dict[str, str]:
    told = parse_qs((await request.body()).decode(errors="replace"))
    return {name: values[0] for name, values in told.items()}
