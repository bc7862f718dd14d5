"""Patients: finding them at the desk and writing down new ones."""

import re
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, contact_preferences, names
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from core.phones import e164
from core.texts import SEARCH_LENGTH, has_word, search_words
from db.models import Patient, folded

RESULTS = 20
ERASED_NAME = "Erased"  # whoever had themselves erased, once the law keeps nothing more of them
OLDEST_YEARS = 130
PHONE_DIGITS = 4
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class NameMissing(ClinicError):
    message = N_("Please give the patient's name.")


class BirthDateMissing(ClinicError):
    message = N_("Please give the birth date.")


class BirthDateImpossible(ClinicError):
    message = N_("That birth date cannot be right.")


class PerhapsKnown(ClinicError):
    message = N_("Perhaps known already: {names}. Choose that person, or say that it is somebody new.")


def search(session: Session, actor: Actor, *, text: str) -> list[Patient]:
    """At most 20 patients whose birth date (as 1980-12-31), phone or name fits `text`, by name.

    Every word must begin a word of the name, without regard to case or accents; a phone needs four digits.
    """
    access.require(actor, Action.SEARCH_PATIENTS)
    audit.record_read(session, actor, Action.SEARCH_PATIENTS, kind="patients", number=0)
    query = select(Patient).where(Patient.erased_at.is_(None))
    query = query.order_by(Patient.name_folded, Patient.id).limit(RESULTS)
    digits = "".join(character for character in text[:SEARCH_LENGTH] if character.isdecimal()).lstrip("0")
    has_letters = any(character.isalpha() for character in text)
    is_phone = len(digits) >= PHONE_DIGITS and not has_letters and _birth_date(text) is None
    fitting = [Patient.phone.contains(digits)] if is_phone else named_or_born(text)
    return list(session.scalars(query.where(*fitting))) if fitting else []


def named_or_born(text: str) -> list[ColumnElement[bool]]:
    """What of a patient must fit `text`: the birth date (as 1980-12-31) or every word of a name."""
    if (born := _birth_date(text)) is not None:
        return [Patient.birth_on == born]
    words = [has_word(Patient.name_folded, word) for word in search_words(text)]
    return [*words, Patient.name != ERASED_NAME] if words else []


def _birth_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if _ISO_DATE.fullmatch(text.strip()) else None
    except ValueError:
        return None


def own(session: Session, actor: Actor) -> list[Patient]:
    """The actor's own patient row, then their dependants'."""
    rows = session.scalars(select(Patient).where(Patient.id.in_(actor.patient_ids)))
    return sorted(rows, key=lambda patient: actor.patient_ids.index(patient.id))


def find(session: Session, actor: Actor, patient_id: int) -> Patient | None:
    """One patient with the contact details, for the desk; None when there is none of that number."""
    access.require(actor, Action.SEE_CONTACT, patient_id=patient_id)
    found = session.scalar(select(Patient).where(Patient.id == patient_id, Patient.erased_at.is_(None)))
    if found is not None:
        audit.record_read(
            session, actor, Action.SEE_CONTACT, kind="patient", number=patient_id, patient_id=patient_id
        )
    return found


def register(
    session: Session,
    actor: Actor,
    *,
    name: str,
    birth_on: date | None,
    phone: str = "",
    texts_agreed: str | None = None,
    is_surely_new: bool = False,
    request_key: UUID | None = None,
) -> Patient:
    """Write down a patient without an account, at the desk. The same form sent twice writes one.

    `texts_agreed` is how the patient agreed to texts, one of `contact_preferences.GIVEN_TO_DESK`; None where
    nobody asked. Raises `PerhapsKnown` unless `is_surely_new`, `NameMissing`, `NameTooLong`,
    `NameUnreadable`, `BirthDateMissing`, `BirthDateImpossible`, `PhoneNotUnderstood`, `NumberMissing`,
    `UnknownConsent`.
    """
    access.require(actor, Action.REGISTER_PATIENT)
    if not name.strip():
        raise NameMissing
    given = names.cleaned(name)
    birth_on = possible_birth_date(session, birth_on)
    row = {"name": given, "name_folded": folded(given), "birth_on": birth_on, "phone": e164(session, phone)}
    row["locale"] = clinics.settings(session).locale
    written = _by_key(session, request_key)
    if written is not None:
        return written
    try:
        if not is_surely_new:
            _require_unknown(session, given, birth_on)
    except PerhapsKnown:
        # The same form, sent twice in parallel, may have met its own first patient.
        if written := _by_key(session, request_key):
            return written
        raise
    added: Patient | None = session.scalar(
        insert(Patient)
        .values(**row, request_key=request_key)
        .on_conflict_do_nothing(index_elements=[Patient.request_key])
        .returning(Patient)
    )
    if added is None:
        return session.scalars(select(Patient).where(Patient.request_key == request_key)).one()
    audit.record(
        session, actor, Action.REGISTER_PATIENT, kind="patient", number=added.id, patient_id=added.id
    )
    if texts_agreed is not None:
        _note_consent(session, actor, added, texts_agreed)
    return added


def _note_consent(session: Session, actor: Actor, patient: Patient, given: str) -> None:
    """Keep a consent to texts as if it had been given later, with everything else as the patient has it."""
    contact_preferences.save(
        session,
        actor,
        patient_id=patient.id,
        contact_by=patient.contact_by,
        wants_texts=True,
        wants_reminders=patient.wants_reminders,
        time_zone=patient.time_zone,
        given=given,
    )


def possible_birth_date(session: Session, birth_on: date | None) -> date:
    """`birth_on` if somebody could be born then. Raises `BirthDateMissing`, `BirthDateImpossible`."""
    today = clock.now().astimezone(clinics.zone(session)).date()
    if birth_on is None:
        raise BirthDateMissing
    if not today.year - OLDEST_YEARS <= birth_on.year or birth_on > today:
        raise BirthDateImpossible
    return birth_on


def _by_key(session: Session, request_key: UUID | None) -> Patient | None:
    if request_key is None:
        return None
    return session.scalar(select(Patient).where(Patient.request_key == request_key))


def _require_unknown(session: Session, name: str, birth_on: date) -> None:
    """Raise `PerhapsKnown` when somebody born that day shares a name with `name`."""
    shared = [has_word(Patient.name_folded, word) for word in search_words(name)]
    born_so = Patient.birth_on == birth_on, Patient.erased_at.is_(None)
    query = select(Patient.name).where(*born_so, or_(*shared)).limit(3)
    if known := session.scalars(query).all():
        raise PerhapsKnown(names=", ".join(known))
