"""Drafts of notes: what a doctor types for a visit is kept as it is typed, whatever becomes of the tab."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import access, audit, clock, note_fields
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.treatments import NEVER_A_VISIT
from db.models import Appointment, NoteDraft, NoteVersion

_SAVINGS = 1_000_000  # more than there are of one draft: those of an amendment are numbered after them

AMENDMENT = "amendment"  # why the signed note is amended
KEPT = (*note_fields.FIELDS, AMENDMENT)


class DraftTooLong(ClinicError):
    message = N_(
        "That is more than a note can hold. What you typed last is not saved yet: please shorten it."
    )


class DraftChangedElsewhere(ClinicError):
    message = N_(
        "This was changed in another window. What you typed here is not saved: copy it, then load the "
        "other text."
    )


class NotAVisit(ClinicError):
    message = N_("There is no visit to write a note for: it was cancelled, or never confirmed.")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is typed and not signed, every field by its name in `KEPT`.

    One that was not saved yet has revision 0, over the signed version n of the note -n.
    """

    fields: dict[str, str]
    revision: int
    saved_at: datetime | None


def of_visit(session: Session, visit: Appointment) -> Draft | None:
    """What is kept for a visit, None where nothing is, for services that have asked already."""
    kept = session.get(NoteDraft, (visit.id, visit.doctor_id))
    return None if kept is None else Draft(whole(kept.fields), kept.revision, kept.saved_at)


def save(
    session: Session, actor: Actor, *, appointment_id: int, fields: Mapping[str, str], revision: int
) -> Draft:
    """Keep what is typed for one's own visit. `revision` is that of the draft it was typed into.

    Sent again, the same text is the same saving. Raises `DraftChangedElsewhere`, `DraftTooLong`, `NotAVisit`,
    `AccessDenied`, `NotFound`.
    """
    visit = own_visit(session, actor, appointment_id)
    given = {name: _storable(words) for name, words in whole(fields).items()}
    if sum(map(len, given.values())) > note_fields.DRAFT_LENGTH:
        raise DraftTooLong
    in_turn(session, appointment_id)
    kept = session.get(NoteDraft, (appointment_id, visit.doctor_id), populate_existing=True)
    if kept is None:
        signed = _signed(session, appointment_id)
        if revision != -signed:
            raise DraftChangedElsewhere
        kept = NoteDraft(
            appointment_id=appointment_id,
            doctor_id=visit.doctor_id,
            fields=given,
            revision=signed * _SAVINGS + 1,
            saved_at=clock.now(),
        )
        session.add(kept)
        session.flush()
        note(session, actor, visit, "drafted")
    elif whole(kept.fields) != given:
        if kept.revision != revision:
            raise DraftChangedElsewhere
        kept.fields, kept.revision, kept.saved_at = given, kept.revision + 1, clock.now()
    return Draft(given, kept.revision, kept.saved_at)


def discard(session: Session, actor: Actor, *, appointment_id: int) -> None:
    """Drop what is typed and not signed. Raises `NotAVisit`, `AccessDenied`, `NotFound`."""
    visit = own_visit(session, actor, appointment_id)
    if end(session, visit):
        note(session, actor, visit, "discarded")


def require_nothing_else(
    session: Session, visit: Appointment, *, fields: Mapping[str, str], revision: int
) -> None:
    """Raise `DraftChangedElsewhere` where something else is typed for a visit than is on this screen."""
    kept = of_visit(session, visit)
    if kept is not None and kept.revision != revision and kept.fields != whole(fields):
        raise DraftChangedElsewhere


def end(session: Session, visit: Appointment) -> bool:
    """Forget what is kept for a visit, for services that have asked already; whether there was anything."""
    kept = session.get(NoteDraft, (visit.id, visit.doctor_id), with_for_update=True)
    if kept is not None:
        session.delete(kept)
    return kept is not None


def own_visit(session: Session, actor: Actor, appointment_id: int) -> Appointment:
    """A visit of the actor's own, to write about it. Raises `NotAVisit`, `AccessDenied`, `NotFound`."""
    visit = session.get(Appointment, appointment_id)
    if visit is None:
        raise NotFound
    access.require(actor, Action.WRITE_NOTE, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    if visit.status in NEVER_A_VISIT:
        raise NotAVisit
    return visit


def in_turn(session: Session, appointment_id: int) -> None:
    """Let those who write the note of one visit take turns, without standing in the way of the desk."""
    session.execute(text("SELECT pg_advisory_xact_lock(8, :number)"), {"number": appointment_id})


def _signed(session: Session, appointment_id: int) -> int:
    query = select(func.count()).where(NoteVersion.appointment_id == appointment_id)
    return session.scalar(query) or 0


def whole(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a note by name, empty where nothing is known."""
    return {name: fields.get(name, "") for name in KEPT}


def note(session: Session, actor: Actor, visit: Appointment, change: str, **detail: Any) -> None:
    """Add to the trail what became of the note of a visit."""
    audit.record(
        session,
        actor,
        Action.WRITE_NOTE,
        kind="note",
        number=visit.id,
        patient_id=visit.patient_id,
        change=change,
        **detail,
    )


def _storable(typed: str) -> str:
    """What PostgreSQL takes: no zeros, and no halves of characters."""
    return typed.replace("\0", "").encode("utf-8", "replace").decode()
