"""The lists of a record on the screen: what counts, and what has ended."""

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from core.i18n import N_, _, short_date
from core.record_items import LISTS, SEVERITIES, Item
from db.models import Ending, Severity
from pages.ui.words import plain, plain_lines

ENDINGS = {Ending.OVER: N_("over since {date}"), Ending.MISTAKE: N_("written down by mistake, ended {date}")}
COLORS = {Severity.MILD: "gray", Severity.MODERATE: "orange", Severity.SEVERE: "red"}


def show_lists(items: Sequence[Item], zone: tzinfo) -> None:
    """Every list under its heading, then what has ended, folded away."""
    for kind, heading in LISTS.items():
        st.subheader(_(heading))
        listed = [each for each in items if each.kind is kind and each.ended_at is None]
        if not listed:
            st.caption(_("Nothing written down."))
        for item in listed:
            st.markdown(item_words(item, zone))
    ended = [each for each in items if each.ended_at is not None]
    if ended:
        with st.expander(_("What has ended ({count})").format(count=len(ended)), icon=":material/history:"):
            for item in ended:
                st.markdown(f"{_(LISTS[item.kind])}: {item_words(item, zone)}")


def item_words(item: Item, zone: tzinfo) -> str:
    """One entry in Markdown: what it is, how severe, since when, until when, and what else is known."""
    severity = ""
    if item.severity is not None:
        severity = f" :{COLORS[item.severity]}-badge[{_(SEVERITIES[item.severity])}]"
    times = []
    if item.since_on is not None:
        times.append(_("since {date}").format(date=short_date(item.since_on)))
    if item.ended_at is not None and item.ending is not None:
        on = item.ended_at.astimezone(zone).date()
        times.append(_(ENDINGS[item.ending]).format(date=short_date(on)))
    when = f" · {plain(', '.join(times))}" if times else ""
    details = f"  \n{plain_lines(item.details)}" if item.details else ""
    return f"**{plain(item.name)}**{severity}{when}{details}"
