"""What a figure is: a name, its definition in words, columns with units, and what finds its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # N_()
    unit: Unit


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


def figure(title: str, definition: str, *columns: tuple[str, Unit]) -> Callable[[Finding], Figure]:
    """Make a function a figure; the definition becomes its docstring.

    Its key is made of its module and name: `revenue-by_doctor`.
    """

    def made(find: Finding) -> Figure:
        find.__doc__ = definition
        key = f"{find.__module__.rpartition('.')[2]}-{find.__name__}"
        return Figure(key, title, definition, tuple(Column(*each) for each in columns), find)

    return made
