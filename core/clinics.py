"""The clinic's own settings, and the currencies a clinic may have."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.numbers import get_currency_precision, get_territory_currencies
from sqlalchemy.orm import Session

from core.i18n import languages
from db.models import ClinicSettings
from db.session import run

_COLUMNS = [column.name for column in ClinicSettings.__table__.columns]
_SETTINGS = f"SELECT {', '.join(_COLUMNS)} FROM settings"

# What Stripe counts in whole units: docs.stripe.com/currencies. ISK and UGX have rules of their own there.
_WITHOUT_CENTS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_OF_THEIR_OWN = frozenset({"ISK", "UGX"})


def settings(session: Session) -> ClinicSettings:
    """The clinic's settings, read once a session. A copy to look at: changing it changes nothing.

    Every booking reads them, so they come without the ORM's identity map.
    """
    found: ClinicSettings | None = session.info.get("clinic_settings")
    if found is None:
        [row] = run(session, _SETTINGS, {})
        found = session.info["clinic_settings"] = ClinicSettings(**dict(zip(_COLUMNS, row, strict=True)))
    return found


def is_founded(session: Session) -> bool:
    """Whether there is a clinic yet: before that the jobs have nothing to do."""
    return bool(run(session, "SELECT FROM settings", {}))


def zone(session: Session) -> ZoneInfo:
    """The clinic's time zone, in which its working hours are meant and its visits are shown."""
    return ZoneInfo(settings(session).time_zone)


def offered_languages(session: Session) -> tuple[str, tuple[str, ...]]:
    """The clinic's own language, and those that can be chosen; before there is a clinic, all there are."""
    if not is_founded(session):
        return languages()[0], languages()
    found = settings(session)
    return found.locale, tuple(found.locales)


@cache
def currencies() -> tuple[str, ...]:
    """The codes of the currencies that are in use somewhere and that a clinic may have.

    Left out are those whose minor units we and the card processor would not count alike: a sum in them
    would be a hundred times too much or too little there.
    """
    used = {code for place in get_global("territory_currencies") for code in get_territory_currencies(place)}
    return tuple(sorted(code for code in used - _OF_THEIR_OWN if decimals(code) == _decimals_there(code)))


def _decimals_there(currency: str) -> int:
    return 0 if currency in _WITHOUT_CENTS else 2


def decimals(currency: str) -> int:
    """How many decimals the prices of a currency have: two for euros, none for yen."""
    return int(get_currency_precision(currency))


def minor_units(amount: float, currency: str) -> int:
    """An amount as it is typed (euros, yen) in whole minor units (cents; yen have none)."""
    exact = Decimal(str(amount)).scaleb(decimals(currency))
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def typed_amount(amount_minor: int, currency: str) -> float:
    """Minor units as a person types them; a whole number where there are no decimals."""
    places = decimals(currency)
    return amount_minor / 10**places if places else amount_minor
