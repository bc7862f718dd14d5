"""What a chart shows, in one sentence for those who see it and those who do not."""

from collections.abc import Sequence

from core import figure_charts
from core.analytics.scopes import Step
from core.analytics.shapes import Unit
from core.bidi import is_turning, isolated
from core.figure_charts import Kind
from core.figures import Table
from core.i18n import N_, _

_MOST = {
    Step.DAY: N_("{what}: {total} in all; most on {name}, with {value}."),
    Step.WEEK: N_("{what}: {total} in all; most in the week from {name}, with {value}."),
    Step.MONTH: N_("{what}: {total} in all; most in {name}, with {value}."),
}


def is_blank(table: Table) -> bool:
    """Whether no number of the table says anything."""
    names = figure_charts.naming(table.figure)
    return not any(value for row in table.rows for place, value in enumerate(row) if place not in names)


def is_empty(table: Table) -> bool:
    """Whether no chart of the table would show anything."""
    columns = figure_charts.drawn(table.figure)
    return not any(row[column] for row in table.rows for column in columns)


def finding(table: Table) -> str:
    """What stands out in the main column of a figure that is not empty."""
    return _FINDINGS[figure_charts.kind(table.figure)](table)


def _of_bars(table: Table) -> str:
    column = figure_charts.drawn(table.figure)[0]
    found = [bar for bar in figure_charts.bars(table) if bar.row is not None]
    most = max(found, key=lambda bar: bar.value)
    said = {"what": figure_charts.heading(table, column), "name": _kept_apart(most.name), "value": most.shown}
    if len(found) == 1:
        return _("{what}: {name}, {value}.").format(**said)
    if figure_charts.is_added(table.figure, column):
        total = figure_charts.total(table, column)
        return _("{what}: most is {name}, with {value} of {total}.").format(total=total, **said)
    return _highest(table, column, _there(table, column))


def _over_time(table: Table) -> str:
    """Of the main column, or of the first beside it that has anything in it."""
    columns = figure_charts.drawn(table.figure)
    column = next(each for each in columns if any(row[each] for row in table.rows))
    there = _there(table, column)
    most = _most(table, column, there)
    if not figure_charts.is_added(table.figure, column) or len(there) < len(table.rows):
        return _highest(table, column, there)
    said = {
        "what": figure_charts.heading(table, column),
        "total": figure_charts.total(table, column),
        "name": _kept_apart(figure_charts.name_of(table, most)),
        "value": figure_charts.shown(table, most, column),
    }
    if len(there) == 1:
        return _("{what}: {name}, {value}.").format(**said)
    return _(_MOST[figure_charts.step(table)]).format(**said)


def _of_cells(table: Table) -> str:
    """Of the months in which patients come back, but for the first, in which all of them came."""
    column, (_down, across) = figure_charts.drawn(table.figure)[0], figure_charts.axes(table.figure)
    there = _there(table, column)
    counts_up = table.figure.columns[across].unit is Unit.COUNT
    later = [row for row in there if table.rows[row][across] or not counts_up]
    return _highest(table, column, later or there)


def _highest(table: Table, column: int, there: Sequence[int]) -> str:
    """Where a share or a length of time is highest and lowest."""
    most = _most(table, column, there)
    least = min(there, key=lambda number: table.rows[number][column])
    said = {
        "what": figure_charts.heading(table, column),
        "name": _kept_apart(figure_charts.name_of(table, most)),
        "value": figure_charts.shown(table, most, column),
    }
    if table.rows[least][column] == table.rows[most][column]:
        return _("{what}: {name}, {value}.").format(**said)
    return _("{what}: highest for {name}, {value}; lowest for {other}, {least}.").format(
        other=_kept_apart(figure_charts.name_of(table, least)),
        least=figure_charts.shown(table, least, column),
        **said,
    )


def _kept_apart(name: str) -> str:
    """A name that turns no number beside it round."""
    return isolated(name) if is_turning(name) else name


def _there(table: Table, column: int) -> list[int]:
    """The rows that have a value: of the others there is nothing to say, or too few to say it of."""
    return [number for number, row in enumerate(table.rows) if row[column] is not None]


def _most(table: Table, column: int, there: Sequence[int]) -> int:
    return max(there, key=lambda number: table.rows[number][column])


_FINDINGS = {
    Kind.BARS: _of_bars,
    Kind.TIME: _over_time,
    Kind.GRID: _of_cells,
}
