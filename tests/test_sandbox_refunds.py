"""The sandbox's refunds: never more than was paid, and they may wait, or fail long after."""

from dataclasses import dataclass

import pytest
import stripe

from tests.payment_sandbox import PaymentSandbox, order


@dataclass(frozen=True)
class Paid:
    """A paid session's payment."""

    client: stripe.StripeClient
    intent: str

    def refund(self, amount: int | None = None) -> stripe.Refund:
        wanted = {"payment_intent": self.intent} | ({} if amount is None else {"amount": amount})
        return self.client.v1.refunds.create(wanted)  # type: ignore[arg-type]

    @property
    def charge(self) -> stripe.Charge:
        intent = self.client.v1.payment_intents.retrieve(self.intent, {"expand": ["latest_charge"]})
        assert isinstance(intent.latest_charge, stripe.Charge)
        return intent.latest_charge

    def events(self) -> list[str]:
        """What happened to refunds, oldest first."""
        types = [event.type for event in self.client.v1.events.list({"limit": 100}).data]
        return [each for each in types[::-1] if "refund" in each]


@pytest.fixture
def paid(sandbox: PaymentSandbox) -> Paid:
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order(5000))
    sandbox.pay(session.id)
    return Paid(client, str(client.v1.checkout.sessions.retrieve(session.id).payment_intent))


def test_a_refund_without_an_amount_pays_back_the_rest(paid: Paid) -> None:
    first = paid.refund(1500)
    assert (first.status, first.amount, first.currency) == ("succeeded", 1500, "eur")
    assert (paid.charge.amount_refunded, paid.charge.refunded) == (1500, False)
    assert paid.refund().amount == 3500
    assert (paid.charge.amount_refunded, paid.charge.refunded) == (5000, True)
    assert paid.events() == ["refund.created", "charge.refunded"] * 2


def test_nothing_is_paid_back_twice(paid: Paid) -> None:
    paid.refund(4000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as refused:
        paid.refund(1001)
    assert refused.value.param == "amount"
    paid.refund(1000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        paid.refund()
    assert refused.value.code == "charge_already_refunded"
    assert paid.charge.amount_refunded == 5000


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_of_nothing_is_refused(paid: Paid, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        paid.refund(amount)
    assert refused.value.param == "amount"


def test_a_refund_names_its_payment_or_its_charge_and_a_reason_stripe_knows(paid: Paid) -> None:
    create = paid.client.v1.refunds.create
    with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
        create({"amount": 100})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        create({"payment_intent": paid.intent, "reason": "cancelled"})
    assert refused.value.param == "reason"
    refund = create(
        {
            "charge": paid.charge.id,
            "amount": 100,
            "reason": "requested_by_customer",
            "metadata": {"refund": "3"},
        }
    )
    assert refund.payment_intent == paid.intent
    assert refund.metadata is not None
    assert refund.metadata["refund"] == "3"


def test_a_pending_refund_takes_its_part_at_once_and_succeeds_later(
    sandbox: PaymentSandbox, paid: Paid
) -> None:
    sandbox.next_refund_is_pending()
    refund = paid.refund()
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        paid.refund(1)
    assert refused.value.code == "charge_already_refunded"
    sandbox.succeed_refund(refund.id)
    assert paid.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert paid.events()[-1] == "refund.updated"
    with pytest.raises(Exception, match="400"):
        sandbox.succeed_refund(refund.id)


@pytest.mark.parametrize("is_pending", [True, False])
def test_a_refund_that_fails_gives_its_part_back(
    sandbox: PaymentSandbox, paid: Paid, is_pending: bool
) -> None:
    if is_pending:
        sandbox.next_refund_is_pending()
    refund = paid.refund(2000)
    sandbox.fail_refund(refund.id)
    failed = paid.client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert paid.events()[-1] == "refund.failed"
    assert (paid.charge.amount_refunded, paid.charge.refunded) == (0, False)
    with pytest.raises(Exception, match="400"):
        sandbox.fail_refund(refund.id)
    assert paid.refund().amount == 5000


def test_only_the_next_refund_is_pending(sandbox: PaymentSandbox, paid: Paid) -> None:
    sandbox.next_refund_is_pending()
    assert [paid.refund(100).status for _ in range(2)] == ["pending", "succeeded"]


def test_refunds_are_listed_by_payment_and_charge(sandbox: PaymentSandbox, paid: Paid) -> None:
    other = paid.client.v1.checkout.sessions.create(order())
    sandbox.pay(other.id)
    intent = paid.client.v1.checkout.sessions.retrieve(other.id).payment_intent
    elsewhere = paid.client.v1.refunds.create({"payment_intent": str(intent)})
    made = [paid.refund(100).id for _ in range(3)]
    listed = paid.client.v1.refunds.list
    assert [each.id for each in listed().data] == [*made[::-1], elsewhere.id]
    assert [each.id for each in listed({"payment_intent": paid.intent}).data] == made[::-1]
    assert [each.id for each in listed({"charge": paid.charge.id, "limit": 1}).data] == [made[2]]
    assert [each.id for each in listed({"starting_after": made[1], "limit": 1}).data] == [made[0]]
    assert [each.id for each in paid.client.v1.payment_intents.list().data] == [intent, paid.intent]


def test_money_that_has_not_come_yet_cannot_be_paid_back(sandbox: PaymentSandbox) -> None:
    client = sandbox.stripe_client()
    session = client.v1.checkout.sessions.create(order())
    sandbox.pay(session.id, how="async")
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    with pytest.raises(stripe.InvalidRequestError, match="nothing to refund"):
        client.v1.refunds.create({"payment_intent": str(intent)})
