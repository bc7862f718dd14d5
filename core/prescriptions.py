"""Prescriptions: signed by the doctor, read by who may, withdrawn with a reason; never changed."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import access, audit, clock, note_drafts, prescription_drafts, signatures, treatments
from core.access import Action, Actor
from core.appointment_events import required_reason
from core.errors import ClinicError, NotFound
from core.i18n import N_, _
from core.note_drafts import DraftChangedElsewhere
from core.prescription_drafts import Pair
from db.models import Appointment, Doctor, Prescription, PrescriptionItem

REQUIRED = ("dose", "frequency")


class NothingPrescribed(ClinicError):
    message = N_("There is nothing on the prescription yet.")


class DrugMissing(ClinicError):
    message = N_("Please name the drug of each line, or take the line away.")


class PartMissing(ClinicError):
    message = N_("{drug}: please say this too: {part}.")


class AllergyNamed(ClinicError):
    """An item shares a word with an allergy of the patient's, and nobody has said that it was looked at."""

    message = N_("The record names an allergy in the same words as {drugs}. Please look at it, and confirm.")


class OtherAllergyNamed(ClinicError):
    """The same, where somebody has looked at others."""

    message = N_(
        "The record names another allergy by now in the same words as {drugs}. Please look at it, and "
        "confirm again."
    )


class NotSignedYet(ClinicError):
    message = N_("This prescription is not signed.")


class AlreadyWithdrawn(ClinicError):
    message = N_("This prescription has been withdrawn already.")


def sign_as_typed(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    items: Iterable[Mapping[str, str]],
    revision: int,
    looked_at: Collection[Pair] = (),
) -> Prescription:
    """Save what is typed at one's own visit and sign just that. Pressed twice, it is signed once.

    Where the draft into which this was typed has been signed in these words, that is what was asked for.
    Raises what `prescription_drafts.save` and `sign` raise.
    """
    visit = note_drafts.own_visit(session, actor, appointment_id)
    doctor_id = treatments.require_own(session, actor, Action.PRESCRIBE, patient_id=visit.patient_id)
    given = prescription_drafts.typed(items)
    if not given:
        raise NothingPrescribed
    prescription_drafts.in_turn(session, doctor_id)
    before = _just_signed(session, visit, given, revision)
    if before is not None:
        return before
    draft = prescription_drafts.save(
        session, actor, appointment_id=appointment_id, items=given, revision=revision
    )
    return sign(session, actor, prescription_id=draft.id, revision=draft.revision, looked_at=looked_at)


def sign(
    session: Session,
    actor: Actor,
    *,
    prescription_id: int,
    revision: int,
    looked_at: Collection[Pair] = (),
) -> Prescription:
    """Sign one's own draft as it is on the screen. Pressed twice, it is signed once.

    `looked_at` are the drugs that share words with an allergy and were shown to the doctor, who prescribes
    them all the same. Raises `DraftChangedElsewhere`, `NotArrived`, `NothingPrescribed`, `DrugMissing`,
    `PartMissing`, `AllergyNamed`, `OtherAllergyNamed`, `AccessDenied`, `NotFound`.
    """
    kept = _own(session, actor, prescription_id)
    if kept.revision != revision:
        raise DraftChangedElsewhere
    if kept.signed_at is not None:
        return kept
    signatures.require_arrived(session.get(Appointment, kept.appointment_id))
    if not kept.items:
        raise NothingPrescribed
    for item in kept.items:
        _require_whole(item)
    unseen = [each for each in prescription_drafts.matches(session, kept) if each.pair not in looked_at]
    if unseen:
        refused = OtherAllergyNamed if looked_at else AllergyNamed
        raise refused(drugs=", ".join(sorted({each.drug for each in unseen})))
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


def _just_signed(
    session: Session, visit: Appointment, given: list[dict[str, str]], revision: int
) -> Prescription | None:
    """What the draft of that revision has become at a visit, if it was signed in these words, and stands."""
    mine = (Prescription.patient_id == visit.patient_id, Prescription.doctor_id == visit.doctor_id)
    if session.scalar(select(Prescription.id).where(*mine, Prescription.signed_at.is_(None))) is not None:
        return None
    last = session.scalar(
        select(Prescription)
        .where(*mine, Prescription.appointment_id == visit.id)
        .options(selectinload(Prescription.items))
        .order_by(Prescription.id.desc())
        .limit(1)
    )
    if last is None or last.withdrawn_at is not None:
        return None
    is_its_own = revision in {0, last.revision, last.revision - 1}
    says_so = [prescription_drafts.parts(item) for item in last.items] == given
    return last if is_its_own and says_so else None


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
