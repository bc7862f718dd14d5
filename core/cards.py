"""What `core` needs of a card processor, whichever it is: checkouts, refunds, and what has happened.

What it is told is opaque: a reference, a sum, where to come back to. `core.stripe_cards` is the one there is.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

KEYS_LAST = timedelta(hours=23)  # Stripe forgets idempotency keys after 24 hours at the earliest


class CardsFailed(Exception):
    """The processor did not do as asked; `is_final` when the same request will never be done.

    Otherwise it may have been done all the same: ask again with the same reference, or look. `is_spent` when
    nothing came of it and the reference is used up: ask with a new one. No screen shows it.
    """

    def __init__(self, reason: str, *, is_final: bool = False, is_spent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final
        self.is_spent = is_spent


class NewCheckout(NamedTuple):
    """What a Checkout Session is made of; the same again gives the same session."""

    reference: str
    amount_minor: int
    currency: str
    expires_at: datetime
    back_to: str


class Checkout(NamedTuple):
    """A Checkout Session as it is now. `url` leads to it while it is open.

    One that is neither open, paid nor over waits for money that comes later, by a bank.
    """

    session_id: str
    reference: str
    is_open: bool
    is_paid: bool
    is_over: bool
    url: str | None
    payment_id: str | None
    amount_minor: int
    currency: str
    created_at: datetime


class Progress(StrEnum):
    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"


class PaidBack(NamedTuple):
    """A refund as it is now. `reference` is ours, "" for one made in the processor's own pages."""

    refund_id: str
    payment_id: str
    reference: str
    amount_minor: int
    progress: Progress
    failure: str | None
    created_at: datetime


class Happening(NamedTuple):
    """An event: that something happened to an object, which is then to be looked at."""

    event_id: str
    kind: str
    object_id: str
    created_at: datetime


class Cards(Protocol):
    """Whatever takes cards, or raises `CardsFailed`. `core` needs no more of it than this."""

    def open(self, wanted: NewCheckout) -> Checkout: ...
    def look(self, session_id: str) -> Checkout: ...
    def end(self, session_id: str) -> Checkout: ...
    def find(self, reference: str, since: datetime) -> Checkout | None: ...
    def pay_back(self, payment_id: str, amount_minor: int, reference: str) -> PaidBack: ...
    def look_at_refund(self, refund_id: str) -> PaidBack: ...
    def find_refund(self, payment_id: str, reference: str) -> PaidBack | None: ...
    def happenings(self, since: datetime) -> Iterator[Happening]: ...
    def checkouts(self, since: datetime, until: datetime) -> Iterator[Checkout]: ...
    def refunds(self, since: datetime, until: datetime) -> Iterator[PaidBack]: ...
