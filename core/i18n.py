"""The reader's language: every sentence a person reads passes through `_`, every date and price through here.

The locale is set once per script run or message; `locale/<code>/LC_MESSAGES/clinic.mo` holds translations.
"""

import gettext
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.dates import (
    format_date,
    format_skeleton,
    format_time,
    format_timedelta,
    get_day_names,
    get_timezone_gmt,
)
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from babel.units import format_unit

LOCALE_DIR = Path(__file__).parent.parent / "locale"
_PRICES_KEPT = 1024  # pages show the same few again and again

_locale: ContextVar[str] = ContextVar("locale", default="en")


def use_locale(code: str) -> None:
    """Speak `code` (such as "en" or "pt_BR") from here on in this context."""
    _locale.set(code)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak `code` within the block: a message is in the language of who gets it, not of who causes it.

    Where the portal does not speak that it speaks what comes nearest: no English with German days in it.
    """
    before = _locale.set(code if code in languages() else negotiate(code))
    try:
        yield
    finally:
        _locale.reset(before)


def spoken() -> str:
    """The code of the language spoken here."""
    return _locale.get()


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages that the portal speaks."""
    return ("en", "en_GB", *sorted(path.parts[-3] for path in LOCALE_DIR.glob("*/LC_MESSAGES/clinic.mo")))


def without_country(code: str) -> str:
    """The language of a code, whatever its country: en of en_GB."""
    return code.split("_")[0]


def negotiate(wanted: str, offered: Collection[str] = (), otherwise: str = "en_GB") -> str:
    """The code of those `offered`, or all, nearest to a browser's. American is only for who asks for it."""
    code, among = wanted.replace("-", "_"), offered or languages()
    if code in {"en", "en_US"} and "en" in among:
        return "en"
    others = [each for each in among if each != "en"]
    related = (each for each in [*others, *among] if without_country(each) == without_country(code))
    return negotiate_locale([code], others) or next(related, otherwise)


@cache
def _translations(code: str) -> gettext.NullTranslations:
    return gettext.translation("clinic", LOCALE_DIR, [code], fallback=True)


