"""Charts of figures as Plotly draws them, in colours that everybody tells apart on light and on dark."""

import textwrap
from html import escape
from typing import Any

import streamlit as st

from core import clinics, figure_charts
from core.analytics.shapes import Unit
from core.figure_charts import Kind
from core.figures import Table
from core.i18n import decimal, percent, weekday
from pages.ui.figure_views import keep_shown

# Of Okabe and Ito's palette those that stand out by 3 to 1 from white and from the dark ground.
_COLORS = ("#0072b2", "#d55e00", "#009e73")
_DASHES = ("solid", "dash", "dot")
_SYMBOLS = ("circle", "square", "diamond")
_BLACK, _WHITE, _LIGHT = "#000000", "#ffffff", 0.47  # from which share of Cividis on black stands out better
_MANY = 8  # columns beside each other, from which on a phone has no room for more than two digits
_WIDE, _LINES = 20, 2  # letters of a name in a line, and lines of it
_TICKS, _ROW, _TIME = 5, 30, 300  # pixels
_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "responsive": True}
Plot = dict[str, Any]


def draw(table: Table, *, key: str, alt: str) -> int | None:
    """Draw the chart; the number of the row that was clicked, if one is."""
    plot = _PLOTS[figure_charts.kind(table.figure)](table)
    _make_legible(plot)
    chosen = st.plotly_chart(
        plot, key=key, alt=alt, on_select=keep_shown, selection_mode="points", config=_CONFIG
    )
    points = chosen.selection.points  # type: ignore[union-attr]
    row = points[0].get("customdata") if points else None
    number = row[0] if isinstance(row, list) and row else row
    return number if isinstance(number, int) else None


def _make_legible(plot: Plot) -> None:
    """Words as dark, or on a dark ground as light, as others: Streamlit has them in a pale grey."""
    color = st.get_option(f"theme.{st.context.theme.type or 'light'}.textColor")
    font = {"color": color, "size": 13}
    for axis in ("xaxis", "yaxis"):
        plot["layout"][axis] |= {"tickfont": font}
        if "title" in plot["layout"][axis]:
            plot["layout"][axis]["title"] |= {"font": font}
    plot["layout"] |= {"font": font}
    for trace in plot["data"]:
        if trace.get("textposition") == "outside":
            trace["textfont"] = font
            trace["selected"] = {"textfont": {"color": color}}  # Plotly breaks where only one of both is said
            trace["unselected"] = {"marker": {"opacity": 0.4}, "textfont": {"color": color}}


def _bars(table: Table) -> Plot:
    """Bars from left to right below each other: their names have room there."""
    found = figure_charts.bars(table)
    names = [_wrapped(bar.name) for bar in found]
    values = [bar.value for bar in found]
    low, high = min(0, *values), max(0, *values)
    room = (high - low or 1) * 0.6  # for what stands beside bars, on a phone too
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(found))),
        "text": [_as_text(bar.shown) for bar in found],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [[bar.row] for bar in found],
        "hovertext": names,
        "hovertemplate": "%{hovertext}: %{text}<extra></extra>",
        "marker": {"color": _COLORS[0]},
    }
    lines = sum(1 + name.count("<br>") * 0.4 for name in names)
    value_axis = {"visible": False, "fixedrange": True}
    value_axis["range"] = [low - (room if low < 0 else 0), high + room]
    name_axis = _axis(names) | {"range": [len(found) - 0.5, -0.5]}
    return _plot([bars], round(lines * _ROW) + 24, value_axis, name_axis, bargap=0.35)


