"""Refunds that wait for the desk: to be handed over, or for another way since the processor has failed."""

from typing import NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from core import access
from core.access import Action, Actor
from core.tills import AT_DESK
from db.models import Appointment, Patient, Payment, Refund, RefundState

_TO_HAND_OVER = (Refund.state == RefundState.PENDING, Refund.method.in_(AT_DESK))
UNRESOLVED = (Refund.state == RefundState.FAILED, Refund.resolved_at.is_(None))
# Every page of the desk's asks for it, and putting it together takes longer than the answer.
_HOW_MANY = select(
    *(select(func.count()).where(*each).scalar_subquery() for each in (_TO_HAND_OVER, UNRESOLVED))
)


class Waiting(NamedTuple):
    """How many refunds wait for the desk: to be handed over, and for another way since they failed."""

    to_hand_over: int
    failed: int


def to_hand_over(session: Session, actor: Actor) -> list[Refund]:
    """The refunds that wait at the desk for their patient, the oldest first, with payment and patient."""
    access.require(actor, Action.REFUND)
    return _with_patients(session, select(Refund).where(*_TO_HAND_OVER))


def unresolved(session: Session, actor: Actor) -> list[Refund]:
    """The refunds that have failed and for which no other way was found, with payment and patient."""
    access.require(actor, Action.REFUND)
    return _with_patients(session, select(Refund).where(*UNRESOLVED))


def counted(session: Session, actor: Actor) -> Waiting:
    """How many refunds wait for the desk."""
    access.require(actor, Action.REFUND)
    return Waiting._make(session.execute(_HOW_MANY).one())


def _with_patients(session: Session, query: Select[Refund]) -> list[Refund]:
    with_people = (
        query.join(Refund.payment)
        .join(Payment.appointment)
        .join(Appointment.patient)
        .options(
            contains_eager(Refund.payment)
            .contains_eager(Payment.appointment)
            .contains_eager(Appointment.patient)
            .load_only(Patient.name, Patient.birth_on)
        )
    )
    return list(session.scalars(with_people.order_by(Refund.id)))
