"""The sandbox's phones for tests: what was sent to whom, and what people and carriers do about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from twilio.rest import Client

from core import clock
from core.sms import Accepted
from core.twilio_sms import TwilioSms
from core.twilio_wire import Wire
from tests.payment_sandbox import PaymentSandbox

ACCOUNT, TOKEN = f"AC{'5a' * 16}", "a-token-of-the-sandbox"
NUMBER = "+14155550100"  # the clinic's
SERVICE = f"MG{'5a' * 16}"


ADA, BEN = "+436641234567", "+436647654321"
TEXT = "Your visit is on Monday at 9:00. City Clinic"


def send(sms: TwilioSms, to: str = ADA, body: str = TEXT) -> Accepted:
    """Send a text that has a minute to leave."""
    return sms.send(to=to, body=body, valid_seconds=3600, before=soon())


def soon() -> datetime:
    return clock.now() + timedelta(minutes=1)


def led_to(url: str, **more: Any) -> TwilioSms:
    """The gateway, led to whatever answers at `url`."""
    return TwilioSms(ACCOUNT, TOKEN, sender=NUMBER, base=url, **more)


@dataclass
class Phones:
    """What is asked of a running sandbox about texts. Statuses move on at once unless told."""

    sandbox: PaymentSandbox

    def environment(self, **other: str) -> dict[str, str]:
        """What a process that sends its texts here is started with."""
        return {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": NUMBER,
            "TWILIO_API_BASE": self.sandbox.url,
        } | other

    def client(self, *, account: str = ACCOUNT, token: str = TOKEN) -> Client:
        """The SDK's own client, led here."""
        return Client(account, token, http_client=Wire(self.sandbox.url))

    def sms(self, **other: Any) -> TwilioSms:
        """The gateway, led here."""
        return TwilioSms(ACCOUNT, TOKEN, **{"sender": NUMBER, "base": self.sandbox.url} | other)

    def texts(self) -> list[dict[str, Any]]:
        """Every text so far, oldest first, as Twilio shows it: to count what was taken."""
        return list(self.sandbox.ask("texts")["messages"])

    def texts_to(self, number: str) -> list[str]:
        """What was sent to a number, oldest first."""
        return [each["body"] for each in self.texts() if each["to"] == number]

    def status_of(self, provider_id: str) -> str:
        return next(str(each["status"]) for each in self.texts() if each["sid"] == provider_id)

    def reply(self, number: str, body: str, *, to: str | None = None) -> str:
        """Text as `number` to whoever wrote to it last, or to `to`. Returns the text's id."""
        told = {"body": body} | ({"to": to} if to else {})
        return str(self.sandbox.tell(f"phones/{quote(number, safe='')}/reply", told)["sid"])

    def fate(self, number: str, status: str, error_code: int | None = None) -> None:
        """Where texts to a number end from now on, as `undelivered` with 30005."""
        told = {"status": status, "error_code": error_code}
        self.sandbox.tell(f"phones/{quote(number, safe='')}/fate", told)

    def fault(self, kind: str, *, of: str = "", **how: Any) -> None:
        """Trouble for the next new text, or for another request; see `sandbox.faults.Fault`."""
        self.sandbox.fault(f"/2010-04-01/Accounts/{ACCOUNT}/Messages{of}", kind, **how)

    def set_pace(self, seconds: float | None) -> None:
        """How long each step takes; None holds every text where it is."""
        self.sandbox.tell("pace", {"seconds": seconds})

    def set_webhooks(self, status_url: str | None, inbound_url: str | None) -> None:
        self.sandbox.tell("texts", {"status_url": status_url, "inbound_url": inbound_url})

    def attempts(self) -> int:
        """How often a new text was asked for."""
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        return len(self.sandbox.calls(path, "POST"))


def emptied(sandbox: PaymentSandbox) -> Phones:
    """The phones of a sandbox that has just been emptied."""
    sandbox.tell(
        "texts",
        {"account": ACCOUNT, "token": TOKEN, "number": NUMBER, "status_url": None, "inbound_url": None},
    )
    phones = Phones(sandbox)
    phones.set_pace(0)
    return phones
