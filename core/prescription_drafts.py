"""Prescriptions as they are composed: kept as they are typed, and compared in words with the allergies.

The comparison finds the same words and nothing more: it knows no drug families, and is no clinical check.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from unicodedata import category

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session, selectinload

from core import clock, record_items, treatments
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, _
from core.note_drafts import DraftChangedElsewhere, own_visit
from core.record_items import Item
from core.texts import are_readable, several_lines
from db.models import ItemKind, Prescription, PrescriptionItem, folded

ITEMS = 20
PART_LENGTH = 200
INSTRUCTIONS_LENGTH = 1000
WORD_LEAST = 4  # letters: shorter words, such as "mg" or "B12", say nothing about an allergy
_ALPHABETS = re.compile("[\u0000-\u052f]+")  # in Latin, Greek and Cyrillic; a Chinese word may be two signs
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "drug": N_("Drug"),
        "strength": N_("Strength"),
        "form": N_("Form"),
        "dose": N_("Dose"),
        "frequency": N_("How often"),
        "duration": N_("How long"),
        "quantity": N_("Quantity"),
        "instructions": N_("Instructions"),
    }
)


class TooManyItems(ClinicError):
    message = N_("A prescription holds {count} drugs at most.")


class PartTooLong(ClinicError):
    message = N_("{part} is too long: {length} characters at most.")


class PartUnreadable(ClinicError):
    message = N_("There are characters in {part} that cannot be shown. Please type it again.")


Pair = tuple[int, str]  # the number of an allergy on the list, and a drug


@dataclass(frozen=True, slots=True)
class Match:
    """A drug on the prescription that shares a word with an allergy on the list."""

    drug: str
    allergy: Item

    @property
    def pair(self) -> Pair:
        """What somebody has looked at who has seen this: an entry of the list is never changed."""
        return self.allergy.item_id, self.drug


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> Prescription | None:
    """The actor's unsigned prescription for an own patient, with its items. Raises `AccessDenied`."""
    doctor_id = treatments.require_own(session, actor, Action.PRESCRIBE, patient_id=patient_id)
    treatments.look(session, actor, patient_id=patient_id)
    return _kept(session, patient_id, doctor_id)


def save(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    items: Iterable[Mapping[str, str]],
    revision: int,
) -> Prescription:
    """Keep the items of a prescription as they are typed, in the place of those kept before.

    It is for the patient of one's own visit. `revision` is that of the draft it was typed into, 0 where there
    was none; a line with nothing in it is not kept. Raises `DraftChangedElsewhere`, `TooManyItems`,
    `PartTooLong`, `PartUnreadable`, `NotAVisit`, `AccessDenied`, `NotFound`.
    """
    visit = own_visit(session, actor, appointment_id)
    doctor_id = treatments.require_own(session, actor, Action.PRESCRIBE, patient_id=visit.patient_id)
    given = typed(items)
    if len(given) > ITEMS:
        raise TooManyItems(count=ITEMS)
    in_turn(session, doctor_id)
    kept = _kept(session, visit.patient_id, doctor_id)
    if kept is not None and [parts(item) for item in kept.items] == given:
        return kept
    if revision != (kept.revision if kept else 0):
        raise DraftChangedElsewhere
    if kept is None:
        kept = _new(session, visit.patient_id, doctor_id)
    kept.appointment_id, kept.revision = appointment_id, kept.revision + 1
    session.execute(delete(PrescriptionItem).where(PrescriptionItem.prescription_id == kept.id))
    session.add_all(
        PrescriptionItem(prescription_id=kept.id, position=position, **item)
        for position, item in enumerate(given, start=1)
    )
    session.flush()
    session.refresh(kept, ["items"])
    return kept


def discard(session: Session, actor: Actor, *, patient_id: int) -> None:
    """Drop the actor's unsigned prescription for an own patient. Safe to repeat."""
    doctor_id = treatments.require_own(session, actor, Action.PRESCRIBE, patient_id=patient_id)
    in_turn(session, doctor_id)
    kept = _kept(session, patient_id, doctor_id)
    if kept is not None:
        session.delete(kept)
        session.flush()


