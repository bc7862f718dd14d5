"""Calendar feeds: a program reads a doctor's visits by the secret in the address, without a session."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import calendar_feeds
from core.i18n import _
from db.config import config
from db.session import unit_of_work

LONGEST = 100  # characters of a secret


async def feed(request: Request) -> Response:
    """The .ics behind the secret; the same 404 for one that was ended as for one that never was."""
    content = await run_in_threadpool(_content, request.path_params["token"][:LONGEST])
    if content is None:
        return PlainTextResponse(_("That is not here any more."), 404)
    return Response(content, media_type="text/calendar")


def _content(token: str) -> bytes | None:
    with unit_of_work() as session:
        return calendar_feeds.read(session, token=token, public_url=config().public_url)


FEEDS = Route("/feeds/{token}.ics", feed)
