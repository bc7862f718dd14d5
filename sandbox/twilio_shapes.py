"""A message as Twilio shows it to whoever asks, and as it tells of it in webhooks."""

from datetime import UTC, datetime
from email.utils import format_datetime

from sandbox.store import Body
from sandbox.twilio_segments import segments

API = "/2010-04-01"
_REASONS = {
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}


def status_form(message: Body) -> dict[str, str]:
    form = _common_form(message) | {"MessageStatus": message["status"], "SmsStatus": message["status"]}
    return form | ({"ErrorCode": str(message["error_code"])} if message["error_code"] else {})


def inbound_form(message: Body) -> dict[str, str]:
    return _common_form(message) | {
        "SmsMessageSid": message["id"],
        "SmsStatus": "received",
        "Body": message["body"],
        "NumMedia": "0",
        "NumSegments": str(segments(message["body"])),
        "ToCountry": "",
        "FromCountry": "",
    }


def _common_form(message: Body) -> dict[str, str]:
    sender, recipient = _ends(message)
    return {
        "MessageSid": message["id"],
        "SmsSid": message["id"],
        "AccountSid": message["account"],
        "From": sender or "",
        "To": recipient,
        "ApiVersion": API.strip("/"),
    }


def _ends(message: Body) -> tuple[str | None, str]:
    """From and To."""
    if message["direction"] == "inbound":
        return message["phone"], message["ours"]
    return message["sender"], message["phone"]


def shown(message: Body) -> Body:
    """A message as Twilio shows it."""
    sender, recipient = _ends(message)
    uri = f"{API}/Accounts/{message['account']}/Messages/{message['id']}"
    return {
        "account_sid": message["account"],
        "api_version": API.strip("/"),
        "body": message["body"],
        "date_created": _date(message["created"]),
        "date_sent": _date(message["sent"]),
        "date_updated": _date(message["updated"]),
        "direction": message["direction"],
        "error_code": message["error_code"],
        "error_message": _REASONS.get(message["error_code"]),
        "from": sender,
        "messaging_service_sid": message["service"],
        "num_media": "0",
        "num_segments": "0" if message["status"] == "accepted" else str(segments(message["body"])),
        "price": None,
        "price_unit": "USD",
        "sid": message["id"],
        "status": message["status"],
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": recipient,
        "uri": f"{uri}.json",
    }


def _date(unix: int | None) -> str | None:
    return None if unix is None else format_datetime(datetime.fromtimestamp(unix, UTC))
