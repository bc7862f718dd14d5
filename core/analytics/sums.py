"""Sums over the days of a scope, read once in a transaction, so that all figures of a page agree.

Days that are summed up come from their tables, all others from the visits, the ledger and the hours.
"""

from collections.abc import Callable, Hashable
from datetime import date
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from core import clinics, day_parts, day_sums
from core.analytics.scopes import Scope
from db.models import PaymentMethod
from db.session import run

_Read = TypeVar("_Read")
_Sums = TypeVar("_Sums", "VisitSums", "MoneySums", "HourSums")
_STEP = "date_trunc(%(step)s, CAST(on_date AS timestamp))::date"


class VisitSums(NamedTuple):
    """The columns of `VisitDay`, summed."""

    booked: int = 0
    cancelled: int = 0
    completed: int = 0
    missed: int = 0
    overbooked: int = 0
    waited: int = 0
    waited_seconds: int = 0
    lead_seconds: int = 0
    booked_minor: int = 0
    earned_minor: int = 0
    owed_minor: int = 0
    lost_minor: int = 0


class MoneySums(NamedTuple):
    """The columns of `MoneyDay`, summed, in the clinic's currency."""

    invoiced_minor: int = 0
    received_minor: int = 0
    refunded_minor: int = 0


class HourSums(NamedTuple):
    """The columns of `HourDay`, summed."""

    offered_seconds: int = 0
    booked_seconds: int = 0


class Group(NamedTuple):
    """Whose visits: of which doctor, for which service, at which place."""

    doctor_id: int
    service_id: int
    location_id: int


class Visits(NamedTuple):
    by_step: dict[date, VisitSums]
    by_group: dict[Group, VisitSums]


class Money(NamedTuple):
    by_step: dict[date, MoneySums]
    by_group: dict[Group, MoneySums]
    by_method: dict[PaymentMethod | None, MoneySums]


class Hours(NamedTuple):
    """By step, by doctor, and by ISO weekday and hour of the day."""

    by_step: dict[date, HourSums]
    by_doctor: dict[int, HourSums]
    by_hour: dict[tuple[int, int], HourSums]


def visits(session: Session, scope: Scope) -> Visits:
    """The visits that were to begin in the scope."""
    return once(session, ("visits", scope), lambda: _visits(session, scope))


def money(session: Session, scope: Scope) -> Money:
    """What was written into the ledger in the scope, in the clinic's currency."""
    return once(session, ("money", scope), lambda: _money(session, scope))


def hours(session: Session, scope: Scope) -> Hours:
    """Time offered and taken in the scope, whatever the service. Before the first visit none is offered."""
    return once(session, ("hours", scope), lambda: _hours(session, scope))


def _visits(session: Session, scope: Scope) -> Visits:
    sums = ", ".join(f"sum({name})::bigint" for name in VisitSums._fields)
    rows = _read(
        session,
        scope,
        "visit_days",
        f"SELECT {_STEP}, doctor_id, service_id, location_id, {sums} FROM days"
        " GROUP BY GROUPING SETS ((1), (doctor_id, service_id, location_id))",
    )
    return Visits(
        {row[0]: VisitSums(*row[4:]) for row in rows if row[0]},
        {Group(*row[1:4]): VisitSums(*row[4:]) for row in rows if row[1]},
    )


def _money(session: Session, scope: Scope) -> Money:
    sums = ", ".join(f"sum({name})::bigint" for name in MoneySums._fields)
    rows = _read(
        session,
        scope,
        "money_days",
        f"SELECT {_STEP}, doctor_id, service_id, location_id, method, grouping(method), {sums} FROM days"
        " WHERE currency = %(currency)s"
        " GROUP BY GROUPING SETS ((1), (doctor_id, service_id, location_id), (method))",
    )
    return Money(
        {row[0]: MoneySums(*row[6:]) for row in rows if row[0]},
        {Group(*row[1:4]): MoneySums(*row[6:]) for row in rows if row[1]},
        {row[4] and PaymentMethod(row[4]): MoneySums(*row[6:]) for row in rows if row[5] == 0},
    )


def _hours(session: Session, scope: Scope) -> Hours:
    first_on = day_parts.first_of(session)
    if first_on is None or first_on > scope.until_on:
        return Hours({}, {}, {})
    rows = _read(
        session,
        scope.over(max(first_on, scope.from_on), scope.until_on),
        "hour_days",
        f"SELECT {_STEP}, doctor_id, extract(isodow FROM on_date)::int AS weekday, hour,"
        " sum(offered_seconds)::bigint, sum(booked_seconds)::bigint FROM days"
        " GROUP BY GROUPING SETS ((1), (doctor_id), (weekday, hour))",
    )
    return Hours(
        {row[0]: HourSums(*row[4:]) for row in rows if row[0]},
        {row[1]: HourSums(*row[4:]) for row in rows if row[1]},
        {(row[2], row[3]): HourSums(*row[4:]) for row in rows if row[2]},
    )


def _read(session: Session, scope: Scope, table: str, query: str) -> list[tuple[Any, ...]]:
    """Run a query over `days`: the rows of a table of sums for the days and filters of the scope."""
    session.flush()
    live = day_sums.unsummed(session, scope.from_on, scope.until_on)
    columns = day_sums.COLUMNS[table]
    filters = "".join(f" AND {name} = %({name})s" for name in scope.filters if name in columns)
    kept = f"SELECT {columns} FROM {table} WHERE on_date BETWEEN %(from_on)s AND %(until_on)s{filters}"
    if live:
        kept += " AND NOT on_date = ANY(%(dates)s)"
        found = f"SELECT {columns} FROM ({day_sums.TABLES[table]}) AS found WHERE true{filters}"
        kept = f"{kept} UNION ALL {found}"
    parameters = {
        "from_on": scope.from_on,
        "until_on": scope.until_on,
        "step": scope.cut.value,
        "currency": clinics.settings(session).currency,
        **scope.filters,
        **(day_parts.instants(clinics.zone(session), live) if live else {}),
    }
    return run(session, f"WITH days AS ({kept}) {query}", parameters)


def once(session: Session, what: Hashable, read: Callable[[], _Read]) -> _Read:
    """Read it once for each transaction: what the session has written since is not seen."""
    known: dict[Hashable, Any] = session.info.setdefault("figures", {})
    if what not in known:
        known[what] = read()
    found: _Read = known[what]
    return found


def added(groups: dict[Group, _Sums], key: Callable[[Group], Hashable]) -> dict[Any, _Sums]:
    """The sums of groups that have the same key, added up."""
    found: dict[Hashable, _Sums] = {}
    for group, sums in groups.items():
        mine = key(group)
        found[mine] = sums if mine not in found else plus(found[mine], sums)
    return found


def plus(one: _Sums, other: _Sums) -> _Sums:
    """Both, column by column."""
    return type(one)(*(mine + its for mine, its in zip(one, other, strict=True)))
