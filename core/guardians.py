"""Guardians: whom the desk lets act for a child or somebody else who depends on them."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, audit
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from db.models import Patient


class OwnGuardian(ClinicError):
    message = N_("Nobody is their own guardian. Please choose somebody else.")


class GuardianKnown(ClinicError):
    message = N_("This patient has a guardian already. End that first.")


class GuardianDependent(ClinicError):
    message = N_("{name} has a guardian too, and so cannot be one.")


class GuardianOfOthers(ClinicError):
    message = N_("{name} is the guardian of others, and so cannot have one.")


class Family(NamedTuple):
    """A patient's guardian, if there is one, and those whose guardian the patient is, by age."""

    guardian: Patient | None
    dependants: list[Patient]


def family(session: Session, actor: Actor, *, patient_id: int) -> Family:
    """Who acts for the patient, and for whom the patient acts."""
    access.require(actor, Action.SEE_CONTACT, patient_id=patient_id)
    audit.record_read(
        session, actor, Action.SEE_CONTACT, kind="patient", number=patient_id, patient_id=patient_id
    )
    own = select(Patient.guardian_id).where(Patient.id == patient_id).scalar_subquery()
    guardian = session.scalar(select(Patient).where(Patient.id == own))
    dependants = select(Patient).where(Patient.guardian_id == patient_id)
    return Family(guardian, list(session.scalars(dependants.order_by(Patient.birth_on, Patient.id))))


def link_guardian(session: Session, actor: Actor, *, patient_id: int, guardian_id: int) -> Patient:
    """Let one patient act for another, in everything, until the link is ended; the dependant's row.

    A guardian has no guardian, and a dependant no dependants: nobody acts for somebody through a third.
    Raises `OwnGuardian`, `GuardianKnown`, `GuardianDependent`, `GuardianOfOthers`, `NotFound`.
    """
    access.require(actor, Action.LINK_GUARDIAN, patient_id=patient_id)
    if patient_id == guardian_id:
        raise OwnGuardian
    rows = _locked(session, patient_id, guardian_id)
    dependant, guardian = rows[patient_id], rows[guardian_id]
    if dependant.guardian_id == guardian_id:
        return dependant
    if dependant.guardian_id is not None:
        raise GuardianKnown
    if guardian.guardian_id is not None:
        raise GuardianDependent(name=guardian.name)
    if session.scalar(select(Patient.id).where(Patient.guardian_id == patient_id).limit(1)):
        raise GuardianOfOthers(name=dependant.name)
    dependant.guardian_id = guardian_id
    session.flush()
    audit.record(
        session,
        actor,
        Action.LINK_GUARDIAN,
        kind="patient",
        number=patient_id,
        patient_id=patient_id,
        guardian_id=guardian_id,
    )
    return dependant


def unlink_guardian(session: Session, actor: Actor, *, patient_id: int) -> Patient:
    """End a guardian's rights at once: from the next click they see nothing of the patient's."""
    access.require(actor, Action.UNLINK_GUARDIAN, patient_id=patient_id)
    dependant = _locked(session, patient_id)[patient_id]
    before = dependant.guardian_id
    if before is not None:
        dependant.guardian_id = None
        session.flush()
        audit.record(
            session,
            actor,
            Action.UNLINK_GUARDIAN,
            kind="patient",
            number=patient_id,
            patient_id=patient_id,
            guardian_id=before,
        )
    return dependant


def _locked(session: Session, *patient_ids: int) -> dict[int, Patient]:
    """The patients, held against other links in one order until the transaction ends. Raises `NotFound`."""
    rows = session.scalars(
        select(Patient)
        .where(Patient.id.in_(patient_ids), Patient.erased_at.is_(None))
        .order_by(Patient.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {patient.id: patient for patient in rows}
    if len(found) < len(patient_ids):
        raise NotFound
    return found
