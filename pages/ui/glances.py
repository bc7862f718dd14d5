"""The clinic at a glance: cards with what they are compared with."""

from typing import Any, Literal

import streamlit as st

from core import figure_charts
from core.analytics.shapes import Unit
from core.figures import Table
from core.i18n import _, decimal
from pages.ui.figures import file_links, heading
from pages.ui.words import plain

_BAD_WHEN_MORE = ("No-shows", "Waiting time")


def compared_cards(table: Table) -> None:
    """A row of cards for each period, and below each card how it is against the period before."""
    with st.container(border=True, key="overview_compared"):
        heading(table, "overview_compared")
        for now in range(0, len(table.rows), 2):
            names = [figure_charts.name_of(table, row) for row in (now, now + 1)]
            st.subheader(names[0], anchor=False)
            with st.container(horizontal=True):
                for column in _money_last(table, 1):
                    _card(table, now, column, names[1])
        file_links(table)


def open_cards(table: Table) -> None:
    """What waits to be dealt with, which is compared with nothing."""
    with st.container(border=True, key="overview_open"):
        heading(table, "overview_open")
        with st.container(horizontal=True):
            for column in _money_last(table, 0):
                value = plain(figure_charts.shown(table, 0, column))
                st.metric(
                    figure_charts.heading(table, column), value, border=True, width=_width(table, column)
                )
        file_links(table)


def _card(table: Table, row: int, column: int, before: str) -> None:
    earlier = figure_charts.shown(table, row + 1, column)
    is_bad = table.figure.columns[column].name in _BAD_WHEN_MORE
    change = _change(table, row, column)
    shown: dict[str, Any] = {"delta_color": "inverse" if is_bad else "normal"}
    if change in {None, 0}:
        shown = {"delta_color": "off", "delta_arrow": "off"}
    with st.container(width=_width(table, column)):
        st.metric(
            figure_charts.heading(table, column),
            plain(figure_charts.shown(table, row, column)),
            None if change is None else _signed(table, change, column),
            border=True,
            height=130,
            **shown,
        )
        st.caption(plain(f"{before}: {earlier}"))


def _money_last(table: Table, first: int) -> list[int]:
    """The columns from `first` on; money needs more room, which a phone gives it below the others."""
    columns = range(first, len(table.figure.columns))
    return sorted(columns, key=lambda column: table.figure.columns[column].unit is Unit.MONEY)


def _width(table: Table, column: int) -> int | Literal["stretch"]:
    return 250 if table.figure.columns[column].unit is Unit.MONEY else "stretch"


def _change(table: Table, row: int, column: int) -> float | None:
    """From the period before to this one; none at all where both read the same."""
    now, before = table.rows[row][column], table.rows[row + 1][column]
    if now is None or before is None:
        return None
    is_same = figure_charts.shown(table, row, column) == figure_charts.shown(table, row + 1, column)
    change: float = 0 if is_same else now - before
    return change


def _signed(table: Table, change: float, column: int) -> str:
    """A change with its sign; of shares in points, as a percentage of a percentage could be either."""
    sign = "-" if change < 0 else "+" if change > 0 else ""
    if table.figure.columns[column].unit is Unit.SHARE:
        return sign + _("{points} points").format(points=decimal(abs(change) * 100, 1))
    return sign + figure_charts.in_unit(table, abs(change), column)
