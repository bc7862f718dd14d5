"""Erasing, row by row: an account, an address, and the last of a patient. `core.privacy` says when."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, delete, or_, select, text, update
from sqlalchemy.orm import Session

from core import clock, second_factors, throttles
from core.audit import Event
from core.patients import ERASED_NAME
from db.models import (
    Appointment,
    AppointmentEvent,
    Attachment,
    EmergencyAccess,
    InboundMessage,
    InboundState,
    IntakeAnswer,
    Invite,
    KeptVisit,
    LedgerEntry,
    Letter,
    NoteDraft,
    NoteRelease,
    NoteVersion,
    Notification,
    OneTimeCode,
    Patient,
    Payment,
    PhoneState,
    Prescription,
    RecordItem,
    Refund,
    Sex,
    SignIn,
    SignInGrant,
    SocialIdentity,
    StrandedVisit,
    User,
    WaitlistEntry,
    WaitlistState,
    folded,
)

ERASED_WORDS = "erased"  # in place of a reason that somebody wrote
ERASED_BIRTH = date(1900, 1, 1)


def erase_account(session: Session, account: User) -> None:
    """Leave of an account only its number, to which the trail and the visits' events point."""
    throttles.forgive(session, username=account.username)
    account.username, account.name = f"erased-{account.id}", ERASED_NAME
    account.email = account.phone = account.password_hash = None
    account.is_active, account.erased_at, account.locale = False, clock.now(), "en"
    account.email_verified_at = account.phone_verified_at = None
    account.sms_consent_at = account.sms_consent_source = None
    second_factors.turn_off(session, account)
    for table in (SignIn, SignInGrant, SocialIdentity, OneTimeCode):
        session.execute(delete(table).where(table.user_id == account.id))


def erase_contact(session: Session, patient: Patient) -> None:
    """Cut a patient off from account, guardian and addresses; the rest of the row stays."""
    patient.user_id = patient.guardian_id = patient.phone = patient.email = None
    patient.request_key, patient.locale, patient.erased_at = None, "en", clock.now()
    patient.sms_consent_at = patient.sms_consent_source = patient.contact_by = patient.time_zone = None
    session.flush()


def erase_messages(session: Session, addresses: Sequence[str]) -> None:
    """Delete what was sent, or waits to be sent, to addresses that are one person's alone, and the answers.

    That a number wants no texts stays known, or it would be sent some again.
    """
    is_theirs = or_(
        Notification.sent_to.in_(addresses),
        Notification.details["to"].astext.in_(addresses),  # an answer that waits
    )
    session.execute(delete(Notification).where(is_theirs))
    _blank_answers(session, InboundMessage.sender.in_(addresses))
    session.execute(
        delete(PhoneState).where(PhoneState.phone.in_(addresses), PhoneState.opted_out_at.is_(None))
    )
    session.execute(delete(OneTimeCode).where(OneTimeCode.sent_to.in_(addresses)))
    session.execute(delete(Invite).where(Invite.email.in_(addresses)))


def _blank_answers(session: Session, theirs: ColumnElement[bool]) -> None:
    """Leave of texts to us only the carrier's number for each: by that one that is read again is known."""
    session.execute(
        update(InboundMessage)
        .where(theirs)
        .values(
            sender="",
            body="",
            why="",
            state=InboundState.DONE,
            answer=None,
            suggestion=None,
            patient_id=None,
            appointment_id=None,
            asked_until=None,
            settled_at=None,
            settled_by_id=None,
        )
    )


def anonymise(session: Session, patient_ids: Sequence[int]) -> None:
    """Leave of patients only their numbers, and of their visits only when, with whom and for what."""
    session.execute(
        update(Patient)
        .where(Patient.id.in_(patient_ids))
        .values(
            name=ERASED_NAME,
            name_folded=folded(ERASED_NAME),
            birth_on=ERASED_BIRTH,
            sex=Sex.UNKNOWN,
        )
    )
    _erase_record(session, patient_ids)
    session.execute(delete(Notification).where(Notification.patient_id.in_(patient_ids)))
    _blank_answers(session, InboundMessage.patient_id.in_(patient_ids))
    session.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.patient_id.in_(patient_ids), WaitlistEntry.state == WaitlistState.WAITING)
        .values(state=WaitlistState.WITHDRAWN, ended_at=clock.now())
    )
    own = Appointment.patient_id.in_(patient_ids)
    session.execute(
        update(Appointment)
        .where(own, Appointment.overbook_reason.is_not(None))
        .values(overbook_reason=ERASED_WORDS)
    )
    visits = select(Appointment.id).where(own)
    session.execute(
        update(AppointmentEvent).where(AppointmentEvent.appointment_id.in_(visits)).values(reason=None)
    )
    session.execute(delete(StrandedVisit).where(StrandedVisit.appointment_id.in_(visits)))
    session.execute(update(KeptVisit).where(KeptVisit.appointment_id.in_(visits)).values(reason=ERASED_WORDS))
    session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.patient_id.in_(patient_ids))
        .values(particulars=text("particulars - 'patient' - 'birth_on'"))
    )
    own_payments = select(Payment.id).join(Payment.appointment).where(own)
    session.execute(
        update(Refund)
        .where(Refund.payment_id.in_(own_payments), Refund.reason != "")
        .values(reason=ERASED_WORDS)
    )
    session.execute(
        update(EmergencyAccess).where(EmergencyAccess.patient_id.in_(patient_ids)).values(reason=ERASED_WORDS)
    )


def _erase_record(session: Session, patient_ids: Sequence[int]) -> None:
    """Delete what is clinical. The database lets signed documents go: their patient is anonymous now."""
    visits = select(Appointment.id).where(Appointment.patient_id.in_(patient_ids))
    for by_visit in (IntakeAnswer, NoteRelease, NoteDraft, NoteVersion):
        session.execute(delete(by_visit).where(by_visit.appointment_id.in_(visits)))
    for own in (Prescription, Letter, Attachment, RecordItem):
        session.execute(delete(own).where(own.patient_id.in_(patient_ids)))


def record_expired(session: Session, patient_ids: Sequence[int]) -> None:
    """Add an entry of the trail for each record whose years are over: nobody's doing."""
    session.execute(
        text("""
            INSERT INTO audit_entries (at, action, outcome, object_kind, object_id, patient_id, for_another)
            SELECT :now, :action, 'done', 'patient', number, number, false
            FROM unnest(CAST(:numbers AS int[])) AS number
        """),
        {"now": clock.now(), "action": Event.RECORD_EXPIRED.value, "numbers": list(patient_ids)},
    )
