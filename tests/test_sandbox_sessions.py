"""The sandbox's Checkout Sessions, asked for with Stripe's own SDK."""

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from tests.payment_sandbox import PaymentSandbox, order

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
OPEN = timedelta(minutes=31)


@pytest.fixture
def client(sandbox: PaymentSandbox) -> stripe.StripeClient:
    return sandbox.stripe_client()


def at(moment: datetime) -> int:
    return int(moment.timestamp())


def test_a_new_session_is_open_and_has_a_page_but_no_payment_yet(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(order(metadata={"attempt": "7"}, client_reference_id="a-7"))
    assert session.status == "open"
    assert session.payment_status == "unpaid"
    assert session.payment_intent is None
    assert session.amount_total == 4500
    assert session.currency == "eur"
    assert session.client_reference_id == "a-7"
    assert session.metadata["attempt"] == "7"
    assert session.url.startswith("http://127.0.0.1:")
    assert len(session.id) == 66  # as long as Stripe lets an id be
    assert not session.livemode


def test_a_paid_session_leads_to_its_payment_and_has_no_page_any_more(
    sandbox: PaymentSandbox, client: stripe.StripeClient
) -> None:
    session = client.v1.checkout.sessions.create(
        order(metadata={"of": "session"}, payment_intent_data={"metadata": {"of": "payment"}})
    )
    sandbox.pay(session.id)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    intent = paid.payment_intent
    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 4500, "eur")
    assert intent.metadata.to_dict() == {"of": "payment"}, "the session's own is not copied"
    charge = intent.latest_charge
    assert charge.metadata.to_dict() == {"of": "payment"}
    assert (charge.paid, charge.amount, charge.refunded) == (True, 4500, False)
    assert client.v1.payment_intents.retrieve(intent.id).latest_charge == charge.id
    assert client.v1.charges.retrieve(charge.id).payment_intent == intent.id


def test_a_declined_card_leaves_a_session_open(sandbox: PaymentSandbox, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(order())
    sandbox.decline(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None


def test_only_an_open_session_can_be_expired(sandbox: PaymentSandbox, client: stripe.StripeClient) -> None:
    session, paid = (client.v1.checkout.sessions.create(order()) for _ in range(2))
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    sandbox.pay(paid.id)
    for each in (session, paid):
        with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions with a status in"):
            client.v1.checkout.sessions.expire(each.id)
    assert client.v1.checkout.sessions.retrieve(paid.id).payment_status == "paid"


def test_a_session_past_its_time_is_expired_and_cannot_be_paid(
    sandbox: PaymentSandbox, client: stripe.StripeClient
) -> None:
    sandbox.set_clock(NOON)
    session = client.v1.checkout.sessions.create(order(expires_at=at(NOON + OPEN)))
    sandbox.set_clock(NOON + OPEN - timedelta(seconds=1))
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    sandbox.set_clock(NOON + OPEN)
    gone = client.v1.checkout.sessions.retrieve(session.id)
    assert (gone.status, gone.url, gone.payment_intent) == ("expired", None, None)
    assert [event.type for event in client.v1.events.list().data] == ["checkout.session.expired"]
    with pytest.raises(Exception, match="400"):
        sandbox.pay(session.id)


def test_a_session_is_complete_before_money_that_comes_later_is_there(
    sandbox: PaymentSandbox, client: stripe.StripeClient
) -> None:
    settled, failed = (client.v1.checkout.sessions.create(order()) for _ in range(2))
    for each in (settled, failed):
        sandbox.pay(each.id, how="async")
        waiting = client.v1.checkout.sessions.retrieve(each.id, {"expand": ["payment_intent"]})
        assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
        assert waiting.payment_intent.status == "processing"
    sandbox.settle(settled.id)
    sandbox.fail_payment(failed.id)
    assert client.v1.checkout.sessions.retrieve(settled.id).payment_status == "paid"
    assert client.v1.checkout.sessions.retrieve(failed.id).payment_status == "unpaid"
    assert [event.type.rpartition(".")[2] for event in client.v1.events.list().data] == [
        "async_payment_failed",
        "async_payment_succeeded",
        "completed",
        "completed",
    ]
    with pytest.raises(Exception, match="400"):
        sandbox.settle(failed.id)


def test_sessions_are_listed_by_status_payment_and_time(
    sandbox: PaymentSandbox, client: stripe.StripeClient
) -> None:
    made = []
    for minute in range(4):
        sandbox.set_clock(NOON + timedelta(minutes=minute))
        made.append(client.v1.checkout.sessions.create(order()).id)
    sandbox.pay(made[1])
    client.v1.checkout.sessions.expire(made[2])
    found = client.v1.checkout.sessions
    paid = found.retrieve(made[1])

    def ids(**wanted: object) -> list[str]:
        return [each.id for each in found.list(wanted).data]

    assert ids() == made[::-1]
    assert ids(status="open") == [made[3], made[0]]
    assert ids(status="complete") == [made[1]]
    assert ids(payment_intent=paid.payment_intent) == [made[1]]
    second = at(NOON + timedelta(minutes=1))
    assert ids(created={"gte": second}) == [made[3], made[2], made[1]]
    assert ids(created={"gt": second, "lt": second + 120}) == [made[2]]
    assert ids(created={"lte": second}) == [made[1], made[0]]
    assert ids(limit=1, starting_after=made[2]) == [made[1]]
    assert ids(limit=1, ending_before=made[1]) == [made[2]]


@pytest.mark.parametrize(("amount", "currency"), [(4500, "jpy"), (4550, "usd"), (99_999_999, "eur")])
def test_amounts_stay_whole_minor_units(client: stripe.StripeClient, amount: int, currency: str) -> None:
    session = client.v1.checkout.sessions.create(order(amount, currency))
    assert (session.amount_total, session.currency) == (amount, currency)


def test_lines_add_up_and_are_shown_when_asked_for(client: stripe.StripeClient) -> None:
    lines = [
        order(1000)["line_items"][0] | {"quantity": 3},
        order(250)["line_items"][0],
    ]
    session = client.v1.checkout.sessions.create(order(line_items=lines))
    assert session.amount_total == 3250
    assert "line_items" not in session.to_dict()
    shown = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert [(line.description, line.amount_total) for line in shown.line_items.data] == [
        ("Clinic invoice 42", 3000),
        ("Clinic invoice 42", 250),
    ]


def test_a_session_to_be_embedded_has_a_secret_instead_of_an_address(client: stripe.StripeClient) -> None:
    wanted = order(ui_mode="embedded_page", return_url="http://localhost/back")
    del wanted["success_url"]
    session = client.v1.checkout.sessions.create(wanted)
    assert session.url is None
    assert session.client_secret


def test_what_is_not_there_is_not_found(client: stripe.StripeClient) -> None:
    for fetch in (
        client.v1.checkout.sessions.retrieve,
        client.v1.payment_intents.retrieve,
        client.v1.refunds.retrieve,
        client.v1.events.retrieve,
        client.v1.charges.retrieve,
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            fetch("cs_test_nothing")
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
