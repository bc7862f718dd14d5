"""The sandbox process: `python -m sandbox --port 8601 --directory var/sandbox`, until SIGTERM or Ctrl-C."""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from sandbox.server import HOST, listening, server_of

TEXTS = ("account", "token", "number", "status_url", "inbound_url")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8601, help="where to listen, on 127.0.0.1 only")
    parser.add_argument("--directory", type=Path, required=True, help="where to keep what happened")
    parser.add_argument("--webhook-url", help="where to send events; none are sent without it")
    parser.add_argument("--webhook-secret", default="", help="what to sign them with")
    parser.add_argument("--texts-account", help="the only account that may send texts; any without it")
    parser.add_argument("--texts-token", help="its token, which signs what is told of texts")
    parser.add_argument("--texts-number", help="the number that people write to who got no text yet")
    parser.add_argument("--texts-status-url", help="where to tell how texts fare; nowhere without it")
    parser.add_argument("--texts-inbound-url", help="where to tell of replies; nowhere without it")
    return parser.parse_args()


def end(_signum: int, _frame: FrameType | None) -> None:
    """Leave at once: what was answered is written, and nothing else is worth waiting for."""
    os._exit(0)


def main() -> None:
    told = options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        listener = listening(told.port)
    except OSError as error:
        sys.exit(f"Port {told.port} cannot be used: {error.strerror}. Set --port to another one.")
    webhooks = {"url": told.webhook_url, "secret": told.webhook_secret, "paused": False}
    texts = {name: getattr(told, f"texts_{name}") for name in TEXTS}
    server = server_of(told.directory, webhooks, texts)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, end)
    sys.stdout.write(f"Sandbox on http://{HOST}:{listener.getsockname()[1]}: no money moves.\n")
    sys.stdout.flush()
    server.run([listener])


if __name__ == "__main__":
    main()
