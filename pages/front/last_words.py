"""What is typed in the last moment before a tab goes, and no websocket carries any more.

The page's script sends it here, in one request that outlives the page: see `typing.js`. It is saved by the
services by which the page saves, and refused by them for the same reasons.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import audit, letter_drafts, note_drafts, notes, prescription_drafts, sign_ins
from core.access import Actor
from core.errors import AccessDenied, ClinicError, NotFound
from core.i18n import N_, _, use_locale
from core.prescription_drafts import ITEMS, PARTS
from core.texts import several_lines
from db.session import unit_of_work
from pages.front.addresses import is_own_origin
from pages.front.cookies import session_cookie

MOST_BYTES = 128 * 1024  # browsers let such a request have 64 KiB
UNREADABLE = N_("That cannot be read.")
WRONG_ORIGIN = N_("Only the portal's own pages may send this.")
SIGN_IN = N_("Please sign in to see this page.")

Number = Annotated[int, Field(ge=0, lt=1_000_000_000)]
Fields = dict[str, str]


class LastWords(BaseModel):
    """A form as it stands on the screen. `form` is its name, as `note_12`, at the visit of number `visit`.

    `revision` is the one into which it was typed as far as the tab knows, and `sent` is what it has sent on
    without having had an answer.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    form: Annotated[str, Field(pattern=r"^(note|rx|letter)_[0-9]{1,9}$")]
    visit: Number
    revision: Annotated[int, Field(gt=-1_000_000_000, lt=1_000_000_000)]
    fields: Fields
    sent: Annotated[list[Fields], Field(max_length=3)]


class _Refused(NamedTuple):
    """Why nothing was kept."""

    status: int
    sentence: str


class _Draft(NamedTuple):
    """What is kept of a form now, and how often it was saved."""

    content: object
    revision: int


async def typed(request: Request) -> Response:
    """Keep a form of whoever is signed in. Nothing is told but that it was kept, or why not."""
    if not is_own_origin(request.headers.get("origin", "")):
        return PlainTextResponse(_(WRONG_ORIGIN), 403)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return PlainTextResponse(_(UNREADABLE), 413)
    try:
        words = LastWords.model_validate_json(body)
    except ValidationError:
        return PlainTextResponse(_(UNREADABLE), 400)
    token = request.cookies.get(session_cookie())
    address = request.client.host if request.client else None
    refused = await run_in_threadpool(_keep, token, address, words)
    return (
        Response(status_code=204) if refused is None else PlainTextResponse(refused.sentence, refused.status)
    )


def _keep(token: str | None, address: str | None, words: LastWords) -> _Refused | None:
    with unit_of_work() as session:
        actor = sign_ins.current_actor(session, token, address=address)
    if actor is None:
        return _Refused(401, _(SIGN_IN))
    use_locale(actor.locale)
    kind, _sign, number = words.form.partition("_")
    try:
        with unit_of_work() as session:
            _KEEPERS[kind](session, actor, int(number), words)
    except AccessDenied as denied:
        with unit_of_work() as session:
            audit.record_refusal(session, actor, denied)
        return _Refused(403, str(denied))
    except ClinicError as error:
        return _Refused(409, str(error))
    return None


def _keep_note(session: Any, actor: Actor, visit_id: int, words: LastWords) -> None:
    draft = notes.of_visit(session, actor, appointment_id=visit_id).draft
    revision = _revision(words, _Draft(draft.fields, draft.revision), note_drafts.whole)
    note_drafts.save(session, actor, appointment_id=visit_id, fields=words.fields, revision=revision)


def _keep_prescription(session: Any, actor: Actor, patient_id: int, words: LastWords) -> None:
    draft = prescription_drafts.of_patient(session, actor, patient_id=patient_id)
    kept = [prescription_drafts.parts(item) for item in draft.items] if draft else []
    revision = _revision(words, _Draft(kept, draft.revision if draft else 0), _items)
    saved = prescription_drafts.save(
        session, actor, appointment_id=words.visit, items=_items(words.fields), revision=revision
    )
    if saved.patient_id != patient_id:  # the form of one patient at the visit of another
        raise NotFound


def _keep_letter(session: Any, actor: Actor, letter_id: int, words: LastWords) -> None:
    letter = letter_drafts.own(session, actor, letter_id)
    revision = _revision(words, _Draft((letter.addressee, letter.body), letter.revision), _texts)
    addressee, body = _texts(words.fields)
    letter_drafts.save_words(
        session, actor, letter_id=letter_id, addressee=addressee, body=body, revision=revision
    )


_KEEPERS = {"note": _keep_note, "rx": _keep_prescription, "letter": _keep_letter}


def _revision(words: LastWords, kept: _Draft, read: Callable[[Fields], object]) -> int:
    """The revision into which a form was typed: what is kept may be what the tab itself has sent last."""
    is_own = kept.content in [read(fields) for fields in words.sent]
    return kept.revision if is_own else words.revision


def _items(fields: Mapping[str, str]) -> list[dict[str, str]]:
    lines = ({part: fields.get(f"{line}_{part}", "") for part in PARTS} for line in range(1, ITEMS + 1))
    return prescription_drafts.typed(lines)


def _texts(fields: Mapping[str, str]) -> tuple[str, str]:
    return several_lines(fields.get("addressee", "")), several_lines(fields.get("body", ""))


LAST_WORDS = Route("/typed", typed, methods=["POST"])
