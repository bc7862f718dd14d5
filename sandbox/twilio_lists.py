"""The list of messages as Twilio pages it: newest first, each page with the address of the next."""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

from sandbox.store import Body, Condition, Store
from sandbox.twilio_errors import Refused
from sandbox.twilio_messages import KIND
from sandbox.twilio_rules import Form
from sandbox.twilio_shapes import API, shown

MOST, USUAL = 1000, 50
DAY_SECONDS = 24 * 60 * 60
_FILTERS = {"To", "From", "DateSent", "DateSent<", "DateSent>"}
_PAGING = {"PageSize", "Page", "PageToken"}
_IS_INBOUND = "json_extract(body, '$.direction') = 'inbound'"
_PHONE, _OURS = "json_extract(body, '$.phone')", "json_extract(body, '$.ours')"
_SENDER, _SENT = "json_extract(body, '$.sender')", "json_extract(body, '$.sent')"


def page(store: Store, account: str, form: Form) -> Body:
    """The page that `form` asks for. What was not sent yet has no date to be found by."""
    for name in form.keys() - _FILTERS - _PAGING:
        raise Refused(20001, more=name)
    size = _number(form, "PageSize", USUAL)
    if not 1 <= size <= MOST:
        raise Refused(20001, more="PageSize")
    conditions = [
        Condition("json_extract(body, '$.account') = ?", [account]),
        Condition("json_extract(body, '$.is_notice') = 0"),
        *_ends(form),
        *_dates(form),
    ]
    if "PageToken" in form:
        position = store.position(KIND, form["PageToken"].removeprefix("PA"))
        if position is None:
            raise Refused(20001, more="PageToken")
        conditions.append(Condition("seq < ?", [position]))
    rows = store.rows(KIND, conditions, limit=size + 1)
    number = _number(form, "Page", 0)
    token = f"PA{rows[size - 1]['id']}" if len(rows) > size else None
    start = number * size
    return {
        "first_page_uri": _uri(account, form, size, 0),
        "next_page_uri": _uri(account, form, size, number + 1, token) if token else None,
        "previous_page_uri": None,
        "uri": _uri(account, form, size, number, form.get("PageToken")),
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + min(len(rows), size) - 1,
        "messages": [shown(each) for each in rows[:size]],
    }


def _number(form: Form, name: str, usual: int) -> int:
    told = form.get(name, str(usual))
    if not told.isdecimal():
        raise Refused(20001, more=name)
    return int(told)


def _ends(form: Form) -> list[Condition]:
    conditions = []
    if to := form.get("To"):
        conditions.append(
            Condition(f"({_PHONE} = ? AND NOT {_IS_INBOUND} OR {_OURS} = ? AND {_IS_INBOUND})", [to, to])
        )
    if sender := form.get("From"):
        conditions.append(Condition(f"{_SENDER} = ?", [sender]))
    return conditions


def _dates(form: Form) -> list[Condition]:
    """Days are whole ones of Greenwich; both bounds belong to it."""
    conditions = []
    for name, comparison in (("DateSent", "="), ("DateSent<", "<="), ("DateSent>", ">=")):
        if name in form:
            first, last = _span(form[name])
            if comparison in {"=", ">="}:
                conditions.append(Condition(f"{_SENT} >= ?", [first]))
            if comparison in {"=", "<="}:
                conditions.append(Condition(f"{_SENT} <= ?", [last]))
    return conditions


def _span(told: str) -> tuple[float, float]:
    try:
        first = datetime.fromisoformat(told).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refused(20001, more="DateSent") from None
    is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", told) is not None
    return first, first + (DAY_SECONDS - 1 if is_day else 0)


def _uri(account: str, form: Form, size: int, number: int, token: str | None = None) -> str:
    asked = {name: value for name, value in form.items() if name in _FILTERS}
    asked |= {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
    return f"{API}/Accounts/{account}/Messages.json?{urlencode(asked)}"
