"""What a new message must be like, and the documented numbers with which every refusal can be tried."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox.twilio_errors import Refused

Form = Mapping[str, str]

MOST_CHARACTERS = 1600
LONGEST_VALIDITY_SECONDS = 36_000
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_IMITATED = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "SmartEncoded"}
_MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}


def require_valid(form: Form) -> None:
    """Raise `Refused` for the first thing that is wrong with `form`."""
    for name in form.keys() - _IMITATED:
        raise Refused(20001, more=f"the sandbox does not imitate {name}")
    _require_recipient(form.get("To", ""))
    _require_sender(form)
    body = form.get("Body", "")
    if not body.strip():
        raise Refused(21602)
    if len(body) > MOST_CHARACTERS:
        raise Refused(21617)
    if "StatusCallback" in form and not _is_address(form["StatusCallback"]):
        raise Refused(21609)
    validity = form.get("ValidityPeriod", "1")
    if not validity.isdecimal() or not 1 <= int(validity) <= LONGEST_VALIDITY_SECONDS:
        raise Refused(20001, more="ValidityPeriod")


def _require_recipient(number: str) -> None:
    if not number:
        raise Refused(21604)
    if number in _MAGIC_TO:
        raise Refused(_MAGIC_TO[number], more=number)
    if not NUMBER.fullmatch(number):
        raise Refused(21211, more=number)


def _require_sender(form: Form) -> None:
    service, number = form.get("MessagingServiceSid"), form.get("From")
    if service:
        if not _SERVICE.fullmatch(service):
            raise Refused(21705)
        return
    if not number:
        raise Refused(21603)
    if number in _MAGIC_FROM:
        raise Refused(_MAGIC_FROM[number], more=number)
    if not NUMBER.fullmatch(number):
        raise Refused(21212, more=number)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
