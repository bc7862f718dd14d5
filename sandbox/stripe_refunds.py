"""Refunds, and the payments they are made of: never more than was paid.

As Stripe does it, a refund takes its part of the charge when it is made, also while it is pending, and gives
it back when it fails, which may be long after it succeeded.
"""

import stripe

from sandbox import money, stripe_events, stripe_lists
from sandbox.store import Body, Store, new_id
from sandbox.stripe_calls import Call, found
from sandbox.stripe_errors import Refused, not_imitated
from sandbox.stripe_objects import made

KIND = "refund"
AT_ONCE, WAITING = "succeeded", "pending"
LIVE = {AT_ONCE, WAITING}

_IMITATED = {"amount", "charge", "expand", "metadata", "payment_intent", "reason"}


def create(call: Call) -> Body:
    """Pay back what `amount` says, or the rest."""
    for name in call.form:
        if name not in _IMITATED:
            raise not_imitated(name)
    if call.form.get("amount", 1) < 1:
        raise Refused("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    charge = _charge(call)
    amount = _amount(call.form.get("amount"), charge)
    next_one = call.store.setting("next_refund") or AT_ONCE
    call.store.set("next_refund", AT_ONCE)
    refund = _new(call, charge, amount, status=next_one)
    call.store.add(refund)
    _take(call.store, charge, amount)
    stripe_events.record(call.store, "refund.created", refund, request=call.request)
    stripe_events.record(call.store, "charge.refunded", charge, request=call.request)
    return call.shown(refund)


def _new(call: Call, charge: Body, amount: int, *, status: str) -> Body:
    return made(
        stripe.Refund,
        "re",
        call.store.now(),
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=call.wants("reason"),
        metadata=call.form.get("metadata") or {},
        status=status,
        pending_reason="processing" if status == WAITING else None,
        balance_transaction=new_id("txn"),
    )


def _charge(call: Call) -> Body:
    """The charge that is meant, which must have brought money."""
    intent_id, charge_id = call.wants("payment_intent"), call.wants("charge")
    if not (intent_id or charge_id):
        raise Refused(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    if intent_id and charge_id:
        raise Refused("You may only specify one of these parameters: payment_intent, charge.")
    if intent_id:
        charge_id = found(call.store, "payment_intent", intent_id, "payment_intent")["latest_charge"]
    charge = found(call.store, "charge", charge_id, "charge")
    if charge["status"] != "succeeded":
        raise Refused(f"Charge {charge_id} did not succeed: there is nothing to refund.", is_kept=True)
    return charge


def _amount(wanted: int | None, charge: Body) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise Refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", is_kept=True
        )
    if wanted is not None and wanted > left:
        asked, rest = (money.written(each, charge["currency"]) for each in (wanted, left))
        raise Refused(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})",
            param="amount",
            is_kept=True,
        )
    return left if wanted is None else wanted


def _take(store: Store, charge: Body, amount: int) -> None:
    """Count `amount` as refunded; a negative one gives it back."""
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    store.put(charge)


def succeed(store: Store, refund: Body) -> Body:
    """A pending refund reaches the payer."""
    if refund["status"] != WAITING:
        raise Refused("Only a pending refund can succeed.")
    refund |= {"status": AT_ONCE, "pending_reason": None}
    store.put(refund)
    stripe_events.record(store, "refund.updated", refund)
    return refund


def fail(store: Store, refund: Body) -> Body:
    """A refund comes back, be it pending or long done: the charge can be refunded again."""
    if refund["status"] not in LIVE:
        raise Refused("This refund has failed already.")
    refund |= {"status": "failed", "pending_reason": None, "failure_reason": "lost_or_stolen_card"}
    refund["failure_balance_transaction"] = new_id("txn")
    store.put(refund)
    _take(store, found(store, "charge", refund["charge"], "charge"), -refund["amount"])
    stripe_events.record(store, "refund.updated", refund)
    stripe_events.record(store, "refund.failed", refund)
    return refund


def retrieve(call: Call) -> Body:
    return call.shown(call.found(KIND, "id"))


def list_page(call: Call) -> Body:
    filters = {name: stripe_lists.same(name) for name in ("charge", "payment_intent")}
    return stripe_lists.page(
        call.store, KIND, "/v1/refunds", call.form, {"created": stripe_lists.created, **filters}
    )


def retrieve_intent(call: Call) -> Body:
    return call.shown(call.found("payment_intent", "intent"))


def list_intents(call: Call) -> Body:
    filters = {"created": stripe_lists.created}
    return stripe_lists.page(call.store, "payment_intent", "/v1/payment_intents", call.form, filters)


def retrieve_charge(call: Call) -> Body:
    return call.shown(call.found("charge", "id"))
