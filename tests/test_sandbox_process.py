"""The sandbox as a process of its own, as the launcher starts it."""

import signal
import time
from pathlib import Path

import pytest
import stripe
from twilio.base.exceptions import TwilioRestException

from tests.payment_sandbox import PaymentSandbox, order, running_process
from tests.phones import ACCOUNT, NUMBER, TOKEN, Phones


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    with running_process(tmp_path, tmp_path / "log") as first:
        client = first.stripe_client()
        session = client.v1.checkout.sessions.create(order(), {"idempotency_key": "k"})
        first.pay(session.id)
        assert first.process is not None
        first.process.kill()
        first.process.wait()
    with running_process(tmp_path, tmp_path / "log") as second:
        client = second.stripe_client()
        again = client.v1.checkout.sessions.create(order(), {"idempotency_key": "k"})
        assert again.id == session.id
        paid = client.v1.checkout.sessions.retrieve(session.id)
        assert paid.payment_status == "paid"
        assert [event.data.object["id"] for event in client.v1.events.list().data] == [session.id]
        assert client.v1.refunds.create({"payment_intent": str(paid.payment_intent)}).amount == 4500
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_restart_forgets_no_text_and_whose_they_are(tmp_path: Path) -> None:
    options = ("--texts-account", ACCOUNT, "--texts-token", TOKEN, "--texts-number", NUMBER)
    with running_process(tmp_path, tmp_path / "log", options=options) as first:
        phone = Phones(first)
        phone.client().messages.create(to="+436641234567", from_=NUMBER, body="Hello")
        phone.reply("+436641234567", "STOP")
        assert first.process is not None
        first.process.kill()
        first.process.wait()
    with running_process(tmp_path, tmp_path / "log", options=options) as second:
        phone = Phones(second)
        assert [each["body"] for each in phone.texts()] == ["Hello", "STOP"]
        for client, status in ((phone.client(), 400), (phone.client(token="another"), 401)):
            with pytest.raises(TwilioRestException) as refused:
                client.messages.create(to="+436641234567", from_=NUMBER, body="Hello")
            assert refused.value.status == status
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_though_somebody_is_connected(tmp_path: Path, signum: signal.Signals) -> None:
    with running_process(tmp_path, tmp_path / "log") as sandbox:
        sandbox.stripe_client().v1.events.list()
        assert sandbox.process is not None
        began = time.monotonic()
        sandbox.process.send_signal(signum)
        assert sandbox.process.wait(5) == 0
        assert time.monotonic() - began < 1
    assert (tmp_path / "log").read_text() == f"Sandbox on {sandbox.url}: no money moves.\n"


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path, sandbox: PaymentSandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with running_process(tmp_path, tmp_path / "log", port=port) as second:
        assert second.process is not None
        assert second.process.wait(5) == 1
    assert (tmp_path / "log").read_text().startswith(f"Port {port} cannot be used: ")


def test_reset_forgets_everything(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order())
    sandbox.reset()
    assert sandbox.calls() == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.retrieve(session.id)
