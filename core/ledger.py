"""The one ledger of all money: who writes it, what it says of a visit, and the numbers of its documents.

Whoever writes here holds the visit's row (`placements.locked`) first, so that what is read stays true.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clinics, clock
from core.access import Actor
from db.models import (
    Appointment,
    DocumentCounter,
    EntryKind,
    LedgerEntry,
    Payment,
    PaymentStatus,
    Refund,
    Series,
)
from db.models.appointments import LIVE_STATUSES

SERIES = {
    EntryKind.INVOICE: Series.INVOICE,
    EntryKind.CREDIT: Series.INVOICE,
    EntryKind.PAYMENT: Series.RECEIPT,
    EntryKind.REFUND: Series.RECEIPT,
    EntryKind.REFUND_FAILED: Series.RECEIPT,
}
_PARTICULARS = text("""
    SELECT p.name AS patient, p.birth_on, s.name AS service, u.name AS doctor, a.starts_at, l.address
    FROM appointments a JOIN patients p ON p.id = a.patient_id JOIN services s ON s.id = a.service_id
    JOIN doctors d ON d.id = a.doctor_id JOIN users u ON u.id = d.user_id
    JOIN locations l ON l.id = a.location_id
    WHERE a.id = :appointment_id
""")


class Standing(NamedTuple):
    """What the ledger says of a visit, in minor units: what was invoiced, paid, and paid back of it."""

    invoiced_minor: int
    paid_minor: int
    refunded_minor: int
    was_invoiced: bool  # at all: what was credited since is not asked for again

    @property
    def received_minor(self) -> int:
        """What the clinic has."""
        return self.paid_minor - self.refunded_minor

    @property
    def balance_minor(self) -> int:
        """What the patient owes; below zero, what the clinic does."""
        return self.invoiced_minor - self.received_minor


def standing(session: Session, appointment_id: int) -> Standing:
    """What the ledger says of a visit now."""
    summed = session.execute(
        select(LedgerEntry.kind, func.sum(LedgerEntry.amount_minor))
        .where(LedgerEntry.appointment_id == appointment_id)
        .group_by(LedgerEntry.kind)
    )
    return _standing((kind, int(amount_minor)) for kind, amount_minor in summed)


def entries(session: Session, appointment_ids: Iterable[int]) -> list[LedgerEntry]:
    """What is written of visits, in the order in which it was."""
    query = select(LedgerEntry).where(LedgerEntry.appointment_id.in_(appointment_ids))
    return list(session.scalars(query.order_by(LedgerEntry.id)))


def standing_after(written: Iterable[LedgerEntry]) -> Standing:
    """What entries of a visit that were read already come to."""
    return _standing((entry.kind, entry.amount_minor) for entry in written)


def _standing(amounts: Iterable[tuple[EntryKind, int]]) -> Standing:
    of = dict.fromkeys(EntryKind, 0)
    for kind, amount_minor in amounts:
        of[kind] += amount_minor
    return Standing(
        invoiced_minor=of[EntryKind.INVOICE] + of[EntryKind.CREDIT],
        paid_minor=-of[EntryKind.PAYMENT],
        refunded_minor=of[EntryKind.REFUND] + of[EntryKind.REFUND_FAILED],
        was_invoiced=of[EntryKind.INVOICE] > 0,
    )


def owed(session: Session, appointment: Appointment) -> int:
    """What is left to pay for a visit, in minor units: of its price where nothing was invoiced yet."""
    return left_to_pay(standing(session, appointment.id), appointment)


def left_to_pay(money: Standing, appointment: Appointment) -> int:
    """What is left to pay for a visit of which the ledger says `money`."""
    is_uninvoiced = not money.was_invoiced and appointment.status in LIVE_STATUSES
    whole = appointment.price_minor if is_uninvoiced else money.invoiced_minor
    return max(0, whole - money.received_minor)


def owe(session: Session, actor: Actor | None, appointment: Appointment, amount_minor: int) -> None:
    """Make `amount_minor` what is invoiced for a visit, by an invoice or a credit of the difference."""
    difference = amount_minor - standing(session, appointment.id).invoiced_minor
    if difference:
        kind = EntryKind.INVOICE if difference > 0 else EntryKind.CREDIT
        _add(session, actor, appointment, kind, difference)


def receive(session: Session, actor: Actor | None, appointment: Appointment, payment: Payment) -> None:
    """Enter a payment that was made; the visit is invoiced with it where it was not."""
    if not standing(session, appointment.id).was_invoiced and appointment.status in LIVE_STATUSES:
        owe(session, actor, appointment, appointment.price_minor)
    named = {"method": payment.method, "payment_id": payment.id}
    _add(session, actor, appointment, EntryKind.PAYMENT, -payment.amount_minor, **named)


def pay_back(session: Session, actor: Actor | None, appointment: Appointment, refund: Refund) -> None:
    """Enter a refund that was handed over, or that the card processor has accepted."""
    named = {"method": refund.method, "refund_id": refund.id}
    _add(session, actor, appointment, EntryKind.REFUND, refund.amount_minor, **named)


def take_back(session: Session, appointment: Appointment, refund: Refund) -> None:
    """Enter that a refund has failed after all: its money is with the clinic again."""
    named = {"method": refund.method, "refund_id": refund.id}
    _add(session, None, appointment, EntryKind.REFUND_FAILED, -refund.amount_minor, **named)


def _add(
    session: Session,
    actor: Actor | None,
    appointment: Appointment,
    kind: EntryKind,
    amount_minor: int,
    **named: Any,
) -> None:
    """Write an entry under the next number of its series, and the visit's payment status after it."""
    series = SERIES[kind]
    session.add(
        LedgerEntry(
            at=clock.now(),
            kind=kind,
            amount_minor=amount_minor,
            currency=clinics.settings(session).currency,
            appointment_id=appointment.id,
            patient_id=appointment.patient_id,
            by_user_id=actor and actor.user_id,
            series=series,
            number=_next_number(session, series),
            particulars=_particulars(session, appointment.id),
            **named,
        )
    )
    session.flush()
    note_status(session, appointment)


