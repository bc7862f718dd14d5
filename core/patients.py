"""Patients: finding them at the desk and writing down new ones."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import access, clock
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from core.phones import e164
from db.models import Patient, folded

RESULTS = 20
OLDEST_YEARS = 130
NAME_LENGTH = 200


class NameMissing(ClinicError):
    message = N_("Please give the patient's name.")


class NameTooLong(ClinicError):
    message = N_("Please keep the name under {length} characters.")


class BirthDateImpossible(ClinicError):
    message = N_("That birth date cannot be right.")


def search(session: Session, actor: Actor, *, text: str) -> list[Patient]:
    """At most 20 patients whose name, phone or birth date (ISO) fits `text`, by name.

    Every word must begin a word of the name, without regard to case or accents.
    """
    access.require(actor, Action.SEARCH_PATIENTS)
    words = folded(text).split()
    if not words:
        return []
    named = [(" " + Patient.name_folded).contains(" " + word, autoescape=True) for word in words]
    query = select(Patient).order_by(Patient.name_folded, Patient.id).limit(RESULTS)
    digits = "".join(character for character in text if character.isdigit())
    try:
        born = Patient.birth_on == date.fromisoformat(text.strip())
    except ValueError:
        born = None
    if born is not None:
        return list(session.scalars(query.where(born)))
    if len(digits) >= 4 and not any(word.isalpha() for word in words):
        return list(session.scalars(query.where(Patient.phone.contains(digits.lstrip("0")))))
    return list(session.scalars(query.where(*named)))


def own(session: Session, actor: Actor) -> list[Patient]:
    """The actor's own patient row, then their dependants'."""
    rows = session.scalars(select(Patient).where(Patient.id.in_(actor.patient_ids)))
    return sorted(rows, key=lambda patient: actor.patient_ids.index(patient.id))


def likely_same(session: Session, actor: Actor, *, name: str, birth_on: date) -> Sequence[Patient]:
    """Patients born that day who share a name with `name`: perhaps the same person."""
    access.require(actor, Action.SEARCH_PATIENTS)
    words = folded(name).split()
    shared = [(" " + Patient.name_folded).contains(" " + word, autoescape=True) for word in words]
    return session.scalars(select(Patient).where(Patient.birth_on == birth_on, or_(*shared)).limit(5)).all()


def register(session: Session, actor: Actor, *, name: str, birth_on: date, phone: str = "") -> Patient:
    """Write down a patient without an account, at the desk.

    Raises `NameMissing`, `NameTooLong`, `BirthDateImpossible`, `PhoneNotUnderstood`.
    """
    access.require(actor, Action.REGISTER_PATIENT)
    given = " ".join(name.split())
    if not given:
        raise NameMissing
    if len(given) > NAME_LENGTH:
        raise NameTooLong(length=NAME_LENGTH)
    today = clock.now().date()
    if not today.year - OLDEST_YEARS <= birth_on.year or birth_on > today:
        raise BirthDateImpossible
    patient = Patient(name=given, birth_on=birth_on, phone=e164(session, phone))
    session.add(patient)
    session.flush()
    return patient
