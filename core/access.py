"""Who may do what to whom: one table, asked by every service function."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import AccessDenied
from db.models import Role


class Action(StrEnum):
    SEARCH_DOCTORS = "search doctors"
    SEARCH_PATIENTS = "search patients"
    REGISTER_PATIENT = "register a patient"
    SEE_CONTACT = "see a patient's contact details"
    LINK_GUARDIAN = "link a guardian"
    UNLINK_GUARDIAN = "end a guardian's rights"
    SEE_APPOINTMENT = "see an appointment"
    SEE_DAY = "see a doctor's day"
    BOOK = "book"
    BOOK_SERIES = "book, move or cancel a series"
    MOVE = "move"
    CANCEL = "cancel"
    OVERBOOK = "overbook"
    PAY = "pay online"
    SEE_PAYMENTS = "see payments"
    TAKE_PAYMENT = "take a payment"
    REFUND = "pay back"
    CLOSE_TILL = "close a till"
    RECONCILE = "compare with the card processor"
    JOIN_WAITLIST = "join the waitlist"
    SEE_WAITLIST = "see the waitlist"
    CHECK_IN = "mark who has come"
    TELL_LATE = "tell patients about a delay"
    SET_HOURS = "set a doctor's hours"
    SETTLE_VISIT = "settle a visit outside the hours"
    EDIT_PROFILE = "edit a doctor's profile"
    PUBLISH_PROFILE = "publish a doctor's profile"
    SUBSCRIBE = "subscribe to a doctor's calendar"
    SEE_MESSAGES = "see messages"
    SET_CONTACT = "set how a patient is told"
    ANSWER_MESSAGES = "deal with answers"
    SEE_REVENUE = "see what the clinic earns"
    SEE_FIGURES = "see figures"
    SEE_TODAYS_FIGURES = "see the figures of today"
    SEE_SYSTEM = "see whether everything runs"
    SEE_RECORD = "see a patient's record"
    SEARCH_RECORDS = "search the patients of the clinic for a record"
    BREAK_GLASS = "open a record in an emergency"
    KEEP_LISTS = "keep a patient's lists"
    WRITE_NOTE = "write a note"
    PRESCRIBE = "prescribe"
    WRITE_LETTER = "write a letter"
    ADD_DOCUMENT = "add a document to a record"
    ANSWER_INTAKE = "answer questions before a visit"
    REVIEW_ACCESS = "review emergency access"
    SEE_ACCESSES = "see who opened a record"
    SEE_ACCOUNT = "see an account"
    CHANGE_ACCOUNT = "change an account"
    MANAGE_USERS = "manage users"
    INVITE = "invite"
    CHANGE_SETTINGS = "change the clinic's settings"
    SEE_AUDIT = "see the audit trail"
    EXPORT_PATIENT = "export a patient's data"
    ERASE_PATIENT = "erase a patient"


class Relation(StrEnum):
    """How the object of an action relates to the actor; `ANY` covers the others."""

    OWN = "own"  # one's own account or patient record, or a dependant's; a doctor's own day
    OWN_PATIENT = "own patient"  # a doctor's visit, or a patient the doctor has or had a visit with
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person acting, loaded afresh for each run and click.

    `patient_ids` are the person's own patient row first, then their dependants'; `address` is where from.
    """

    user_id: int
    role: Role
    name: str
    locale: str = "en"
    patient_ids: tuple[int, ...] = field(default=())
    doctor_id: int | None = None
    sign_in_id: int | None = None
    address: str | None = None

    @property
    def is_desk(self) -> bool:
        """Whether the actor works for the clinic as a whole and so may waive what binds patients."""
        return self.role in {Role.STAFF, Role.ADMIN}

    @property
    def works_here(self) -> bool:
        """Whether the actor belongs to the clinic: what binds patients who book or move does not."""
        return self.role is not Role.PATIENT


_EVERYBODY = {
    Action.SEARCH_DOCTORS: Relation.ANY,
    Action.SEE_ACCOUNT: Relation.OWN,
    Action.CHANGE_ACCOUNT: Relation.OWN,
}
_DESK = _EVERYBODY | dict.fromkeys(
    (
        Action.SEARCH_PATIENTS,
        Action.REGISTER_PATIENT,
        Action.SEE_CONTACT,
        Action.LINK_GUARDIAN,
        Action.UNLINK_GUARDIAN,
        Action.SEE_APPOINTMENT,
        Action.SEE_DAY,
        Action.BOOK,
        Action.BOOK_SERIES,
        Action.MOVE,
        Action.CANCEL,
        Action.OVERBOOK,
        Action.PAY,
        Action.SEE_PAYMENTS,
        Action.TAKE_PAYMENT,
        Action.REFUND,
        Action.CLOSE_TILL,
        Action.JOIN_WAITLIST,
        Action.SEE_WAITLIST,
        Action.CHECK_IN,
        Action.TELL_LATE,
        Action.SET_HOURS,
        Action.SETTLE_VISIT,
        Action.SEE_MESSAGES,
        Action.SET_CONTACT,
        Action.ANSWER_MESSAGES,
        Action.SEE_TODAYS_FIGURES,
    ),
    Relation.ANY,
)

