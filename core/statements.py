"""What became of the money of each visit of a patient: for the till, and for the patient's own eyes."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import access, agendas, audit, holds, ledger
from core.access import Action, Actor
from core.ledger import Standing
from db.models import (
    Appointment,
    LedgerEntry,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from db.models.appointments import LIVE_STATUSES

SHOWN = 10


class Statement(NamedTuple):
    """A visit with its money: its documents, its payments that were made, and the refunds of each."""

    visit: Appointment
    entries: list[LedgerEntry]
    payments: list[Payment]
    refunds: list[Refund]

    @property
    def standing(self) -> Standing:
        return ledger.standing_after(self.entries)

    @property
    def owed_minor(self) -> int:
        """What is left to pay."""
        return ledger.left_to_pay(self.standing, self.visit)

    @property
    def going_back_minor(self) -> int:
        """What is promised to the patient and has not gone back yet."""
        waiting = {RefundState.PENDING, RefundState.FAILED}
        open_refunds = (each for each in self.refunds if each.state in waiting and each.resolved_at is None)
        return sum(refund.amount_minor for refund in open_refunds)

    def refundable_minor(self, payment: Payment) -> int:
        """What of a payment can still be paid back."""
        back = (
            each.amount_minor
            for each in self.refunds
            if each.state is not RefundState.FAILED and each.payment_id == payment.id
        )
        return payment.amount_minor - sum(back)


def of_patients(
    session: Session, actor: Actor, *, patient_ids: Sequence[int], limit: int = SHOWN
) -> list[Statement]:
    """The patients' visits that cost something or did, the latest first, each with its money."""
    for patient_id in patient_ids:
        access.require(actor, Action.SEE_PAYMENTS, patient_id=patient_id)
        note_look(session, actor, patient_id)
    has_entries = select(LedgerEntry.id).where(LedgerEntry.appointment_id == Appointment.id).exists()
    is_booked = Appointment.status.in_(LIVE_STATUSES) & ~holds.is_offered()
    is_to_pay = is_booked & (Appointment.price_minor > 0)
    visits = session.scalars(
        select(Appointment)
        .where(Appointment.patient_id.in_(patient_ids), or_(is_to_pay, has_entries))
        .options(*agendas.WITH_PEOPLE)
        .order_by(Appointment.starts_at.desc(), Appointment.id)
        .limit(limit)
    ).all()
    return _with_money(session, visits)


def of_visit(session: Session, actor: Actor, *, appointment_id: int) -> Statement:
    """One visit with its money, whatever it costs. Raises `NotFound`, `AccessDenied`."""
    visit = agendas.one(session, actor, appointment_id)
    access.require(actor, Action.SEE_PAYMENTS, patient_id=visit.patient_id)
    note_look(session, actor, visit.patient_id)
    return _with_money(session, [visit])[0]


def note_look(session: Session, actor: Actor, patient_id: int) -> None:
    """Note in the trail that somebody looks at the payments of another; one's own are one's own."""
    if patient_id not in actor.patient_ids:
        audit.record_read(
            session,
            actor,
            Action.SEE_PAYMENTS,
            kind="patient",
            number=patient_id,
            patient_id=patient_id,
        )


def _with_money(session: Session, visits: Sequence[Appointment]) -> list[Statement]:
    """The visits with all that was entered for them, in three queries however many they are."""
    found = {visit.id: Statement(visit, [], [], []) for visit in visits}
    for entry in ledger.entries(session, found):
        found[entry.appointment_id].entries.append(entry)
    is_made = Payment.appointment_id.in_(found) & (Payment.state == PaymentState.PAID)
    for payment in session.scalars(select(Payment).where(is_made).order_by(Payment.id)):
        found[payment.appointment_id].payments.append(payment)
    given_back = select(Refund, Payment.appointment_id).join(Refund.payment).where(is_made)
    for refund, appointment_id in session.execute(given_back.order_by(Refund.id)):
        found[appointment_id].refunds.append(refund)
    return list(found.values())
