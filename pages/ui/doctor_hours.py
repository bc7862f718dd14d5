"""A doctor's hours on the screen: every week, single dates, time off."""

import streamlit as st

from core import clinics, clock, doctors
from core.access import Actor
from core.i18n import _
from pages.ui.refusals import reading
from pages.ui.single_dates import dates_section
from pages.ui.time_off import time_off_section
from pages.ui.weekly_hours import weekly_section


def show_hours(actor: Actor, doctor_id: int) -> None:
    """Everything that decides when a doctor can be booked; one part of it at a time."""
    with reading() as session:
        zone = clinics.zone(session)
        places = doctors.places(session, actor)
    today = clock.now().astimezone(zone).date()
    if not places:
        st.info(_("The clinic has no place yet. An administrator can add one."))
        return
    parts = {"week": _("Every week"), "dates": _("Single dates"), "off": _("Time off")}
    st.session_state.setdefault("hours_part", "week")
    part = st.radio(
        _("Part"),
        list(parts),
        format_func=parts.__getitem__,
        horizontal=True,
        label_visibility="collapsed",
        key="hours_part",
    )
    if part == "week":
        weekly_section(actor, doctor_id, places, zone, today)
    elif part == "dates":
        dates_section(actor, doctor_id, places, zone, today)
    else:
        time_off_section(actor, doctor_id, zone, today)
