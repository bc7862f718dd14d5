"""A doctor's day on the screen: who is here and who is next, then everything in order of time."""

from collections.abc import Sequence
from datetime import date, tzinfo

import streamlit as st

from core import clock, treatments
from core.access import Actor
from core.days import Entry, Kind
from core.i18n import _, clock_time, ngettext, span
from db.models import Appointment, AppointmentStatus
from pages.ui.arrivals import step_buttons
from pages.ui.navigation import VISIT
from pages.ui.words import age, plain, visit_badge

OPENS_RECORD = "today_opens_record"


def who_is_next(visits: Sequence[Appointment], actor: Actor, zone: tzinfo) -> None:
    """Who is in the room and who waits, and otherwise who comes next; nothing when nobody is left."""
    here = [each for each in visits if each.status is AppointmentStatus.IN_ROOM]
    waiting = [each for each in visits if each.status is AppointmentStatus.ARRIVED]
    now = clock.now()
    coming = [each for each in visits if each.status is AppointmentStatus.CONFIRMED and each.ends_at > now]
    if not (here or waiting or coming):
        return
    with st.container(border=True, key="today_next"):
        for visit in here:
            _in_sight(_("In the room"), visit, actor, zone)
        for visit in sorted(waiting, key=lambda each: (each.arrived_at or each.starts_at, each.starts_at)):
            _in_sight(_("Waiting"), visit, actor, zone)
        if coming and not waiting:
            _in_sight(_("Next"), coming[0], actor, zone)


def _in_sight(word: str, visit: Appointment, actor: Actor, zone: tzinfo) -> None:
    who, way = st.columns([3, 1], vertical_alignment="center")
    booked = _("booked for {time}").format(time=clock_time(visit.starts_at, zone))
    if visit.status is AppointmentStatus.ARRIVED and visit.arrived_at is not None:
        minutes = max(int((clock.now() - visit.arrived_at).total_seconds()) // 60, 0)
        booked += " · " + _("here since {time}, {length}").format(
            time=clock_time(visit.arrived_at, zone), length=span(minutes)
        )
    who.markdown(
        f":small[{word}]  \n**{plain(visit.patient.name)}** · {plain(visit.service.name)}  \n"
        f":gray[{plain(booked)}]"
    )
    if actor.doctor_id is not None:
        with way:
            _visit_link(visit)


def timeline(entries: Sequence[Entry], actor: Actor, zone: tzinfo, *, on: date, is_today: bool) -> None:
    """The day in order of time, with a mark where it has got to."""
    now, is_marked = clock.now(), not is_today
    for entry in entries:
        if not is_marked and entry.ends_at > now:
            st.markdown(f":red-badge[{plain(_('Now, {time}').format(time=clock_time(now, zone)))}]")
            is_marked = True
        _entry(entry, actor, zone, on=on, is_today=is_today)


def _entry(entry: Entry, actor: Actor, zone: tzinfo, *, on: date, is_today: bool) -> None:
    times = f"**{clock_time(entry.starts_at, zone)}**–{clock_time(entry.ends_at, zone)}"
    visit = entry.visit
    if visit is None:
        length = span(int((entry.ends_at - entry.starts_at).total_seconds()) // 60)
        word = _("Free, {length}") if entry.kind is Kind.FREE else _("Away, {length}: {reason}")
        text = word.format(length=length, reason=plain(entry.reason) or _("no reason given"))
        st.markdown(f":gray[{times} · {text}]")
        return
    with st.container(border=True):
        when, who, what = st.columns([2, 4, 4], vertical_alignment="center")
        when.markdown(f"{times}  \n{visit_badge(visit)}")
        years = age(visit.patient.birth_on, on)
        aged = ngettext("{years} year", "{years} years", years).format(years=years)
        who.markdown(f"**{plain(visit.patient.name)}**  \n:gray[{aged}]")
        place = visit.room.name if visit.room else visit.location.name
        what.markdown(
            f"{plain(visit.service.name)}  \n:gray[{_('Video') if visit.service.is_video else plain(place)}]"
        )
        if actor.doctor_id is not None:
            with what:
                _visit_link(visit)
            what.button(
                _("Record"),
                icon=":material/clinical_notes:",
                type="tertiary",
                on_click=_open_record,
                args=(visit.patient_id,),
                key=f"today_record_{visit.id}",
            )
        if visit.overbook_reason:
            what.markdown(f":orange-badge[{_('Overbooked')}] {plain(visit.overbook_reason)}")
        step_buttons(visit, actor, is_today=is_today)


def _visit_link(visit: Appointment) -> None:
    if visit.status not in treatments.NEVER_A_VISIT:
        st.page_link(
            VISIT,
            label=_("Open the visit"),
            icon=":material/stethoscope:",
            query_params={"visit": str(visit.id)},
        )


def _open_record(patient_id: int) -> None:
    st.session_state["record_patient"] = patient_id
    st.session_state[OPENS_RECORD] = True
