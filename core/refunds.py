"""Refunds as they are asked for: how much of which payment goes back, and why.

`core.repayments` has them made.
"""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, clock, ledger
from core.access import Actor
from db.models import (
    Appointment,
    Payment,
    PaymentMethod,
    PaymentState,
    Refund,
    RefundCause,
    RefundState,
)


def ask(
    session: Session,
    actor: Actor | None,
    payment: Payment,
    amount_minor: int,
    *,
    cause: RefundCause,
    reason: str = "",
    method: PaymentMethod | None = None,
    request_key: UUID | None = None,
) -> Refund:
    """Have `amount_minor` of a payment paid back, the way it came unless `method` says another.

    Its caller holds the visit's row. The database refuses what would be more than was paid.
    """
    now = clock.now()
    refund = Refund(
        payment_id=payment.id,
        method=method or payment.method,
        amount_minor=amount_minor,
        cause=cause,
        reason=reason,
        state=RefundState.PENDING,
        created_at=now,
        asked_by_id=actor and actor.user_id,
        check_after=now,
        request_key=request_key,
    )
    session.add(refund)
    session.flush()
    return refund


def ask_surplus(
    session: Session, actor: Actor | None, appointment: Appointment, *, cause: RefundCause
) -> list[Refund]:
    """Have paid back what the clinic has of a visit beyond what it is owed."""
    surplus = -ledger.standing(session, appointment.id).balance_minor - under_way(session, appointment.id)
    asked = []
    for payment, left in refundable(session, appointment.id):
        if surplus <= 0:
            break
        asked.append(ask(session, actor, payment, min(surplus, left), cause=cause))
        surplus -= asked[-1].amount_minor
    return asked


def credit(session: Session, actor: Actor | None, appointment: Appointment, amount_minor: int) -> None:
    """Take off the invoice what a refund gives back beyond what the clinic owes: nobody asks for it again.

    For a refund that follows from no policy; to be called before it is asked for.
    """
    money = ledger.standing(session, appointment.id)
    surplus = max(0, -money.balance_minor - under_way(session, appointment.id))
    beyond = max(0, amount_minor - surplus)
    ledger.owe(session, actor, appointment, max(0, money.invoiced_minor - beyond))


def note(
    session: Session, actor: Actor | None, action: StrEnum, appointment: Appointment, refund: Refund
) -> None:
    """Note in the trail what was done about a refund."""
    audit.record_money(session, actor, action, appointment, kind="refund", number=refund.id)


def refundable(session: Session, appointment_id: int) -> list[tuple[Payment, int]]:
    """The payments of a visit with what is left to pay back of each.

    Those online come first, since nobody has to come for that money, and the newest of each.
    """
    asked = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.payment_id == Payment.id, Refund.state != RefundState.FAILED)
        .scalar_subquery()
    )
    left = Payment.amount_minor - asked
    found = session.execute(
        select(Payment, left)
        .where(Payment.appointment_id == appointment_id, Payment.state == PaymentState.PAID, left > 0)
        .order_by((Payment.method == PaymentMethod.ONLINE).desc(), Payment.id.desc())
    )
    return [(payment, int(rest)) for payment, rest in found]


def under_way(session: Session, appointment_id: int) -> int:
    """What was asked for of a visit's money and is not in the ledger yet."""
    pending = select(func.coalesce(func.sum(Refund.amount_minor), 0)).join(Refund.payment)
    return int(
        session.scalar(
            pending.where(Payment.appointment_id == appointment_id, Refund.state == RefundState.PENDING)
        )
        or 0
    )
