"""Our card payments and the processor's beside each other, on the screen."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core import reconciliations
from core.errors import ClinicError
from core.i18n import _, day_and_time, money, ngettext
from core.reconciliations import Line, Theirs
from pages.ui.money import shown

SHOWN = 500


def asked_of_them(since: datetime, until: datetime) -> list[Theirs]:
    """What the processor has; where it does not answer the page says so and ends here."""
    try:
        with st.spinner(_("Asking the card processor ...")):
            return reconciliations.theirs(since, until)
    except ClinicError as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button(_("Try again"), key="cards_again")
        st.stop()


def totals(lines: Sequence[Line], currency: str) -> None:
    """The three sums, and in one sentence whether they agree."""
    ours = sum(line.ours.amount_minor for line in lines if line.ours)
    theirs = sum(line.theirs.amount_minor for line in lines if line.theirs)
    differing = sum(1 for line in lines if line.difference_minor)
    with st.container(horizontal=True):
        st.metric(_("We say"), shown(ours, currency), border=True)
        st.metric(_("They say"), shown(theirs, currency), border=True)
        st.metric(_("Difference"), shown(theirs - ours, currency), border=True)
    if not lines:
        st.info(_("There were no card payments in these days."), icon=":material/info:")
    elif differing:
        text = ngettext("{count} line differs.", "{count} lines differ.", differing)
        st.warning(text.format(count=differing), icon=":material/balance:")
    else:
        st.success(_("Everything agrees."), icon=":material/check_circle:")


def lines_table(lines: Sequence[Line], zone: tzinfo, currency: str) -> None:
    """A table of the lines, those that differ first."""
    if not lines:
        return
    st.dataframe(
        [
            {
                _("When"): day_and_time((line.ours or line.theirs).at, zone),  # type: ignore[union-attr] # one is there
                _("What"): _what(line),
                _("Visit"): str(line.ours.appointment_id) if line.ours else "",
                _("We say"): money(line.ours.amount_minor, currency) if line.ours else _("not known"),
                _("They say"): money(line.theirs.amount_minor, currency) if line.theirs else _("not known"),
                _("Difference"): money(line.difference_minor, currency) if line.difference_minor else "",
                _("Their number"): _their_number(line),
            }
            for line in lines[:SHOWN]
        ],
        hide_index=True,
        width="stretch",
    )
    if len(lines) > SHOWN:
        st.caption(_("The first {shown} of {count} lines.").format(shown=SHOWN, count=len(lines)))


def _what(line: Line) -> str:
    of = line.ours or line.theirs
    return _("Refund") if of is not None and of.is_refund else _("Payment")


def _their_number(line: Line) -> str:
    return line.theirs.provider_id if line.theirs else (line.ours and line.ours.provider_id) or ""
