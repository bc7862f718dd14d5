"""The clinic's own settings."""

from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import ClinicSettings

_SETTINGS = select(ClinicSettings.__table__)


def settings(session: Session) -> ClinicSettings:
    """The clinic's settings, read once a session. A copy to look at: changing it changes nothing.

    Every booking reads them, so they come without the ORM's identity map. Raises `NoResultFound` before
    the clinic is set up.
    """
    found: ClinicSettings | None = session.info.get("clinic_settings")
    if found is None:
        row = session.connection().execute(_SETTINGS).one()
        found = session.info["clinic_settings"] = ClinicSettings(**row._mapping)
    return found


def zone(session: Session) -> ZoneInfo:
    """The clinic's time zone, in which its working hours are meant and its visits are shown."""
    return ZoneInfo(settings(session).time_zone)


def minor_units(amount: int, currency: str) -> int:
    """Whole units of a currency (euros, yen) in its minor units (cents; yen have none)."""
    return int(amount * 10 ** get_currency_precision(currency))
