"""Closing a till: what a receptionist took and gave back since the last time, against what was counted."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, forms, tills
from core.access import Action, Actor
from core.appointment_events import required_reason
from core.errors import ClinicError
from core.i18n import N_, money
from db.models import LedgerEntry, PaymentMethod, TillClosing, User

MOST_MINOR = 10**12  # more than any drawer holds, also of rupiah: ten thousand dollars are 16 billion sen
SHOWN = 50


class CountImpossible(ClinicError):
    message = N_("One of these amounts cannot be right. Please look at them again.")


class CountMissing(ClinicError):
    message = N_("Please fill in all three amounts: zero where there is nothing.")


class LeavesTooMuch(ClinicError):
    message = N_("You cannot leave more in the drawer than you counted.")


class DifferenceUnexplained(ClinicError):
    message = N_(
        "The ledger says {cash} in cash and {terminal} on the terminal. Please note why yours differs."
    )


class OpenTill(NamedTuple):
    """A till since it was last closed (`since`, None before the first time), in minor units."""

    since: datetime | None
    opening_minor: int
    entries: Sequence[LedgerEntry]

    def taken(self, method: PaymentMethod) -> int:
        return sum(-entry.amount_minor for entry in self._by(method) if entry.amount_minor < 0)

    def given(self, method: PaymentMethod) -> int:
        return sum(entry.amount_minor for entry in self._by(method) if entry.amount_minor > 0)

    @property
    def expected_minor(self) -> int:
        """The cash that should lie in the drawer."""
        return self.opening_minor + self.taken(PaymentMethod.CASH) - self.given(PaymentMethod.CASH)

    @property
    def terminal_minor(self) -> int:
        """The total that the card terminal should print."""
        return self.taken(PaymentMethod.TERMINAL) - self.given(PaymentMethod.TERMINAL)

    def _by(self, method: PaymentMethod) -> Iterable[LedgerEntry]:
        return (entry for entry in self.entries if entry.method is method)


def open_till(session: Session, actor: Actor) -> OpenTill:
    """What the actor has taken and given back at the desk since closing the till last."""
    access.require(actor, Action.CLOSE_TILL, user_id=actor.user_id)
    return _open(session, actor, _last(session, actor))


def close(
    session: Session,
    actor: Actor,
    *,
    counted_minor: int | None,
    terminal_counted_minor: int | None,
    left_minor: int | None,
    note: str = "",
    request_key: UUID | None = None,
) -> TillClosing:
    """Close the actor's till with the cash that was counted and the total of the card terminal.

    `left_minor` stays in the drawer for the next time. What differs from the ledger needs a note. The form's
    `request_key` sent again gives the first closing. Raises `CountMissing`, `CountImpossible`,
    `LeavesTooMuch`, `DifferenceUnexplained`, `ReasonTooLong`, `ReasonUnreadable`, `FormAlreadySent`,
    `AccessDenied`.
    """
    access.require(actor, Action.CLOSE_TILL, user_id=actor.user_id)
    tills.lock(session, actor.user_id)
    if earlier := forms.written(session, TillClosing, request_key, user_id=actor.user_id):
        return earlier
    last = _last(session, actor)
    till = _open(session, actor, last)
    if counted_minor is None or terminal_counted_minor is None or left_minor is None:
        raise CountMissing
    _require_possible(counted_minor, terminal_counted_minor, left_minor)
    currency = clinics.settings(session).currency
    if not note.strip():
        _require_agreeing(till, counted_minor, terminal_counted_minor, currency)
    closing = TillClosing(
        user_id=actor.user_id,
        closed_at=clock.now(),
        up_to_entry_id=till.entries[-1].id if till.entries else last.up_to_entry_id if last else 0,
        currency=currency,
        opening_minor=till.opening_minor,
        expected_minor=till.expected_minor,
        counted_minor=counted_minor,
        left_minor=left_minor,
        terminal_minor=till.terminal_minor,
        terminal_counted_minor=terminal_counted_minor,
        note=required_reason(note) if note.strip() else "",
        request_key=request_key,
    )
    session.add(closing)
    session.flush()
    audit.record(session, actor, Action.CLOSE_TILL, kind="till closing", number=closing.id)
    return closing


def closings(session: Session, actor: Actor) -> list[tuple[TillClosing, str]]:
    """The last closings with whose they are: one's own, and for an administrator everybody's.

    Those in which something differed come first, then the newest.
    """
    access.require(actor, Action.CLOSE_TILL, user_id=actor.user_id)
    newest = select(TillClosing).order_by(TillClosing.id.desc()).limit(SHOWN)
    if not access.may(actor, Action.RECONCILE):
        newest = newest.where(TillClosing.user_id == actor.user_id)
    found = session.execute(
        select(TillClosing, User.name)
        .join(User, User.id == TillClosing.user_id)
        .where(TillClosing.id.in_(newest.with_only_columns(TillClosing.id)))
        .order_by(case((_FITS, 1), else_=0), TillClosing.id.desc())
    )
    return [(closing, name) for closing, name in found]


_FITS = (TillClosing.expected_minor == TillClosing.counted_minor) & (
    TillClosing.terminal_minor == TillClosing.terminal_counted_minor
)


def _last(session: Session, actor: Actor) -> TillClosing | None:
    own = select(TillClosing).where(TillClosing.user_id == actor.user_id)
    return session.scalar(own.order_by(TillClosing.id.desc()).limit(1))


def _open(session: Session, actor: Actor, last: TillClosing | None) -> OpenTill:
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.by_user_id == actor.user_id,
            LedgerEntry.method.in_(tills.AT_DESK),
            LedgerEntry.id > (last.up_to_entry_id if last else 0),
        )
        .order_by(LedgerEntry.id)
    )
    since, opening_minor = (last.closed_at, last.left_minor) if last else (None, 0)
    return OpenTill(since, opening_minor, entries.all())


def _require_agreeing(till: OpenTill, counted_minor: int, terminal_counted_minor: int, currency: str) -> None:
    """Raise `DifferenceUnexplained` unless what was counted is what the ledger says."""
    if (till.expected_minor, till.terminal_minor) != (counted_minor, terminal_counted_minor):
        raise DifferenceUnexplained(
            cash=money(till.expected_minor, currency), terminal=money(till.terminal_minor, currency)
        )


def _require_possible(counted_minor: int, terminal_counted_minor: int, left_minor: int) -> None:
    """Raise unless the sums can be: no drawer holds less than nothing, none more than there is money."""
    if not (
        0 <= counted_minor <= MOST_MINOR and abs(terminal_counted_minor) <= MOST_MINOR and left_minor >= 0
    ):
        raise CountImpossible
    if left_minor > counted_minor:
        raise LeavesTooMuch
