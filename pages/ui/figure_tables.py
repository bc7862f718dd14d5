"""The rows of a figure as a table that sorts, and in bold below them what they come to."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core import figure_charts, figure_rows
from core.analytics import words
from core.analytics.shapes import Unit
from core.figures import Table
from core.i18n import _
from pages.ui.figure_views import keep_shown

_WHOLE = (Unit.COUNT, Unit.WEEKDAY, Unit.HOUR)  # numbers that a column with a gap in it makes floats of
_IN_SIGHT = 15  # lines, so that a year has its total below it; longer tables scroll


def rows_table(table: Table, *, key: str) -> int | None:
    """The rows, which sort by what they are and not by how it reads; the one that is chosen, if any is."""
    has_visits = any(figure_rows.wanted(table, row) for row in range(len(table.rows)))
    options: dict[str, Any] = {"on_select": keep_shown, "selection_mode": "single-row"} if has_visits else {}
    chosen = st.dataframe(
        _styled(table),
        hide_index=True,
        width="stretch",
        height="content" if len(table.rows) < _IN_SIGHT else "auto",
        placeholder=words.NOTHING,
        key=key,
        alt=_(table.figure.title),
        **options,
    )
    if has_visits:
        st.caption(_("Choose a row, or a bar of the chart, to see the visits behind it."))
    rows = chosen.selection.rows if has_visits else []
    return rows[0] if rows else None


def _styled(table: Table) -> Any:
    headings = [_(column.name) for column in table.figure.columns]
    readings: dict[Any, Callable[[Any], str]] = {
        name: _reading(table, number) for number, name in enumerate(headings)
    }
    total = table.total
    if total is None:
        return pd.DataFrame(table.rows, columns=headings).style.format(readings)
    names = [_in_order(row[0]) for row in table.rows]
    said = {name: figure_charts.shown(table, row, 0) for row, name in enumerate(names)}
    readings[headings[0]] = lambda name: said.get(name, name)
    rows = [(name, *row[1:]) for name, row in zip(names, table.rows, strict=True)]
    frame = pd.DataFrame([*rows, (_(words.TOTAL), *total[1:])], columns=headings)
    is_bold = {"font-weight": "bold"}
    return frame.style.format(readings).set_properties(subset=([len(rows)], headings), **is_bold)


def _in_order(name: Any) -> str:
    """What a row is of as letters that sort as it does, so that the word for the total stands beside it."""
    if isinstance(name, date):
        return name.isoformat()
    return f"{name:02}" if isinstance(name, int) else str(name)


def _reading(table: Table, column: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        is_nothing = value is None or (isinstance(value, float) and value != value)
        if is_nothing:
            return words.NOTHING
        is_whole = isinstance(value, float) and table.figure.columns[column].unit in _WHOLE
        return figure_charts.in_unit(table, int(value) if is_whole else value, column)

    return read
