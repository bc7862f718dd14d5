"""The clinic's own settings."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from db.models import ClinicSettings
from db.session import run

_COLUMNS = [column.name for column in ClinicSettings.__table__.columns]
_SETTINGS = f"SELECT {', '.join(_COLUMNS)} FROM settings"


def settings(session: Session) -> ClinicSettings:
    """The clinic's settings, read once a session. A copy to look at: changing it changes nothing.

    Every booking reads them, so they come without the ORM's identity map.
    """
    found: ClinicSettings | None = session.info.get("clinic_settings")
    if found is None:
        [row] = run(session, _SETTINGS, {})
        found = session.info["clinic_settings"] = ClinicSettings(**dict(zip(_COLUMNS, row, strict=True)))
    return found


def zone(session: Session) -> ZoneInfo:
    """The clinic's time zone, in which its working hours are meant and its visits are shown."""
    return ZoneInfo(settings(session).time_zone)


def minor_units(amount: int | Decimal, currency: str) -> int:
    """Whole units of a currency (euros, yen) in its minor units (cents; yen have none)."""
    return int(amount * 10 ** get_currency_precision(currency))


def whole_units(amount_minor: int, currency: str) -> Decimal:
    """Minor units of a currency in its whole units, with as many decimals as it has."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))
