"""Time off: what is planned, and taking days or hours off with a reason."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from functools import partial
from typing import Any

import streamlit as st

from core import absences
from core.access import Actor
from core.i18n import N_, _, clock_time, dated, day_and_time
from db.models import TimeOff
from pages.ui.actions import perform
from pages.ui.affected import foresee, save_button, show_affected
from pages.ui.choices import choice
from pages.ui.refusals import reading
from pages.ui.words import plain

PREFIX = "time_off"


def time_off_section(actor: Actor, doctor_id: int, zone: tzinfo, today: date) -> None:
    """What is planned, then the form."""
    with reading() as session:
        planned = absences.ahead(session, actor, doctor_id=doctor_id)
    if not planned:
        st.info(_("No time off is planned."), icon=":material/beach_access:")
    for absence in planned:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            why = f"  \n:gray[{plain(absence.reason)}]" if absence.reason else ""
            st.markdown(f"**{plain(when(absence, zone))}**{why}", width="stretch")
            st.button(
                _("Take back"),
                on_click=_withdraw,
                args=(absence.id,),
                key=f"{PREFIX}_withdraw_{absence.id}",
            )
    st.subheader(_("Take time off"))
    absence_form(actor, doctor_id, zone, today, label=_("Take off"))


def away_form(
    actor: Actor,
    colleagues: Mapping[int, str],
    zone: tzinfo,
    today: date,
    *,
    after: Callable[[], None] | None = None,
) -> None:
    """Note for the desk that a doctor is away: who of `colleagues`, then as doctors do."""
    away = choice(
        _("Who?"), colleagues, index=None, placeholder=_("Choose a doctor"), key="unsettled_away", width=320
    )
    if away is not None:
        absence_form(actor, away, zone, today, label=_("Note it"), after=after)


def absence_form(
    actor: Actor,
    doctor_id: int,
    zone: tzinfo,
    today: date,
    *,
    label: str,
    after: Callable[[], None] | None = None,
) -> None:
    """Days, hours where it is not whole days, and why; then whom it leaves without hours."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.date_input(
            _("From"), value=today, min_value=today, format="YYYY-MM-DD", key=f"{PREFIX}_from", width=200
        )
        last = st.date_input(
            _("Until (empty: that day)"),
            value=None,
            min_value=first,
            format="YYYY-MM-DD",
            key=f"{PREFIX}_until",
            width=220,
        )
    if first is None:
        return
    change: dict[str, Any] = {"doctor_id": doctor_id, "from_on": first, "until_on": max(last or first, first)}
    if not st.toggle(_("Whole days"), value=True, key=f"{PREFIX}_whole"):
        with st.container(horizontal=True):
            change["from_time"] = st.time_input(
                _("From (time)"), time(12), step=900, key=f"{PREFIX}_from_time", width=200
            )
            change["until_time"] = st.time_input(
                _("Until (time)"), time(18), step=900, key=f"{PREFIX}_until_time", width=220
            )
    change["reason"] = st.text_input(
        _("Reason (staff read it)"), max_chars=absences.REASON_LENGTH, key=f"{PREFIX}_reason"
    )
    foreseen = foresee(actor, absences.take_time_off, **change)
    show_affected(foreseen, zone)
    save_button(
        label,
        foreseen,
        absences.take_time_off,
        change,
        done=N_("Noted: nobody can book then."),
        key=f"{PREFIX}_take",
        after=partial(_empty, after),
    )


def when(absence: TimeOff, zone: tzinfo) -> str:
    """Whole days as days, else with the times."""
    begins, ends = absence.starts_at.astimezone(zone), absence.ends_at.astimezone(zone)
    if begins.time() == ends.time() == time():
        last = (ends - timedelta(minutes=1)).date()
        return (
            dated(begins.date())
            if last == begins.date()
            else _("{first} until {last}").format(first=dated(begins.date()), last=dated(last))
        )
    if begins.date() == ends.date():
        return f"{dated(begins.date())}, {clock_time(begins, zone)}–{clock_time(ends, zone)}"
    return _("{first} until {last}").format(first=_moment(begins, zone), last=_moment(ends, zone))


def _moment(at: datetime, zone: tzinfo) -> str:
    return day_and_time(at, zone)


def _withdraw(absence_id: int) -> None:
    perform(absences.withdraw, absence_id=absence_id, done=N_("Taken back: patients can book then again."))


def _empty(after: Callable[[], None] | None) -> None:
    st.session_state[f"{PREFIX}_reason"] = ""
    st.session_state[f"{PREFIX}_until"] = None
    if after is not None:
        after()
