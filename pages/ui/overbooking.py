"""The time of a visit that is overbooked: any minute of any day."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core import wall_time
from core.i18n import _

REASON = "desk_overbook_reason"


def overbooked_time(zone: ZoneInfo, today: date) -> datetime | None:
    """Ask for day, time and reason; the instant, None where there is none yet or clocks skip it."""
    on = st.date_input(_("Day"), value=today, min_value=today, format="YYYY-MM-DD", key="desk_overbook_on")
    wall = st.time_input(_("Time"), value=time(9), step=timedelta(minutes=5), key="desk_overbook_at")
    st.text_input(_("Reason"), key=REASON)
    if not on or not wall:
        return None
    starts_at = wall_time.first_instant(zone, datetime.combine(on, wall))
    if starts_at is None:
        st.warning(_("That time does not exist: clocks go forward over it on that day."))
    return starts_at
