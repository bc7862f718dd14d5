"""Letters about a patient: signed as they are typed, read by who may, never changed."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import audit, clock, letter_drafts, letter_wordings, signatures, treatments
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, dated
from core.note_drafts import DraftChangedElsewhere
from core.texts import several_lines
from db.models import Appointment, Doctor, Letter, LetterKind

LONGEST_ABSENCE = 366  # days: a slip in the year is noticed


class LetterEmpty(ClinicError):
    message = N_("The letter is empty.")


class BlankLeft(ClinicError):
    message = N_("There is a blank in the letter that nobody has filled in: {blank}.")


class AbsenceMissing(ClinicError):
    message = N_("Please give the first and the last day of the sick note.")


class AbsenceImpossible(ClinicError):
    message = N_("The last day of a sick note cannot be before the first, nor more than a year after it.")


def sign_as_typed(session: Session, actor: Actor, *, letter_id: int, revision: int, **typed: Any) -> Letter:
    """Save a letter of one's own as it is typed and sign just that. Pressed twice, it is signed once.

    Raises what `letter_drafts.save` and `sign` raise.
    """
    kept = letter_drafts.own(session, actor, letter_id)
    if kept.signed_at is not None and _says(kept, **typed):
        return kept
    saved = letter_drafts.save(session, actor, letter_id=letter_id, revision=revision, **typed)
    return sign(session, actor, letter_id=letter_id, revision=saved.revision)


def sign(session: Session, actor: Actor, *, letter_id: int, revision: int) -> Letter:
    """Sign a letter of one's own as it is on the screen. Pressed twice, it is signed once.

    The days of a sick note are filled in where its words leave a blank for them. Raises
    `DraftChangedElsewhere`, `LetterEmpty`, `AbsenceMissing`, `AbsenceImpossible`, `BlankLeft`, `NotArrived`,
    `AccessDenied`, `NotFound`.
    """
    kept = letter_drafts.own(session, actor, letter_id)
    if kept.revision != revision:
        raise DraftChangedElsewhere
    if kept.signed_at is not None:
        return kept
    if not kept.body:
        raise LetterEmpty
    signatures.require_arrived(session.get(Appointment, kept.appointment_id))
    body = letter_wordings.filled(kept.body, _days(kept))
    for name in sorted(letter_wordings.BLANKS):
        if f"{{{name}}}" in body:
            raise BlankLeft(blank=f"{{{name}}}")
    kept.body, kept.signed_at = body, clock.now()
    session.flush()
    _note(session, actor, kept)
    return kept


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> list[Letter]:
    """The signed letters about a patient with their doctors, the latest first.

    Raises `AccessDenied`, `NotFound`.
    """
    treatments.look(session, actor, patient_id=patient_id)
    query = select(Letter).where(Letter.patient_id == patient_id, Letter.signed_at.is_not(None))
    author = joinedload(Letter.doctor).joinedload(Doctor.user)
    return list(session.scalars(query.options(author).order_by(Letter.signed_at.desc(), Letter.id.desc())))


def _says(
    signed: Letter,
    *,
    addressee: str,
    body: str,
    absent_from: date | None = None,
    absent_until: date | None = None,
) -> bool:
    """Whether a letter was signed as it is typed; the days of a sick note were filled in then."""
    days = (absent_from, absent_until) if signed.kind is LetterKind.SICK_NOTE else (None, None)
    return (signed.addressee, signed.absent_from, signed.absent_until, signed.body) == (
        several_lines(addressee),
        *days,
        letter_wordings.filled(several_lines(body), _days(signed)),
    )


def _days(kept: Letter) -> dict[str, str]:
    if kept.kind is not LetterKind.SICK_NOTE:
        return {}
    first, last = kept.absent_from, kept.absent_until
    if first is None or last is None:
        raise AbsenceMissing
    if not 0 <= (last - first).days <= LONGEST_ABSENCE:
        raise AbsenceImpossible
    return {"first": dated(first), "last": dated(last)}


def _note(session: Session, actor: Actor, kept: Letter) -> None:
    audit.record(
        session,
        actor,
        Action.WRITE_LETTER,
        kind="letter",
        number=kept.id,
        patient_id=kept.patient_id,
        change="signed",
    )
