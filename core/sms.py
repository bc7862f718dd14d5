"""What `core` needs of whoever carries texts: to send one, to look for it, how it fared, what was answered.

`core.twilio_sms` is the one there is. It has no idempotency: after `SmsUncertain`, or a crash, look with
`find` before anything is sent again. No error holds a number or a text.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol


class Refusal(StrEnum):
    """Why a text is never sent as it is."""

    BAD_NUMBER = "bad number"
    NOT_MOBILE = "not mobile"
    OPTED_OUT = "opted out"
    NO_ROUTE = "no route"
    OUR_TEXT = "our text"
    CONFIGURATION = "configuration"
    CREDENTIALS = "credentials"
    UNKNOWN = "unknown"


class SmsFailed(Exception):
    """The carrier did not do as asked. No screen shows it."""


class SmsRefused(SmsFailed):
    """Nothing was sent, and the same request will never be done. `code` is the carrier's."""

    def __init__(self, code: int | None, reason: Refusal) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


class SmsBusy(SmsFailed):
    """Nothing was sent: too much at once. Safe to repeat, after `retry_after` where that was said."""

    def __init__(self, retry_after: timedelta | None = None) -> None:
        super().__init__("busy")
        self.retry_after = retry_after


class SmsUncertain(SmsFailed):
    """The request left and no clear answer came: it may have been sent."""


class SmsUnreachable(SmsFailed):
    """The request never left this machine, or it was one that only reads. Safe to repeat."""


class LeaseOver(SmsFailed):
    """The request came too late to leave: whoever leased the message after us may have sent it."""


class Accepted(NamedTuple):
    """A text that the carrier has taken. `segments` is None until a sender is chosen."""

    provider_id: str
    status: str
    segments: int | None
    created_at: datetime


class Progress(NamedTuple):
    """How a text fares. `error_code` says why it did not arrive: the carrier's, and no firm promise."""

    provider_id: str
    status: str
    error_code: int | None
    segments: int | None


class Received(NamedTuple):
    """A text to us."""

    provider_id: str
    sender: str
    recipient: str
    body: str
    received_at: datetime


class Sms(Protocol):
    """Whatever carries texts, or raises `SmsFailed`. Numbers are E.164, times aware."""

    sender: str | None  # our number; None with a pool of numbers, of which the carrier chooses one

    def send(self, *, to: str, body: str, valid_seconds: int | None, before: datetime) -> Accepted:
        """Send a text once. From `before` on nothing leaves, and `LeaseOver` is raised.

        After `valid_seconds` (1 to 36,000) the carrier no longer tries to deliver it.
        """
        ...

    def find(self, *, to: str, body: str, since: datetime) -> list[Accepted]:
        """The texts to that number with exactly that body created at `since` or later, oldest first.

        By the carrier's clock, in whole seconds: take some time off for one that differs from ours. Quotes
        and dashes that the carrier has made plainer are no difference.
        """
        ...

    def fetch(self, provider_id: str) -> Progress: ...

    def received(self, *, since: datetime) -> list[Received]:
        """The texts to us since then, oldest first. Let the windows overlap, and know a text by its id."""
        ...


_RANKS = {
    **dict.fromkeys(("accepted", "scheduled"), 0),
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "partially_delivered": 4,
    **dict.fromkeys(("delivered", "undelivered", "failed", "canceled"), 5),
    "read": 6,
}
_FINAL = _RANKS["delivered"]


def rank(status: str) -> int:
    """How far along a status is. News of a rank that is not higher comes late and changes nothing.

    A word nobody has documented is no news: it ranks below all.
    """
    return _RANKS.get(status, -1)


def is_final(status: str) -> bool:
    """Whether nothing more will come. `sent` may be the last word too, where no receipts are given."""
    return rank(status) >= _FINAL
