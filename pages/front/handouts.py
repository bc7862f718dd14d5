"""How a personal file is handed out: whoever asks is checked each time, and nothing is kept for later."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import audit, history_reports, sign_ins
from core.access import Actor
from core.errors import AccessDenied, ClinicError, NotFound
from core.history_reports import NoSuchSection, PeriodTurnedRound, PeriodUnreadable
from core.i18n import _, use_locale
from core.trails import FilterUnreadable
from db.session import unit_of_work
from pages.front.cookies import session_cookie

DIGITS = 9  # the most that any of our numbers has
BAD_QUERIES = (FilterUnreadable, NoSuchSection, PeriodTurnedRound, PeriodUnreadable)


class Refusal(NamedTuple):
    """An answer without a file."""

    status: int
    sentence: str


class File(NamedTuple):
    """What is handed out, what it is, and under which name it is kept."""

    content: bytes
    media_type: str
    name: str


Build = Callable[[Any, Actor], File]


async def answer(request: Request, build: Build) -> Response:
    """The file, if whoever asks may have it; for anybody else it does not exist."""
    token = request.cookies.get(session_cookie())
    address = request.client.host if request.client else None
    made = await run_in_threadpool(_made, token, address, build)
    if isinstance(made, Refusal):
        return PlainTextResponse(made.sentence, made.status)
    headers = {"content-disposition": _disposition(made.name)}
    return Response(made.content, media_type=made.media_type, headers=headers)


def _disposition(name: str) -> str:
    """To be saved under `name`, whatever it is written in (RFC 6266): older browsers read the plain one."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f'attachment; filename="{plain}"' + (
        "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    )


def _made(token: str | None, address: str | None, build: Build) -> File | Refusal:
    """What `build` makes for whoever holds `token`, or why not, in their language."""
    try:
        content = _built(token, address, build)
    except BAD_QUERIES as error:
        return Refusal(400, str(error))
    except ClinicError:
        return Refusal(404, _("That is not here any more."))
    return content if content is not None else Refusal(401, _("Please sign in to see this page."))


def _built(token: str | None, address: str | None, build: Build) -> File | None:
    """What `build` makes for whoever holds `token`, None when nobody does. Refusals go into the trail."""
    with unit_of_work() as session:
        actor = sign_ins.current_actor(session, token, address=address)
    if actor is None:
        return None
    use_locale(actor.locale)
    try:
        with unit_of_work() as session:
            return build(session, actor)
    except AccessDenied as denied:
        with unit_of_work() as session:
            audit.record_refusal(session, actor, denied)
        raise


def number(request: Request) -> int:
    """The number in the address. Raises `NotFound` where there is none that could be a row's."""
    text: str = request.path_params["number"]
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise NotFound
    return int(text)


def day(text: str) -> date:
    """A day in the address, such as 2026-12-31. Raises `NotFound` where there is none."""
    try:
        return history_reports.day(text)
    except PeriodUnreadable:
        raise NotFound from None
