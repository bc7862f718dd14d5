"""Personal files at addresses of their own: whoever asks is checked each time, and nothing is kept for later.

Never `st.download_button`: what Streamlit offers under /media is anybody's who knows the address.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import audit, calendars, documents, privacy, sign_ins, trails
from core.access import Actor
from core.errors import AccessDenied, ClinicError, NotFound
from core.i18n import _, use_locale
from core.trails import FilterUnreadable
from db.config import config
from db.session import unit_of_work
from pages.front.cookies import session_cookie

DIGITS = 9  # the most that any of our numbers has


class Refusal(NamedTuple):
    """An answer without a file."""

    status: int
    sentence: str


Build = Callable[[Any, Actor], bytes]


async def visit_calendar(request: Request) -> Response:
    """The .ics of a visit."""

    def build(session: Any, actor: Actor) -> bytes:
        return calendars.visit_ics(
            session, actor, appointment_id=_number(request), public_url=config().public_url
        )

    return await _answer(request, build, "text/calendar", "appointment.ics")


async def own_data(request: Request) -> Response:
    """Everything held about a patient, as a ZIP."""

    def build(session: Any, actor: Actor) -> bytes:
        return privacy.export(session, actor, patient_id=_number(request))

    return await _answer(request, build, "application/zip", "my-data.zip")


async def document(request: Request) -> Response:
    """An invoice, a receipt or what else the ledger has under a number."""

    def build(session: Any, actor: Actor) -> bytes:
        return documents.as_pdf(session, actor, entry_id=_number(request))

    return await _answer(request, build, "application/pdf", f"document-{request.path_params['number']}.pdf")


async def audit_trail(request: Request) -> Response:
    """The entries of the audit trail that the address asks for, as CSV."""

    def build(session: Any, actor: Actor) -> bytes:
        return trails.as_csv(session, actor, trails.from_query(request.query_params))

    return await _answer(request, build, "text/csv; charset=utf-8", "audit-trail.csv")


async def _answer(request: Request, build: Build, media_type: str, name: str) -> Response:
    """The file, if whoever asks may have it; for anybody else it does not exist."""
    token = request.cookies.get(session_cookie())
    address = request.client.host if request.client else None
    made = await run_in_threadpool(_made, token, address, build)
    if isinstance(made, Refusal):
        return PlainTextResponse(made.sentence, made.status)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(made, media_type=media_type, headers=headers)


def _made(token: str | None, address: str | None, build: Build) -> bytes | Refusal:
    """What `build` makes for whoever holds `token`, or why not, in their language."""
    try:
        content = _built(token, address, build)
    except FilterUnreadable as error:
        return Refusal(400, str(error))
    except ClinicError:
        return Refusal(404, _("That is not here any more."))
    return content if content is not None else Refusal(401, _("Please sign in to see this page."))


def _built(token: str | None, address: str | None, build: Build) -> bytes | None:
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


def _number(request: Request) -> int:
    """The number in the address. Raises `NotFound` where there is none that could be a row's."""
    text: str = request.path_params["number"]
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise NotFound
    return int(text)


FILES = [
    Route("/files/appointments/{number}.ics", visit_calendar),
    Route("/files/my-data/{number}.zip", own_data),
    Route("/files/documents/{number}.pdf", document),
    Route("/files/audit.csv", audit_trail),
]
