"""Everything that is held about a patient, table by table, without what would be a secret."""

from datetime import date, time
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select, union
from sqlalchemy.orm import Session

from db.base import Base
from db.models import (
    Appointment,
    AppointmentEvent,
    Attachment,
    AuditEntry,
    Doctor,
    EmergencyAccess,
    InboundMessage,
    IntakeAnswer,
    IntakeQuestion,
    KeptVisit,
    LedgerEntry,
    Letter,
    Location,
    NoteRelease,
    NoteVersion,
    Notification,
    OneTimeCode,
    Outcome,
    Patient,
    Payment,
    Prescription,
    PrescriptionItem,
    RecordItem,
    Refund,
    Service,
    SignIn,
    SocialIdentity,
    StrandedVisit,
    User,
    WaitlistEntry,
    WaitlistOffer,
)

# The tables that hold something of a patient's, and the section of the export in which it stands.
EXPORTED = {
    "patients": "patient",
    "users": "account",
    "sign_ins": "sign_ins",
    "social_identities": "other_sign_ins",
    "one_time_codes": "codes",
    "appointments": "visits",
    "appointment_events": "changes_of_visits",
    "emergency_accesses": "emergency_accesses",
    "record_items": "record",
    "note_versions": "notes",
    "note_releases": "released_notes",
    "prescriptions": "prescriptions",
    "prescription_items": "prescribed",
    "letters": "letters",
    "attachments": "files",
    "intake_answers": "answers_before_visits",
    "payments": "payments",
    "refunds": "refunds",
    "ledger_entries": "ledger",
    "notifications": "messages",
    "inbound_messages": "answers",
    "waitlist_entries": "waitlist",
    "waitlist_offers": "waitlist_offers",
    "stranded_visits": "visits_without_hours",
    "kept_visits": "kept_visits",
    "audit_entries": "audit_trail",
}
NOT_EXPORTED = {
    "sign_in_grants": "lives for 30 seconds and holds nothing but a secret's hash",
    "recovery_codes": "holds nothing but secrets' hashes",
    "invites": "names the administrator who invited; patients are not invited",
    "till_closings": "counts a receptionist's drawer",
    "message_templates": "the clinic's own words",
    "note_drafts": "what a doctor is still typing: no part of the record until it is signed",
    "letter_templates": "the clinic's own words",
    "choice_links": "holds a secret's hash; the times are in the message",
    "visit_series": "only joins visits, which say that they belong together",
    "setting_changes": "what administrators have set up",
    "doctors": "belongs to an account of the clinic's, not to a patient's",
}
HIDDEN = {
    *("password_hash", "totp_secret", "totp_pending", "totp_last_step", "token_hash", "code_hash", "payload"),
    *("request_key", "check_after", "checkout_url", "name_folded", "blocked", "lease", "key"),
    *("content", "sha256"),  # files are handed out one by one
}
NO_ACCOUNT = 0  # a number that no account has; NULL would be the number of whatever is nobody's
Query = Select[*tuple[Any, ...]]


def collect(session: Session, patient_id: int) -> dict[str, list[dict[str, Any]]]:
    """The sections of `EXPORTED`, each a list of rows in values that JSON has."""
    user_id = session.scalar(select(Patient.user_id).where(Patient.id == patient_id)) or NO_ACCOUNT
    addresses = own_addresses(session, patient_id)
    visits = select(Appointment.id).where(Appointment.patient_id == patient_id)
    payments = select(Payment.id).where(Payment.appointment_id.in_(visits))
    codes = or_(OneTimeCode.user_id == user_id, OneTimeCode.sent_to.in_(addresses))
    queries: dict[str, Query] = {
        "patient": _plain(Patient, Patient.id == patient_id),
        "account": _plain(User, User.id == user_id),
        "sign_ins": _plain(SignIn, SignIn.user_id == user_id),
        "other_sign_ins": _plain(SocialIdentity, SocialIdentity.user_id == user_id),
        "codes": _plain(OneTimeCode, codes),
        "visits": _visits(patient_id),
        "changes_of_visits": _plain(AppointmentEvent, AppointmentEvent.appointment_id.in_(visits)),
        "payments": _plain(Payment, Payment.appointment_id.in_(visits)),
        "refunds": _plain(Refund, Refund.payment_id.in_(payments)),
        "ledger": _plain(LedgerEntry, LedgerEntry.patient_id == patient_id),
        "emergency_accesses": _emergencies(patient_id),
        **_record(patient_id, visits),
        "messages": _plain(
            Notification, or_(Notification.sent_to.in_(addresses), Notification.patient_id == patient_id)
        ),
        "answers": _plain(
            InboundMessage, or_(InboundMessage.sender.in_(addresses), InboundMessage.patient_id == patient_id)
        ),
        "waitlist": _plain(WaitlistEntry, WaitlistEntry.patient_id == patient_id),
        "waitlist_offers": _plain(WaitlistOffer, WaitlistOffer.appointment_id.in_(visits)),
        "visits_without_hours": _plain(StrandedVisit, StrandedVisit.appointment_id.in_(visits)),
        "kept_visits": _plain(KeptVisit, KeptVisit.appointment_id.in_(visits)),
        "audit_trail": _trail(patient_id, user_id),
    }
    sections = {name: _rows(session, query) for name, query in queries.items()}
    for message in sections["messages"]:
        if message["is_secret"]:
            message["body"] = ""
    return sections