# Whatever is not here is refused. Nobody but a patient and their doctors reads what is clinical.
RULES: dict[Role, dict[Action, Relation]] = {
    Role.PATIENT: _EVERYBODY
    | dict.fromkeys(
        (
            Action.SEE_APPOINTMENT,
            Action.BOOK,
            Action.MOVE,
            Action.CANCEL,
            Action.PAY,
            Action.SEE_PAYMENTS,
            Action.JOIN_WAITLIST,
            Action.SEE_MESSAGES,
            Action.SET_CONTACT,
            Action.SEE_RECORD,
            Action.ADD_DOCUMENT,
            Action.ANSWER_INTAKE,
            Action.SEE_ACCESSES,
            Action.EXPORT_PATIENT,
            Action.ERASE_PATIENT,
        ),
        Relation.OWN,
    ),
    Role.DOCTOR: _EVERYBODY
    | {
        Action.SEE_APPOINTMENT: Relation.OWN_PATIENT,
        Action.SEE_DAY: Relation.OWN,
        Action.MOVE: Relation.OWN_PATIENT,
        Action.CHECK_IN: Relation.OWN_PATIENT,
        Action.TELL_LATE: Relation.OWN,
        Action.SET_HOURS: Relation.OWN,
        Action.SETTLE_VISIT: Relation.OWN_PATIENT,
        Action.EDIT_PROFILE: Relation.OWN,
        Action.SUBSCRIBE: Relation.OWN,
        Action.SEE_FIGURES: Relation.OWN,
        Action.SEE_RECORD: Relation.OWN_PATIENT,
        Action.KEEP_LISTS: Relation.OWN_PATIENT,
        Action.WRITE_NOTE: Relation.OWN_PATIENT,
        Action.PRESCRIBE: Relation.OWN_PATIENT,
        Action.WRITE_LETTER: Relation.OWN_PATIENT,
        Action.ADD_DOCUMENT: Relation.OWN_PATIENT,
        Action.SEARCH_RECORDS: Relation.ANY,
        Action.BREAK_GLASS: Relation.ANY,
    },
    Role.STAFF: _DESK,
    Role.ADMIN: _DESK
    | dict.fromkeys(
        (
            Action.SEE_ACCOUNT,
            Action.MANAGE_USERS,
            Action.INVITE,
            Action.CHANGE_SETTINGS,
            Action.EDIT_PROFILE,
            Action.PUBLISH_PROFILE,
            Action.SEE_AUDIT,
            Action.SEE_REVENUE,
            Action.SEE_FIGURES,
            Action.SEE_SYSTEM,
            Action.RECONCILE,
            Action.REVIEW_ACCESS,
            Action.ERASE_PATIENT,
        ),
        Relation.ANY,
    ),
}


def may(
    actor: Actor,
    action: Action,
    *,
    patient_id: int | None = None,
    doctor_id: int | None = None,
    user_id: int | None = None,
) -> bool:
    """Whether the table lets `actor` do `action` to the object named by its patient, doctor and account."""
    allowed = RULES[actor.role].get(action)
    if allowed is Relation.ANY:
        return True
    own_patient = patient_id is not None and patient_id in actor.patient_ids
    own_doctor = doctor_id is not None and doctor_id == actor.doctor_id
    if allowed is Relation.OWN:
        own_account = user_id is not None and user_id == actor.user_id
        return own_patient or own_account or (own_doctor and patient_id is None)
    return allowed is Relation.OWN_PATIENT and own_doctor


def require(
    actor: Actor,
    action: Action,
    *,
    patient_id: int | None = None,
    doctor_id: int | None = None,
    user_id: int | None = None,
) -> None:
    """Raise `AccessDenied`, which says what of whose was refused, unless the table allows it."""
    if not may(actor, action, patient_id=patient_id, doctor_id=doctor_id, user_id=user_id):
        raise AccessDenied(action, patient_id=patient_id, doctor_id=doctor_id, user_id=user_id)
