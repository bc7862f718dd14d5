"""Encounter notes: kept as they are typed, signed, amended, and released to the patient.

A signed note is never edited. Who has more to say amends it: a new version with the reason, and every version
stays readable. `db.models.signatures` makes the database see to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import clock, note_drafts, note_fields, signatures, treatments
from core.access import Actor
from core.appointment_events import required_reason
from core.errors import ClinicError
from core.i18n import N_
from core.note_drafts import Draft, in_turn
from db.models import (
    Appointment,
    Doctor,
    NoteRelease,
    NoteVersion,
)


class NotSigned(ClinicError):
    message = N_("There is no signed note yet.")


@dataclass(frozen=True, slots=True)
class VisitNote:
    """The note of a visit as its doctor has it: the draft, and the signed versions, the latest first."""

    appointment_id: int
    patient_id: int
    draft: Draft
    versions: list[NoteVersion]
    released_at: datetime | None

    @property
    def is_signed(self) -> bool:
        return bool(self.versions)

    @property
    def is_draft_new(self) -> bool:
        """Whether there is something typed that no version has."""
        return self.draft.revision > 0


def of_visit(session: Session, actor: Actor, *, appointment_id: int) -> VisitNote:
    """The note of one's own visit, to write it. The draft of an amendment begins as the latest version.

    Raises `NotAVisit`, `AccessDenied`, `NotFound`.
    """
    visit = note_drafts.own_visit(session, actor, appointment_id)
    treatments.look(session, actor, patient_id=visit.patient_id)
    signed = versions(session, appointment_id)
    draft = note_drafts.of_visit(session, visit)
    if draft is None:
        draft = Draft(note_drafts.whole(_typed(signed[0]) if signed else {}), -len(signed), None)
    release = session.get(NoteRelease, appointment_id)
    return VisitNote(
        appointment_id, visit.patient_id, draft, signed, release.released_at if release else None
    )


def versions(session: Session, appointment_id: int) -> list[NoteVersion]:
    """The signed versions of a visit's note, the latest first, for services that have asked already."""
    query = select(NoteVersion).where(NoteVersion.appointment_id == appointment_id)
    author = joinedload(NoteVersion.doctor).joinedload(Doctor.user)
    return list(session.scalars(query.options(author).order_by(NoteVersion.number.desc())))


def sign(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    fields: Mapping[str, str],
    revision: int,
    amendment: str = "",
) -> NoteVersion:
    """Sign the note of one's own visit as typed; once it is signed, amend it and say why in `amendment`.

    Pressed twice it is signed once: what the latest version says already makes no other. The draft ends;
    `revision` is its own, so that nothing typed elsewhere goes with it. Raises what `note_fields.columns`
    raises, `DraftChangedElsewhere`, `DraftTooLong`, `NotArrived`, `NotAVisit`, `ReasonMissing`,
    `ReasonTooLong`, `ReasonUnreadable`, `AccessDenied`, `NotFound`.
    """
    visit = note_drafts.own_visit(session, actor, appointment_id)
    signatures.require_arrived(visit)
    written, typed = note_fields.columns(fields), {**fields, note_drafts.AMENDMENT: amendment}
    in_turn(session, appointment_id)
    before = versions(session, appointment_id)
    if before and {name: getattr(before[0], name) for name in written} == written:
        note_drafts.require_nothing_else(session, visit, fields=typed, revision=revision)
        note_drafts.end(session, visit)
        return before[0]
    why = required_reason(amendment) if before else ""
    note_drafts.save(session, actor, appointment_id=appointment_id, fields=typed, revision=revision)
    version = NoteVersion(
        appointment_id=appointment_id,
        number=len(before) + 1,
        doctor_id=visit.doctor_id,
        amendment=why,
        signed_at=clock.now(),
        **written,
    )
    session.add(version)
    note_drafts.end(session, visit)
    session.flush()
    note_drafts.note(
        session,
        actor,
        visit,
        "amended" if before else "signed",
        version=version.number,
        sha256=seal(version),
    )
    return version


def release(session: Session, actor: Actor, *, appointment_id: int) -> None:
    """Let the patient read the signed note of one's own visit, and its amendments. Safe to repeat.

    Raises `NotSigned`, `NotAVisit`, `AccessDenied`, `NotFound`.
    """
    visit = note_drafts.own_visit(session, actor, appointment_id)
    in_turn(session, appointment_id)
    if not versions(session, appointment_id):
        raise NotSigned
    if session.get(NoteRelease, appointment_id) is None:
        session.add(
            NoteRelease(appointment_id=appointment_id, released_at=clock.now(), released_by_id=actor.user_id)
        )
        session.flush()
        note_drafts.note(session, actor, visit, "released")


def hold_back(session: Session, actor: Actor, *, appointment_id: int) -> None:
    """Keep the note of one's own visit from the patient again. Safe to repeat."""
    visit = note_drafts.own_visit(session, actor, appointment_id)
    released = session.get(NoteRelease, appointment_id, with_for_update=True)
    if released is not None:
        session.delete(released)
        note_drafts.note(session, actor, visit, "held back")


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> dict[int, list[NoteVersion]]:
    """The signed notes of a patient by visit, the versions of each latest first.

    Doctors who treat the patient read all of them, the patient those that were released. Raises
    `AccessDenied`, `NotFound`.
    """
    treatments.look(session, actor, patient_id=patient_id)
    query = (
        select(NoteVersion)
        .join(NoteVersion.appointment)
        .where(Appointment.patient_id == patient_id)
        .options(joinedload(NoteVersion.doctor).joinedload(Doctor.user))
        .order_by(Appointment.starts_at.desc(), NoteVersion.appointment_id, NoteVersion.number.desc())
    )
    if patient_id in actor.patient_ids:
        released = select(NoteRelease.appointment_id)
        query = query.where(NoteVersion.appointment_id.in_(released))
    found: dict[int, list[NoteVersion]] = {}
    for version in session.scalars(query):
        found.setdefault(version.appointment_id, []).append(version)
    return found


def _typed(version: NoteVersion) -> dict[str, str]:
    columns = (*note_fields.PARTS, *(vital.column for vital in note_fields.VITALS.values()))
    return note_fields.typed({name: getattr(version, name) for name in columns})


def seal(version: NoteVersion) -> str:
    """A hash of what was signed, for the trail: a version that somebody alters behind our back differs."""
    said = [str(getattr(version, column.name)) for column in NoteVersion.__table__.columns]
    return sha256("\x1f".join(said).encode()).hexdigest()