def _record(patient_id: int, visits: Select[int]) -> dict[str, Query]:
    """The clinical part: what is signed, of the notes those that the patient may read, and no drafts."""
    released = select(NoteRelease.appointment_id).where(NoteRelease.appointment_id.in_(visits))
    prescribed = select(Prescription.id).where(
        Prescription.patient_id == patient_id, Prescription.signed_at.is_not(None)
    )
    answers = _plain(IntakeAnswer, IntakeAnswer.appointment_id.in_(visits))
    return {
        "record": _plain(RecordItem, RecordItem.patient_id == patient_id),
        "notes": _plain(NoteVersion, NoteVersion.appointment_id.in_(released)),
        "released_notes": _plain(NoteRelease, NoteRelease.appointment_id.in_(visits)),
        "prescriptions": _plain(Prescription, Prescription.id.in_(prescribed)),
        "prescribed": _plain(PrescriptionItem, PrescriptionItem.prescription_id.in_(prescribed)),
        "letters": _plain(Letter, and_(Letter.patient_id == patient_id, Letter.signed_at.is_not(None))),
        "files": _plain(Attachment, Attachment.patient_id == patient_id),
        "answers_before_visits": answers.add_columns(IntakeQuestion.question).join(
            IntakeQuestion, IntakeQuestion.id == IntakeAnswer.question_id
        ),
    }


def own_addresses(session: Session, patient_id: int) -> list[str]:
    """The patient's phone numbers and email addresses that nobody else here has too.

    A child has often its mother's number: messages to that are hers.
    """
    patient = session.execute(
        select(Patient.user_id, Patient.email, Patient.phone).where(Patient.id == patient_id)
    ).one()
    account = session.execute(select(User.email, User.phone).where(User.id == patient.user_id)).one_or_none()
    own = {each for each in (patient.email, patient.phone, *(account or ())) if each}
    others = union(
        *(
            select(column).where(column.in_(own), number.is_distinct_from(mine))
            for column, number, mine in (
                (User.email, User.id, patient.user_id),
                (User.phone, User.id, patient.user_id),
                (Patient.email, Patient.id, patient_id),
                (Patient.phone, Patient.id, patient_id),
            )
        )
    )
    return sorted(own - set(session.scalars(others)))


def _plain(model: type[Base], fits: ColumnElement[bool]) -> Query:
    table = model.__table__
    return select(*(column for column in table.columns if column.name not in HIDDEN)).where(fits)


def _visits(patient_id: int) -> Query:
    named = (User.name.label("doctor"), Service.name.label("service"), Location.name.label("location"))
    return (
        _plain(Appointment, Appointment.patient_id == patient_id)
        .add_columns(*named)
        .join(Doctor, Doctor.id == Appointment.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .join(Service, Service.id == Appointment.service_id)
        .join(Location, Location.id == Appointment.location_id)
        .order_by(Appointment.starts_at)
    )


def _emergencies(patient_id: int) -> Query:
    return (
        _plain(EmergencyAccess, EmergencyAccess.patient_id == patient_id)
        .add_columns(User.name.label("doctor"))
        .join(Doctor, Doctor.id == EmergencyAccess.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .order_by(EmergencyAccess.opened_at)
    )


def _trail(patient_id: int, user_id: int) -> Query:
    """What was done with the patient's data, and what the patient did; not what others tried in vain."""
    was_done = and_(AuditEntry.patient_id == patient_id, AuditEntry.outcome == Outcome.DONE)
    about = or_(was_done, AuditEntry.user_id == user_id)
    table = AuditEntry.__table__
    own_address = case((AuditEntry.user_id == user_id, AuditEntry.address)).label("address")  # not others'
    columns = [own_address if column.name == "address" else column for column in table.columns]
    named = select(*columns, User.name.label("user")).where(about)
    return named.outerjoin(User, User.id == AuditEntry.user_id).order_by(AuditEntry.id)


def _rows(session: Session, query: Query) -> list[dict[str, Any]]:
    return [{name: _json(value) for name, value in row.items()} for row in session.execute(query).mappings()]


def _json(value: object) -> object:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value.value if isinstance(value, Enum) else value
