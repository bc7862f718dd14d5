"""Letters as they are written: begun from the clinic's words, kept as they are typed, dropped."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import access, clinics, clock, letter_wordings, note_drafts, record_items, treatments
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, dated, short_date
from core.note_drafts import DraftChangedElsewhere
from core.texts import are_readable, several_lines
from db.models import Appointment, ItemKind, Letter, LetterKind, Patient

BODY_LENGTH = 20_000
ADDRESSEE_LENGTH = 500


class LetterTooLong(ClinicError):
    message = N_("The letter is too long: {length} characters at most, and {addressee} for the address.")


class LetterUnreadable(ClinicError):
    message = N_("There are characters in the letter that cannot be shown. Please type that passage again.")


def begin(
    session: Session, actor: Actor, *, appointment_id: int, kind: LetterKind, request_key: UUID
) -> Letter:
    """Begin a letter at one's own visit with the words for its kind, in the language spoken now.

    The same `request_key` gives the same letter. Raises `NotAVisit`, `AccessDenied`, `NotFound`.
    """
    visit = note_drafts.own_visit(session, actor, appointment_id)
    access.require(actor, Action.WRITE_LETTER, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    _in_turn(session, visit.doctor_id)
    sent_before = select(Letter).where(Letter.request_key == request_key, Letter.doctor_id == visit.doctor_id)
    known = session.scalar(sent_before)
    if known is not None:
        return known
    words = letter_wordings.of_kind(session, kind)
    begun = Letter(
        patient_id=visit.patient_id,
        doctor_id=visit.doctor_id,
        appointment_id=appointment_id,
        kind=kind,
        body=letter_wordings.filled(words, _values(session, actor, visit)),
        created_at=clock.now(),
        saved_at=clock.now(),
        request_key=request_key,
    )
    session.add(begun)
    session.flush()
    return begun


def save(
    session: Session,
    actor: Actor,
    *,
    letter_id: int,
    addressee: str,
    body: str,
    absent_from: date | None = None,
    absent_until: date | None = None,
    revision: int,
) -> Letter:
    """Keep a letter of one's own as it is typed. Of a referral there are no days.

    Raises `DraftChangedElsewhere`, `LetterTooLong`, `LetterUnreadable`, `AccessDenied`, `NotFound`.
    """
    kept = own(session, actor, letter_id)
    given = (several_lines(addressee), several_lines(body))
    if len(given[0]) > ADDRESSEE_LENGTH or len(given[1]) > BODY_LENGTH:
        raise LetterTooLong(length=BODY_LENGTH, addressee=ADDRESSEE_LENGTH)
    if not all(map(are_readable, given)):
        raise LetterUnreadable
    days = (absent_from, absent_until) if kept.kind is LetterKind.SICK_NOTE else (None, None)
    if (kept.addressee, kept.body, kept.absent_from, kept.absent_until) == (*given, *days):
        return kept
    if kept.signed_at is not None or kept.revision != revision:
        raise DraftChangedElsewhere
    kept.addressee, kept.body = given
    kept.absent_from, kept.absent_until = days
    kept.saved_at, kept.revision = clock.now(), kept.revision + 1
    session.flush()
    return kept


def save_words(
    session: Session, actor: Actor, *, letter_id: int, addressee: str, body: str, revision: int
) -> Letter:
    """Keep the words of a letter of one's own as they are typed, and its days as they are.

    Raises what `save` raises.
    """
    kept = own(session, actor, letter_id)
    days = {"absent_from": kept.absent_from, "absent_until": kept.absent_until}
    return save(
        session, actor, letter_id=letter_id, addressee=addressee, body=body, revision=revision, **days
    )


def write_anew(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    kind: LetterKind,
    request_key: UUID,
    **typed: Any,
) -> Letter:
    """Keep what was typed into a letter that was signed or dropped meanwhile, as another draft.

    The same `request_key` gives the same letter. Raises what `begin` and `save` raise.
    """
    begun = begin(session, actor, appointment_id=appointment_id, kind=kind, request_key=request_key)
    if begun.revision:
        return begun
    return save(session, actor, letter_id=begun.id, revision=begun.revision, **typed)


def discard(session: Session, actor: Actor, *, letter_id: int) -> int:
    """Drop a letter of one's own that is not signed; its number.

    Raises `DraftChangedElsewhere`, `AccessDenied`, `NotFound`.
    """
    kept = own(session, actor, letter_id)
    if kept.signed_at is not None:
        raise DraftChangedElsewhere
    session.delete(kept)
    session.flush()
    return letter_id


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> list[Letter]:
    """The actor's unsigned letters about an own patient, the oldest first. Raises `AccessDenied`."""
    doctor_id = treatments.require_own(session, actor, Action.WRITE_LETTER, patient_id=patient_id)
    query = select(Letter).where(
        Letter.patient_id == patient_id, Letter.doctor_id == doctor_id, Letter.signed_at.is_(None)
    )
    return list(session.scalars(query.order_by(Letter.id)))


def own(session: Session, actor: Actor, letter_id: int) -> Letter:
    """A letter of the actor's own, nobody else writing it meanwhile."""
    kept = session.get(Letter, letter_id)
    if kept is None:
        raise NotFound
    access.require(actor, Action.WRITE_LETTER, patient_id=kept.patient_id, doctor_id=kept.doctor_id)
    _in_turn(session, kept.doctor_id)
    found = session.get(Letter, letter_id, populate_existing=True)
    if found is None:  # dropped while we waited
        raise NotFound
    return found


def _in_turn(session: Session, doctor_id: int) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(11, :number)"), {"number": doctor_id})


def _values(session: Session, actor: Actor, visit: Appointment) -> dict[str, str]:
    """What the blanks of a letter are filled with; the days of a sick note are not known yet."""
    patient = session.get_one(Patient, visit.patient_id)
    items = [each for each in record_items.listed(session, visit.patient_id) if each.ended_at is None]

    def names(kind: ItemKind) -> str:
        return ", ".join(each.name for each in items if each.kind is kind) or "–"

    return {
        "patient": patient.name,
        "born": short_date(patient.birth_on),
        "doctor": actor.name,
        "clinic": clinics.settings(session).name,
        "visit": dated(visit.starts_at.astimezone(clinics.zone(session)).date()),
        "problems": names(ItemKind.PROBLEM),
        "allergies": names(ItemKind.ALLERGY),
        "medication": names(ItemKind.MEDICATION),
    }
