"""A figure on the screen: what it says and means, its chart, table and file, and the visits behind it."""

import streamlit as st

from core import figure_charts, figure_rows
from core.access import Actor
from core.analytics import addresses
from core.figure_charts import Kind
from core.figures import Table
from core.i18n import _, ngettext
from pages.ui.downloads import download
from pages.ui.figure_plots import draw
from pages.ui.figure_tables import rows_table
from pages.ui.figure_visits import show_visits
from pages.ui.figure_words import finding, is_blank, is_empty
from pages.ui.words import plain


def show(table: Table, actor: Actor) -> None:
    """All of a figure: what cannot be drawn has its table, and where there is nothing, one sentence."""
    key = f"figures_{table.figure.key}"
    with st.container(border=True, key=key):
        heading(table, key)
        if is_blank(table):
            st.info(_("There is nothing to show for this period."), icon=":material/bar_chart_off:")
            return
        if figure_charts.is_too_short(table):
            st.info(_(figure_charts.TOO_SHORT), icon=":material/date_range:")
            return
        view = f"{key}_{addresses.encoded(table.scope)}"
        if is_empty(table):
            st.info(_("There is nothing to draw for this period: see the table."), icon=":material/table:")
            row = rows_table(table, key=f"{view}_rows")
        else:
            row = _chart_and_rows(table, view=view, tabs=f"{key}_tabs")
        if row is not None:
            show_visits(actor, table, row)
        file_links(table)


def _chart_and_rows(table: Table, *, view: str, tabs: str) -> int | None:
    """The chart and behind it the table; the row that is chosen in either, if any is."""
    said = finding(table)
    st.markdown(plain(said))
    chart, rows = st.tabs([_("Chart"), _("Table")], key=tabs)
    with chart:
        clicked = draw(table, key=f"{view}_chart", alt=f"{_(table.figure.title)}. {said}")
        _say_what_is_left_out(table)
    with rows:
        chosen = rows_table(table, key=f"{view}_rows")
    return chosen if clicked is None else clicked


def heading(table: Table, key: str) -> None:
    """The title, and behind a button what it means."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(_(table.figure.title), anchor=False, width="content")
        with st.popover(_("What is this?"), icon=":material/info:", type="tertiary", key=f"{key}_meaning"):
            st.markdown(plain(_(table.figure.definition)))


def file_links(table: Table) -> None:
    """The figure to take along: as a table for a spreadsheet, and on paper."""
    view = addresses.encoded(table.scope)
    with st.container(horizontal=True):
        download(_("CSV"), f"/files/figures/{table.figure.key}.csv?{view}")
        download(_("PDF"), f"/files/figures/{table.figure.key}.pdf?{view}")


def _say_what_is_left_out(table: Table) -> None:
    count = figure_charts.left_out(table)
    if count:
        said = ngettext("{count} more is in the table.", "{count} more are in the table.", count)
        st.caption(said.format(count=count))
    elif any(figure_rows.is_hidden(table, row) for row in range(len(table.rows))):
        st.caption(_("Fewer than five patients are not shown: they could be known by it."))
    elif figure_charts.kind(table.figure) is Kind.BARS and len(table.rows) > figure_charts.MOST:
        st.caption(_("All of them are in the table."))
