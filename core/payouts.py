"""Money that the desk gives back: by hand with a reason, what a cancellation left to hand over, and another
way for what the card processor could not.

As at the till, the visit's row is held first, then the till, then the ledger.
"""

from uuid import UUID

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, clinics, clock, forms, ledger, placements, refunds, tills
from core.access import Action, Actor
from core.appointment_events import required_reason
from core.errors import ClinicError, NotFound
from core.i18n import N_, money
from core.tills import AT_DESK, AmountMissing, NotAtTheDesk
from core.waiting_refunds import UNRESOLVED
from db.models import (
    Appointment,
    Payment,
    PaymentMethod,
    Refund,
    RefundCause,
    RefundState,
)

_WITHIN_PAYMENT = "refunds_within_payment"  # the trigger of `db.models.payments`


class MoreThanPaid(ClinicError):
    message = N_("Only {left} of this payment can still be paid back. Please give back no more than that.")


class AlreadyHandedOver(ClinicError):
    message = N_("That money has been handed over already.")


class AlreadyResolved(ClinicError):
    message = N_("Somebody has already found another way for that refund.")


class FailedOneWaits(ClinicError):
    message = N_("A refund of this payment has failed. Please choose another way for that one first, above.")


class NotPaidOnline(ClinicError):
    message = N_("That was not paid online, so it cannot go back to a card online.")


def pay_back(
    session: Session,
    actor: Actor,
    *,
    payment_id: int,
    amount_minor: int,
    reason: str,
    is_still_owed: bool = False,
    request_key: UUID | None = None,
) -> Refund:
    """Pay back some of a payment or all of it, for a stated reason.

    What the clinic owes anyway is used first; the rest is credited, so that it is not asked for again, unless
    `is_still_owed`: then it was only taken by mistake. Cash and the terminal's are handed over with it, what
    was paid online goes back by itself. The form's `request_key` sent again gives the first refund. Raises
    `FailedOneWaits`, `AmountMissing`, `MoreThanPaid`, `ReasonMissing`, `ReasonTooLong`,
    `ReasonUnreadable`, `FormAlreadySent`, `AccessDenied`, `NotFound`.
    """
    payment, appointment = _held(session, payment_id)
    access.require(actor, Action.REFUND, patient_id=appointment.patient_id)
    why = required_reason(reason)
    tills.lock(session, actor.user_id)
    by_it = {"asked_by_id": actor.user_id, "payment_id": payment_id}
    if earlier := forms.written(session, Refund, request_key, **by_it):
        return earlier
    if amount_minor <= 0:
        raise AmountMissing
    if amount_minor > _left_of(session, payment):
        raise _more_than_paid(session, payment)
    if _has_failed_one(session, payment):
        raise FailedOneWaits
    if not is_still_owed:
        refunds.credit(session, actor, appointment, amount_minor)
    refund = _ask_by_hand(session, actor, payment, amount_minor, why, request_key)
    if refund.method in AT_DESK:
        _give(session, actor, appointment, refund)
    refunds.note(session, actor, Action.REFUND, appointment, refund)
    return refund


def hand_over(session: Session, actor: Actor, *, refund_id: int) -> Refund:
    """Give out a refund that waits at the desk, in cash or by the terminal: once, whoever presses.

    Raises `AlreadyHandedOver` to whoever comes second, `NotAtTheDesk`, `AccessDenied`, `NotFound`.
    """
    refund, _payment, appointment = _held_with_refund(session, refund_id)
    access.require(actor, Action.REFUND, patient_id=appointment.patient_id)
    tills.lock(session, actor.user_id)
    if refund.method not in AT_DESK:
        raise NotAtTheDesk
    if refund.state is not RefundState.PENDING:
        if refund.handed_over_by_id == actor.user_id:
            return refund
        raise AlreadyHandedOver
    _give(session, actor, appointment, refund)
    refunds.note(session, actor, Action.REFUND, appointment, refund)
    return refund


