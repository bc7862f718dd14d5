"""The stand-ins that a clinic without a card processor or a carrier of its own is started with."""

import os
import secrets
from pathlib import Path

from core import twilio_sms
from db.config import config

KEY = "sk_test_sandbox"
ACCOUNT, NUMBER = f"AC{'5a' * 16}", "+15005550006"  # the number is the one Twilio gives for trying things
HOST = "127.0.0.1"  # not the portal's localhost: browsers send its cookies to every port of that
AWAY = 100  # from the portal's port
_HIGHEST = 65535


def is_wanted() -> bool:
    """Whether nobody has named a real card processor or a real carrier, and none is needed."""
    settings = config()
    return not settings.is_production and not (settings.takes_cards_online and settings.sends_texts)


def port() -> int:
    """Where the stand-in listens: SANDBOX_PORT, else a little away from the portal."""
    away = config().port + AWAY
    return config().sandbox_port or (away if away <= _HIGHEST else config().port - AWAY)


def ours(directory: Path) -> list[str]:
    """The module that runs a stand-in which keeps what it knows in `directory`, with its arguments.

    From here on this process and those that it starts pay and send texts there, where they have no other.
    """
    module = ["sandbox", "--port", str(port()), "--directory", str(directory)]
    for is_missing, stand_in in (
        (not config().takes_cards_online, _cards),
        (not config().sends_texts, _texts),
    ):
        if is_missing:
            module += stand_in(f"http://{HOST}:{port()}")
    return module


def _cards(base: str) -> list[str]:
    webhook_secret = f"whsec_{secrets.token_hex(16)}"
    os.environ["STRIPE_SECRET_KEY"] = KEY
    os.environ["STRIPE_API_BASE"] = base
    os.environ["STRIPE_WEBHOOK_SECRET"] = webhook_secret
    config.cache_clear()
    hears_at = f"http://localhost:{config().port}/webhooks/stripe"
    return ["--webhook-url", hears_at, "--webhook-secret", webhook_secret]


def _texts(base: str) -> list[str]:
    token = secrets.token_hex(16)
    os.environ["TWILIO_ACCOUNT_SID"] = ACCOUNT
    os.environ["TWILIO_AUTH_TOKEN"] = token
    os.environ["TWILIO_FROM"] = NUMBER
    os.environ["TWILIO_API_BASE"] = base
    config.cache_clear()
    status_url, inbound_url = map(twilio_sms.told_at, (twilio_sms.STATUS_PATH, twilio_sms.INBOUND_PATH))
    return [
        *("--texts-account", ACCOUNT, "--texts-token", token, "--texts-number", NUMBER),
        *("--texts-status-url", str(status_url), "--texts-inbound-url", str(inbound_url)),
    ]
