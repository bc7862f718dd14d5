"""What Stripe turns down in a new Checkout Session, beside names and types it does not know."""

from urllib.parse import urlsplit

from sandbox import money
from sandbox.store import Body
from sandbox.stripe_errors import Refused, missing, not_found, not_imitated
from sandbox.stripe_params import Form

SHORTEST_SECONDS, LONGEST_SECONDS = 30 * 60, 24 * 60 * 60  # of a session's life
MOST_LINES = 100
HOSTED = "hosted_page"

_IMITATED = {
    *(
        "cancel_url",
        "client_reference_id",
        "currency",
        "customer_email",
        "expand",
        "expires_at",
        "line_items",
    ),
    *(
        "locale",
        "metadata",
        "mode",
        "payment_intent_data",
        "return_url",
        "submit_type",
        "success_url",
        "ui_mode",
    ),
    *("allowed_payment_method_types", "excluded_payment_method_types", "billing_address_collection"),
    *("adaptive_pricing", "customer_creation", "origin_context", "integration_identifier"),
}
_IMITATED_OF_LINE = {"price_data", "quantity", "metadata"}
_IMITATED_OF_PRICE = {"currency", "product_data", "unit_amount"}
_IMITATED_OF_PRODUCT = {"name", "description", "metadata"}
_IMITATED_OF_INTENT = {"description", "metadata", "receipt_email", "statement_descriptor_suffix"}
_LONGEST = {"client_reference_id": 200, "success_url": 5000, "cancel_url": 5000, "customer_email": 800}
_LONGEST_OF_INTENT = {"description": 1000, "statement_descriptor_suffix": 22}
_LONGEST_OF_PRODUCT = {"name": 5000, "description": 40000}


def require_valid(form: Form, now: int) -> None:
    """Raise `Refused` for the first thing that is wrong with `form`."""
    for name in ("mode", "line_items"):
        if not form.get(name):
            raise missing(name)
    if form["mode"] != "payment":
        raise not_imitated("mode")
    _require_return(form)
    _require_imitated(form, _IMITATED, "")
    _require_short(form, _LONGEST, "")
    _require_lifetime(form.get("expires_at", now + LONGEST_SECONDS), now)
    intent = form.get("payment_intent_data", {})
    _require_imitated(intent, _IMITATED_OF_INTENT, "payment_intent_data")
    _require_short(intent, _LONGEST_OF_INTENT, "payment_intent_data")
    _require_lines(form)


def total(lines: list[Body]) -> int:
    """What is to be paid, in minor units."""
    return sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)


def _require_return(form: Form) -> None:
    is_hosted = form.get("ui_mode", HOSTED) == HOSTED
    needed, barred = ("success_url", "return_url") if is_hosted else ("return_url", "success_url")
    if needed not in form:
        raise missing(needed)
    if barred in form:
        raise Refused(f"`{barred}` cannot be used with this `ui_mode`.", param=barred)
    for name in ("success_url", "cancel_url", "return_url"):
        if name in form and not _is_address(form[name]):
            raise Refused("Not a valid URL", code="url_invalid", param=name)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, text))


def _require_lifetime(expires_at: int, now: int) -> None:
    if not now + SHORTEST_SECONDS <= expires_at <= now + LONGEST_SECONDS:
        raise Refused(
            "The `expires_at` timestamp must be 30 minutes to 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def _require_imitated(form: Form, imitated: set[str], within: str) -> None:
    for name in form:
        if name not in imitated:
            raise not_imitated(f"{within}[{name}]" if within else name)


def _require_short(form: Form, longest: dict[str, int], within: str) -> None:
    for name, most in longest.items():
        if len(form.get(name, "")) > most:
            raise Refused(
                f"Invalid string: must be at most {most} characters",
                param=f"{within}[{name}]" if within else name,
            )


def _require_lines(form: Form) -> None:
    lines = form["line_items"]
    if len(lines) > MOST_LINES:
        raise Refused(f"There can be at most {MOST_LINES} line items.", param="line_items")
    for number, line in enumerate(lines):
        _require_line(line, f"line_items[{number}]")
    currencies = {line["price_data"]["currency"] for line in lines}
    if len(currencies | {form.get("currency", next(iter(currencies)))}) > 1:
        raise Refused("All prices of a Checkout Session must be in one currency.", param="line_items")
    amount, currency = total(lines), currencies.pop()
    if 0 < amount < money.LEAST.get(currency, 0):
        raise Refused(
            f"The Checkout Session's total amount due must add up to at least "
            f"{money.written(money.LEAST[currency], currency)}",
            code="amount_too_small",
        )


def _require_line(line: Form, name: str) -> None:
    if "price" in line:
        raise not_found("price", line["price"], f"{name}[price]")
    _require_imitated(line, _IMITATED_OF_LINE, name)
    if "price_data" not in line:
        raise missing(f"{name}[price_data]")
    if line.get("quantity", 0) < 1:
        raise Refused(f"Quantity is required. Add `quantity` to `{name}`", param=f"{name}[quantity]")
    price, price_name = line["price_data"], f"{name}[price_data]"
    _require_imitated(price, _IMITATED_OF_PRICE, price_name)
    for needed in ("product_data", "unit_amount"):
        if needed not in price:
            raise missing(f"{price_name}[{needed}]")
    if price["unit_amount"] < 0:
        raise Refused("Invalid non-negative integer", param=f"{price_name}[unit_amount]")
    product_name = f"{price_name}[product_data]"
    _require_imitated(price["product_data"], _IMITATED_OF_PRODUCT, product_name)
    _require_short(price["product_data"], _LONGEST_OF_PRODUCT, product_name)
