"""Figures on paper: those of a page with their definitions, charts and tables."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from collections.abc import Iterable

from reportlab.lib.units import mm
from reportlab.platypus.flowables import Flowable
from sqlalchemy.orm import Session

from core import access, figure_charts, figure_dashboards, figure_filters, figures, letterheads, pdfs
from core.access import Action, Actor
from core.analytics.scopes import Scope
from core.figure_charts import Kind
from core.figures import Table
from core.i18n import _
from core.pdf_charts import Bar, Bars
from core.pdf_pages import Document, Sheet

_MOST_BARS = 62  # two months of days; of more the table alone tells
_NAME_MM, _NUMBER_MM = 30, 27
_FINE = 1000  # bars are drawn in whole numbers, and shares are less than one


def to_print(session: Session, actor: Actor, *, name: str, scope: Scope) -> Document:
    """The figures of a page, or the one of a key, on paper. Raises `AccessDenied`, `NotFound`."""
    access.require(actor, Action.SEE_FIGURES, doctor_id=scope.doctor_id)
    title, wanted = figure_dashboards.named(name)
    known = figure_filters.filters(session, actor, doctor_id=scope.doctor_id)
    sheet = letterheads.sheet(session)
    story = [
        *pdfs.letterhead(sheet),
        pdfs.title(_(title)),
        pdfs.words(figure_filters.in_words(scope, known)),
    ]
    tables = [figures.read(session, actor, key=figure.key, scope=scope) for figure in wanted]
    return Document([*story, *parts(tables, sheet)], sheet, _(title))


def parts(tables: Iterable[Table], sheet: Sheet) -> list[Flowable]:
    """Figures, each with what it means, its chart and its rows; what several mean is said once."""
    found: list[Flowable] = []
    said: set[str] = set()
    for table in tables:
        found += _part(table, sheet, is_defined=table.figure.definition in said)
        said.add(table.figure.definition)
    return found


def _part(table: Table, sheet: Sheet, *, is_defined: bool) -> list[Flowable]:
    meaning = _("As defined above.") if is_defined else _(table.figure.definition)
    head = [pdfs.heading(_(table.figure.title)), pdfs.note(meaning), pdfs.gap(2)]
    if not table.rows:
        return [*head, pdfs.words(_("There is nothing to show for this period."))]
    if figure_charts.is_too_short(table):
        return [*head, pdfs.words(_(figure_charts.TOO_SHORT))]
    return [*head, *_chart(table, sheet), pdfs.gap(2), _rows(table, sheet)]


def _chart(table: Table, sheet: Sheet) -> list[Flowable]:
    kind = figure_charts.kind(table.figure)
    if kind is Kind.CARDS:
        return []
    if kind is Kind.GRID:
        return [_grid(table, sheet)]
    found = figure_charts.bars(table)
    if not 0 < len(found) <= _MOST_BARS:
        return []
    heading = figure_charts.heading(table, figure_charts.drawn(table.figure)[0])
    said = "; ".join(f"{bar.name}: {bar.shown}" for bar in found)
    drawn = [Bar(bar.name, round(bar.value * _FINE), bar.shown) for bar in found]
    return [pdfs.part(heading), Bars(drawn, f"{_(table.figure.title)}. {heading}. {said}")]


def _grid(table: Table, sheet: Sheet) -> Flowable:
    """The chart's column with what it is of above and beside it."""
    down, across = figure_charts.axes(table.figure)
    value = figure_charts.drawn(table.figure)[0]
    cells = {
        (row[down], row[across]): figure_charts.shown(table, number, value)
        for number, row in enumerate(table.rows)
    }
    lines, columns = (sorted({key[place] for key in cells}) for place in (0, 1))
    width = (sheet.width / mm - _NAME_MM) / len(columns)
    return pdfs.table(
        ("", *(figure_charts.in_unit(table, each, across) for each in columns)),
        [
            (figure_charts.in_unit(table, line, down), *(cells.get((line, each), "") for each in columns))
            for line in lines
        ],
        (_NAME_MM, *(width for _each in columns)),
        amounts=tuple(range(1, len(columns) + 1)),
    )


def _rows(table: Table, sheet: Sheet) -> Flowable:
    columns = range(len(table.figure.columns))
    names = figure_charts.naming(table.figure)
    numbers = [column for column in columns if column not in names]
    width = min(_NUMBER_MM, (sheet.width / mm - _NAME_MM) / max(len(numbers), 1))
    return pdfs.table(
        [figure_charts.heading(table, column) for column in columns],
        [
            [figure_charts.shown(table, number, column) for column in columns]
            for number in range(len(table.rows))
        ],
        [None if column in names else width for column in columns],
        amounts=numbers,
        total=figure_charts.total_shown(table),
    )
