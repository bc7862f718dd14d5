"""Checkout Sessions: open until they are paid, or expire by request or by the clock."""

import secrets

import stripe

from sandbox import stripe_events, stripe_lists
from sandbox.store import Body, Condition, Store, new_id
from sandbox.stripe_calls import Call, found
from sandbox.stripe_errors import Refused
from sandbox.stripe_objects import blank, line_items, made
from sandbox.stripe_session_rules import HOSTED, LONGEST_SECONDS, require_valid, total

KIND = "checkout.session"
PLACE = "{CHECKOUT_SESSION_ID}"
ID_LENGTH, FRAGMENT_BYTES = 58, 120  # as long as Stripe's own ids and addresses
LATER = "async"  # paid by a way whose money arrives, or does not, days after

_COPIED = ("success_url", "cancel_url", "return_url", "client_reference_id", "customer_email", "locale")
_COPIED_TOO = (
    "submit_type",
    "allowed_payment_method_types",
    "excluded_payment_method_types",
    "origin_context",
)


def create(call: Call) -> Body:
    """A new open session, with its page to pay at."""
    form, now = call.form, call.store.now()
    require_valid(form, now)
    lines = form["line_items"]
    body = made(
        stripe.checkout.Session,
        "cs_test",
        now,
        id=new_id("cs_test", ID_LENGTH),
        status="open",
        mode="payment",
        payment_status="no_payment_required" if total(lines) == 0 else "unpaid",
        ui_mode=form.get("ui_mode", HOSTED),
        currency=lines[0]["price_data"]["currency"],
        amount_subtotal=total(lines),
        amount_total=total(lines),
        expires_at=form.get("expires_at", now + LONGEST_SECONDS),
        metadata=form.get("metadata", {}),
        payment_method_types=["card"],
        customer_creation=form.get("customer_creation", "if_required"),
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        **{name: form.get(name) for name in (*_COPIED, *_COPIED_TOO)},
    )
    if body["ui_mode"] == HOSTED:
        body["url"] = f"{call.base}/checkout/{body['id']}#fid{secrets.token_hex(FRAGMENT_BYTES)}"
    else:
        body["client_secret"] = f"{body['id']}_secret_{secrets.token_hex(16)}"
    body["line_items"] = line_items(body, lines)
    call.store.add(body)
    call.store.set(f"intent of {body['id']}", form.get("payment_intent_data", {}))
    return call.shown(body)


def retrieve(call: Call) -> Body:
    return call.shown(call.found(KIND, "session"))


def list_page(call: Call) -> Body:
    filters = {
        "created": stripe_lists.created,
        "status": stripe_lists.same("status"),
        "payment_intent": stripe_lists.same("payment_intent"),
    }
    return stripe_lists.page(call.store, KIND, "/v1/checkout/sessions", call.form, filters)


def expire(call: Call) -> Body:
    return call.shown(expire_by_hand(call.store, call.found(KIND, "session"), call.request))


def expire_by_hand(store: Store, session: Body, request: Body | None = None) -> Body:
    """End an open session before its time."""
    require_open(session, "expired")
    return _expired(store, session, request)


def lapse(store: Store) -> None:
    """Expire the sessions whose time is over."""
    over = [
        Condition("json_extract(body, '$.status') = 'open'"),
        Condition("json_extract(body, '$.expires_at') <= ?", [store.now()]),
    ]
    for session in store.rows(KIND, over, is_oldest_first=True):
        _expired(store, session)


def require_open(session: Body, what: str) -> None:
    if session["status"] != "open":
        raise Refused(
            f'Only Checkout Sessions with a status in ["open"] can be {what}. This Checkout Session has a '
            f"status of `{session['status']}`.",
            is_kept=True,
        )


def _expired(store: Store, session: Body, request: Body | None = None) -> Body:
    session |= {"status": "expired", "url": None}
    store.put(session)
    stripe_events.record(store, "checkout.session.expired", session, request=request)
    return session


