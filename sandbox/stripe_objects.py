"""Objects in the shapes of Stripe's API: the SDK's classes say which fields there are."""

from inspect import get_annotations
from typing import Any, Literal, Union, get_args, get_origin

import stripe
from stripe import StripeObject

from sandbox.store import Body, Store, new_id
from sandbox.stripe_errors import Refused

# What an object shows only when asked to, or where this stand-in has nothing to say.
_LEFT_OUT = {"line_items", "refunds", "OBJECT_NAME"}
# Ids in these fields can be asked for as whole objects, by `expand`.
_EXPANDABLE = {"payment_intent": "payment_intent", "latest_charge": "charge", "charge": "charge"}
_DEEPEST = 4


def blank(kind: type[StripeObject]) -> Body:
    """Every field of `kind` without a value: null where it may be, else empty or false."""
    return {name: _empty(hint) for name, hint in get_annotations(kind).items() if name not in _LEFT_OUT}


def _empty(hint: Any) -> Any:
    if type(None) in get_args(hint):
        return None
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if get_origin(hint) is Union:
        return _empty(get_args(hint)[0])
    if get_origin(hint) is list:
        return []
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return blank(hint)
    return {bool: False, int: 0, str: ""}.get(hint)


def made(kind: type[StripeObject], prefix: str, created: int, **known: Any) -> Body:
    """A new object of `kind`."""
    body = blank(kind) | {"id": new_id(prefix), "created": created}
    if "metadata" in body:
        body["metadata"] = {}
    return body | known


def shown(store: Store, body: Body, expand: list[str]) -> Body:
    """`body` as it is sent: with what `expand` asks for, and without its lines unless it does."""
    answer = {name: value for name, value in body.items() if name != "line_items" or "line_items" in expand}
    for path in expand:
        if path != "line_items":
            _expand(store, answer, path)
    return answer


def _expand(store: Store, body: Body, path: str) -> None:
    steps = path.split(".")
    if len(steps) > _DEEPEST:
        raise Refused("You cannot expand more than 4 levels of a property.", param="expand")
    for step in steps:
        kind = _EXPANDABLE.get(step)
        if kind is None or step not in body:
            raise Refused(f"This property cannot be expanded ({path}).", param="expand")
        if isinstance(body[step], str):
            body[step] = store.find(kind, body[step])
        if body[step] is None:
            return
        body = body[step]


def line_items(body: Body, items: list[Body]) -> Body:
    """The lines of a session, as a list of Stripe's."""
    lines = [
        blank(stripe.LineItem)
        | {
            "id": new_id("li"),
            "object": "item",
            "amount_subtotal": item["price_data"]["unit_amount"] * item["quantity"],
            "amount_total": item["price_data"]["unit_amount"] * item["quantity"],
            "currency": item["price_data"]["currency"],
            "description": item["price_data"]["product_data"]["name"],
            "quantity": item["quantity"],
        }
        for item in items
    ]
    url = f"/v1/checkout/sessions/{body['id']}/line_items"
    return {"object": "list", "data": lines, "has_more": False, "url": url}
