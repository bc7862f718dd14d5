"""Who may do what to whom: one table, asked by every service function."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import AccessDenied
from db.models import Role


class Action(StrEnum):
    SEARCH_DOCTORS = "search doctors"
    SEARCH_PATIENTS = "search patients"
    REGISTER_PATIENT = "register a patient"
    SEE_APPOINTMENT = "see an appointment"
    SEE_DAY = "see a doctor's day"
    BOOK = "book"
    MOVE = "move"
    CANCEL = "cancel"
    OVERBOOK = "overbook"


class Relation(StrEnum):
    """How the object of an action relates to the actor; `ANY` covers the others."""

    OWN = "own"  # one's own patient record, or a dependant's; a doctor's own day
    OWN_PATIENT = "own patient"  # a doctor's visit
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person acting, loaded afresh for each run and click.

    `patient_ids` are the person's own patient row first, then their dependants'.
    """

    user_id: int
    role: Role
    name: str
    locale: str = "en"
    patient_ids: tuple[int, ...] = field(default=())
    doctor_id: int | None = None

    @property
    def is_desk(self) -> bool:
        """Whether the actor works for the clinic as a whole and so may waive what binds patients."""
        return self.role in {Role.STAFF, Role.ADMIN}


_DESK = dict.fromkeys(Action, Relation.ANY)

RULES: dict[Role, dict[Action, Relation]] = {
    Role.PATIENT: {
        Action.SEARCH_DOCTORS: Relation.ANY,
        Action.SEE_APPOINTMENT: Relation.OWN,
        Action.BOOK: Relation.OWN,
        Action.MOVE: Relation.OWN,
        Action.CANCEL: Relation.OWN,
    },
    Role.DOCTOR: {
        Action.SEARCH_DOCTORS: Relation.ANY,
        Action.SEE_APPOINTMENT: Relation.OWN_PATIENT,
        Action.SEE_DAY: Relation.OWN,
    },
    Role.STAFF: _DESK,
    Role.ADMIN: _DESK,
}


def may(actor: Actor, action: Action, *, patient_id: int | None = None, doctor_id: int | None = None) -> bool:
    """Whether the table lets `actor` do `action` to the object named by its patient and doctor."""
    allowed = RULES[actor.role].get(action)
    if allowed is Relation.ANY:
        return True
    own_patient = patient_id is not None and patient_id in actor.patient_ids
    own_doctor = doctor_id is not None and doctor_id == actor.doctor_id
    if allowed is Relation.OWN:
        return own_patient or (own_doctor and patient_id is None)
    return allowed is Relation.OWN_PATIENT and own_doctor


def require(
    actor: Actor, action: Action, *, patient_id: int | None = None, doctor_id: int | None = None
) -> None:
    """Raise `AccessDenied` unless the table lets `actor` do `action`."""
    if not may(actor, action, patient_id=patient_id, doctor_id=doctor_id):
        raise AccessDenied
