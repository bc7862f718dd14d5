"""Sums over the days of a scope, read once in a transaction, so that all figures of a page agree.

Days that are summed up come from their tables, all others from the visits, the ledger and the hours.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date, timedelta
from operator import add
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from core import clinics, day_parts, day_sums, day_tables
from core.analytics.scopes import Scope, first_of_step
from db.models import PaymentMethod
from db.session import run

_Read = TypeVar("_Read")
_Group = TypeVar("_Group", bound=Hashable)
_Sums = TypeVar("_Sums", "VisitSums", "MoneySums", "HourSums")
_METHODS = (PaymentMethod.ONLINE, PaymentMethod.TERMINAL, PaymentMethod.CASH)  # as the columns of `MoneyDay`
STEP = "date_trunc(%(step)s, CAST(on_date AS timestamp))::date"
_BY_HOUR = """
SELECT on_date, hour, doctor_id, sum(offered_seconds)::bigint, sum(booked_seconds)::bigint
FROM days GROUP BY GROUPING SETS ((on_date, hour), (doctor_id))"""
_DAY = timedelta(days=1)
_MEMORY = "SELECT set_config('work_mem', '64MB', true)"  # for years of days, which nothing of this spills


class VisitSums(NamedTuple):
    """The columns of `VisitDay`, summed."""

    booked: int = 0
    cancelled: int = 0
    completed: int = 0
    missed: int = 0
    waited: int = 0
    waited_seconds: int = 0
    booked_minor: int = 0
    earned_minor: int = 0
    owed_minor: int = 0
    lost_minor: int = 0


class MoneySums(NamedTuple):
    """The columns of `MoneyDay`, summed, in the clinic's currency."""

    invoiced_minor: int = 0
    received_online_minor: int = 0
    received_terminal_minor: int = 0
    received_cash_minor: int = 0
    refunded_online_minor: int = 0
    refunded_terminal_minor: int = 0
    refunded_cash_minor: int = 0

    @property
    def received_minor(self) -> int:
        return sum(self.received_by_method.values())

    @property
    def refunded_minor(self) -> int:
        return sum(self.refunded_by_method.values())

    @property
    def received_by_method(self) -> dict[PaymentMethod, int]:
        return dict(zip(_METHODS, self[1:4], strict=True))

    @property
    def refunded_by_method(self) -> dict[PaymentMethod, int]:
        return dict(zip(_METHODS, self[4:], strict=True))


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


def owed_minor(session: Session, scope: Scope) -> int:
    """What is still owed of the visits of the scope."""
    rows = read(session, scope, "visit_days", " SELECT coalesce(sum(owed_minor), 0)::bigint FROM days")
    return int(rows[0][0]) if rows else 0


def _visits(session: Session, scope: Scope) -> Visits:
    rows = read(session, scope, "visit_days", _by_date_and_group(VisitSums._fields))
    return Visits(
        _by_step(scope, {row[0]: VisitSums(*row[4:]) for row in rows if row[0]}),
        {Group(*row[1:4]): VisitSums(*row[4:]) for row in rows if row[1]},
    )


def _money(session: Session, scope: Scope) -> Money:
    query = _by_date_and_group(MoneySums._fields, "WHERE currency = %(currency)s")
    rows = read(session, scope, "money_days", query)
    return Money(
        _by_step(scope, {row[0]: MoneySums(*row[4:]) for row in rows if row[0]}),
        {Group(*row[1:4]): MoneySums(*row[4:]) for row in rows if row[1]},
    )


def _by_date_and_group(columns: Sequence[str], where: str = "") -> str:
    """Sums by day and by group: the steps of the few days are made of them here, in less time than there."""
    summed = ", ".join(f"sum({name})::bigint" for name in columns)
    return f"""
    SELECT on_date, doctor_id, service_id, location_id, {summed}
    FROM days {where} GROUP BY GROUPING SETS ((on_date), (doctor_id, service_id, location_id))"""


def _by_step(scope: Scope, by_date: Mapping[date, _Sums]) -> dict[date, _Sums]:
    return added(by_date, lambda on: first_of_step(on, scope.cut))


def _hours(session: Session, scope: Scope) -> Hours:
    rows = read(session, scope, "hour_days", _BY_HOUR)
    by_hour = {(row[0], row[1]): HourSums(*row[3:]) for row in rows if row[0]}
    return Hours(
        added(by_hour, lambda hour: first_of_step(hour[0], scope.cut)),
        {row[2]: HourSums(*row[3:]) for row in rows if row[2]},
        added(by_hour, lambda hour: (hour[0].isoweekday(), hour[1])),
    )


def read(session: Session, scope: Scope, table: str, query: str) -> list[tuple[Any, ...]]:
    """Run a query over `days`: the rows of a table of sums for the days and filters of the scope.

    Days before the first visit and the first money have none.
    """
    session.flush()
    with_memory(session)
    first_on = once(session, "first", lambda: day_parts.first_of(session))
    if first_on is None or first_on > scope.until_on:
        return []
    from_on, until_on = max(first_on, scope.from_on), scope.until_on
    kind, takes = day_tables.TABLES[table].kind, day_tables.TABLES[table].takes
    live = once(
        session, (kind, from_on, until_on), lambda: day_sums.unsummed(session, from_on, until_on, kind)
    )
    parts = []
    if day_tables.is_kept(table, scope.filters):
        parts.append(
            f"{day_tables.kept(table, scope.filters)} AND on_date BETWEEN %(from_on)s AND %(until_on)s"
        )
        parts[0] += " AND NOT on_date = ANY(%(dates)s)" if live else ""
    else:
        live = [from_on + number * _DAY for number in range((until_on - from_on).days + 1)]
    if live:
        parts.append(day_tables.found(table, scope.filters))
    parameters = {
        "from_on": from_on,
        "until_on": until_on,
        "step": scope.cut.value,
        "currency": clinics.settings(session).currency,
        **scope.filters,
        **(takes(clinics.zone(session), live, first_on) if live else {}),
    }
    return run(session, f"WITH days AS ({' UNION ALL '.join(parts)}){query}", parameters)


def with_memory(session: Session) -> None:
    """Give the rest of the transaction memory enough to group a million visits."""
    once(session, "memory", lambda: run(session, _MEMORY, {}))


def once(session: Session, what: Hashable, read: Callable[[], _Read]) -> _Read:
    """Read it once for each transaction: what the session has written since is not seen."""
    known: dict[Hashable, Any] = session.info.setdefault("figures", {})
    if what not in known:
        known[what] = read()
    found: _Read = known[what]
    return found


def added(groups: Mapping[_Group, _Sums], key: Callable[[_Group], Any]) -> dict[Any, _Sums]:
    """The sums of groups that have the same key, added up."""
    found: dict[Any, _Sums] = {}
    for group, sums in groups.items():
        mine = key(group)
        found[mine] = plus(found[mine], sums) if mine in found else sums
    return found


def plus(one: _Sums, other: _Sums) -> _Sums:
    """Both, column by column."""
    return type(one)(*map(add, one, other))