def resolve(session: Session, actor: Actor, *, refund_id: int, method: PaymentMethod) -> Refund:
    """Ask anew for a refund that has failed, by the way that was found; the failed one, resolved.

    As much as is still owed of it: what was paid back otherwise since is not given twice. Raises
    `AlreadyResolved` to whoever comes second, `NotPaidOnline`, `AccessDenied`, `NotFound`.
    """
    refund, payment, appointment = _held_with_refund(session, refund_id)
    access.require(actor, Action.REFUND, patient_id=appointment.patient_id)
    if refund.resolved_at is not None:
        if refund.resolved_by_id == actor.user_id:
            return refund
        raise AlreadyResolved
    if refund.state is not RefundState.FAILED:
        raise NotFound
    if method is PaymentMethod.ONLINE and payment.method is not PaymentMethod.ONLINE:
        raise NotPaidOnline
    owed = min(refund.amount_minor, _owed_anyway(session, appointment.id), _left_of(session, payment))
    if owed:
        refunds.ask(session, actor, payment, owed, cause=refund.cause, reason=refund.reason, method=method)
    refund.resolved_at, refund.resolved_by_id = clock.now(), actor.user_id
    session.flush()
    refunds.note(session, actor, Action.REFUND, appointment, refund)
    return refund


def _held(session: Session, payment_id: int) -> tuple[Payment, Appointment]:
    """A payment and its visit, whose row is held until the transaction ends. Raises `NotFound`."""
    found = session.get(Payment, payment_id)
    if found is None:
        raise NotFound
    return found, placements.locked(session, found.appointment_id)


def _held_with_refund(session: Session, refund_id: int) -> tuple[Refund, Payment, Appointment]:
    """A refund as it is once its visit's row is held, with its payment. Raises `NotFound`."""
    seen = session.get(Refund, refund_id)
    if seen is None:
        raise NotFound
    payment, appointment = _held(session, seen.payment_id)
    session.refresh(seen, with_for_update=True)
    return seen, payment, appointment


def _owed_anyway(session: Session, appointment_id: int) -> int:
    """What the clinic has of a visit beyond its invoice and has not yet promised to pay back."""
    unpromised = sum(left for _payment, left in refunds.refundable(session, appointment_id))
    return max(0, unpromised - ledger.standing(session, appointment_id).invoiced_minor)


def _left_of(session: Session, payment: Payment) -> int:
    """What is left to pay back of a payment."""
    left = {each.id: rest for each, rest in refunds.refundable(session, payment.appointment_id)}
    return left.get(payment.id, 0)


def _ask_by_hand(
    session: Session,
    actor: Actor,
    payment: Payment,
    amount_minor: int,
    reason: str,
    request_key: UUID | None,
) -> Refund:
    """`refunds.ask`, unless the database knows of one that was faster. Raises `MoreThanPaid`."""
    try:
        with session.begin_nested():
            return refunds.ask(
                session,
                actor,
                payment,
                amount_minor,
                cause=RefundCause.BY_HAND,
                reason=reason,
                request_key=request_key,
            )
    except IntegrityError as error:
        if not _is_beyond_payment(error):
            raise
    raise _more_than_paid(session, payment)


def _has_failed_one(session: Session, payment: Payment) -> bool:
    """Whether a refund of a payment has failed and no other way was found yet."""
    waiting = select(Refund.id).where(Refund.payment_id == payment.id, *UNRESOLVED)
    return session.scalar(waiting.limit(1)) is not None


def _more_than_paid(session: Session, payment: Payment) -> MoreThanPaid:
    left = money(_left_of(session, payment), clinics.settings(session).currency)
    return MoreThanPaid(left=left)


def _is_beyond_payment(error: IntegrityError) -> bool:
    """Whether the trigger that keeps refunds within their payment has refused one."""
    return isinstance(error.orig, psycopg.Error) and error.orig.diag.constraint_name == _WITHIN_PAYMENT


def _give(session: Session, actor: Actor, appointment: Appointment, refund: Refund) -> None:
    """Note that the money of a refund is handed over now, and enter it."""
    refund.state, refund.settled_at = RefundState.DONE, clock.now()
    refund.handed_over_by_id = actor.user_id
    session.flush()
    ledger.pay_back(session, actor, appointment, refund)
