"""What a chart shows, in one sentence for those who see it and those who do not."""

from core import figure_charts
from core.figure_charts import Kind
from core.figures import Table
from core.i18n import _


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
    said = {"what": figure_charts.heading(table, column), "name": most.name, "value": most.shown}
    if len(found) == 1:
        return _("{what}: {name}, {value}.").format(**said)
    if figure_charts.is_added(table.figure):
        total = figure_charts.total(table, column)
        return _("{what}: most is {name}, with {value} of {total}.").format(total=total, **said)
    return _highest(table, column, most.row or 0)


def _over_time(table: Table) -> str:
    column = figure_charts.drawn(table.figure)[0]
    most = _most(table, column)
    if not figure_charts.is_added(table.figure):
        return _highest(table, column, most)
    said = {
        "what": figure_charts.heading(table, column),
        "total": figure_charts.total(table, column),
        "name": figure_charts.name_of(table, most),
        "value": figure_charts.shown(table, most, column),
    }
    if len(table.rows) == 1:
        return _("{what}: {name}, {value}.").format(**said)
    return _("{what}: {total} in all; most in the step from {name}, with {value}.").format(**said)


def _of_cells(table: Table) -> str:
    column = figure_charts.drawn(table.figure)[0]
    return _highest(table, column, _most(table, column))


def _highest(table: Table, column: int, most: int) -> str:
    """Where a share or a length of time is highest and lowest."""
    there = [number for number, row in enumerate(table.rows) if row[column] is not None]
    least = min(there, key=lambda number: table.rows[number][column])
    said = {
        "what": figure_charts.heading(table, column),
        "name": figure_charts.name_of(table, most),
        "value": figure_charts.shown(table, most, column),
    }
    if table.rows[least][column] == table.rows[most][column]:
        return _("{what}: {name}, {value}.").format(**said)
    return _("{what}: highest for {name}, {value}; lowest for {other}, {least}.").format(
        other=figure_charts.name_of(table, least), least=figure_charts.shown(table, least, column), **said
    )


def _most(table: Table, column: int) -> int:
    there = [number for number, row in enumerate(table.rows) if row[column] is not None]
    return max(there, key=lambda number: table.rows[number][column])


_FINDINGS = {
    Kind.BARS: _of_bars,
    Kind.TIME: _over_time,
    Kind.GRID: _of_cells,
}
