"""What a chart of a figure is of, the same on the screen and on paper: which columns, and which rows."""

from enum import StrEnum
from typing import NamedTuple

from core.analytics import words
from core.analytics.scopes import Step, first_of_step
from core.analytics.shapes import Figure, Unit
from core.figures import Table
from core.i18n import N_, _, ngettext

TOO_SHORT = N_("This takes more than one month: please choose a longer period.")
MOST = 20  # bars of somebody or something; days, weeks and months are all drawn
_NAMES = (Unit.TEXT, Unit.WORD, Unit.STEP, Unit.MONTH, Unit.WEEKDAY, Unit.HOUR)
# The columns drawn, the first as bars; for all others it is the last share, or else the first number.
_DRAWN = {
    "revenue-over_time": (2, 1, 3),
    "revenue-by_doctor": (2,),
    "revenue-by_service": (2,),
    "revenue-by_specialty": (2,),
    "revenue-by_place": (2,),
    "revenue-forecast": (2, 3),
    "demand-lead_times": (1,),
    "demand-third_next": (2,),
    "demand-recovered": (3, 2, 1),
    "patients-new_and_returning": (1, 2),
    "messages-over_time": (1, 2),
}
# Columns that say of what a cell is: what stands below each other, and what beside.
_COHORTS = "patients-cohorts"
_GRIDS = {"utilisation-by_hour": (1, 0), _COHORTS: (0, 2)}
_AT_A_GLANCE = ("overview-compared", "overview-open_now")
_OF_WEEKS = ("revenue-forecast",)


class Kind(StrEnum):
    BARS = "bars"  # a row is somebody or something
    TIME = "time"  # a row is a day, week or month
    GRID = "grid"  # a row is a cell: an hour of a weekday
    CARDS = "cards"  # a row has numbers that no scale has in common


class Bar(NamedTuple):
    """A row of the table by its number; what the rows beyond come to together has none."""

    name: str
    value: float
    shown: str
    row: int | None


def kind(figure: Figure) -> Kind:
    if figure.key in _AT_A_GLANCE:
        return Kind.CARDS
    if figure.key in _GRIDS:
        return Kind.GRID
    return Kind.TIME if figure.columns[0].unit is Unit.STEP else Kind.BARS


def drawn(figure: Figure) -> tuple[int, ...]:
    """The columns that the chart is of, the main one first."""
    if figure.key in _DRAWN:
        return _DRAWN[figure.key]
    names = naming(figure)
    numbers = [each for each in range(len(figure.columns)) if each not in names]
    shares = [each for each in numbers if figure.columns[each].unit is Unit.SHARE]
    return (shares[-1] if shares else numbers[0],)


def axes(figure: Figure) -> tuple[int, int]:
    """The columns of a grid that say what stands below each other, and what beside."""
    return _GRIDS[figure.key]


def naming(figure: Figure) -> tuple[int, ...]:
    """The columns that say what a row is of: those of a grid, or all names in front."""
    if figure.key in _GRIDS:
        return tuple(sorted(_GRIDS[figure.key]))
    count = 0
    while count < len(figure.columns) and figure.columns[count].unit in _NAMES:
        count += 1
    return tuple(range(count))


def is_too_short(table: Table) -> bool:
    """Whether the period is too short for anybody to have come back in another month of it."""
    _down, across = _GRIDS[_COHORTS]
    first, last = (first_of_step(on, Step.MONTH) for on in (table.scope.from_on, table.scope.until_on))
    return table.figure.key == _COHORTS and first == last and not any(row[across] for row in table.rows)


def is_added(figure: Figure, column: int) -> bool:
    """Whether the rows of a column come to a sum that means something."""
    return figure.columns[column].total is True


def step(table: Table) -> Step:
    """What the dates of the first column are the first days of."""
    return Step.WEEK if table.figure.key in _OF_WEEKS else table.scope.cut


def shown(table: Table, row: int, column: int) -> str:
    """A value of the table in words."""
    return in_unit(table, table.rows[row][column], column)


def in_unit(table: Table, value: object, column: int) -> str:
    """A value in words as those of a column read."""
    unit = table.figure.columns[column].unit
    return words.shown(value, unit, currency=table.currency, step=step(table))


def name_of(table: Table, row: int) -> str:
    """What a row is of: Dr. Roth, or Monday, 09:00. A number says what it counts."""
    there = [each for each in naming(table.figure) if table.rows[row][each] is not None]
    return ", ".join(
        shown(table, row, each)
        if table.figure.columns[each].unit in _NAMES
        else f"{heading(table, each)}: {shown(table, row, each)}"
        for each in there
    )


def bars(table: Table) -> list[Bar]:
    """The rows that have a value; where there are many the first of them, and what all others come to."""
    column = drawn(table.figure)[0]
    there = [number for number, row in enumerate(table.rows) if row[column] is not None]
    most = MOST if kind(table.figure) is Kind.BARS else len(there)
    first, rest = there[:most], there[most:]
    found = [
        Bar(name_of(table, each), table.rows[each][column], shown(table, each, column), each)
        for each in first
    ]
    if rest and is_added(table.figure, column):
        whole = sum(table.rows[each][column] for each in rest)
        name = ngettext("{count} other", "{count} others", len(rest)).format(count=len(rest))
        found.append(Bar(name, whole, in_unit(table, whole, column), None))
    return found


def left_out(table: Table) -> int:
    """How many rows the chart has no bar for: they have no sum, and stand in the table."""
    column = drawn(table.figure)[0]
    there = sum(row[column] is not None for row in table.rows)
    is_whole = is_added(table.figure, column) or kind(table.figure) is not Kind.BARS
    return 0 if is_whole else max(0, there - MOST)


def total(table: Table, column: int) -> str:
    """What all rows of a column come to, in words."""
    return in_unit(table, table.figure.total(table.rows)[column], column)


def total_shown(table: Table) -> list[str] | None:
    """What stands below the rows, in words: nothing in the columns of names but the first."""
    whole = table.total
    if whole is None:
        return None
    names = naming(table.figure)
    found = [in_unit(table, value, column) for column, value in enumerate(whole)]
    return [
        _(words.TOTAL) if column == 0 else "" if column in names else said
        for column, said in enumerate(found)
    ]


def heading(table: Table, column: int) -> str:
    return _(table.figure.columns[column].name)
