"""Money at the desk: what a receptionist takes for a visit, and what is put on an invoice to be paid later.

Whoever writes here holds the visit's row first, then the till's lock, then the ledger's: what is taken while
a till is being closed is wholly before the closing or wholly after it.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, forms, holds, ledger, payments, placements
from core.access import Action, Actor
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_, money
from db.models import (
    Appointment,
    AppointmentStatus,
    EntryKind,
    LedgerEntry,
    Payment,
    PaymentMethod,
    PaymentState,
)
from db.models.appointments import LIVE_STATUSES

AT_DESK = (PaymentMethod.CASH, PaymentMethod.TERMINAL)


class AmountMissing(ClinicError):
    message = N_("Please give an amount above zero.")


class NothingOwed(ClinicError):
    message = N_("Nothing is owed for this visit.")


class MoreThanOwed(ClinicError):
    message = N_("Only {owed} is owed for this visit. Please take no more than that.")


class LessThanDue(ClinicError):
    """A held time is the patient's once all that is due is paid; a part would be lost with the hold."""

    message = N_("This time is only held. Please take at least {due}, which confirms the visit.")


class NotAtTheDesk(ClinicError):
    message = N_("At the desk money can only be taken and given back in cash or by the card terminal.")


class NotConfirmed(ClinicError):
    message = N_("This visit still waits for its payment. Please take that first.")


def lock(session: Session, user_id: int) -> None:
    """Wait for whatever else changes this person's till, until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(6, :user_id)"), {"user_id": user_id})


def take(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    method: PaymentMethod,
    amount_minor: int,
    request_key: UUID | None = None,
) -> Payment:
    """Take what is owed for a visit, or a part of it, in cash or by the terminal.

    The visit is invoiced with it where it was not. An attempt to pay online is ended, and a held time is
    confirmed. The form's `request_key` sent again gives the first payment. Raises `AmountMissing`,
    `NothingOwed`, `MoreThanOwed`, `LessThanDue`, `NotAtTheDesk`, `OnlyOffered`, `FormAlreadySent`,
    `AccessDenied`, `NotFound`.
    """
    appointment = placements.locked(session, appointment_id)
    access.require(actor, Action.TAKE_PAYMENT, patient_id=appointment.patient_id)
    lock(session, actor.user_id)
    by_it = {"taken_by_id": actor.user_id, "appointment_id": appointment_id}
    if earlier := forms.written(session, Payment, request_key, **by_it):
        return earlier
    if method not in AT_DESK:
        raise NotAtTheDesk
    holds.require_booked(session, appointment)
    _require_fitting(session, appointment, amount_minor)
    payments.give_up(session, appointment_id)
    now = clock.now()
    payment = Payment(
        appointment_id=appointment_id,
        method=method,
        state=PaymentState.PAID,
        amount_minor=amount_minor,
        currency=clinics.settings(session).currency,
        created_at=now,
        paid_at=now,
        taken_by_id=actor.user_id,
        request_key=request_key,
    )
    session.add(payment)
    session.flush()
    payments.confirm(session, actor, appointment)
    ledger.receive(session, actor, appointment, payment)
    audit.record_money(session, actor, Action.TAKE_PAYMENT, appointment, kind="payment", number=payment.id)
    return payment


def invoice(session: Session, actor: Actor, *, appointment_id: int) -> LedgerEntry:
    """Invoice a visit that is to be paid later; the invoice that it has, if it has one.

    Raises `NothingOwed`, `NotConfirmed`, `AccessDenied`, `NotFound`.
    """
    appointment = placements.locked(session, appointment_id)
    access.require(actor, Action.TAKE_PAYMENT, patient_id=appointment.patient_id)
    existing = [each for each in ledger.entries(session, [appointment_id]) if each.kind is EntryKind.INVOICE]
    if existing:
        return existing[-1]
    if appointment.status is AppointmentStatus.PENDING:
        raise NotConfirmed
    if appointment.status not in LIVE_STATUSES or not appointment.price_minor:
        raise NothingOwed
    ledger.owe(session, actor, appointment, appointment.price_minor)
    written = ledger.entries(session, [appointment_id])[-1]
    audit.record_money(session, actor, Event.INVOICED, appointment, kind="invoice", number=written.number)
    return written


def _require_fitting(session: Session, appointment: Appointment, amount_minor: int) -> None:
    """Raise unless the amount is some or all of what is owed, and enough for a time that is only held."""
    standing = ledger.standing(session, appointment.id)
    owed = ledger.left_to_pay(standing, appointment)
    currency = clinics.settings(session).currency
    if not owed:
        raise NothingOwed
    if amount_minor <= 0:
        raise AmountMissing
    if amount_minor > owed:
        raise MoreThanOwed(owed=money(owed, currency))
    due = appointment.due_minor - standing.received_minor
    if appointment.status is AppointmentStatus.PENDING and amount_minor < due:
        raise LessThanDue(due=money(due, currency))
