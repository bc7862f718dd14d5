"""Drafts that are left: what a doctor has typed at a visit that was called off or is another doctor's now.

Nobody signs them any more. Their author can still read them, copy them out and drop them; nobody else can.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from core import access, audit, note_drafts, note_fields, prescription_drafts
from core.access import Action, Actor
from core.errors import NotFound
from core.i18n import N_, _, dated
from core.treatments import NEVER_A_VISIT
from db.models import Appointment, Letter, NoteDraft, Patient, Prescription


class Left(StrEnum):
    NOTE = "note"
    PRESCRIPTION = "prescription"
    LETTER = "letter"


Said = tuple[str, str]  # what a field is called, and what stands in it


@dataclass(frozen=True, slots=True)
class LeftDraft:
    """A draft that is left. `number` is that of the visit for a note, else its own."""

    kind: Left
    number: int
    patient_id: int
    patient: str
    starts_at: datetime


ACTIONS = {
    Left.NOTE: Action.WRITE_NOTE,
    Left.PRESCRIPTION: Action.PRESCRIBE,
    Left.LETTER: Action.WRITE_LETTER,
}


def own(session: Session, actor: Actor) -> list[LeftDraft]:
    """The actor's own drafts that are left, the latest visit first; nothing of what is in them.

    Raises `AccessDenied`.
    """
    access.require(actor, Action.WRITE_NOTE, doctor_id=actor.doctor_id)
    found = [
        LeftDraft(kind, number, patient_id, patient, starts_at)
        for kind in Left
        for number, patient_id, patient, starts_at in session.execute(_left(kind, actor.doctor_id))
    ]
    return sorted(found, key=lambda each: (each.starts_at, each.number), reverse=True)


def read(session: Session, actor: Actor, *, kind: Left, number: int) -> str:
    """What is typed in a draft of the actor's own that is left, as text to copy.

    The trail notes it as a look at the record. Raises `AccessDenied`, `NotFound`.
    """
    access.require(actor, ACTIONS[kind], doctor_id=actor.doctor_id)
    draft = _mine(session, actor, kind, number)
    audit.record_read(
        session, actor, Action.SEE_RECORD, kind=f"{kind} draft", number=number, patient_id=draft.patient_id
    )
    said = _SAID[kind](session, actor, number)
    return "\n\n".join(f"{label}\n{words}" for label, words in said if words)


def drop(session: Session, actor: Actor, *, kind: Left, number: int) -> LeftDraft:
    """Delete a draft of the actor's own that is left. Raises `AccessDenied`, `NotFound`."""
    access.require(actor, ACTIONS[kind], doctor_id=actor.doctor_id)
    draft = _mine(session, actor, kind, number)
    if kind is Left.NOTE:
        mine = (NoteDraft.appointment_id == number, NoteDraft.doctor_id == actor.doctor_id)
        session.execute(delete(NoteDraft).where(*mine))
    else:
        session.execute(delete(_TABLE[kind]).where(_TABLE[kind].id == number))
    session.flush()
    audit.record(
        session,
        actor,
        ACTIONS[kind],
        kind=kind.value,
        number=number,
        patient_id=draft.patient_id,
        change="discarded",
    )
    return draft


def _mine(session: Session, actor: Actor, kind: Left, number: int) -> LeftDraft:
    """Raises `NotFound` unless the actor's own draft of that number is left."""
    row = session.execute(_left(kind, actor.doctor_id, number)).first()
    if row is None:
        raise NotFound
    return LeftDraft(kind, *row)


def _left(kind: Left, doctor_id: int | None, number: int | None = None) -> Select[Any]:
    """A doctor's drafts of a kind whose visit is not theirs any more, or one of them.

    A prescription goes on at another visit of the same patient: it is left once there is none.
    """
    table = _TABLE[kind]
    named = NoteDraft.appointment_id if kind is Left.NOTE else table.id
    lost = or_(Appointment.doctor_id != doctor_id, Appointment.status.in_(NEVER_A_VISIT))
    query = (
        select(named, Appointment.patient_id, Patient.name, Appointment.starts_at)
        .join(Appointment, Appointment.id == table.appointment_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(table.doctor_id == doctor_id, lost)
    )
    if number is not None:
        query = query.where(named == number)
    if kind is not Left.NOTE:
        query = query.where(table.signed_at.is_(None))
    if kind is Left.PRESCRIPTION:
        other = aliased(Appointment)
        goes_on = (other.doctor_id == doctor_id, other.status.not_in(NEVER_A_VISIT))
        query = query.where(~exists().where(*goes_on, other.patient_id == Appointment.patient_id))
    return query


def _note(session: Session, actor: Actor, number: int) -> list[Said]:
    labels = {**note_fields.PARTS, **{name: vital.label for name, vital in note_fields.VITALS.items()}}
    labels[note_drafts.AMENDMENT] = N_("Why the note is amended")
    kept = session.get_one(NoteDraft, (number, actor.doctor_id))
    return [(_(labels[name]), words) for name, words in note_drafts.whole(kept.fields).items()]


def _prescription(session: Session, _actor: Actor, number: int) -> list[Said]:
    kept = session.get_one(Prescription, number, options=[selectinload(Prescription.items)])
    return [
        (f"{item.position}. {_(label)}", getattr(item, part))
        for item in kept.items
        for part, label in prescription_drafts.PARTS.items()
    ]


def _letter(session: Session, _actor: Actor, number: int) -> list[Said]:
    kept = session.get_one(Letter, number)
    days = [dated(day) for day in (kept.absent_from, kept.absent_until) if day is not None]
    return [(_("To"), kept.addressee), (_("Letter"), kept.body), (_("Cannot work"), " – ".join(days))]


_TABLE: dict[Left, Any] = {Left.NOTE: NoteDraft, Left.PRESCRIPTION: Prescription, Left.LETTER: Letter}
_SAID = {Left.NOTE: _note, Left.PRESCRIPTION: _prescription, Left.LETTER: _letter}
