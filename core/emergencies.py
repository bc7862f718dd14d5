"""Emergency access to records, as an administrator looks at it afterwards."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core import access, audit, clock
from core.access import Action, Actor
from core.errors import NotFound
from db.models import Doctor, EmergencyAccess, Patient, User

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Emergency:
    """One emergency access: which doctor opened whose record, why, and who has looked at it since."""

    access_id: int
    doctor: str
    patient: str
    reason: str
    opened_at: datetime
    expires_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str | None


def emergency_accesses(session: Session, actor: Actor, *, is_reviewed: bool = False) -> list[Emergency]:
    """The latest 50 emergency accesses that wait for a review, or those that had one; the oldest first."""
    access.require(actor, Action.REVIEW_ACCESS)
    audit.record_read(session, actor, Action.SEE_AUDIT, kind="emergency accesses", number=0)
    reviewer = aliased(User)
    of_doctor = aliased(User)
    state = EmergencyAccess.reviewed_at
    rows = session.execute(
        select(
            EmergencyAccess.id,
            of_doctor.name,
            Patient.name,
            EmergencyAccess.reason,
            EmergencyAccess.opened_at,
            EmergencyAccess.expires_at,
            EmergencyAccess.reviewed_at,
            reviewer.name,
        )
        .join(Doctor, Doctor.id == EmergencyAccess.doctor_id)
        .join(of_doctor, of_doctor.id == Doctor.user_id)
        .join(Patient, Patient.id == EmergencyAccess.patient_id)
        .outerjoin(reviewer, reviewer.id == EmergencyAccess.reviewed_by_id)
        .where(state.is_not(None) if is_reviewed else state.is_(None))
        .order_by(EmergencyAccess.opened_at.desc())
        .limit(SHOWN)
    )
    return [Emergency(*row) for row in rows][::-1]


def unreviewed(session: Session, actor: Actor) -> int:
    """How many emergency accesses nobody has looked at yet."""
    access.require(actor, Action.REVIEW_ACCESS)
    waiting = select(func.count()).where(EmergencyAccess.reviewed_at.is_(None))
    return session.scalar(waiting) or 0


def review(session: Session, actor: Actor, *, access_id: int) -> EmergencyAccess:
    """Note that the actor has looked at an emergency access; the first who did stays. Raises `NotFound`."""
    access.require(actor, Action.REVIEW_ACCESS)
    found = session.get(EmergencyAccess, access_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    if found.reviewed_at is None:
        found.reviewed_at, found.reviewed_by_id = clock.now(), actor.user_id
        session.flush()
        audit.record(
            session,
            actor,
            Action.REVIEW_ACCESS,
            kind="emergency access",
            number=found.id,
            patient_id=found.patient_id,
        )
    return found
