"""What a period has come to by an instant of its last day, so that a morning is compared with a morning."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core import clinics, day_parts, day_tables
from core.analytics import revenue, sums, utilisation
from core.analytics.scopes import Scope
from core.analytics.sums import HourSums, MoneySums, VisitSums
from db.session import run

_DAY = timedelta(days=1)


class SoFar(NamedTuple):
    visits: VisitSums
    money: MoneySums
    hours: HourSums


def of(session: Session, scope: Scope, ends_at: datetime) -> SoFar:
    """The days of the scope, the last of them up to an instant of it."""
    found = _last_day(session, scope, ends_at)
    if scope.days == 1:
        return found
    before = scope.over(scope.from_on, scope.until_on - _DAY)
    visits, money = revenue.total(session, before)
    hours = utilisation.total(session, before)
    return SoFar(
        sums.plus(visits, found.visits), sums.plus(money, found.money), sums.plus(hours, found.hours)
    )


def _last_day(session: Session, scope: Scope, ends_at: datetime) -> SoFar:
    """From the visits themselves: no sum of a day is one of its morning."""
    first_on = day_parts.first_of(session)
    if first_on is None or first_on > scope.until_on:
        return SoFar(VisitSums(), MoneySums(), HourSums())
    own = "WHERE currency = %(currency)s"
    return SoFar(
        VisitSums(*_sums(session, scope, ends_at, "visit_days", VisitSums._fields)),
        MoneySums(*_sums(session, scope, ends_at, "money_days", MoneySums._fields, own)),
        HourSums(*_sums(session, scope, ends_at, "hour_days", HourSums._fields)),
    )


def _sums(
    session: Session, scope: Scope, ends_at: datetime, table: str, columns: Sequence[str], where: str = ""
) -> Sequence[int]:
    summed = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in columns)
    query = f"SELECT {summed} FROM ({day_tables.found(table, scope.filters)}) AS days {where}"
    takes = day_tables.TABLES[table].takes
    parameters = _cut(takes(clinics.zone(session), [scope.until_on], scope.until_on), ends_at)
    more = {"currency": clinics.settings(session).currency, **scope.filters}
    [row] = run(session, query, parameters | more)
    return row


def _cut(parameters: dict[str, Any], ends_at: datetime) -> dict[str, Any]:
    """The same of a day that ends earlier."""
    ends = {name: [min(each, ends_at) for each in parameters.get(name, ())] for name in ("ends", "hour_ends")}
    begins = [min(each, ends_at) for each in parameters.get("hour_begins", ())]
    return parameters | ends | {"hour_begins": begins}
