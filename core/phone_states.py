"""What is known of phone numbers, whoever has them: that one wants no texts, or that none arrive there."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clock
from core.access import Action, Actor
from core.audit import Event
from db.models import Patient, PhoneState, User


def of(session: Session, phone: str | None) -> PhoneState | None:
    """What is known of a number (E.164), None where nothing is."""
    return session.get(PhoneState, phone, populate_existing=True) if phone else None


def stop(session: Session, phone: str, *, by: str, patient_id: int | None = None) -> None:
    """Send no more texts to a number. `by`: a text, the carrier, the person. Its first time counts."""
    written = session.execute(
        insert(PhoneState)
        .values(phone=phone, opted_out_at=clock.now(), opted_out_by=by)
        .on_conflict_do_update(
            index_elements=["phone"],
            set_={"opted_out_at": clock.now(), "opted_out_by": by},
            where=PhoneState.opted_out_at.is_(None),
        )
        .returning(PhoneState.phone)
    )
    if written.all():
        audit.record(session, None, Event.TEXTS_STOPPED, kind="phone", patient_id=patient_id, by=by)


def resume(session: Session, phone: str, *, patient_ids: list[int], source: str) -> None:
    """Send texts to a number again, as whoever has it has asked: that is their consent too."""
    session.execute(
        update(PhoneState)
        .where(PhoneState.phone == phone)
        .values(opted_out_at=None, opted_out_by=None, unreachable_at=None, unreachable_why=None)
    )
    agreed = {"sms_consent_at": clock.now(), "sms_consent_source": source}
    accounts = select(Patient.user_id).where(Patient.id.in_(patient_ids))
    session.execute(
        update(User)
        .where(User.id.in_(accounts), User.phone == phone, User.sms_consent_at.is_(None))
        .values(agreed)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Patient)
        .where(Patient.id.in_(patient_ids), Patient.phone == phone, Patient.sms_consent_at.is_(None))
        .values(agreed)
        .execution_options(synchronize_session=False)
    )
    audit.record(
        session, None, Event.TEXTS_RESUMED, kind="phone", patient_id=next(iter(patient_ids), None), by=source
    )


def forget_opt_out(session: Session, phone: str) -> None:
    """Send texts to a number again, as the person has agreed to anew; the carrier may still refuse."""
    session.execute(
        update(PhoneState).where(PhoneState.phone == phone).values(opted_out_at=None, opted_out_by=None)
    )


def note_unreachable(session: Session, phone: str, why: str) -> None:
    """Texts do not arrive at a number: none are sent there until somebody says that it works."""
    values = {"unreachable_at": clock.now(), "unreachable_why": why}
    session.execute(
        insert(PhoneState)
        .values(phone=phone, **values)
        .on_conflict_do_update(index_elements=["phone"], set_=values)
    )


def try_again(session: Session, actor: Actor, *, phone: str) -> None:
    """Send texts again to a number at which none arrived, at the desk's word. Raises `AccessDenied`."""
    access.require(actor, Action.ANSWER_MESSAGES)
    session.execute(
        update(PhoneState).where(PhoneState.phone == phone).values(unreachable_at=None, unreachable_why=None)
    )
    audit.record(session, actor, Action.ANSWER_MESSAGES, kind="phone")
