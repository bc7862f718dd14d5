"""The visits behind a row of a figure and what each of them adds to it, on the screen and as a file."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import audit, clinics, figure_charts, figure_rows, figure_visits, figures, spreadsheets
from core.access import Action, Actor
from core.analytics import steps, words
from core.analytics.scopes import Scope
from core.analytics.shapes import Unit
from core.analytics.sums import MoneySums
from core.day_statements import MONEY_AMOUNTS, VISIT_AMOUNTS
from core.errors import NotFound
from core.figure_rows import Wanted
from core.figure_visits import MOST, Visit
from core.figures import Table
from core.i18n import N_, _, decimal
from core.summaries import STATUS
from db.models import PaymentMethod
from db.session import run

EXPORTED = 100_000
PRICE = N_("Price")
_REVENUE = ("over_time", "by_doctor", "by_service", "by_specialty", "by_place")
_BOOKED, _EARNED, _OWED, _LOST = range(4)  # as `VISIT_AMOUNTS` has them
# The columns of a table that are sums over visits, and of which of their amounts.
_COLUMNS = {
    **{f"revenue-{name}": {1: _BOOKED, 2: _EARNED, 5: _OWED} for name in _REVENUE},
    "revenue-forecast": {2: _BOOKED},
    "missed-over_time": {4: _LOST},
    "missed-by_doctor": {4: _LOST},
}
_OF_MONEY = (1, 2, 3)  # of a way of paying: received, paid back and kept


class Listed(NamedTuple):
    """Visits in order of time, and how many there are in all.

    `amounts` has for each visit by its number what it adds to the `columns` of the table.
    """

    visits: list[Visit]
    in_all: int
    columns: tuple[int, ...]
    amounts: dict[int, tuple[int, ...]]

    @property
    def is_whole(self) -> bool:
        return len(self.visits) == self.in_all

    @property
    def total(self) -> list[int]:
        """What these visits add to each column."""
        return [sum(each[place] for each in self.amounts.values()) for place in range(len(self.columns))]


def read(session: Session, actor: Actor, *, table: Table, wanted: Wanted, at_most: int = MOST) -> Listed:
    """The first visits that are wanted behind a row of a table. Raises `AccessDenied`."""
    visits, in_all = figure_visits.behind(session, actor, wanted=wanted, at_most=at_most)
    columns, amounts = _amounts(session, table, wanted, [visit.id for visit in visits])
    return Listed(visits, in_all, columns, amounts)


def as_csv(session: Session, actor: Actor, *, key: str, scope: Scope, of: str) -> bytes:
    """All visits behind the row of a figure that is marked `of`: at most 100,000, and a last row when cut.

    Raises what `figures.read` does, and `NotFound` where there is no such row or no list of its visits.
    """
    table = figures.read(session, actor, key=key, scope=scope)
    wanted = figure_rows.wanted(table, figure_rows.marked(table, of))
    if wanted is None:
        raise NotFound
    audit.record(session, actor, Action.SEE_APPOINTMENT, kind="export of visits", number=scope.doctor_id)
    found = read(session, actor, table=table, wanted=wanted, at_most=EXPORTED)
    zone = clinics.zone(session)
    rows: list[Sequence[object]] = [
        [
            f"{visit.starts_at.astimezone(zone):%Y-%m-%d %H:%M}",
            *(visit.patient, visit.doctor, visit.service, _(STATUS[visit.status])),
            *(words.plain(minor, Unit.MONEY, currency=table.currency) for minor in parts(found, visit)),
        ]
        for visit in found.visits
    ]
    if not found.is_whole:
        rows.append([_("Only the first {count} visits are here.").format(count=decimal(EXPORTED, 0))])
    elif found.columns and len(rows) > 1:
        money = [words.plain(minor, Unit.MONEY, currency=table.currency) for minor in found.total]
        rows.append([_(words.TOTAL), "", "", "", "", *money])
    return spreadsheets.as_csv([*names(), *headings(table, found, in_unit=True)], rows)


def names() -> list[str]:
    """What stands above who and what a visit is of."""
    return [_("When"), _("Patient"), _("Doctor"), _("Service"), _("Status")]


def headings(table: Table, found: Listed, *, in_unit: bool = False) -> list[str]:
    """What stands above the amounts of visits, in a file with the currency."""
    of = [figure_charts.heading(table, column) for column in found.columns] or [_(PRICE)]
    return [f"{name} ({table.currency})" for name in of] if in_unit else of


def parts(found: Listed, visit: Visit) -> tuple[int, ...]:
    """What a visit adds to the figure; of one that is not of money, its price."""
    return found.amounts[visit.id] if found.columns else (visit.price_minor,)


def _amounts(
    session: Session, table: Table, wanted: Wanted, numbers: list[int]
) -> tuple[tuple[int, ...], dict[int, tuple[int, ...]]]:
    """The columns that visits add to, and what each of them adds, by the rules of the sums of days."""
    session.flush()
    if wanted.method is not None:
        return _OF_MONEY, _money(session, wanted.scope, wanted.method, numbers)
    of = _COLUMNS.get(table.figure.key, {})
    amounts: dict[int, tuple[int, ...]] = dict.fromkeys(numbers, (0,) * len(of))
    for number, *found in run(session, VISIT_AMOUNTS, {"ids": numbers}) if of else []:
        amounts[number] = tuple(found[place] for place in of.values())
    return tuple(of), amounts


def _money(
    session: Session, scope: Scope, method: PaymentMethod, numbers: list[int]
) -> dict[int, tuple[int, ...]]:
    """What came by a method in the scope, what went back, and what was kept."""
    begins_at, ends_at = steps.bounds(session, scope)
    asked = {"begins_at": begins_at, "ends_at": ends_at, "currency": clinics.settings(session).currency}
    found: dict[int, tuple[int, ...]] = dict.fromkeys(numbers, (0, 0, 0))
    for number, *by_method in run(session, MONEY_AMOUNTS, {"ids": numbers, **asked}):
        of = MoneySums(0, *by_method)
        received, refunded = of.received_by_method[method], of.refunded_by_method[method]
        found[number] = (received, refunded, received - refunded)
    return found
