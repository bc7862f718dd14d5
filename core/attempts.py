"""Attempts to pay online as the payer sees them: begun, which is a row, and how far one has come.

The card processor is asked afterwards, by `core.checkouts`.
"""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, audit, clock, holds, ledger, payments, placements
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.terms import SMALLEST_ONLINE_MINOR
from db.config import config
from db.models import Appointment, AppointmentStatus, Payment, PaymentState


class NothingToPay(ClinicError):
    message = N_("There is nothing to pay for this visit.")


class NoCards(ClinicError):
    message = N_("This clinic does not take payments online. Please pay at the desk.")


class HoldOver(ClinicError):
    message = N_("The time was held for you for a while and is free again now. Please book it again.")


class BeingEnded(ClinicError):
    message = N_("The last attempt to pay is still being closed. Please try again in a minute.")


def begin(session: Session, actor: Actor, *, appointment_id: int) -> Payment:
    """The attempt to pay online what is due or owed for a visit: the one that is open, or a new one.

    Raises `NothingToPay`, `NoCards`, `HoldOver`, `BeingEnded`, `OnlyOffered`, `AccessDenied`, `NotFound`.
    """
    appointment = placements.locked(session, appointment_id)
    access.require(actor, Action.PAY, patient_id=appointment.patient_id)
    if not config().takes_cards_online:
        raise NoCards
    holds.require_booked(session, appointment)
    is_held = appointment.status is AppointmentStatus.PENDING
    if is_held and (appointment.hold_expires_at or clock.now()) <= clock.now():
        raise HoldOver
    existing = payments.unsettled(session, appointment_id)
    if existing is not None:
        if existing.state is PaymentState.CLOSING:
            raise BeingEnded
        return existing
    if is_held and clock.now() + payments.CHECKOUT_LASTS > appointment.created_at + payments.LONGEST_HOLD:
        raise HoldOver
    received = ledger.standing(session, appointment_id).received_minor
    amount = appointment.due_minor - received if is_held else ledger.owed(session, appointment)
    if amount < SMALLEST_ONLINE_MINOR:
        raise NothingToPay
    begun = payments.begin(session, appointment, amount)
    audit.record_money(session, actor, Action.PAY, appointment, kind="payment", number=begun.id)
    return begun


class Progress(NamedTuple):
    """How it stands with paying for a visit: the last attempt online, and what is left to pay, also now."""

    status: AppointmentStatus
    attempt: Payment | None
    left_minor: int


def progress(session: Session, actor: Actor, *, appointment_id: int) -> Progress:
    """How far paying for a visit has come, for the page to which the payer comes back.

    Raises `OnlyOffered`, `AccessDenied`, `NotFound`.
    """
    appointment = session.get(Appointment, appointment_id, populate_existing=True)
    if appointment is None:
        raise NotFound
    access.require(actor, Action.PAY, patient_id=appointment.patient_id)
    holds.require_booked(session, appointment)
    newest = (
        select(Payment)
        .where(Payment.appointment_id == appointment_id, Payment.expires_at.is_not(None))
        .order_by(Payment.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return Progress(appointment.status, session.scalar(newest), ledger.owed(session, appointment))
