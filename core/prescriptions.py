"""Prescriptions: signed by the doctor, read by who may, withdrawn with a reason; never changed."""

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import access, audit, clock, prescription_drafts, treatments
from core.access import Action, Actor
from core.appointment_events import required_reason
from core.errors import ClinicError, NotFound
from core.i18n import N_, _
from core.note_drafts import DraftChangedElsewhere
from core.notes import BEGUN
from db.models import Appointment, Doctor, Prescription, PrescriptionItem

REQUIRED = ("dose", "frequency")


class NothingPrescribed(ClinicError):
    message = N_("There is nothing on the prescription yet.")


class DrugMissing(ClinicError):
    message = N_("Please name the drug of each line, or take the line away.")


class PartMissing(ClinicError):
    message = N_("{drug}: please say this too: {part}.")


class NotArrived(ClinicError):
    message = N_("A prescription is signed once the patient has arrived. Until then it stays a draft.")


class AllergyNamed(ClinicError):
    """An item shares a word with an allergy of the patient's, and nobody has said that it was looked at."""

    message = N_("The record names an allergy in the same words as {drugs}. Please look at it, and confirm.")


class NotSignedYet(ClinicError):
    message = N_("This prescription is not signed.")


class AlreadyWithdrawn(ClinicError):
    message = N_("This prescription has been withdrawn already.")


def sign(
    session: Session, actor: Actor, *, prescription_id: int, revision: int, is_looked_at: bool = False
) -> Prescription:
    """Sign one's own draft as it is on the screen. Pressed twice, it is signed once.

    `is_looked_at` says that the doctor has seen which drugs share words with an allergy. Raises
    `DraftChangedElsewhere`, `NotArrived`, `NothingPrescribed`, `DrugMissing`, `PartMissing`,
    `AllergyNamed`, `AccessDenied`, `NotFound`.
    """
    kept = _own(session, actor, prescription_id)
    if kept.revision != revision:
        raise DraftChangedElsewhere
    if kept.signed_at is not None:
        return kept
    visit = session.get(Appointment, kept.appointment_id)
    if visit is None or visit.status not in BEGUN:
        raise NotArrived
    if not kept.items:
        raise NothingPrescribed
    for item in kept.items:
        _require_whole(item)
    found = prescription_drafts.matches(session, kept)
    if found and not is_looked_at:
        raise AllergyNamed(drugs=", ".join(sorted({each.drug for each in found})))
    kept.signed_at = clock.now()
    session.flush()
    _note(session, actor, kept, "signed")
    return kept


def withdraw(session: Session, actor: Actor, *, prescription_id: int, reason: str) -> None:
    """Say that a signed prescription of one's own is not to be used, and why; it stays readable.

    Raises `NotSignedYet`, `AlreadyWithdrawn`, `ReasonMissing`, `ReasonTooLong`, `ReasonUnreadable`,
    `AccessDenied`, `NotFound`.
    """
    kept = _own(session, actor, prescription_id)
    if kept.signed_at is None:
        raise NotSignedYet
    if kept.withdrawn_at is not None:
        raise AlreadyWithdrawn
    kept.withdrawal_reason = required_reason(reason)
    kept.withdrawn_at, kept.withdrawn_by_id = clock.now(), actor.user_id
    session.flush()
    _note(session, actor, kept, "withdrawn")


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> list[Prescription]:
    """The signed prescriptions of a patient with their items and doctors, the latest first.

    Raises `AccessDenied`, `NotFound`.
    """
    treatments.look(session, actor, patient_id=patient_id)
    query = (
        select(Prescription)
        .where(Prescription.patient_id == patient_id, Prescription.signed_at.is_not(None))
        .options(selectinload(Prescription.items), selectinload(Prescription.doctor).joinedload(Doctor.user))
        .order_by(Prescription.signed_at.desc(), Prescription.id.desc())
    )
    return list(session.scalars(query))


def _own(session: Session, actor: Actor, prescription_id: int) -> Prescription:
    """A prescription of the actor's own, nobody else writing it meanwhile."""
    kept = session.get(Prescription, prescription_id)
    if kept is None:
        raise NotFound
    access.require(actor, Action.PRESCRIBE, patient_id=kept.patient_id, doctor_id=kept.doctor_id)
    prescription_drafts.in_turn(session, kept.doctor_id)
    items = [selectinload(Prescription.items)]
    found = session.get(Prescription, prescription_id, options=items, populate_existing=True)
    if found is None:  # dropped while we waited
        raise NotFound
    return found


def _require_whole(item: PrescriptionItem) -> None:
    if not item.drug:
        raise DrugMissing
    for part in REQUIRED:
        if not getattr(item, part):
            raise PartMissing(drug=item.drug, part=_(prescription_drafts.PARTS[part]))


def _note(session: Session, actor: Actor, kept: Prescription, change: str) -> None:
    audit.record(
        session,
        actor,
        Action.PRESCRIBE,
        kind="prescription",
        number=kept.id,
        patient_id=kept.patient_id,
        change=change,
    )
