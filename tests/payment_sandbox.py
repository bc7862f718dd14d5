"""The sandbox for tests, on a free port, in a thread of this process or as its own; texts in `phones`."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import stripe

from sandbox.server import listening, server_of
from tests import log_watch

ROOT = Path(__file__).parent.parent
KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_sandbox"
PATIENCE_SECONDS = 10


def order(amount: int = 4500, currency: str = "eur", **more: Any) -> dict[str, Any]:
    """The parameters of a session for one thing at a price; `more` replaces or adds some."""
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Clinic invoice 42"}}
    return {
        "mode": "payment",
        "success_url": "http://localhost:8501/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:8501/back",
        "line_items": [{"quantity": 1, "price_data": price}],
        **more,
    }


@dataclass
class PaymentSandbox:
    """A running sandbox. What a payer, a bank or a clock would do is asked of it here."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20))

    def stripe_client(self, *, retries: int = 0, key: str = KEY, timeout: float = 20) -> stripe.StripeClient:
        """The SDK's own client, led here."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeout),
        )

    def pay(self, session_id: str, *, how: str = "card") -> dict[str, Any]:
        """Pay as the page's button does; `how="async"` completes it unpaid, until `settle` or `fail`."""
        return self.tell(f"sessions/{session_id}/pay", {"as": how})

    def decline(self, session_id: str) -> dict[str, Any]:
        return self.tell(f"sessions/{session_id}/decline")

    def settle(self, session_id: str) -> dict[str, Any]:
        return self.tell(f"sessions/{session_id}/settle")

    def fail_payment(self, session_id: str) -> dict[str, Any]:
        return self.tell(f"sessions/{session_id}/fail")

    def next_refund_is_pending(self) -> None:
        self.tell("next_refund", {"status": "pending"})

    def succeed_refund(self, refund_id: str) -> dict[str, Any]:
        return self.tell(f"refunds/{refund_id}/succeed")

    def fail_refund(self, refund_id: str) -> dict[str, Any]:
        return self.tell(f"refunds/{refund_id}/fail")

    def fault(self, path: str, kind: str, **how: Any) -> None:
        """Trouble for the next POST to `path`: kind drop, 500, 429 or delay; see `sandbox.faults.Fault`."""
        self.tell("faults", {"path": path, "kind": kind, **how})

    def set_clock(self, at: datetime | None) -> None:
        """Stop the sandbox's clock at `at`; None lets it run again."""
        self.tell("clock", {"now": None if at is None else int(at.timestamp())})

    def set_webhooks(self, url: str | None, *, secret: str = WEBHOOK_SECRET, paused: bool = False) -> None:
        self.tell("webhooks", {"url": url, "secret": secret, "paused": paused})

    def resend(self, event_id: str) -> None:
        self.tell(f"events/{event_id}/resend")

    def calls(self, path: str = "/v1/", method: str | None = None) -> list[dict[str, Any]]:
        """The API's requests so far, below `path`."""
        made: list[dict[str, Any]] = self.ask("calls")["calls"]
        return [call for call in made if call["path"].startswith(path) and method in {None, call["method"]}]

    def reset(self) -> None:
        """Forget everything but where webhooks go."""
        self.tell("reset")

    def tell(self, what: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask one of the sandbox's own addresses. Raises `httpx.HTTPStatusError` when it cannot."""
        answer = self._client.post(f"{self.url}/sandbox/{what}", json=told or {})
        answer.raise_for_status()
        return dict(answer.json())

    def ask(self, what: str) -> dict[str, Any]:
        """Read one of the sandbox's own addresses."""
        answer = self._client.get(f"{self.url}/sandbox/{what}")
        answer.raise_for_status()
        return dict(answer.json())

    def close(self) -> None:
        self._client.close()


@contextmanager
def running(directory: Path) -> Iterator[PaymentSandbox]:
    """A sandbox in a thread of this process, which starts in no time."""
    listener = listening(0)
    server = server_of(directory)
    thread = threading.Thread(target=server.run, args=[[listener]], daemon=True)
    sandbox = PaymentSandbox(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread.start()
    try:
        _wait(lambda: server.started)
        yield sandbox
    finally:
        sandbox.close()
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


@contextmanager
def running_process(
    directory: Path, log: Path, *, port: int | None = None, options: Sequence[str] = ()
) -> Iterator[PaymentSandbox]:
    """A sandbox as the launcher starts it. What it prints is written to `log`, which must be quiet."""
    port = port or _free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--directory", str(directory), *options]
    with log.open("ab") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:
        sandbox = PaymentSandbox(f"http://127.0.0.1:{port}", process)
        try:
            _wait(lambda: process.poll() is not None or _answers(port))
            yield sandbox
        finally:
            sandbox.close()
            process.terminate()
            process.wait(PATIENCE_SECONDS)
            log_watch.look_at_file(log)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wait(is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "the sandbox did not start"
        time.sleep(0.005)
