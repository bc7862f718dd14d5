"""Single dates with hours of their own, and weeks that are to be like another."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

import streamlit as st

from core import absences, date_hours
from core.access import Actor
from core.i18n import N_, _, dated
from db.models import Location, TimeOff
from pages.ui.affected import foresee, save_button, show_affected
from pages.ui.hours_places import EXAMPLE, at_places, hours_fields
from pages.ui.refusals import reading
from pages.ui.time_off import when
from pages.ui.words import plain

PREFIX = "hours_dates"


def dates_section(actor: Actor, doctor_id: int, places: list[Location], zone: tzinfo, today: date) -> None:
    """The dates that have hours of their own, and how to add, clear and copy them."""
    with reading() as session:
        own = date_hours.ahead(session, actor, doctor_id=doctor_id)
        seen = date_hours.of_dates(session, actor, doctor_id=doctor_id, dates=own)
    named = {place.id: place for place in places}
    if not own:
        st.info(_("Every date has the hours of its weekday."), icon=":material/calendar_month:")
    for on, of_day in own.items():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(dated(on))}**: {plain(at_places(of_day, named))}", width="stretch")
            clearing = {"doctor_id": doctor_id, "dates": [on], "seen": {on: seen[on]}}
            foreseen = foresee(actor, date_hours.clear_dates, **clearing)
            save_button(
                _("Back to the weekday's"),
                foreseen,
                date_hours.clear_dates,
                clearing,
                done=N_("The hours of the weekday hold again."),
                key=f"{PREFIX}_clear_{on}",
                is_main=False,
            )
    st.subheader(_("Other hours on a date"))
    _add(actor, doctor_id, places, zone, today)
    st.subheader(_("A week like another"))
    _copy_week(actor, doctor_id, zone, today)


def _add(actor: Actor, doctor_id: int, places: list[Location], zone: tzinfo, today: date) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.date_input(
            _("Date"), value=today, min_value=today, format="YYYY-MM-DD", key=f"{PREFIX}_first", width=200
        )
        last = st.date_input(
            _("Until (empty: that date)"),
            value=None,
            min_value=first,
            format="YYYY-MM-DD",
            key=f"{PREFIX}_last",
            width=220,
        )
    if first is None:
        return
    st.caption(
        _("Write hours like {example}. Leave it empty for a day without work.").format(example=EXAMPLE)
    )
    days = min(((last or first) - first).days, date_hours.MOST_DATES)
    dates = [first + timedelta(days=each) for each in range(days + 1)]
    with reading() as session:
        seen = date_hours.of_dates(session, actor, doctor_id=doctor_id, dates=dates)
        away = absences.ahead(session, actor, doctor_id=doctor_id)
    at_present = at_places(seen[first], {place.id: place for place in places})
    st.caption(plain(_("Now on {day}: {hours}").format(day=dated(first), hours=at_present)))
    _say_what_is_off(away, dates, zone)
    typed = hours_fields(PREFIX, places, _("Hours"), is_told=len(places) > 1)
    change = {"doctor_id": doctor_id, "dates": dates, "typed": typed, "seen": seen}
    foreseen = foresee(actor, date_hours.set_typed_dates, **change)
    show_affected(foreseen, zone)
    save_button(
        _("Save"), foreseen, date_hours.set_typed_dates, change, done=N_("Saved."), key=f"{PREFIX}_save"
    )


def _say_what_is_off(away: Sequence[TimeOff], dates: list[date], zone: tzinfo) -> None:
    """Other hours end no time off: what is off stays so."""
    begins = datetime.combine(dates[0], datetime.min.time(), zone)
    ends = datetime.combine(dates[-1] + timedelta(days=1), datetime.min.time(), zone)
    times = [when(each, zone) for each in away if each.starts_at < ends and each.ends_at > begins]
    if times:
        said = _("Time off then, which stays so whatever the hours: {times}").format(times="; ".join(times))
        st.warning(plain(said), icon=":material/event_busy:")


def _copy_week(actor: Actor, doctor_id: int, zone: tzinfo, today: date) -> None:
    week = timedelta(days=7)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        like = st.date_input(
            _("The week of"), value=today, format="YYYY-MM-DD", key=f"{PREFIX}_like", width=200
        )
        to = st.date_input(
            _("also in the week of"),
            value=today + week,
            min_value=today,
            format="YYYY-MM-DD",
            key=f"{PREFIX}_to",
            width=200,
        )
    if like is None or to is None:
        return
    both = [*date_hours.week(like), *date_hours.week(to)]
    with reading() as session:
        seen = date_hours.of_dates(session, actor, doctor_id=doctor_id, dates=both)
    change = {"doctor_id": doctor_id, "from_on": like, "to_on": to, "seen": seen}
    foreseen = foresee(actor, date_hours.copy_week, **change)
    show_affected(foreseen, zone)
    save_button(_("Copy"), foreseen, date_hours.copy_week, change, done=N_("Copied."), key=f"{PREFIX}_copy")
