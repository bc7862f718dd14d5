"""Events: what happened, written down for whoever polls, and for the webhook when there is one."""

import time

import stripe

from sandbox import stripe_lists
from sandbox.store import Body, Condition, Store
from sandbox.stripe_calls import Call
from sandbox.stripe_errors import Refused
from sandbox.stripe_objects import made, shown

DAYS_OF_EVENTS = 30
MOST_TYPES = 20


def record(store: Store, kind: str, body: Body, *, request: Body | None = None) -> Body:
    """Write down that `kind` happened to the object `body`, as it is now."""
    webhooks = store.setting("webhooks") or {}
    event = made(
        stripe.Event,
        "evt",
        store.now(),
        type=kind,
        api_version=stripe.api_version,
        data={"object": shown(store, body, [])},
        pending_webhooks=1 if webhooks.get("url") else 0,
        request=request or {"id": None, "idempotency_key": None},
    )
    store.add(event)
    if webhooks.get("url"):
        store.schedule(event["id"], 0, time.time())
    return event


def retrieve(call: Call) -> Body:
    return call.found("event", "id")


def list_page(call: Call) -> Body:
    """The events of the last 30 days, of some types when asked."""
    form, oldest = call.form, call.store.now() - DAYS_OF_EVENTS * 24 * 60 * 60
    if "type" in form and "types" in form:
        raise Refused("You may only specify one of these parameters: type, types.", param="types")
    if len(form.get("types", [])) > MOST_TYPES:
        raise Refused(f"You can ask for at most {MOST_TYPES} types.", param="types")
    filters = {
        "created": stripe_lists.created,
        "delivery_success": lambda wanted: [
            Condition("(json_extract(body, '$.pending_webhooks') = 0) = ?", [wanted])
        ],
        "type": lambda wanted: [Condition("json_extract(body, '$.type') GLOB ?", [wanted])],
        "types": lambda wanted: [
            Condition(f"json_extract(body, '$.type') IN ({', '.join('?' * len(wanted))})", wanted)
        ],
    }
    kept = [Condition("created >= ?", [oldest])]
    return stripe_lists.page(call.store, "event", "/v1/events", form, filters, kept)
