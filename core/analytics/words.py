"""How the values of figures read, on the screen and on paper, and as plain numbers in a file."""

from datetime import date
from decimal import Decimal

from core import clinics
from core.analytics.scopes import Step
from core.analytics.shapes import Column, Unit
from core.i18n import N_, _, dated, decimal, full_weekday, money, month_name, share, short_date

NOTHING = "–"
TOTAL = N_("Total")
_MINUTE, _HOUR = 60, 3600


def shown(value: object, unit: Unit, *, currency: str, step: Step = Step.DAY) -> str:
    """A value in words; a dash where there is nothing to say."""
    if value is None:
        return NOTHING
    if isinstance(value, date):
        return _date(value, step if unit is Unit.STEP else Step.MONTH)
    if unit is Unit.WORD:
        return _(str(value))
    if unit is Unit.WEEKDAY:
        return full_weekday(int(str(value)))
    if unit is Unit.HOUR:
        return f"{int(str(value)):02}:00"
    if isinstance(value, int | float):
        return _number(value, unit, currency)
    return str(value)


def plain(value: object, unit: Unit, *, currency: str) -> object:
    """A value as a file has it: money in units of the currency, time in hours or minutes, shares of one."""
    if unit is Unit.WORD and value is not None:
        return _(str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        match unit:
            case Unit.MONEY:
                return Decimal(round(value)).scaleb(-clinics.decimals(currency))
            case Unit.HOURS:
                return round(value / _HOUR, 2)
            case Unit.MINUTES:
                return round(value / _MINUTE, 1)
            case Unit.SHARE:
                return round(value, 4)
            case Unit.NUMBER:
                return round(value, 1)
    return value


def heading(column: Column, *, currency: str) -> str:
    """A column's name with the unit of its numbers, for a file in which they stand plain."""
    units = {Unit.MONEY: currency, Unit.HOURS: _("hours"), Unit.MINUTES: _("minutes")}
    name = _(column.name)
    return f"{name} ({units[column.unit]})" if column.unit in units else name


def _date(on: date, step: Step) -> str:
    if step is Step.MONTH:
        return month_name(on)
    return dated(on) if step is Step.DAY else short_date(on)


def _number(value: float, unit: Unit, currency: str) -> str:
    match unit:
        case Unit.MONEY:
            return money(round(value), currency)
        case Unit.SHARE:
            return share(value)
        case Unit.HOURS:
            return decimal(value / _HOUR, 1)
        case Unit.MINUTES:
            return _("{minutes} min").format(minutes=decimal(value / _MINUTE, 1))
        case Unit.NUMBER:
            return decimal(value, 1)
    return decimal(value, 0)
