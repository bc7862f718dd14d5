"""Refusals as Twilio words them: an HTTP status and a number, which the SDK turns into an exception."""

import json

from starlette.responses import Response

_WORDS = {
    20001: "Invalid parameter",
    20003: "Authenticate",
    20009: "Cannot delete this resource before it is complete",
    20404: "The requested resource was not found",
    20429: "Too many requests",
    20500: "An internal server error has occurred",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid 'From' Phone Number",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number is not a valid, SMS-capable inbound phone number for your account.",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "The 'From' number has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number is not currently reachable using the 'From' phone number",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21705: "The Messaging Service Sid is invalid.",
    30409: "The message is not in a state in which it can be canceled",
}
RETRY_AFTER_SECONDS = 1


class Refused(Exception):
    """A request Twilio would turn down."""

    def __init__(self, code: int, status: int = 400, more: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.more = code, status, more


def answer(refused: Refused) -> Response:
    words = _WORDS[refused.code]
    body = {
        "code": refused.code,
        "message": f"{words}: {refused.more}" if refused.more else words,
        "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
        "status": refused.status,
    }
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if refused.status == 429 else {}
    return Response(json.dumps(body), refused.status, headers, media_type="application/json")