def _(message: str) -> str:
    """`message` in the reader's language."""
    return _translations(_locale.get()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """`one` or `many`, as the reader's language counts `count`."""
    return _translations(_locale.get()).ngettext(one, many, count)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark `message` for translation where it stands; `_` translates it when it is shown."""
    return message


def day(on: date) -> str:
    """A day with its weekday: Tue, 24 Nov."""
    shown: str = format_skeleton("MMMEd", datetime(on.year, on.month, on.day), locale=_locale.get())  # noqa: DTZ001 - a day, not an instant
    return shown


def long_day(on: date) -> str:
    """A day in full: Tuesday, November 24, 2026."""
    return format_date(on, "full", locale=_locale.get())


def dated(on: date) -> str:
    """A day with weekday and year: Tue, Nov 24, 2026."""
    shown: str = format_skeleton("yMMMEd", datetime(on.year, on.month, on.day), locale=_locale.get())  # noqa: DTZ001 - a day, not an instant
    return shown


def month_name(on: date) -> str:
    """The month of a day, with its year: November 2026."""
    shown: str = format_skeleton("yMMMM", datetime(on.year, on.month, on.day), locale=_locale.get())  # noqa: DTZ001 - a day, not an instant
    return shown


def short_date(on: date) -> str:
    return format_date(on, "medium", locale=_locale.get())


def clock_time(at: datetime, zone: tzinfo) -> str:
    """A time of day in `zone`: 9:30 AM or 09:30, as the locale has it."""
    return format_time(at, "short", tzinfo=zone, locale=_locale.get())


def exact_time(at: datetime, zone: tzinfo) -> str:
    """A time of day in `zone` with its seconds: 9:30:05 AM or 09:30:05, as the locale has it."""
    return format_time(at, "medium", tzinfo=zone, locale=_locale.get())


def wall_clock(at: time) -> str:
    """What a clock shows, on any day: 9:30 AM or 09:30, as the locale has it."""
    return format_time(at, "short", locale=_locale.get())


def is_twelve_hour() -> bool:
    """Whether clocks in the reader's language count to twelve, twice a day."""
    return "a" in str(Locale.parse(_locale.get()).time_formats["short"].format)


def first_weekday() -> int:
    """The day with which weeks begin in the reader's language; Monday is 0."""
    first: int = Locale.parse(_locale.get()).first_week_day
    return first


def weekday(number: int) -> str:
    """A weekday by its ISO number, in short: 1 is Mon."""
    name: str = get_day_names("abbreviated", "stand-alone", locale=_locale.get())[number - 1]
    return name


def full_weekday(number: int) -> str:
    """A weekday by its ISO number: 1 is Monday."""
    name: str = get_day_names("wide", "stand-alone", locale=_locale.get())[number - 1]
    return name


def country(code: str) -> str:
    """A country by its ISO 3166 code, in the reader's language; the code where there is no name for it."""
    names = Locale.parse(_locale.get()).territories
    return str(names.get(code, code))


def day_and_time(at: datetime, zone: tzinfo) -> str:
    """An instant in `zone` with weekday, day and time."""
    return f"{day(at.astimezone(zone).date())}, {clock_time(at, zone)}"


def full_time(at: datetime, zone: tzinfo) -> str:
    """An instant in `zone` with the day in full and the time."""
    return f"{long_day(at.astimezone(zone).date())}, {clock_time(at, zone)}"


def zone_offset(at: datetime, zone: tzinfo) -> str:
    """How far `zone` is from Greenwich at an instant: GMT+01:00. Names of zones are not known everywhere."""
    return get_timezone_gmt(at.astimezone(zone), locale=_locale.get())


def span(minutes: int) -> str:
    """A length of time in words: 2 hours, or 90 minutes when the hours are not whole."""
    whole_hours = minutes and minutes % 60 == 0
    count, unit = (minutes // 60, "hour") if whole_hours else (minutes, "minute")
    shown: str = format_unit(count, f"duration-{unit}", locale=_locale.get())
    return shown


def money(amount_minor: int, currency: str) -> str:
    """Whole minor units as a price: 4500 EUR is €45.00, 4500 JPY is ¥4,500."""
    return _money(amount_minor, currency, _locale.get())


@lru_cache(maxsize=_PRICES_KEPT)
def _money(amount_minor: int, currency: str, locale: str) -> str:
    amount = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    shown: str = format_currency(amount, currency, locale=locale)
    return shown


def percent(share: int) -> str:
    """A share in whole percent: 80%."""
    shown: str = format_percent(Decimal(share) / 100, locale=_locale.get())
    return shown


def share(of_one: float) -> str:
    """A share in percent with one decimal: 0.1234 is 12.3%."""
    shown: str = format_percent(round(Decimal(of_one), 3), "#,##0.0%", locale=_locale.get())
    return shown


def decimal(number: float, places: int) -> str:
    """A number with so many decimals: 1,234.5."""
    pattern = "#,##0" + ("." + "0" * places if places else "")
    shown: str = format_decimal(number, pattern, locale=_locale.get())
    return shown


def since(at: datetime, now: datetime) -> str:
    """How far an instant is from `now`, in words: 3 seconds ago, or in 2 hours."""
    shown: str = format_timedelta(at - now, add_direction=True, locale=_locale.get())
    return shown


def seconds(count: float) -> str:
    """A short length of time: 0.2 sec."""
    shown: str = format_unit(round(count, 1), "duration-second", "short", locale=_locale.get())
    return shown


def megabytes(size_bytes: int) -> str:
    """A size: 12.3 MB."""
    shown: str = format_unit(round(size_bytes / 1e6, 1), "digital-megabyte", "short", locale=_locale.get())
    return shown
