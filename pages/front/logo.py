"""The clinic's logo at an address of ours: everybody may see it."""

from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.file_kinds import kind_of
from core.i18n import _
from core.letterheads import logo as logo_of
from db.session import unit_of_work


async def logo(request: Request) -> Response:
    """The PNG or JPEG; 304 to a browser that has it, 404 where the clinic has none."""
    content = await run_in_threadpool(_content)
    kind = kind_of(content) if content else None
    if content is None or kind is None:
        return PlainTextResponse(_("That is not here."), 404)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind.value, headers=headers)


def _content() -> bytes | None:
    with unit_of_work() as session:
        return logo_of(session)


LOGO = Route("/logo", logo)
