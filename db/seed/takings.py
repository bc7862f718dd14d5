"""What the desk took for a visit, gave back, or is still owed.

All of the demo's money is the desk's: only from today on can one pay online there, in the sandbox, which
knows nothing of what was before.
"""

from datetime import datetime, timedelta
from random import Random

from db.models import AppointmentStatus, EntryKind, PaymentMethod, PaymentStatus, Source
from db.seed.accounts import STAFF_USER
from db.seed.outcomes import next_at_the_desk
from db.seed.rows import AppointmentRow, EventRow, TakingRow

CLINICS_REASONS = frozenset({"Doctor unwell", "Booked twice"})  # for which no patient pays
_RECENT = timedelta(days=45)  # later than that whoever owed something for a visit has paid it
_AWAITED = timedelta(days=14)  # for so long money to give back may wait for somebody to come for it
_CASH_SHARE = 0.35

Line = tuple[EntryKind, datetime, int, int | None]  # what, when, how much, and who wrote it


class Takings:
    """Makes the money of one visit after the other."""

    def __init__(self, now: datetime, rng: Random) -> None:
        self._now = now
        self._rng = rng

    def of(self, visit: AppointmentRow, last_event: EventRow) -> tuple[PaymentStatus, list[TakingRow]]:
        """The lines that a visit has in the ledger, and the payment status that follows from them."""
        status = AppointmentStatus(visit.status)
        if status is AppointmentStatus.CANCELLED:
            return self._of_cancelled(visit, last_event)
        if status is AppointmentStatus.COMPLETED:
            return self._of_completed(visit)
        if status is AppointmentStatus.CONFIRMED and self._pays_at_once(visit, 0.05):
            return PaymentStatus.PAID, self._lines(visit, self._paid(visit, visit.created_at))
        return PaymentStatus.UNPAID, []

    def _of_completed(self, visit: AppointmentRow) -> tuple[PaymentStatus, list[TakingRow]]:
        chance, at = self._rng.random(), visit.ends_at + timedelta(seconds=self._rng.randrange(90, 720))
        if chance < 0.03:
            return PaymentStatus.WAIVED, []
        is_recent = self._now - visit.ends_at < _RECENT
        if at > self._now or (is_recent and chance < 0.06):
            return PaymentStatus.UNPAID, []
        if is_recent and chance < 0.08:
            part = visit.price_minor // 200 * 100
            return PaymentStatus.PARTLY_PAID, self._lines(visit, self._paid(visit, at, part))
        return PaymentStatus.PAID, self._lines(visit, self._paid(visit, at))

    def _of_cancelled(
        self, visit: AppointmentRow, cancelled: EventRow
    ) -> tuple[PaymentStatus, list[TakingRow]]:
        """Within the window there is a late fee, unless the clinic called it off; what was paid goes back."""
        is_late = visit.starts_at - cancelled.at < timedelta(hours=visit.cancellation_hours)
        kept = visit.late_fee_minor if is_late and cancelled.reason not in CLINICS_REASONS else 0
        if self._pays_at_once(visit, 0.1) and cancelled.at - visit.created_at > timedelta(minutes=5):
            return self._of_refunded(visit, cancelled, kept)
        if not kept:
            return PaymentStatus.UNPAID, []
        lines: list[Line] = [(EntryKind.INVOICE, cancelled.at, kept, cancelled.by_user_id)]
        paid_at = next_at_the_desk(cancelled.at, self._rng.randint(1, 40), self._rng)
        if self._rng.random() < 0.1 or paid_at > self._now:
            return PaymentStatus.UNPAID, self._lines(visit, lines)
        lines.append((EntryKind.PAYMENT, paid_at, -kept, STAFF_USER))
        return PaymentStatus.PAID, self._lines(visit, lines)

    def _of_refunded(
        self, visit: AppointmentRow, cancelled: EventRow, kept: int
    ) -> tuple[PaymentStatus, list[TakingRow]]:
        lines = self._paid(visit, visit.created_at)
        lines.append((EntryKind.CREDIT, cancelled.at, kept - visit.price_minor, cancelled.by_user_id))
        handed_over_at = next_at_the_desk(cancelled.at, self._rng.randint(1, 6), self._rng)
        still_waits = self._now - cancelled.at < _AWAITED and self._rng.random() < 0.5
        is_open = still_waits or handed_over_at > self._now
        at = cancelled.at if is_open else handed_over_at
        lines.append((EntryKind.REFUND, at, visit.price_minor - kept, STAFF_USER))
        given_back = PaymentStatus.PARTLY_REFUNDED if kept else PaymentStatus.REFUNDED
        return PaymentStatus.PAID if is_open else given_back, self._lines(visit, lines, is_open=is_open)

    def _pays_at_once(self, visit: AppointmentRow, share: float) -> bool:
        """Whether somebody who books at the desk pays there and then."""
        return visit.source == Source.DESK.value and self._rng.random() < share

    def _paid(self, visit: AppointmentRow, at: datetime, amount_minor: int | None = None) -> list[Line]:
        """An invoice, and the payment of it or of a part."""
        amount = visit.price_minor if amount_minor is None else amount_minor
        return [
            (EntryKind.INVOICE, at, visit.price_minor, STAFF_USER),
            (EntryKind.PAYMENT, at, -amount, STAFF_USER),
        ]

    def _lines(self, visit: AppointmentRow, lines: list[Line], *, is_open: bool = False) -> list[TakingRow]:
        """The lines as rows; those of money in cash or by the terminal, and given back as it was taken."""
        way = PaymentMethod.CASH if self._rng.random() < _CASH_SHARE else PaymentMethod.TERMINAL
        return [
            TakingRow(
                appointment_id=visit.id,
                step=step,
                kind=kind.value,
                at=at,
                amount_minor=amount,
                method=way.value if kind in {EntryKind.PAYMENT, EntryKind.REFUND} else None,
                by_user_id=by_user_id,
                is_open=is_open and kind is EntryKind.REFUND,
            )
            for step, (kind, at, amount, by_user_id) in enumerate(lines)
        ]
