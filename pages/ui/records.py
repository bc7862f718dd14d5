"""A patient's record on the screen."""

from datetime import tzinfo

import streamlit as st

from core import clock
from core.i18n import _, clock_time, ngettext, short_date
from core.record_items import LISTS, SEVERITIES, Item
from core.records import Record, Visit
from pages.ui.found import born
from pages.ui.words import age, plain, status_badge


def show_record(record: Record, zone: tzinfo) -> None:
    """Who it is, what is clinical, the visits; a banner on top when only an emergency opened it."""
    if record.emergency_until is not None:
        until = clock_time(record.emergency_until, zone)
        st.error(
            _("Emergency access until {time}. Every look is recorded.").format(time=until),
            icon=":material/emergency:",
        )
    st.title(plain(record.name))
    years = age(record.birth_on, clock.now().astimezone(zone).date())
    aged = ngettext("{years} year", "{years} years", years).format(years=years)
    st.caption(f"{born(record.birth_on)}, {aged}")
    for kind, heading in LISTS.items():
        _show_list(_(heading), [each for each in record.items if each.kind is kind and each.ended_at is None])
    _show_visits(_("Coming visits"), record.coming, zone)
    _show_visits(_("Past visits"), record.past, zone)


def _show_list(heading: str, items: list[Item]) -> None:
    st.header(heading)
    if not items:
        st.caption(_("Nothing written down."))
    for item in items:
        severity = f" :red-badge[{_(SEVERITIES[item.severity])}]" if item.severity else ""
        st.markdown(f"**{plain(item.name)}**{severity}  \n{plain(item.details)}")


def _show_visits(heading: str, visits: list[Visit], zone: tzinfo) -> None:
    st.header(heading)
    if not visits:
        st.caption(_("None."))
    for visit in visits:
        on = visit.starts_at.astimezone(zone).date()
        st.markdown(
            f"**{short_date(on)}, {clock_time(visit.starts_at, zone)}** {status_badge(visit.status)}  \n"
            f"{plain(visit.service)} · {plain(visit.doctor)}"
        )
