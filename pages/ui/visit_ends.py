"""The end of a visit: its status moves on, and the next patient is one click away."""

import streamlit as st

from core import agendas, arrivals, clock
from core.access import Actor
from core.i18n import N_, _, clock_time
from db.models import Appointment, AppointmentStatus
from pages.ui.actions import form_key, perform
from pages.ui.navigation import TODAY, VISIT
from pages.ui.refusals import reading
from pages.ui.visit_charts import Chart
from pages.ui.words import plain

OPEN = {AppointmentStatus.CONFIRMED, AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM}


def end_section(found: Chart, actor: Actor) -> None:
    """Finish the visit; once it is over, go on with the next. What is not signed is said before and after."""
    for sentence in found.unsigned:
        st.markdown(f":orange-badge[:material/warning: {sentence}]")
    if found.visit.status in OPEN:
        _finish_button(found)
        return
    today = clock.now().astimezone(found.zone).date()
    with reading() as session:
        following = agendas.next_patient(session, actor, doctor_id=actor.doctor_id or 0, on=today)
    if following is None:
        st.page_link(TODAY, label=_("Nobody else is expected today"), icon=":material/today:")
    else:
        _offer(following, found)


def _offer(following: Appointment, found: Chart) -> None:
    is_here = following.status is AppointmentStatus.ARRIVED
    label = _("Next: {name}, {time}, is here") if is_here else _("Next: {name}, {time}, is expected")
    at = clock_time(following.starts_at, found.zone)
    st.page_link(
        VISIT,
        label=plain(label.format(name=following.patient.name, time=at)),
        icon=":material/arrow_forward:",
        query_params={"visit": str(following.id)},
    )


def _finish_button(found: Chart) -> None:
    form = f"visit_finish_{found.visit.appointment_id}"
    st.button(
        _("Finish without signing") if found.unsigned else _("Finish the visit"),
        type="secondary" if found.unsigned else "primary",
        icon=":material/check:",
        on_click=_finish,
        args=(found.visit.appointment_id, form, form_key(form)),
        key=f"{form}_button",
    )


def _finish(visit_id: int, form: str, key: object) -> None:
    perform(
        arrivals.complete, appointment_id=visit_id, request_key=key, done=N_("The visit is done."), form=form
    )
