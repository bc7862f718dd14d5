"""Texts through Twilio's own SDK. Nothing here knows the database.

Twilio has no idempotency for messages, so nothing is repeated here; `core.sms` says which error allows it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import requests
import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from core import clock
from core.sms import (
    Accepted,
    Progress,
    Received,
    Refusal,
    Sms,
    SmsBusy,
    SmsFailed,
    SmsRefused,
    SmsUncertain,
    SmsUnreachable,
)
from core.twilio_wire import SECONDS, Wire, departing
from db.config import config

STATUS_PATH, INBOUND_PATH = "/webhooks/twilio/status", "/webhooks/twilio/inbound"
SHORTEST_VALIDITY, LONGEST_VALIDITY = 1, 36_000  # seconds, Twilio's bounds
PAGE = 1000  # the most that Twilio lists at once
GENEROUS = timedelta(hours=1)  # Twilio's filter is by another time than ours, and once was by whole days
TRIAL = "Sent from your Twilio trial account - "  # which it puts before the texts of a trial account
# What a messaging service with "smart encoding" has replaced when a text is listed.
_PLAINER = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\xa0": " "}
)

_REASONS = {
    **dict.fromkeys((21211, 21217, 21265, 21266, 21421), Refusal.BAD_NUMBER),
    21614: Refusal.NOT_MOBILE,
    21610: Refusal.OPTED_OUT,
    **dict.fromkeys((21219, 21408, 21608, 21612, 21635), Refusal.NO_ROUTE),
    **dict.fromkeys((21602, 21603, 21604, 21605, 21617, 21619, 21620), Refusal.OUR_TEXT),
    **dict.fromkeys((21212, 21606, 21607, 21609, 21659, 21660, 21661), Refusal.CONFIGURATION),
    **dict.fromkeys((21701, 21703, 21704, 21705), Refusal.CONFIGURATION),
    **dict.fromkeys((20003, 20005), Refusal.CREDENTIALS),
}
_BUSY = {20429, 21611}
_OF_CREDENTIALS = {401, 403}
_UNCLEAR = {408, 409, 425}  # of the 4xx: somebody between us and Twilio may have passed the request on
_UNCONNECTED = (requests.RequestException, urllib3.exceptions.HTTPError)
# What else a call ends with whose answer makes no sense.
_BROKEN = (*_UNCONNECTED, TwilioException, ValueError, TypeError, AttributeError)


class TwilioSms:
    """Twilio, or what speaks like it under `base`. With a `service` its numbers send, and `sender` is one."""

    def __init__(
        self,
        account: str,
        token: str,
        *,
        sender: str | None = None,
        service: str | None = None,
        base: str | None = None,
        status_callback: str | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.sender = sender
        self._from = {"messaging_service_sid": service} if service else {"from_": sender}
        self._more = {"status_callback": status_callback} if status_callback else {}
        client = Client(account, token, http_client=Wire(base, seconds=seconds))
        self._messages = client.api.v2010.account.messages

    def send(self, *, to: str, body: str, valid_seconds: int | None, before: datetime) -> Accepted:
        """See `Sms.send`. Also raises `SmsRefused`, `SmsBusy`, `SmsUncertain` or `SmsUnreachable`."""
        more: dict[str, Any] = {**self._from, **self._more}
        if valid_seconds is not None:
            more["validity_period"] = max(SHORTEST_VALIDITY, min(valid_seconds, LONGEST_VALIDITY))
        with departing(before) as departure:
            try:
                return _accepted(self._messages.create(to=to, body=body, **more))
            except (TwilioRestException, TwilioServiceException) as error:
                raise _failure(error, departure.retry_after) from None
            except _BROKEN as error:
                if departure.has_left:
                    raise SmsUncertain(type(error).__name__) from None
                if not isinstance(error, _UNCONNECTED):
                    raise  # a bug of ours
                raise SmsUnreachable(type(error).__name__) from None

    def find(self, *, to: str, body: str, since: datetime) -> list[Accepted]:
        """See `Sms.find`. By the recipient alone: with a service the sender is not known at first.

        Twilio filters by when a text was sent, which is not known at first either.
        """
        earliest, wanted = since.replace(microsecond=0), _plainer(body)
        with _reading():
            found = [
                _accepted(each)
                for each in self._messages.list(to=to, limit=PAGE, page_size=PAGE)
                if each.direction != "inbound" and _plainer(each.body or "") == wanted
            ]
        return sorted((each for each in found if each.created_at >= earliest), key=_created)

    def fetch(self, provider_id: str) -> Progress:
        with _reading():
            message = self._messages(provider_id).fetch()
            return Progress(
                message.sid, str(message.status), message.error_code, _segments(message.num_segments)
            )

    def received(self, *, since: datetime) -> list[Received]:
        """See `Sms.received`. With a service people answer to any of its numbers, so all count."""
        earliest = since.replace(microsecond=0)
        wanted: dict[str, Any] = {} if "messaging_service_sid" in self._from else {"to": self.sender}
        with _reading():
            found = [
                Received(each.sid, each.from_ or "", each.to or "", each.body or "", each.date_created)
                for each in self._messages.list(date_sent_after=since - GENEROUS, page_size=PAGE, **wanted)
                if each.direction == "inbound" and each.date_created is not None
            ]
        return sorted((each for each in found if each.received_at >= earliest), key=lambda each: each[-1])


@contextmanager
def _reading() -> Iterator[None]:
    """For requests that change nothing: whatever went wrong on the way, they can be repeated."""
    with departing() as departure:
        try:
            yield
        except (TwilioRestException, TwilioServiceException) as error:
            failure = _failure(error, departure.retry_after)
        except _BROKEN as error:
            failure = _unread(error, departure.retry_after)
        else:
            return
    if isinstance(failure, SmsUncertain):
        failure = SmsUnreachable(*failure.args)
    raise failure from None


def _unread(error: Exception, retry_after: timedelta | None) -> SmsFailed:
    """What went wrong with a list, for which the SDK raises no exception of its own but keeps the answer."""
    answer = error.args[1] if isinstance(error, TwilioException) and len(error.args) > 1 else None
    status = getattr(answer, "status_code", None)
    if status is None:
        return SmsUnreachable(type(error).__name__)
    return _failure(TwilioRestException(status, "", code=status), retry_after)


def _failure(error: TwilioRestException | TwilioServiceException, retry_after: timedelta | None) -> SmsFailed:
    """What an answer other than yes means, in Twilio's code: its words name people's numbers."""
    code = error.code if isinstance(error.code, int) else None
    if error.status == 429 or code in _BUSY:
        return SmsBusy(retry_after)
    if not 400 <= error.status < 500 or error.status in _UNCLEAR:
        return SmsUncertain(f"HTTP {error.status}")
    fallback = Refusal.CREDENTIALS if error.status in _OF_CREDENTIALS else Refusal.UNKNOWN
    return SmsRefused(code, _REASONS.get(code or 0, fallback))


def _accepted(message: Any) -> Accepted:
    if not message.sid:
        raise ValueError("an answer without an id")
    created_at = message.date_created or clock.now()
    return Accepted(message.sid, str(message.status), _segments(message.num_segments), created_at)


def _created(each: Accepted) -> datetime:
    return each.created_at


def _segments(told: str | None) -> int | None:
    return int(told or 0) or None


def _plainer(text: str) -> str:
    return text.removeprefix(TRIAL).translate(_PLAINER).strip()


def told_at(path: str) -> str | None:
    """Where Twilio is to tell us of something, None where it could not reach us."""
    settings = config()
    if settings.texts_are_simulated:
        is_here = settings.is_on_this_machine
        return f"{settings.public_url if is_here else f'http://localhost:{settings.port}'}{path}"
    is_reachable = settings.public_url.startswith("https://") and not settings.is_on_this_machine
    return f"{settings.public_url}{path}" if is_reachable else None


def form_of(body: bytes) -> dict[str, str]:
    """What a webhook's body says. Empty fields stay: they are signed too."""
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def is_signed(url: str, form: Mapping[str, str], header: str) -> bool:
    """Whether Twilio has signed this webhook; `url` is PUBLIC_URL's, with path and query as they came."""
    settings = config()
    if settings.twilio_auth_token is None:
        return False
    validator = RequestValidator(settings.twilio_auth_token.get_secret_value())
    path = url.removeprefix(settings.public_url)
    return bool(validator.validate(told_at(path) or url, dict(form), header))


def told_progress(form: Mapping[str, str]) -> Progress | None:
    """What a status callback says; None when it is none."""
    sid, status, code = form.get("MessageSid"), form.get("MessageStatus"), form.get("ErrorCode", "")
    if not sid or not status:
        return None
    return Progress(sid, status, int(code) if code.isascii() and code.isdecimal() else None, None)


def told_text(form: Mapping[str, str]) -> Received | None:
    """The text that an inbound webhook brings; None when it is none. It does not say when it came."""
    sid, sender = form.get("MessageSid"), form.get("From")
    if not sid or not sender:
        return None
    return Received(sid, sender, form.get("To", ""), form.get("Body", ""), clock.now())


@cache
def configured() -> Sms | None:
    """The carrier of TWILIO_ACCOUNT_SID, None where there is none."""
    settings = config()
    if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
        return None
    return TwilioSms(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        sender=settings.twilio_from,
        service=settings.twilio_messaging_service_sid,
        base=settings.twilio_api_base,
        status_callback=told_at(STATUS_PATH),
    )
