"""Marking who has come, and telling who waits that a doctor is late: the buttons at a visit and at a day."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import streamlit as st

from core import arrivals, clock, desk_messages
from core.access import Actor
from core.i18n import N_, _, ngettext
from db.models import Appointment, AppointmentStatus
from pages.ui.actions import form_key, perform, say

HERE = {AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM}
OVER = {AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW}


class _Step(NamedTuple):
    label: str
    icon: str
    service: Callable[..., Appointment]
    done: str


STEPS = {
    "arrive": _Step(N_("Arrived"), "how_to_reg", arrivals.check_in, N_("Marked as here.")),
    "complete": _Step(N_("Done"), "check", arrivals.complete, N_("Marked as done.")),
    "miss": _Step(N_("Missed"), "person_off", arrivals.mark_missed, N_("Marked as missed.")),
    "undo": _Step(N_("Undo"), "undo", arrivals.undo, N_("Taken back.")),
}


def step_buttons(visit: Appointment, actor: Actor, *, is_today: bool) -> None:
    """The steps that a visit can take now: the desk says who was missed, and the doctor what is done."""
    has_begun = visit.starts_at <= clock.now()
    wanted = []
    if visit.status is AppointmentStatus.CONFIRMED:
        wanted = ["arrive"] if is_today else []
        wanted += ["miss" if actor.is_desk else "complete"] if has_begun else []
    elif visit.status in HERE:
        wanted = ["complete", "undo"] if has_begun and not actor.is_desk else ["undo"]
    elif visit.status in OVER:
        wanted = ["undo"]
    if not wanted:
        return
    with st.container(horizontal=True):
        for name in wanted:
            form = f"arrivals_{name}_{visit.id}"
            st.button(
                _(STEPS[name].label),
                icon=f":material/{STEPS[name].icon}:",
                type="tertiary" if name == "undo" else "secondary",
                on_click=_take,
                args=(name, visit.id, form, form_key(form)),
                key=f"{form}_button",
            )


def _take(name: str, visit_id: int, form: str, key: object) -> None:
    step = STEPS[name]
    perform(step.service, appointment_id=visit_id, request_key=key, done=step.done, form=form)


def late_popover(doctor_id: int, label: str) -> None:
    """Tell everybody who is still to come today that the doctor is late."""
    field = f"late_minutes_{doctor_id}"
    with st.popover(label, icon=":material/more_time:"):
        bounds = desk_messages.LATE_MINUTES
        st.number_input(
            _("Minutes late"), bounds.start, bounds.stop - 1, value=15, step=5, key=field, width=160
        )
        st.button(
            _("Tell who is still to come"),
            type="primary",
            on_click=_tell_late,
            args=(doctor_id, field, form_key(f"late_{doctor_id}")),
            key=f"late_tell_{doctor_id}",
        )


def _tell_late(doctor_id: int, field: str, key: UUID) -> None:
    told = perform(
        desk_messages.running_late,
        doctor_id=doctor_id,
        minutes=st.session_state.get(field),
        request_key=key,
        done="",
        form=f"late_{doctor_id}",
    )
    if told is not None:
        say(ngettext("{count} patient is told.", "{count} patients are told.", told).format(count=told))
