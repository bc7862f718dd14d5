"""The stand-in for the card processor that a clinic without a key of a real one is started with."""

import os
import secrets
from pathlib import Path

from db.config import config

KEY = "sk_test_sandbox"
HOST = "127.0.0.1"  # not the portal's localhost: browsers send its cookies to every port of that
AWAY = 100  # from the portal's port
_HIGHEST = 65535


def is_wanted() -> bool:
    """Whether nobody has named a real card processor, and none is needed."""
    return not config().is_production and config().stripe_secret_key is None


def port() -> int:
    """Where the stand-in listens: SANDBOX_PORT, else a little away from the portal."""
    away = config().port + AWAY
    return config().sandbox_port or (away if away <= _HIGHEST else config().port - AWAY)


def ours(directory: Path) -> list[str]:
    """The module that runs a stand-in which keeps what it knows in `directory`, with its arguments.

    From here on this process and those that it starts pay there.
    """
    webhook_secret = f"whsec_{secrets.token_hex(16)}"
    listens_at, hears_at = port(), f"http://localhost:{config().port}/webhooks/stripe"
    os.environ["STRIPE_SECRET_KEY"] = KEY
    os.environ["STRIPE_API_BASE"] = f"http://{HOST}:{listens_at}"
    os.environ["STRIPE_WEBHOOK_SECRET"] = webhook_secret
    config.cache_clear()
    return [
        *("sandbox", "--port", str(listens_at), "--directory", str(directory)),
        *("--webhook-url", hears_at, "--webhook-secret", webhook_secret),
    ]
