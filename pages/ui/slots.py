"""Days and times as buttons."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

import streamlit as st

from core.i18n import _, clock_time, day, long_day

DAYS_SHOWN = 7


def choose(picker: str, at: datetime, zone: tzinfo) -> None:
    """Point a picker at a time, as if its day and time had been pressed."""
    on = at.astimezone(zone).date()
    st.session_state[f"{picker}_from"] = on
    st.session_state[f"{picker}_day"] = on
    st.session_state[f"{picker}_time_{on}"] = at


def pick_time(picker: str, free: Sequence[datetime], zone: tzinfo) -> datetime | None:
    """Offer `free` (UTC, sorted) day by day in `zone`; the time that is pressed, None before that."""
    by_day: dict[date, list[datetime]] = {}
    for at in free:
        by_day.setdefault(at.astimezone(zone).date(), []).append(at)
    if not by_day:
        st.info(_("There is no free time for this. Please try another doctor or service."))
        return None
    shown = _days_shown(picker, sorted(by_day))
    if st.session_state.get(f"{picker}_day") not in shown:
        st.session_state[f"{picker}_day"] = shown[0]
    on = st.pills(_("Day"), shown, format_func=day, required=True, wrap=True, key=f"{picker}_day")
    if on not in by_day:
        return None
    times = by_day[on]
    if st.session_state.get(f"{picker}_time_{on}") not in times:
        st.session_state[f"{picker}_time_{on}"] = None
    return st.pills(
        _("Time on {day}").format(day=long_day(on)),
        times,
        format_func=lambda at: clock_time(at, zone),
        wrap=True,
        key=f"{picker}_time_{on}",
    )


def _days_shown(picker: str, days: list[date]) -> list[date]:
    """The days from where the person has leafed to, with buttons to leaf on."""
    wanted = st.session_state.get(f"{picker}_from") or days[0]
    first = next((index for index, on in enumerate(days) if on >= wanted), len(days) - 1)
    first -= first % DAYS_SHOWN

    def leaf(to: date) -> None:
        st.session_state[f"{picker}_from"] = to

    if len(days) > DAYS_SHOWN:
        earlier, later = max(first - DAYS_SHOWN, 0), min(first + DAYS_SHOWN, len(days) - 1)
        with st.container(horizontal=True):
            st.button(
                _("Earlier"),
                icon=":material/chevron_left:",
                key=f"{picker}_earlier",
                disabled=first == 0,
                on_click=leaf,
                args=(days[earlier],),
            )
            st.button(
                _("Later"),
                icon=":material/chevron_right:",
                key=f"{picker}_later",
                disabled=first + DAYS_SHOWN >= len(days),
                on_click=leaf,
                args=(days[later],),
            )
    return days[first : first + DAYS_SHOWN]
