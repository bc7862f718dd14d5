"""Tables of a till: its entries, and the tills that were closed before."""

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from core import documents
from core.i18n import _, day_and_time, money
from db.models import LedgerEntry, TillClosing


def entries_table(entries: Sequence[LedgerEntry], zone: tzinfo) -> None:
    """What was taken (with a plus) and given back, the newest first."""
    if not entries:
        st.caption(_("Nothing has been taken or given back yet."))
        return
    st.dataframe(
        [
            {
                _("When"): day_and_time(entry.at, zone),
                _("Document"): documents.name(entry),
                _("Patient"): entry.particulars.get("patient", ""),
                _("Method"): _(documents.METHOD[entry.method]) if entry.method else "",
                _("Amount"): money(-entry.amount_minor, entry.currency),
            }
            for entry in reversed(entries)
        ],
        column_config={_("Amount"): st.column_config.TextColumn(alignment="right")},
        hide_index=True,
        width="stretch",
    )


def closings_table(closings: Sequence[tuple[TillClosing, str]], zone: tzinfo) -> None:
    """What was expected and counted each time; where that differed first."""
    if not closings:
        st.caption(_("No till has been closed yet."))
        return
    st.dataframe(
        [
            {
                _("When"): day_and_time(each.closed_at, zone),
                _("Who"): name,
                _("Difference"): _differences(each),
                _("Cash expected"): money(each.expected_minor, each.currency),
                _("Cash counted"): money(each.counted_minor, each.currency),
                _("Left in the drawer"): money(each.left_minor, each.currency),
                _("Terminal expected"): money(each.terminal_minor, each.currency),
                _("Terminal's slip"): money(each.terminal_counted_minor, each.currency),
                _("Note"): each.note,
            }
            for each, name in closings
        ],
        hide_index=True,
        width="stretch",
    )


def _differences(closing: TillClosing) -> str:
    """How much more there was than expected, in cash and on the slip; nothing where all fits."""
    cash = closing.counted_minor - closing.expected_minor
    terminal = closing.terminal_counted_minor - closing.terminal_minor
    said = [
        words.format(amount=money(minor, closing.currency))
        for minor, words in ((cash, _("Cash {amount}")), (terminal, _("Terminal {amount}")))
        if minor
    ]
    return ", ".join(said)
