"""Signed notes on the screen, with the versions that they had before."""

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from core.i18n import _, clock_time, ngettext, short_date
from core.note_fields import PARTS, VITALS, shown
from db.models import NoteVersion
from pages.ui.words import plain, plain_lines


def show_note(versions: Sequence[NoteVersion], zone: tzinfo) -> None:
    """The latest version, and the earlier ones behind a line that says how many there are."""
    latest, *earlier = versions
    show_version(latest, zone)
    if earlier:
        label = ngettext("{count} earlier version", "{count} earlier versions", len(earlier))
        with st.expander(label.format(count=len(earlier)), icon=":material/history:"):
            for version in earlier:
                show_version(version, zone)


def show_version(version: NoteVersion, zone: tzinfo) -> None:
    on = short_date(version.signed_at.astimezone(zone).date())
    signed = _("Signed by {name} on {date} at {time}").format(
        name=version.doctor.user.name, date=on, time=clock_time(version.signed_at, zone)
    )
    st.caption(plain(signed))
    if version.amendment:
        st.markdown(f":orange-badge[{_('Amended')}] {plain(_('Why: {why}').format(why=version.amendment))}")
    for part, label in PARTS.items():
        words = getattr(version, part)
        if words:
            st.markdown(f"**{_(label)}**  \n{plain_lines(words)}")
    measured = [
        f"{_(vital.label)} **{plain(shown(vital, kept))} {plain(vital.unit)}**"
        for vital in VITALS.values()
        if (kept := getattr(version, vital.column)) is not None
    ]
    if measured:
        st.markdown(" · ".join(measured))
