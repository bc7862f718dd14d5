"""The tables of what days come to: their columns, the statements that fill them, and what narrows them."""

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core import day_parts
from core.day_statements import HOURS, MONEY, PARTS, VISITS, odds, patients
from db.models import SumKind

_GROUPED = "on_date, doctor_id, service_id, location_id"


class Kept(NamedTuple):
    """A table of sums: `whole` is the query for all of its rows on some days.

    One whose rows are no sums of each other is kept in `PARTS`, and asked anew by `narrowed`, with conditions
    on the visits `a`, where none of them is asked for. `takes` are the parameters of either, for some days
    and the day of the first visit of all.
    """

    kind: SumKind
    columns: str
    takes: Callable[[ZoneInfo, Sequence[date], date], dict[str, Any]]
    whole: str
    narrowed: Callable[[str], str] | None = None


TABLES = {
    "visit_days": Kept(
        SumKind.VISITS,
        f"{_GROUPED}, booked, cancelled, completed, missed, waited, waited_seconds, booked_minor,"
        " earned_minor, owed_minor, lost_minor",
        lambda zone, days, _since: day_parts.of_days(zone, days),
        VISITS,
    ),
    "money_days": Kept(
        SumKind.VISITS,
        f"{_GROUPED}, currency, invoiced_minor, received_online_minor, received_terminal_minor,"
        " received_cash_minor, refunded_online_minor, refunded_terminal_minor, refunded_cash_minor",
        lambda zone, days, _since: day_parts.of_days(zone, days),
        MONEY,
    ),
    "hour_days": Kept(
        SumKind.VISITS,
        "on_date, doctor_id, location_id, hour, offered_seconds, booked_seconds",
        lambda zone, days, _since: day_parts.of_hours(zone, days),
        HOURS,
    ),
    "odds_days": Kept(
        SumKind.VISITS,
        "on_date, service_id, location_id, trait, value, booked, completed, missed",
        lambda zone, days, _since: day_parts.of_clocks(zone, days),
        odds(parts=PARTS),
        odds,
    ),
    "patient_days": Kept(
        SumKind.PATIENTS,
        "on_date, service_id, location_id, first_on, first_ever, first_in_month, first_in_week, first_in_day",
        day_parts.of_steps,
        patients(parts=PARTS),
        patients,
    ),
}


def of_kind(kind: SumKind) -> dict[str, Kept]:
    return {name: table for name, table in TABLES.items() if table.kind is kind}


def is_kept(name: str, filters: Collection[str]) -> bool:
    """Whether a table has sums of the visits that these columns narrow: by doctor not all have."""
    return TABLES[name].narrowed is None or "doctor_id" not in filters


def kept(name: str, filters: Collection[str]) -> str:
    """A query for the kept rows, narrowed by these columns, to which conditions on `on_date` can be added."""
    table = TABLES[name]
    if table.narrowed is None:
        return f"SELECT {table.columns} FROM {name} WHERE true{_equal(name, filters)}"
    part = " AND ".join(
        f"{each} = %({each})s" if each in filters else f"{each} IS NULL" for each in PARTS[-1]
    )
    return f"SELECT {table.columns} FROM {name} WHERE {part}"


def found(name: str, filters: Collection[str]) -> str:
    """A query for the same rows from the visits, the ledger and the hours themselves."""
    table = TABLES[name]
    if table.narrowed is None:
        return f"SELECT {table.columns} FROM ({table.whole}) AS found WHERE true{_equal(name, filters)}"
    narrowing = "".join(f" AND a.{each} = %({each})s" for each in filters)
    return f"SELECT {table.columns} FROM ({table.narrowed(narrowing)}) AS found"


def _equal(name: str, filters: Collection[str]) -> str:
    """That columns are what is asked for; one that a table does not have narrows nothing."""
    columns = TABLES[name].columns.split(", ")
    return "".join(f" AND {each} = %({each})s" for each in filters if each in columns)
