"""The visits behind a bar or a row that was chosen, as a table."""

import streamlit as st

from core import clinics, figure_charts, figure_rows, figure_visits
from core.access import Actor
from core.figures import Table
from core.i18n import _, clock_time, money, ngettext, short_date
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
    most = figure_visits.MOST
    with reading() as session:
        visits = figure_visits.behind(session, actor, wanted=wanted, at_most=most + 1)
        zone = clinics.zone(session)
    name = figure_charts.name_of(table, row)
    st.markdown(f"**{plain(_('Visits behind {name}').format(name=name))}**")
    if len(visits) > most:
        st.caption(_("The first {count}; there are more.").format(count=most))
    else:
        st.caption(ngettext("{count} visit", "{count} visits", len(visits)).format(count=len(visits)))
    if not visits:
        return
    st.dataframe(
        [
            {
                _("When"): f"{short_date(visit.starts_at.astimezone(zone).date())}, "
                f"{clock_time(visit.starts_at, zone)}",
                _("Patient"): visit.patient.name,
                _("Doctor"): visit.doctor.user.name,
                _("Service"): visit.service.name,
                _("Status"): _(STATUS[visit.status][0]),
                _("Price"): money(visit.price_minor, table.currency),
            }
            for visit in visits[:most]
        ],
        hide_index=True,
        width="stretch",
        alt=_("Visits behind {name}").format(name=name),
    )
