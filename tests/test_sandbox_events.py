"""The sandbox's events: polled with cursors as Stripe has them, and sent to a webhook, signed."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from tests.payment_sandbox import WEBHOOK_SECRET, PaymentSandbox, order

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PATIENCE_SECONDS = 10


@dataclass
class Receiver:
    """A webhook: what it was sent, and the statuses it answers with before it takes things."""

    url: str = ""
    taken: list[tuple[bytes, str]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def events(self) -> list[stripe.Event]:
        """What was taken, each verified as the SDK does it."""
        return [stripe.Webhook.construct_event(body, seal, WEBHOOK_SECRET) for body, seal in self.taken]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if receiver.refusals:
                self.send_response(receiver.refusals.pop(0))
            else:
                receiver.taken.append((body, self.headers["stripe-signature"]))
                self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/stripe/webhook"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield receiver
        server.shutdown()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def paid(sandbox: PaymentSandbox) -> str:
    """The payment of a new session that was paid at once."""
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order())
    sandbox.pay(session.id)
    return str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)


def test_an_event_holds_its_object_as_it_was_then(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order(metadata={"attempt": "7"}))
    client.v1.checkout.sessions.expire(session.id)
    event = client.v1.events.list().data[0]
    assert event.type == "checkout.session.expired"
    assert event.api_version == stripe.api_version
    assert event.data.object["id"] == session.id
    assert event.data.object["status"] == "expired"
    assert event.data.object["metadata"]["attempt"] == "7"
    assert client.v1.events.retrieve(event.id).data.object["id"] == session.id


def test_events_after_a_known_one_come_oldest_first_to_the_last(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    for _ in range(7):
        paid(sandbox)
    newest_first = [event.id for event in client.v1.events.list({"limit": 100}).data]
    assert len(newest_first) == 7
    page = client.v1.events.list({"ending_before": newest_first[5], "limit": 2})
    assert [event.id for event in page.data] == [newest_first[3], newest_first[4]]
    assert page.has_more
    assert [event.id for event in page.auto_paging_iter()] == newest_first[4::-1]
    older = client.v1.events.list({"starting_after": newest_first[1], "limit": 2})
    assert [event.id for event in older.auto_paging_iter()] == newest_first[2:]
    last = client.v1.events.list({"ending_before": newest_first[0]})
    assert (last.data, last.has_more) == ([], False)


def test_events_are_found_by_type_and_time_for_thirty_days(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    sandbox.set_clock(NOON)
    intent = paid(sandbox)
    sandbox.set_clock(NOON + timedelta(minutes=1))
    client.v1.refunds.create({"payment_intent": intent})

    def types(**wanted: object) -> list[str]:
        return [event.type for event in client.v1.events.list(wanted).data]  # type: ignore[arg-type]

    assert types(type="charge.refunded") == ["charge.refunded"]
    assert types(type="checkout.session.*") == ["checkout.session.completed"]
    assert types(types=["refund.created", "charge.refunded"]) == ["charge.refunded", "refund.created"]
    since = int((NOON + timedelta(seconds=30)).timestamp())
    assert types(created={"gte": since}) == ["charge.refunded", "refund.created"]
    assert types(created={"lt": since}) == ["checkout.session.completed"]
    sandbox.set_clock(NOON + timedelta(days=30, seconds=30))
    assert types() == ["charge.refunded", "refund.created"]


def test_a_webhook_gets_every_event_signed(sandbox: PaymentSandbox, receiver: Receiver) -> None:
    sandbox.set_webhooks(receiver.url)
    intent = paid(sandbox)
    sandbox.stripe_client().v1.refunds.create({"payment_intent": intent})
    wait_until(lambda: len(receiver.taken) == 3)
    polled = sandbox.stripe_client().v1.events.list({"delivery_success": True}).data
    assert {event.id for event in receiver.events()} == {event.id for event in polled}
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.taken[0][0] + b" ", receiver.taken[0][1], WEBHOOK_SECRET)


def test_a_webhook_that_fails_is_tried_again_and_holds_nobody_up(
    sandbox: PaymentSandbox, receiver: Receiver
) -> None:
    receiver.refusals = [500, 404]
    sandbox.set_webhooks(receiver.url)
    paid(sandbox)
    pending = sandbox.stripe_client().v1.events.list({"delivery_success": False}).data
    assert [event.type for event in pending] == ["checkout.session.completed"]
    wait_until(lambda: bool(receiver.taken))
    assert receiver.events()[0].type == "checkout.session.completed"
    wait_until(lambda: not sandbox.stripe_client().v1.events.list({"delivery_success": False}).data)


def test_webhooks_can_wait_and_come_twice(sandbox: PaymentSandbox, receiver: Receiver) -> None:
    sandbox.set_webhooks(receiver.url, paused=True)
    paid(sandbox)
    time.sleep(0.2)
    assert receiver.taken == []
    sandbox.set_webhooks(receiver.url)
    wait_until(lambda: len(receiver.taken) == 1)
    sandbox.resend(receiver.events()[0].id)
    wait_until(lambda: len(receiver.taken) == 2)
    assert len({event.id for event in receiver.events()}) == 1


def test_a_webhook_nobody_can_reach_stops_nothing(sandbox: PaymentSandbox, receiver: Receiver) -> None:
    for url in ("http://127.0.0.1:1/nobody", "nonsense", "http://[", "http://a b\x00"):
        sandbox.set_webhooks(url)
        paid(sandbox)
        time.sleep(0.1)
    sandbox.set_webhooks(receiver.url)
    wait_until(lambda: len(receiver.taken) == 4)


def test_without_a_webhook_events_are_there_all_the_same(sandbox: PaymentSandbox) -> None:
    paid(sandbox)
    assert [event.pending_webhooks for event in sandbox.stripe_client().v1.events.list().data] == [0]
