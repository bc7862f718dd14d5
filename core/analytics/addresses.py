"""A view of figures as its address has it, so that it can be sent to a colleague."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

from core.analytics.scopes import Scope, Step
from core.errors import ClinicError
from core.i18n import N_

_NUMBERS = {"doctor": "doctor_id", "service": "service_id", "place": "location_id"}
_YEARS = range(1900, 2201)
_MOST = 2**31


class ViewUnreadable(ClinicError):
    message = N_("The address of this view is not complete. Please choose the period again.")


def query(scope: Scope) -> dict[str, str]:
    """The scope by the names that an address has for it; what is not chosen is left out."""
    given = {"from": scope.from_on.isoformat(), "until": scope.until_on.isoformat()}
    numbers = {name: getattr(scope, column) for name, column in _NUMBERS.items()}
    given |= {name: str(number) for name, number in numbers.items() if number is not None}
    return given | ({"by": scope.step.value} if scope.step else {})


def encoded(scope: Scope) -> str:
    """The same as it stands after the question mark."""
    return urlencode(query(scope))


def scope_of(given: Mapping[str, str]) -> Scope:
    """The scope that an address asks for. Raises `ViewUnreadable` and what a `Scope` does."""
    try:
        from_on, until_on = (date.fromisoformat(given[name]) for name in ("from", "until"))
        numbers = {column: int(given[name]) for name, column in _NUMBERS.items() if given.get(name)}
        step = Step(given["by"]) if given.get("by") else None
    except (KeyError, ValueError) as error:
        raise ViewUnreadable from error
    is_known = {from_on.year, until_on.year} <= set(_YEARS) and all(
        0 < number < _MOST for number in numbers.values()
    )
    if not is_known:
        raise ViewUnreadable
    return Scope(from_on, until_on, **numbers, step=step)