def _next_number(session: Session, series: Series) -> int:
    """The number after the last of a series. Others wait for it until this transaction ends: no gaps.

    The lock is one for both series: two transactions that need both would else wait for each other.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(4, 0)"))
    counted = insert(DocumentCounter).values(series=series, last_number=1)
    counted = counted.on_conflict_do_update(
        index_elements=["series"], set_={"last_number": DocumentCounter.last_number + 1}
    )
    number: int = session.execute(counted.returning(DocumentCounter.last_number)).scalar_one()
    return number


def _particulars(session: Session, appointment_id: int) -> dict[str, Any]:
    """What a document says beside its sum, as it is today: whose it is and for which visit."""
    session.flush()
    row = session.execute(_PARTICULARS, {"appointment_id": appointment_id}).mappings().one()
    found = {name: _json(value) for name, value in row.items()}
    clinic = clinics.settings(session)
    return found | {"clinic": clinic.name, "phone": clinic.phone}


def _json(value: Any) -> Any:
    return value if isinstance(value, str) else value.isoformat()


def note_status(session: Session, appointment: Appointment) -> None:
    """Set a visit's payment status to what the ledger says, for lists that do not read the ledger."""
    appointment.payment_status = status_of(
        standing(session, appointment.id),
        is_live=appointment.status in LIVE_STATUSES,
        before=appointment.payment_status,
    )


def status_of(money: Standing, *, is_live: bool, before: PaymentStatus) -> PaymentStatus:
    """The payment status that follows from what was paid and paid back."""
    if money.paid_minor == 0:
        return PaymentStatus.WAIVED if before is PaymentStatus.WAIVED else PaymentStatus.UNPAID
    if money.received_minor <= 0:
        return PaymentStatus.REFUNDED
    if money.refunded_minor > 0 and not (is_live and money.balance_minor <= 0):
        return PaymentStatus.PARTLY_REFUNDED
    return PaymentStatus.PAID if money.balance_minor <= 0 else PaymentStatus.PARTLY_PAID
