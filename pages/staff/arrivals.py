"""Arrivals: today's visits of all doctors in order of time, those that are over last, and who has come."""

import streamlit as st

from core import agendas, clinics, clock, doctors
from core.i18n import _, clock_time, long_day, ngettext
from db.models import Appointment, AppointmentStatus, Role
from pages.ui import choice, plain, reading, require, visit_badge
from pages.ui.arrivals import OVER, late_popover, step_buttons
from pages.ui.sessions import acting

actor = require(Role.STAFF, Role.ADMIN)

SECONDS = 10
DRAWN = 60  # of one list at first: hundreds take seconds to draw


def stands(visits: list[Appointment]) -> list[tuple[object, ...]]:
    """What is drawn of the visits, to see whether it is still so."""
    now = clock.now()
    return [
        (each.id, each.status, each.attending_at, each.starts_at, each.starts_at <= now) for each in visits
    ]


def show(visit: Appointment) -> None:
    with st.container(border=True):
        when, who, steps = st.columns([2, 5, 4], vertical_alignment="center")
        when.markdown(f"**{clock_time(visit.starts_at, zone)}**  \n{visit_badge(visit)}")
        coming = f" :green-badge[:material/check: {_('Says they come')}]"
        is_coming = visit.status is AppointmentStatus.CONFIRMED and visit.attending_at is not None
        room = f" · {plain(visit.room.name)}" if visit.room else ""
        who.markdown(
            f"**{plain(visit.patient.name)}**{coming if is_coming else ''}  \n"
            f":gray[{plain(visit.doctor.user.name)} · {plain(visit.service.name)}{room}]"
        )
        with steps:
            step_buttons(visit, actor, is_today=True)


def show_list(visits: list[Appointment], name: str) -> None:
    """The first of a list, and a way to the rest."""
    key = f"arrivals_shown_{name}"
    limit = st.session_state.setdefault(key, DRAWN)

    def show_more() -> None:
        st.session_state[key] += DRAWN

    for visit in visits[:limit]:
        show(visit)
    if len(visits) > limit:
        st.caption(_("Only the first {count} are shown.").format(count=limit))
        st.button(_("Show more"), on_click=show_more, key=f"arrivals_more_{name}", width="stretch")


@st.fragment(run_every=SECONDS)
def follow() -> None:
    """Look again every few seconds, and draw the page anew when something has changed."""
    with reading() as session:
        now_acting = acting(session)
        if now_acting is None:
            return
        day = clock.now().astimezone(clinics.zone(session)).date()
        now = agendas.clinic_day(session, now_acting, on=day)
    if (day, stands(now)) != (today, seen):
        st.rerun()


with reading() as session:
    zone = clinics.zone(session)
    today = clock.now().astimezone(zone).date()
    visits = agendas.clinic_day(session, actor, on=today)
    colleagues = {each.id: each.user.name for each in doctors.all_active(session, actor)}
seen = stands(visits)

st.title(_("Arrivals"))
st.caption(long_day(today))
with st.container(horizontal=True, vertical_alignment="bottom"):
    doctor_id = choice(
        _("Doctor"), colleagues, index=None, placeholder=_("Any"), key="arrivals_doctor", width=320
    )
    if doctor_id is not None:
        late_popover(doctor_id, _("Running late"))
shown = [each for each in visits if doctor_id in {None, each.doctor_id}]
if not shown:
    st.info(
        _("There are no visits today.") if doctor_id is None else _("This doctor has no visits today."),
        icon=":material/event_available:",
    )
else:
    waiting = sum(each.status is AppointmentStatus.ARRIVED for each in shown)
    counted = ngettext("{count} visit", "{count} visits", len(shown)).format(count=len(shown))
    st.caption(counted + (_(", {waiting} waiting").format(waiting=waiting) if waiting else ""))
show_list([each for each in shown if each.status not in OVER], "ahead")
if over := [each for each in shown if each.status in OVER]:
    st.header(_("Over"))
    show_list(over, "over")
follow()
