"""Lists as Stripe pages them: newest first, with cursors in both directions."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.store import Body, Condition, Store
from sandbox.stripe_errors import Refused, not_found
from sandbox.stripe_objects import shown
from sandbox.stripe_params import Form

MOST, USUAL = 100, 10
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

Filter = Callable[[Any], list[Condition]]


def same(field: str) -> Filter:
    """A filter on a field of the object itself."""
    return lambda value: [Condition(f"json_extract(body, '$.{field}') = ?", [value])]


def created(value: int | Form) -> list[Condition]:
    """`created` as a moment, or as bounds."""
    if isinstance(value, int):
        return [Condition("created = ?", [value])]
    return [Condition(f"created {_COMPARED[name]} ?", [bound]) for name, bound in value.items()]


def page(
    store: Store,
    kind: str,
    url: str,
    form: Form,
    filters: Mapping[str, Filter],
    always: list[Condition] | None = None,
) -> Body:
    """The page of `kind` that `form` asks for. `ending_before` gives the ones just newer than its object."""
    limit = form.get("limit", USUAL)
    if not 1 <= limit <= MOST:
        raise Refused(f"Limit must be between 1 and {MOST}.", code="parameter_invalid_integer", param="limit")
    conditions = [*(always or []), *_cursor(store, kind, form)]
    for name, condition in filters.items():
        if name in form:
            conditions += condition(form[name])
    is_backwards = "ending_before" in form
    found = store.rows(kind, conditions, limit=limit + 1, is_oldest_first=is_backwards)
    rows = found[:limit]
    if is_backwards:
        rows.reverse()
    expand = [_inside(path) for path in form.get("expand", [])]
    return {
        "object": "list",
        "url": url,
        "has_more": len(found) > limit,
        "data": [shown(store, body, expand) for body in rows],
    }


def _inside(path: str) -> str:
    if not path.startswith("data."):
        raise Refused(f"This property cannot be expanded ({path}).", param="expand")
    return path.removeprefix("data.")


def _cursor(store: Store, kind: str, form: Form) -> list[Condition]:
    conditions = []
    if {"starting_after", "ending_before"} <= form.keys():
        raise Refused("You may only specify one of these parameters: starting_after, ending_before.")
    for name, comparison in (("starting_after", "<"), ("ending_before", ">")):
        if name in form:
            position = store.position(kind, form[name])
            if position is None:
                raise not_found(kind, form[name], name)
            conditions.append(Condition(f"seq {comparison} ?", [position]))
    return conditions
