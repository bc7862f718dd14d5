"""Reads the parameters of a request and refuses what Stripe would: the SDK's own types say what there is."""

import re
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from stripe import _request_options
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from sandbox.stripe_errors import Refused, missing, unknown

Form = dict[str, Any]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_DECIMAL = re.compile(r"-?\d+(\.\d{1,12})?")
_CURRENCY = re.compile(r"[a-z]{3}")
# Names in inherited fields, which the modules that inherit them do not import.
_OUTSIDE = vars(_request_options) | {"StripeContext": object}
_OPTIONS = set(_request_options.RequestOptions.__annotations__)
METADATA_KEYS, METADATA_NAME, METADATA_VALUE = 50, 40, 500


def parsed(encoded: str) -> Form:
    """`a[b][0]=c` as nested dictionaries, lists too: what is a list, the types know."""
    form: Form = {}
    for count, (name, value) in enumerate(parse_qsl(encoded, keep_blank_values=True)):
        match = _KEY.fullmatch(name)
        if match is None:
            raise unknown(name)
        steps = [match[1], *(step or str(count) for step in re.findall(r"\[([^\[\]]*)\]", match[2]))]
        place = form
        for step in steps[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise Refused(f"Invalid object: {name}", param=name)
        if isinstance(place.get(steps[-1]), dict):
            raise Refused(f"Invalid object: {name}", param=name)
        place[steps[-1]] = value
    return form


def checked(kind: type, form: Form, within: str = "") -> Form:
    """`form` with numbers, booleans and lists in it, as the SDK's type of these parameters has them."""
    fields = _fields(kind)
    for name in form:
        if name not in fields:
            raise unknown(f"{within}[{name}]" if within else name)
    for name in kind.__required_keys__ if within else ():  # type: ignore[attr-defined]
        if name not in form:
            raise missing(f"{within}[{name}]")
    return {
        name: _value(fields[name], value, f"{within}[{name}]" if within else name)
        for name, value in form.items()
    }


@cache
def _fields(kind: type) -> dict[str, tuple[Any, ...]]:
    """The fields of one of the SDK's types, each with the types it may have."""
    hints = get_type_hints(kind, localns=_OUTSIDE)
    return {name: _arms(hint) for name, hint in hints.items() if name not in _OPTIONS}


def _arms(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in {Union, UnionType}:
        return tuple(arm for each in get_args(hint) for arm in _arms(each))
    return (hint,)


def _value(arms: tuple[Any, ...], value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return _nested(arms, value, name)
    words = {word for arm in arms if get_origin(arm) is Literal for word in get_args(arm)}
    if value == "":
        if "" in words:
            return value
        raise Refused(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
            f"parameter; however '{name}' cannot be unset.",
            code="parameter_invalid_empty",
            param=name,
        )
    return _scalar(arms, words - {""}, value, name)


def _scalar(arms: tuple[Any, ...], words: set[str], value: str, name: str) -> Any:
    if int in arms:
        if not re.fullmatch(r"-?\d{1,15}", value):
            raise Refused(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        return int(value)
    if bool in arms:
        if value not in {"true", "false"}:
            raise Refused(f"Invalid boolean: {value}", param=name)
        return value == "true"
    if words:
        if value not in words:
            raise Refused(f"Invalid {name}: must be one of {', '.join(sorted(words))}", param=name)
        return value
    if name.endswith("unit_amount_decimal]") and not _DECIMAL.fullmatch(value):
        raise Refused(f"Invalid decimal: {value}", param=name)
    if re.search(r"(^|\[)currency\]?$", name) and not _CURRENCY.fullmatch(value):
        raise Refused(f"Invalid currency: {value}", param=name)
    if not any(isinstance(arm, type) and arm.__name__ in {"str", "Decimal"} for arm in arms):
        raise Refused(f"Invalid object: {value}", param=name)
    return value


def _nested(arms: tuple[Any, ...], value: Form, name: str) -> Any:
    for arm in arms:
        if is_typeddict(arm):
            return checked(arm, value, name)
        if get_origin(arm) is list and all(key.isdecimal() for key in value):
            inner = _arms(get_args(arm)[0])
            ordered = sorted(value.items(), key=lambda each: int(each[0]))
            return [_value(inner, each, f"{name}[{key}]") for key, each in ordered]
        if get_origin(arm) in {dict, UntypedStripeObject}:
            return _metadata(value, name)
    raise Refused(f"Invalid value for {name}", param=name)


def _metadata(value: Form, name: str) -> Form:
    if len(value) > METADATA_KEYS:
        raise Refused(f"Metadata can have at most {METADATA_KEYS} keys.", param=name)
    for key, each in value.items():
        if not isinstance(each, str):
            raise Refused("Metadata values can only be strings.", param=f"{name}[{key}]")
        if len(key) > METADATA_NAME:
            raise Refused(f"Metadata keys can have at most {METADATA_NAME} characters.", param=name)
        if len(each) > METADATA_VALUE:
            raise Refused(
                f"Metadata values can have at most {METADATA_VALUE} characters.", param=f"{name}[{key}]"
            )
    return {key: each for key, each in value.items() if each}
