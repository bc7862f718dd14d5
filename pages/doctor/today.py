"""Today: who waits for a doctor and who is next, then the day in order of time, with the gaps in it."""

from datetime import date, timedelta

import streamlit as st

from core import clinics, clock, days, doctors
from core.i18n import _, long_day, ngettext
from db.models import AppointmentStatus, Role
from pages.ui import choice, reading, require
from pages.ui.arrivals import late_popover
from pages.ui.day_entries import OPENS_RECORD, timeline, who_is_next
from pages.ui.downloads import download
from pages.ui.left_drafts import left_section
from pages.ui.navigation import PATIENT_RECORD

actor = require(Role.DOCTOR, Role.STAFF, Role.ADMIN)


def turn(to: date) -> None:
    st.session_state["today_on"] = to


if st.session_state.pop(OPENS_RECORD, False):
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
if entries:
    download(_("Day list to print (PDF)"), f"/files/days/{doctor_id}/{on.isoformat()}.pdf")
if on == today:
    who_is_next(visits, actor, zone)
timeline(entries, actor, zone, on=on, is_today=on == today)
if actor.doctor_id is not None:
    left_section(actor, zone)