def repeat(
    session: Session,
    actor: Actor,
    *,
    prescription_id: int,
    appointment_id: int,
    items: Iterable[Mapping[str, str]],
    revision: int,
) -> Prescription:
    """Save the `items` that are typed, and after them those of a signed prescription of the same patient.

    What is typed already is not added again. Raises what `save` raises.
    """
    visit = own_visit(session, actor, appointment_id)
    doctor_id = treatments.require_own(session, actor, Action.PRESCRIBE, patient_id=visit.patient_id)
    in_turn(session, doctor_id)
    earlier = session.scalar(
        select(Prescription)
        .where(Prescription.id == prescription_id, Prescription.patient_id == visit.patient_id)
        .where(Prescription.signed_at.is_not(None))
        .options(selectinload(Prescription.items))
    )
    if earlier is None:
        raise NotFound
    whole = typed(items)
    whole += [again for item in earlier.items if (again := parts(item)) not in whole]
    written = save(session, actor, appointment_id=appointment_id, items=whole, revision=revision)
    written.repeats_id = earlier.id
    session.flush()
    return written


def matches(session: Session, prescription: Prescription) -> list[Match]:
    """Which drugs share a word with an allergy that counts, for services that have asked already."""
    allergies = [
        each
        for each in record_items.listed(session, prescription.patient_id)
        if each.kind is ItemKind.ALLERGY and each.ended_at is None
    ]
    return [
        Match(item.drug, allergy)
        for item in prescription.items
        for allergy in allergies
        if _words(item.drug) & _words(f"{allergy.name} {allergy.details}")
    ]


def parts(item: PrescriptionItem) -> dict[str, str]:
    """The parts of an item by name."""
    return {part: getattr(item, part) for part in PARTS}


def in_turn(session: Session, doctor_id: int) -> None:
    """Let the windows of one doctor write prescriptions in turn."""
    session.execute(text("SELECT pg_advisory_xact_lock(9, :number)"), {"number": doctor_id})


def _words(name: str) -> set[str]:
    """The words of a name that can name a drug, without case and accents."""
    letters = "".join(each if each.isalnum() or category(each)[0] == "M" else " " for each in folded(name))
    return {word for word in letters.split() if len(word) >= WORD_LEAST or not _ALPHABETS.fullmatch(word)}


def _kept(session: Session, patient_id: int, doctor_id: int) -> Prescription | None:
    return session.scalar(
        select(Prescription)
        .where(Prescription.patient_id == patient_id, Prescription.doctor_id == doctor_id)
        .where(Prescription.signed_at.is_(None))
        .options(selectinload(Prescription.items))
        .execution_options(populate_existing=True)
    )


def _new(session: Session, patient_id: int, doctor_id: int) -> Prescription:
    """A draft numbered on from those before it, so that no stale window takes it for the one it had."""
    before = select(func.max(Prescription.revision)).where(
        Prescription.patient_id == patient_id, Prescription.doctor_id == doctor_id
    )
    begun = Prescription(
        patient_id=patient_id,
        doctor_id=doctor_id,
        created_at=clock.now(),
        revision=session.scalar(before) or 0,
    )
    session.add(begun)
    session.flush()
    return begun


def typed(items: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The lines that have something in them, as they are kept. Raises `PartTooLong`, `PartUnreadable`."""
    return [read for item in items if any((read := _read(item)).values())]


def _read(item: Mapping[str, str]) -> dict[str, str]:
    """The parts of a line as they are kept: one line each, but for the instructions."""
    found = {part: " ".join(item.get(part, "").split()) for part in PARTS}
    found["instructions"] = several_lines(item.get("instructions", ""))
    for part, text_of_it in found.items():
        length = INSTRUCTIONS_LENGTH if part == "instructions" else PART_LENGTH
        if len(text_of_it) > length:
            raise PartTooLong(part=_(PARTS[part]), length=length)
        if not are_readable(text_of_it):
            raise PartUnreadable(part=_(PARTS[part]))
    return found
