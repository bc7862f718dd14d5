"""The visits behind a bar or a row that was chosen, as a table."""

from urllib.parse import urlencode

import streamlit as st

from core import clinics, figure_charts, figure_lists, figure_rows
from core.access import Actor
from core.analytics import addresses
from core.figure_lists import Listed
from core.figures import Table
from core.i18n import _, clock_time, decimal, money, ngettext, short_date
from pages.ui.downloads import download
from pages.ui.refusals import reading
from pages.ui.words import STATUS, plain


def show_visits(actor: Actor, table: Table, row: int) -> None:
    """The visits behind a row of a figure, so far as whoever looks may see them."""
    wanted = figure_rows.wanted(table, row)
    if wanted is None:
        is_hidden = figure_rows.is_hidden(table, row)
        none, few = _("There is no list of visits behind this one."), _("So few patients are not listed.")
        st.caption(few if is_hidden else none)
        return
    with reading() as session:
        found = figure_lists.read(session, actor, table=table, wanted=wanted)
        zone = clinics.zone(session)
    name = figure_charts.name_of(table, row)
    st.markdown(f"**{plain(_('Visits behind {name}').format(name=name))}**")
    st.caption(plain(_in_all(table, found)))
    if not found.is_whole:
        _file_link(table, row, found)
    if not found.visits:
        return
    (when, whose, *others), headings = figure_lists.names(), figure_lists.headings(table, found)
    lines = []
    for visit in found.visits:
        begins = f"{short_date(visit.starts_at.astimezone(zone).date())}, {clock_time(visit.starts_at, zone)}"
        amounts = [money(minor, table.currency) for minor in figure_lists.parts(found, visit)]
        more = (visit.doctor, visit.service, _(STATUS[visit.status][0]))
        lines.append(
            {when: begins, whose: visit.patient}
            | dict(zip(headings, amounts, strict=True))  # in sight beside the bar
            | dict(zip(others, more, strict=True))
        )
    alt = _("Visits behind {name}").format(name=name)
    st.dataframe(lines, hide_index=True, width="stretch", alt=alt)


def _file_link(table: Table, row: int, found: Listed) -> None:
    """A file of all visits, or of as many as a file has."""
    of = urlencode({**addresses.query(table.scope), "row": figure_rows.mark(table, row)})
    label = _("All of these visits (CSV)")
    if found.in_all > figure_lists.EXPORTED:
        most = decimal(figure_lists.EXPORTED, 0)
        label = _("The first {count} of these visits (CSV)").format(count=most)
    download(label, f"/files/figures/{table.figure.key}/visits.csv?{of}")


def _in_all(table: Table, found: Listed) -> str:
    """How many there are, and where all are listed what they come to."""
    if not found.is_whole:
        told = ngettext(
            "The first {count} of {all} visit.", "The first {count} of {all} visits.", found.in_all
        )
        return told.format(count=decimal(len(found.visits), 0), all=decimal(found.in_all, 0))
    count = ngettext("{count} visit", "{count} visits", found.in_all).format(count=found.in_all)
    sums = zip(figure_lists.headings(table, found), found.total, strict=False)
    return " · ".join([count, *(f"{name}: {money(minor, table.currency)}" for name, minor in sums)])
