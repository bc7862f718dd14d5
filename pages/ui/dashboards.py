"""A page of figures: the bar that narrows them, their PDF, and one after the other."""

from collections.abc import Iterable
from datetime import date

import streamlit as st

from core import clinics, clock, figure_dashboards, figure_filters, figures
from core.access import Actor
from core.analytics import addresses
from core.analytics.scopes import Scope
from core.figure_charts import Kind, kind
from core.figures import Table
from core.i18n import _
from pages.ui.downloads import download, say_if_none
from pages.ui.figure_filters import Bar, filter_bar
from pages.ui.figure_views import shown
from pages.ui.figures import show
from pages.ui.refusals import reading


def dashboard(actor: Actor, name: str, *, doctor_id: int | None = None) -> None:
    """The title and all figures of a page, of the clinic or of `doctor_id` alone."""
    st.title(_(figure_dashboards.TITLES[name]))
    with reading() as session:
        known = figure_filters.filters(session, actor, doctor_id=doctor_id)
        today = clock.now().astimezone(clinics.zone(session)).date()
    scope = filter_bar(Bar(known, today, doctor_id))
    links(name, scope)
    show_all(actor, name, scope)


def links(name: str, scope: Scope) -> None:
    """All figures of the page as a PDF, and on paper the report of a whole month where one is chosen."""
    with st.container(horizontal=True):
        download(_("All of this page (PDF)"), f"/files/figures/{name}.pdf?{addresses.encoded(scope)}")
        if name == "revenue" and (month := _whole_month(scope)):
            download(_("Report of the month (PDF)"), f"/files/months/{month:%Y-%m}.pdf")
        say_if_none()


def show_all(actor: Actor, name: str, scope: Scope) -> None:
    """What goes over time or is a grid has the whole width, and of the others two stand beside each other."""
    for row in _rows(shown(name, scope, lambda: _read(actor, name, scope))):
        for column, table in zip(st.columns(len(row)), row, strict=True):
            with column:
                show(table, actor)


def _read(actor: Actor, name: str, scope: Scope) -> list[Table]:
    with reading() as session:
        wanted = figure_dashboards.figures_of(name)
        return [figures.read(session, actor, key=figure.key, scope=scope) for figure in wanted]


def _rows(tables: Iterable[Table]) -> list[list[Table]]:
    """Bars stand two and two, where there are two after each other; whatever else has a row of its own."""
    rows: list[list[Table]] = []
    for table in tables:
        is_beside = rows and len(rows[-1]) == 1 and _is_of_bars(rows[-1][0])
        if is_beside and _is_of_bars(table):
            rows[-1].append(table)
        else:
            rows.append([table])
    return rows


def _is_of_bars(table: Table) -> bool:
    return kind(table.figure) is Kind.BARS


def _whole_month(scope: Scope) -> date | None:
    """The month, if the days are those of one; the report is of the clinic as a whole."""
    is_whole = scope.from_on.day == 1 and not scope.filters
    is_one = (scope.until_on.year, scope.until_on.month) == (scope.from_on.year, scope.from_on.month)
    return scope.from_on if is_whole and is_one else None
