"""How a personal file is handed out: whoever asks is checked each time, and nothing is kept for later.

What has to be made is read in one transaction and made once that is over, in a thread of its own, into a
temporary file; then it streams. A download that is broken off stops the work. Only so much is made at once.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import IO, Any, NamedTuple, TypeVar
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import audit, history_choices, sign_ins
from core.access import Actor
from core.analytics.addresses import ViewUnreadable
from core.analytics.scopes import DaysInWrongOrder, PeriodTooLong
from core.errors import AccessDenied, ClinicError, NotFound
from core.history_choices import NoSuchSection, PeriodTurnedRound, PeriodUnreadable
from core.i18n import _, use_locale
from core.printouts import SHORT, Places, Printable, TooBusy
from core.trails import FilterUnreadable
from db.session import unit_of_work
from pages.front import streams
from pages.front.cookies import session_cookie

DIGITS = 9  # the most that any of our numbers has
BAD_QUERIES = (
    *(FilterUnreadable, NoSuchSection, PeriodTurnedRound, PeriodUnreadable),
    *(DaysInWrongOrder, PeriodTooLong, ViewUnreadable),
)
PDF = "application/pdf"


class File(NamedTuple):
    """What is handed out, what it is, and under which name it is kept."""

    content: bytes
    media_type: str
    name: str


class Print(NamedTuple):
    """What was read, to be made once the transaction is over."""

    what: Printable
    name: str
    media_type: str = PDF


class Ready(NamedTuple):
    """What was made before, a file that is handed out and closed."""

    file: IO[bytes]
    name: str
    media_type: str = PDF


Build = Callable[[Any, Actor], File | Print | Ready]
Built = TypeVar("Built")


async def answer(request: Request, build: Build, *, places: Places = SHORT) -> Response:
    """The file, if whoever asks may have it; for anybody else it does not exist.

    Who finds no place among those who have something made waits a moment, and is then asked to come again.
    """
    actor = await asking(request)
    if actor is None:
        return PlainTextResponse(_("Please sign in to see this page."), 401)
    try:
        async with streams.place(request, places, actor.user_id):
            return await _answered(request, await run_in_threadpool(built, actor, build))
    except TooBusy as busy:
        return streams.come_again(str(busy))
    except BAD_QUERIES as error:
        return PlainTextResponse(str(error), 400)
    except ClinicError:
        return PlainTextResponse(_("That is not here any more."), 404)


async def asking(request: Request) -> Actor | None:
    """Who asks, whose language is spoken from here on; None for somebody who is not signed in."""
    token = request.cookies.get(session_cookie())
    address = request.client.host if request.client else None
    actor = await run_in_threadpool(_actor, token, address)
    if actor is not None:
        use_locale(actor.locale)
    return actor


async def _answered(request: Request, made: File | Print | Ready) -> Response:
    headers = {"content-disposition": _disposition(made.name)}
    if isinstance(made, File):
        return Response(made.content, media_type=made.media_type, headers=headers)
    file = made.file if isinstance(made, Ready) else await streams.made(request, made.what)
    return streams.Streamed(file, media_type=made.media_type, headers=headers)


def _disposition(name: str) -> str:
    """To be saved under `name`, whatever it is written in (RFC 6266): older browsers read the plain one."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f'attachment; filename="{plain}"' + (
        "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    )


def _actor(token: str | None, address: str | None) -> Actor | None:
    with unit_of_work() as session:
        return sign_ins.current_actor(session, token, address=address)


def built(actor: Actor, build: Callable[[Any, Actor], Built]) -> Built:
    """What `build` reads for the actor. Refusals go into the trail."""
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
        return history_choices.day(text)
    except PeriodUnreadable:
        raise NotFound from None
