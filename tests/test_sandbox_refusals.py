"""What Stripe turns down, the sandbox turns down too, with the same codes."""

import time
from typing import Any

import httpx
import pytest
import stripe

from tests.payment_sandbox import PaymentSandbox, order

PRICE = "line_items[0][price_data]"


def with_price(**changes: Any) -> dict[str, Any]:
    made = order()
    made["line_items"][0]["price_data"] |= changes
    return made


def without(*path: str | int) -> dict[str, Any]:
    made: Any = order()
    place = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return dict(made)


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        (order(amout=1), "parameter_unknown", "amout"),
        (order(payment_method_types=["card"]), "parameter_unknown", "payment_method_types"),
        (order(idempotency_key="k"), "parameter_unknown", "idempotency_key"),
        (with_price(amount=3), "parameter_unknown", f"{PRICE}[amount]"),
        (order(payment_intent_data={"note": "x"}), "parameter_unknown", "payment_intent_data[note]"),
        (without("mode"), "parameter_missing", "mode"),
        (without("line_items"), "parameter_missing", "line_items"),
        (without("success_url"), "parameter_missing", "success_url"),
        (without("line_items", 0, "price_data", "currency"), "parameter_missing", f"{PRICE}[currency]"),
        (without("line_items", 0, "price_data", "unit_amount"), "parameter_missing", f"{PRICE}[unit_amount]"),
        (with_price(product_data={"description": "x"}), "parameter_missing", f"{PRICE}[product_data][name]"),
        (with_price(unit_amount=12.5), "parameter_invalid_integer", f"{PRICE}[unit_amount]"),
        (with_price(unit_amount=-1), None, f"{PRICE}[unit_amount]"),
        (with_price(currency="EUR"), None, f"{PRICE}[currency]"),
        (with_price(product_data={"name": ""}), "parameter_invalid_empty", f"{PRICE}[product_data][name]"),
        (order(49), "amount_too_small", None),
        (order(49, "jpy"), "amount_too_small", None),
        (order(client_reference_id="x" * 201), None, "client_reference_id"),
        (order(ui_mode="hosted"), None, "ui_mode"),
        (order(ui_mode="custom"), None, "ui_mode"),
        (order(mode="pay"), None, "mode"),
        (order(success_url="javascript:alert(1)"), "url_invalid", "success_url"),
        (order(metadata={str(number): "x" for number in range(51)}), None, "metadata"),
        (order(metadata={"x" * 41: "x"}), None, "metadata"),
        (order(metadata={"x": "x" * 501}), None, "metadata[x]"),
        (order(payment_intent_data={"description": "x" * 1001}), None, "payment_intent_data[description]"),
        (order(line_items=[{"price": "price_1", "quantity": 1}]), "resource_missing", "line_items[0][price]"),
        (order(discounts=[{"coupon": "x"}]), None, "discounts"),
    ],
)
def test_a_wrong_session_is_refused_with_stripes_code(
    sandbox: PaymentSandbox, wrong: dict[str, Any], code: str | None, param: str | None
) -> None:
    client = sandbox.stripe_client()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(wrong)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert refused.value.param == param
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize("seconds", [29 * 60, 24 * 3600 + 60, -60])
def test_a_session_lives_between_half_an_hour_and_a_day(sandbox: PaymentSandbox, seconds: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe_client().v1.checkout.sessions.create(order(expires_at=int(time.time()) + seconds))
    assert refused.value.param == "expires_at"


@pytest.mark.parametrize("mode", ["hosted_page", "embedded_page", "elements", "form"])
def test_the_modes_of_this_version_are_known(sandbox: PaymentSandbox, mode: str) -> None:
    wanted = order(ui_mode=mode)
    if mode != "hosted_page":
        del wanted["success_url"]
        wanted["return_url"] = "http://localhost/back"
    assert sandbox.stripe_client().v1.checkout.sessions.create(wanted).ui_mode == mode


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"page": 2}, "page"),
        ({"created": {"before": 1}}, "created[before]"),
        ({"starting_after": "evt_nothing"}, "starting_after"),
        ({"type": "charge.refunded", "types": ["charge.refunded"]}, "types"),
        ({"types": ["x"] * 21}, "types"),
    ],
)
def test_a_wrong_list_is_refused(sandbox: PaymentSandbox, wrong: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sandbox.stripe_client().v1.events.list(wrong)  # type: ignore[arg-type]
    assert refused.value.param == param


@pytest.mark.parametrize("key", ["sk_live_1", "nonsense", "pk_test_1"])
def test_only_a_test_key_is_let_in(sandbox: PaymentSandbox, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError):
        sandbox.stripe_client(key=key).v1.events.list()
    assert httpx.get(f"{sandbox.url}/v1/events").status_code == 401
    assert httpx.get(f"{sandbox.url}/v1/events", auth=("sk_test_x", "")).status_code == 200


def test_an_address_stripe_does_not_have_is_not_found(sandbox: PaymentSandbox) -> None:
    answer = httpx.get(f"{sandbox.url}/v1/nothing", auth=("sk_test_x", ""))
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL")


@pytest.mark.parametrize("body", ["a[b=1", "[]=1", "mode=payment&mode[x]=1", "metadata[a][b]=1", "%ff=%ff"])
def test_a_body_nobody_can_read_is_refused_like_any_other(sandbox: PaymentSandbox, body: str) -> None:
    answer = httpx.post(f"{sandbox.url}/v1/checkout/sessions", content=body, auth=("sk_test_x", ""))
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
