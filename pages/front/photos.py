"""Photos of doctors at addresses of ours, for whoever is signed in; of drafts for who may read these."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import doctors, profile_drafts
from core.access import Actor
from core.errors import ClinicError
from core.file_kinds import kind_of
from core.i18n import _
from pages.front import handouts

Find = Callable[[Any, Actor], bytes]


async def photo(request: Request) -> Response:
    """What patients see of a doctor."""

    def find(session: Any, actor: Actor) -> bytes:
        return doctors.photo(session, actor, doctor_id=handouts.number(request))

    return await _shown(request, find)


async def new_photo(request: Request) -> Response:
    """What a doctor would like them to see."""

    def find(session: Any, actor: Actor) -> bytes:
        return profile_drafts.new_photo(session, actor, doctor_id=handouts.number(request))

    return await _shown(request, find)


async def _shown(request: Request, find: Find) -> Response:
    """The picture, to be drawn in a page; 304 to a browser that has it and may still see it."""
    actor = await handouts.asking(request)
    if actor is None:
        return PlainTextResponse(_("Please sign in to see this page."), 401)
    try:
        content = await run_in_threadpool(handouts.built, actor, find)
    except ClinicError:
        return PlainTextResponse(_("That is not here any more."), 404)
    tag, kind = f'"{sha256(content).hexdigest()[:32]}"', kind_of(content)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind.value if kind else None, headers=headers)


PHOTOS = [Route("/photos/{number}", photo), Route("/photos/drafts/{number}", new_photo)]
