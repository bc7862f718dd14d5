"""Today: a doctor's visits in order of time, with the gaps between them."""

from datetime import date, timedelta

import streamlit as st

from core import clinics, clock, days, doctors, treatments
from core.days import Entry, Kind
from core.i18n import _, clock_time, long_day, ngettext, span
from db.models import AppointmentStatus, Role
from pages.ui import age, choice, plain, reading, require, visit_badge
from pages.ui.arrivals import late_popover, step_buttons
from pages.ui.left_drafts import left_section
from pages.ui.navigation import PATIENT_RECORD, VISIT

actor = require(Role.DOCTOR, Role.STAFF, Role.ADMIN)


def turn(to: date) -> None:
    st.session_state["today_on"] = to


def open_record(patient_id: int) -> None:
    st.session_state["record_patient"] = patient_id
    st.session_state["today_opens_record"] = True


def show(entry: Entry) -> None:
    times = f"**{clock_time(entry.starts_at, zone)}**–{clock_time(entry.ends_at, zone)}"
    length = span(int((entry.ends_at - entry.starts_at).total_seconds()) // 60)
    if entry.visit is None:
        word = _("Free, {length}") if entry.kind is Kind.FREE else _("Away, {length}: {reason}")
        text = word.format(length=length, reason=plain(entry.reason) or _("no reason given"))
        st.markdown(f":gray[{times} · {text}]")
        return
    visit = entry.visit
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
            if visit.status not in treatments.NEVER_A_VISIT:
                what.page_link(
                    VISIT,
                    label=_("Open the visit"),
                    icon=":material/stethoscope:",
                    query_params={"visit": str(visit.id)},
                )
            what.button(
                _("Record"),
                icon=":material/clinical_notes:",
                type="tertiary",
                on_click=open_record,
                args=(visit.patient_id,),
                key=f"today_record_{visit.id}",
            )
        if visit.overbook_reason:
            what.markdown(f":orange-badge[{_('Overbooked')}] {plain(visit.overbook_reason)}")
        step_buttons(visit, actor, is_today=on == today)


if st.session_state.pop("today_opens_record", False):
    st.switch_page(PATIENT_RECORD)
with reading() as session:
    zone = clinics.zone(session)
    colleagues = doctors.all_active(session, actor) if actor.is_desk else []
today = clock.now().astimezone(zone).date()
on: date = st.session_state.setdefault("today_on", today)
st.title(_("Today") if on == today else long_day(on))
if on == today:
    st.caption(long_day(on))

with st.container(horizontal=True, vertical_alignment="bottom"):
    doctor_id = actor.doctor_id
    if colleagues:
        doctor_id = choice(
            _("Doctor"), {each.id: each.user.name for each in colleagues}, key="today_doctor", width=320
        )
    step = timedelta(days=1)
    st.button(
        _("Day before"), icon=":material/chevron_left:", on_click=turn, args=(on - step,), key="today_before"
    )
    st.button(_("Today"), on_click=turn, args=(today,), disabled=on == today, key="today_today")
    st.button(
        _("Day after"), icon=":material/chevron_right:", on_click=turn, args=(on + step,), key="today_after"
    )
    if doctor_id is not None and on == today:
        late_popover(doctor_id, _("I am running late") if actor.doctor_id else _("Running late"))
if doctor_id is None:
    st.info(_("There is no doctor to show."))
    st.stop()

with reading() as session:
    entries = days.timeline(session, actor, doctor_id=doctor_id, on=on)
visits = [entry.visit for entry in entries if entry.visit is not None]
done = sum(visit.status is AppointmentStatus.COMPLETED for visit in visits)
if not entries:
    st.info(_("No hours and no visits on this day."), icon=":material/event_busy:")
else:
    counted = ngettext("{count} visit", "{count} visits", len(visits)).format(count=len(visits))
    st.caption(counted + (_(", {done} done").format(done=done) if done else ""))
for entry in entries:
    show(entry)
if actor.doctor_id is not None:
    left_section(actor, zone)
