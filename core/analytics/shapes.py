"""What a figure is: a name, its definition in words, columns with units, and what finds its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core.analytics.scopes import Scope

Row = tuple[Any, ...]
Finding = Callable[[Session, Scope], list[Row]]


class Unit(StrEnum):
    """How the values of a column read. Each may be None: there is nothing to say, or too few to say it of."""

    TEXT = "text"  # a name, as people wrote it
    WORD = "word"  # one of ours, to be translated
    STEP = "step"  # the first day of a day, week or month
    MONTH = "month"  # the first day of one
    WEEKDAY = "weekday"  # ISO: Monday is 1
    HOUR = "hour"  # of the day
    COUNT = "count"
    NUMBER = "number"  # with a decimal
    MONEY = "money"  # minor units of the clinic's currency
    SHARE = "share"  # 0 to 1, or above
    HOURS = "hours"  # of time, in seconds
    MINUTES = "minutes"  # of time, in seconds


class Share(NamedTuple):
    """What one column comes to of what others do together, by their names."""

    part: str
    of: tuple[str, ...]


Total = Share | bool  # whether rows come to their sum, or to a share of two sums
_ADDED = (Unit.MONEY, Unit.COUNT, Unit.HOURS)


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # N_()
    unit: Unit
    total: Total


@dataclass(frozen=True, slots=True)
class Figure:
    """`key` names it in addresses. `title` and `definition` are N_()."""

    key: str
    title: str
    definition: str
    columns: tuple[Column, ...]
    find: Finding

    def __call__(self, session: Session, scope: Scope) -> list[Row]:
        return self.find(session, scope)

    def total(self, rows: Sequence[Row]) -> Row:
        """What rows come to, column by column; None where adding up says nothing.

        Where one row has no value there is no sum either: of patients too few to be told it would tell them.
        """
        sums = {
            column.name: None if None in (values := [row[place] for row in rows]) else sum(values)
            for place, column in enumerate(self.columns)
            if column.total is True
        }
        return tuple(_total(column, sums) for column in self.columns)


def figure(
    title: str, definition: str, *columns: tuple[str, Unit] | tuple[str, Unit, Total]
) -> Callable[[Finding], Figure]:
    """Make a function a figure; the definition becomes its docstring.

    Its key is made of its module and name: `revenue-by_doctor`. Money, counts and hours add up, unless a
    column says otherwise.
    """

    def made(find: Finding) -> Figure:
        find.__doc__ = definition
        key = f"{find.__module__.rpartition('.')[2]}-{find.__name__}"
        return Figure(key, title, definition, tuple(_column(*each) for each in columns), find)

    return made


def _column(name: str, unit: Unit, total: Total | None = None) -> Column:
    return Column(name, unit, unit in _ADDED if total is None else total)


def _total(column: Column, sums: Mapping[str, Any]) -> Any:
    if not isinstance(column.total, Share):
        return sums.get(column.name)
    part, of = sums[column.total.part], [sums[name] for name in column.total.of]
    return None if part is None or None in of or not sum(of) else part / sum(of)