def pay(store: Store, session: Body, how: str = "card") -> Body:
    """Complete an open session. What is paid `LATER` stays unpaid until `settle` or `fail`."""
    require_open(session, "paid")
    details = blank(stripe.checkout.Session.CustomerDetails)
    details["email"] = session["customer_email"] or "payer@example.com"
    session |= {"status": "complete", "url": None, "customer_details": details}
    if session["payment_status"] == "unpaid":
        intent = _intent(store, session, is_paid=how != LATER)
        session["payment_intent"] = intent["id"]
        session["payment_status"] = "unpaid" if how == LATER else "paid"
    store.put(session)
    stripe_events.record(store, "checkout.session.completed", session)
    return session


def _intent(store: Store, session: Body, *, is_paid: bool) -> Body:
    """The PaymentIntent and Charge of a session. They get the metadata meant for them, not the session's."""
    told = store.setting(f"intent of {session['id']}") or {}
    common = {
        "amount": session["amount_total"],
        "currency": session["currency"],
        "description": told.get("description"),
        "metadata": told.get("metadata", {}),
        "receipt_email": told.get("receipt_email"),
        "statement_descriptor_suffix": told.get("statement_descriptor_suffix"),
        "payment_method": new_id("pm"),
    }
    intent = made(stripe.PaymentIntent, "pi", store.now(), **common)
    charge = made(stripe.Charge, "ch", store.now(), payment_intent=intent["id"], **common)
    intent |= {
        "latest_charge": charge["id"],
        "payment_method_types": ["card"],
        "capture_method": "automatic_async",
    }
    intent |= {"confirmation_method": "automatic", "client_secret": f"{intent['id']}_secret_x"}
    charge["payment_method_details"] = {"type": "card", "card": {"brand": "visa", "last4": "4242"}}
    _pass_on(intent, charge, "succeeded" if is_paid else "pending")
    store.add(intent)
    store.add(charge)
    return intent


def _pass_on(intent: Body, charge: Body, status: str) -> None:
    """Set both to what became of the money."""
    is_paid, amount = status == "succeeded", intent["amount"]
    words = {"succeeded": "succeeded", "pending": "processing", "failed": "requires_payment_method"}
    intent |= {"status": words[status], "amount_received": amount if is_paid else 0}
    charge |= {
        "status": status,
        "paid": is_paid,
        "captured": is_paid,
        "amount_captured": amount if is_paid else 0,
        "balance_transaction": new_id("txn") if is_paid else None,
        "failure_code": "bank_account_declined" if status == "failed" else None,
    }


def settle(store: Store, session: Body) -> Body:
    """The money that was to come later has come."""
    return _later(store, session, "succeeded", "checkout.session.async_payment_succeeded")


def fail(store: Store, session: Body) -> Body:
    """The money that was to come later will not."""
    return _later(store, session, "failed", "checkout.session.async_payment_failed")


def _later(store: Store, session: Body, status: str, event: str) -> Body:
    if not is_awaited(store, session):
        raise Refused("This session is not waiting for money.")
    intent = found(store, "payment_intent", session["payment_intent"], "intent")
    charge = found(store, "charge", intent["latest_charge"], "charge")
    _pass_on(intent, charge, status)
    session["payment_status"] = "paid" if status == "succeeded" else "unpaid"
    for body in (intent, charge, session):
        store.put(body)
    stripe_events.record(store, event, session)
    return session


def is_awaited(store: Store, session: Body) -> bool:
    """Whether the money of a complete session may still come."""
    intent = store.find("payment_intent", session["payment_intent"] or "")
    return intent is not None and intent["status"] == "processing"


def way_back(session: Body) -> str | None:
    """Where a payer is led after paying, with the session's id in its place."""
    address: str | None = session["success_url"] or session["return_url"]
    return address and address.replace(PLACE, session["id"])