def _over_time(table: Table) -> Plot:
    """The main column as bars, what stands beside it as lines."""
    columns = figure_charts.drawn(table.figure)
    names = [_as_text(figure_charts.name_of(table, number)) for number in range(len(table.rows))]
    few = max(1, -(-len(names) // _TICKS))
    unit = table.figure.columns[columns[0]].unit
    highest = max((row[column] or 0 for row in table.rows for column in columns), default=0)
    marks = _ticks(unit, highest, table.currency)
    step_axis = _axis(names, few) | {"range": [-0.6, len(names) - 0.4]}
    value_axis = {
        "tickvals": [value for value, _text in marks],
        "ticktext": [text for _value, text in marks],
        "range": [0, marks[-1][0] * 1.05],
        "automargin": True,
        "fixedrange": True,
    }
    series = [_series(table, column, order, names) for order, column in enumerate(columns)]
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    return _plot(series, _TIME, step_axis, value_axis, bargap=0.25, legend=legend, showlegend=len(series) > 1)


def _series(table: Table, column: int, order: int, names: list[str]) -> Plot:
    heading = figure_charts.heading(table, column)
    series: Plot = {
        "name": heading,
        "x": list(range(len(names))),
        "y": [row[column] for row in table.rows],
        "customdata": [[number] for number in range(len(names))],
        "hovertext": [
            f"{name}: {_as_text(figure_charts.shown(table, number, column))}"
            for number, name in enumerate(names)
        ],
        "hovertemplate": f"{_as_text(heading)}, %{{hovertext}}<extra></extra>",
    }
    if order == 0:
        return series | {"type": "bar", "marker": {"color": _COLORS[0]}}
    return series | {
        "type": "scatter",
        "mode": "lines+markers",
        "line": {"color": _COLORS[order], "dash": _DASHES[order], "width": 2},
        "marker": {"color": _COLORS[order], "symbol": _SYMBOLS[order], "size": 7},
    }


def _grid(table: Table) -> Plot:
    """Cells in the colours of Cividis, each with its value; above them lies what can be clicked."""
    down, across = figure_charts.axes(table.figure)
    column = figure_charts.drawn(table.figure)[0]
    lines, columns = (sorted({row[axis] for row in table.rows}) for axis in (down, across))
    values: list[list[float | None]] = [[None] * len(columns) for _line in lines]
    places = [(lines.index(row[down]), columns.index(row[across])) for row in table.rows]
    for (line, place), row in zip(places, table.rows, strict=True):
        values[line][place] = row[column]
    cells = {
        "type": "heatmap",
        "z": values,
        "zmin": 0,
        "zmax": max((row[column] or 0 for row in table.rows), default=0) or 1,
        "colorscale": "Cividis",
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverinfo": "skip",
    }
    is_counted = table.figure.columns[across].unit is Unit.COUNT
    across_axis = _axis([_short(table, each, across) for each in columns])
    beside = {"text": figure_charts.heading(table, across), "standoff": 12}
    across_axis |= {"title": beside} if is_counted else {"side": "top"}
    down_axis = _axis([figure_charts.in_unit(table, each, down) for each in lines])
    down_axis["range"] = [len(lines) - 0.5, -0.5]
    return _plot([cells, _over_cells(table, column, places)], len(lines) * 28 + 80, across_axis, down_axis)


def _over_cells(table: Table, column: int, places: list[tuple[int, int]]) -> Plot:
    """The values, which can be clicked: Plotly chooses no cells, nor words that stand out from them."""
    shares = [row[column] or 0 for row in table.rows]
    highest = max(shares, default=0) or 1
    rows = range(len(places))
    is_narrow = max((across for _down, across in places), default=0) >= _MANY
    values = ["" if row[column] is None else percent(round(row[column] * 100)) for row in table.rows]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [across for _down, across in places],
        "y": [down for down, _across in places],
        "text": [value.rstrip("%") for value in values] if is_narrow else values,
        "textfont": {
            "color": [_BLACK if each / highest > _LIGHT else _WHITE for each in shares],
            "size": 9 if is_narrow else 12,
        },
        "customdata": [[row] for row in rows],
        "hovertext": [
            f"{figure_charts.name_of(table, row)}: {figure_charts.shown(table, row, column)}" for row in rows
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"size": 24, "opacity": 0, "symbol": "square"},
    }


def _plot(data: list[Plot], height: int, x_axis: Plot, y_axis: Plot, **more: Any) -> Plot:
    margin = {"l": 0, "r": 8, "t": 8, "b": 8}
    axes = {"xaxis": x_axis, "yaxis": y_axis}
    return {
        "data": data,
        "layout": {"height": height, "margin": margin, "dragmode": False, "showlegend": False} | axes | more,
    }


def _axis(names: list[str], every: int = 1) -> Plot:
    """An axis along which something stands at each whole number, every so many of them with its name."""
    return {
        "tickvals": list(range(0, len(names), every)),
        "ticktext": names[::every],
        "automargin": True,
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
    }


def _short(table: Table, value: Any, column: int) -> str:
    is_weekday = table.figure.columns[column].unit is Unit.WEEKDAY
    return weekday(value) if is_weekday else figure_charts.in_unit(table, value, column)


def _ticks(unit: Unit, highest: float, currency: str) -> list[tuple[float, str]]:
    """Round values from nothing to the highest, and how they read in a narrow margin."""
    scale = {
        Unit.MONEY: 10 ** clinics.decimals(currency),
        Unit.HOURS: 3600,
        Unit.MINUTES: 60,
        Unit.SHARE: 0.01,
    }.get(unit, 1)
    step = _round_step(highest / scale / 4)
    count = max(1, -(-int(highest / scale * 1000) // int(step * 1000)))
    marks = [place * step for place in range(count + 1)]
    if unit is Unit.SHARE:
        return [(mark * scale, percent(round(mark))) for mark in marks]
    return [(mark * scale, decimal(mark, 0)) for mark in marks]


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, not below `least` and not below 1."""
    size = 1
    while True:
        for each in (1, 2, 5):
            if each * size >= least:
                return each * size
        size *= 10


def _wrapped(name: str) -> str:
    """A name in short lines."""
    lines = textwrap.wrap(name, _WIDE) or [""]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], f"{lines[_LINES - 1][: _WIDE - 1]}…"]
    return "<br>".join(map(_as_text, lines))


def _as_text(words: str) -> str:
    """Words that stay words: Plotly reads markup."""
    return escape(words, quote=False)


_PLOTS = {Kind.BARS: _bars, Kind.TIME: _over_time, Kind.GRID: _grid}
