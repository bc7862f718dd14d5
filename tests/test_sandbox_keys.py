"""Idempotency keys and faults: what a client lives through when the line is bad, and what is left behind."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from tests.payment_sandbox import PaymentSandbox, order

SESSIONS = "/v1/checkout/sessions"


def made(sandbox: PaymentSandbox) -> int:
    """How many sessions there are."""
    return len(sandbox.stripe_client().v1.checkout.sessions.list({"limit": 100}).data)


def replayed(body: stripe.checkout.Session) -> bool:
    return body.last_response.headers.get("idempotent-replayed") == "true"


def test_the_same_key_and_body_get_the_first_answer_again(sandbox: PaymentSandbox) -> None:
    create = sandbox.stripe_client().v1.checkout.sessions.create
    first = create(order(), {"idempotency_key": "attempt-1"})
    sandbox.pay(first.id)
    second = create(order(), {"idempotency_key": "attempt-1"})
    assert (replayed(first), replayed(second)) == (False, True)
    assert second.id == first.id
    assert second.status == "open", "a replay tells of the state back then"
    assert made(sandbox) == 1


def test_the_same_key_with_another_body_or_address_is_refused(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    first = client.v1.checkout.sessions.create(order(), {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(order(4600), {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.expire(first.id, options={"idempotency_key": "k"})
    assert made(sandbox) == 1


def test_a_request_found_invalid_does_not_use_up_its_key(sandbox: PaymentSandbox) -> None:
    create = sandbox.stripe_client().v1.checkout.sessions.create
    with pytest.raises(stripe.InvalidRequestError):
        create(order(mode="pay"), {"idempotency_key": "k"})
    assert create(order(), {"idempotency_key": "k"}).status == "open"


def test_a_refusal_after_work_began_is_kept(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order())
    sandbox.pay(session.id)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    refund = client.v1.refunds.create({"payment_intent": str(intent)})
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        client.v1.refunds.create({"payment_intent": str(intent)}, {"idempotency_key": "k"})
    sandbox.fail_refund(refund.id)  # now there would be something to pay back
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        client.v1.refunds.create({"payment_intent": str(intent)}, {"idempotency_key": "k"})
    assert client.v1.refunds.create({"payment_intent": str(intent)}).status == "succeeded"


def test_a_key_is_forgotten_after_a_day(sandbox: PaymentSandbox) -> None:
    create = sandbox.stripe_client().v1.checkout.sessions.create
    noon = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    sandbox.set_clock(noon)
    first = create(order(), {"idempotency_key": "k"})
    sandbox.set_clock(noon + timedelta(hours=24))
    assert create(order(), {"idempotency_key": "k"}).id == first.id
    sandbox.set_clock(noon + timedelta(hours=24, seconds=1))
    assert create(order(), {"idempotency_key": "k"}).id != first.id


def test_an_answer_lost_after_the_work_is_found_by_the_sdks_own_retry(sandbox: PaymentSandbox) -> None:
    sandbox.fault(SESSIONS, "drop", when="after")
    session = sandbox.stripe_client(retries=1).v1.checkout.sessions.create(order())
    assert replayed(session)
    assert made(sandbox) == 1
    keys = {call["idempotency_key"] for call in sandbox.calls(SESSIONS, "POST")}
    assert len(sandbox.calls(SESSIONS, "POST")) == 2
    assert len(keys) == 1


def test_an_answer_lost_without_a_retry_is_an_error_though_the_work_is_done(sandbox: PaymentSandbox) -> None:
    sandbox.fault(SESSIONS, "drop", when="after")
    create = sandbox.stripe_client().v1.checkout.sessions.create
    with pytest.raises(stripe.APIConnectionError):
        create(order(), {"idempotency_key": "k"})
    assert made(sandbox) == 1
    assert replayed(create(order(), {"idempotency_key": "k"}))


def test_a_connection_cut_before_the_work_leaves_nothing(sandbox: PaymentSandbox) -> None:
    sandbox.fault(SESSIONS, "drop")
    create = sandbox.stripe_client().v1.checkout.sessions.create
    with pytest.raises(stripe.APIConnectionError):
        create(order(), {"idempotency_key": "k"})
    assert made(sandbox) == 0
    assert not replayed(create(order(), {"idempotency_key": "k"}))


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_an_error_of_the_server_is_kept_under_its_key(sandbox: PaymentSandbox, when: str, left: int) -> None:
    sandbox.fault(SESSIONS, "500", when=when)
    create = sandbox.stripe_client(retries=2).v1.checkout.sessions.create
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            create(order(), {"idempotency_key": "k"})
    assert made(sandbox) == left
    assert create(order(), {"idempotency_key": "another"}).status == "open"


def test_too_many_requests_are_told_so_and_nothing_is_kept(sandbox: PaymentSandbox) -> None:
    sandbox.fault(SESSIONS, "429", times=2)
    create = sandbox.stripe_client().v1.checkout.sessions.create
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            create(order(), {"idempotency_key": "k"})
    assert not replayed(create(order(), {"idempotency_key": "k"}))
    assert made(sandbox) == 1


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_slow_answer_outlasts_an_impatient_client(sandbox: PaymentSandbox, when: str, left: int) -> None:
    sandbox.fault(SESSIONS, "delay", seconds=1, when=when)
    with pytest.raises(stripe.APIConnectionError):
        sandbox.stripe_client(timeout=0.2).v1.checkout.sessions.create(order())
    assert made(sandbox) == left
    deadline = time.monotonic() + 10
    while made(sandbox) == 0:  # its work is still to come, and must not fall into another test
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert made(sandbox) == 1


def test_two_requests_with_one_key_at_once_do_the_work_once(sandbox: PaymentSandbox) -> None:
    sandbox.fault(SESSIONS, "delay", seconds=0.5)
    ids: list[str] = []

    def create() -> None:
        client = sandbox.stripe_client()
        ids.append(client.v1.checkout.sessions.create(order(), {"idempotency_key": "k"}).id)

    slow = threading.Thread(target=create)
    slow.start()
    while not sandbox.calls(SESSIONS, "POST"):
        time.sleep(0.01)
    with pytest.raises(stripe.StripeError) as refused:
        create()
    assert refused.value.http_status == 409
    slow.join()
    assert made(sandbox) == len(ids) == 1


def test_a_fault_meets_only_what_it_is_for(sandbox: PaymentSandbox) -> None:
    sandbox.fault("/v1/refunds", "drop")
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order())
    assert client.v1.refunds.list().data == []
    sandbox.fault(f"{SESSIONS}/{session.id}", "429", method="GET")
    with pytest.raises(stripe.RateLimitError):
        client.v1.checkout.sessions.retrieve(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_fault_nobody_knows_is_refused(sandbox: PaymentSandbox) -> None:
    with pytest.raises(Exception, match="400"):
        sandbox.fault(SESSIONS, "explode")
    assert sandbox.stripe_client().v1.checkout.sessions.create(order()).status == "open"
