"""Marking who has come, and telling who waits that a doctor is late: the buttons at a visit and at a day."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import streamlit as st

from core import arrivals, clock, delay_messages, desk_messages
from core.access import Actor
from core.i18n import N_, _, ngettext
from db.models import Appointment, AppointmentStatus
from pages.ui.actions import form_key, perform, say
from pages.ui.words import plain

HERE = {AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM}
OVER = {AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW}


class _Step(NamedTuple):
    label: str
    icon: str
    service: Callable[..., Appointment]
    done: str


class Marked(Protocol):
    """What is asked of a visit to know its next steps."""

    @property
    def id(self) -> int: ...
    @property
    def status(self) -> AppointmentStatus: ...
    @property
    def starts_at(self) -> datetime: ...


STEPS = {
    "arrive": _Step(N_("Arrived"), "how_to_reg", arrivals.check_in, N_("Marked as here.")),
    "call": _Step(N_("In room"), "meeting_room", arrivals.call_in, N_("Marked as in the room.")),
    "complete": _Step(N_("Done"), "check", arrivals.complete, N_("Marked as done.")),
    "miss": _Step(N_("Missed"), "person_off", arrivals.mark_missed, N_("Marked as missed.")),
    "undo": _Step(N_("Undo"), "undo", arrivals.undo, N_("Taken back.")),
}


def step_buttons(visit: Marked, actor: Actor, *, is_today: bool, place: str = "arrivals") -> None:
    """The steps that a visit can take now, side by side; nothing where there is none.

    `place` is where on the page they stand, if they do more than once.
    """
    steps = next_steps(visit, actor, is_today=is_today)
    if steps:
        with st.container(horizontal=True):
            bare_step_buttons(visit.id, steps, place)


def bare_step_buttons(visit_id: int, steps: Iterable[str], place: str = "arrivals") -> None:
    """Such steps, into the line that is being drawn."""
    for name in steps:
        _step_button(name, visit_id, place)


def next_steps(visit: Marked, actor: Actor, *, is_today: bool) -> list[str]:
    """Their names. The desk says who was missed and who is called in, and the doctor what is done at once."""
    has_begun = visit.starts_at <= clock.now()
    if visit.status is AppointmentStatus.CONFIRMED:
        steps = ["arrive"] if is_today else []
        return [*steps, "miss" if actor.is_desk else "complete"] if has_begun else steps
    if visit.status is AppointmentStatus.ARRIVED and actor.is_desk:
        return ["call", "undo"]
    if visit.status in HERE:
        return ["complete", "undo"] if has_begun else ["undo"]
    return ["undo"] if visit.status in OVER else []


def _step_button(name: str, visit_id: int, place: str) -> None:
    form = f"arrivals_{name}_{visit_id}"
    st.button(
        _(STEPS[name].label),
        icon=f":material/{STEPS[name].icon}:",
        type="tertiary" if name == "undo" else "secondary",
        on_click=_take,
        args=(name, visit_id, form, form_key(form)),
        key=f"{place}_{name}_{visit_id}_button",
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
    _say_how_many(told)


def tell_affected_button(doctor_id: int, doctor: str, minutes: int, patients: int) -> None:
    """Tell each of those whom a delay reaches how late their own visit will be."""
    form = f"affected_{doctor_id}"
    label = ngettext(
        "{doctor}, up to {minutes} min late: tell {count} patient",
        "{doctor}, up to {minutes} min late: tell {count} patients",
        patients,
    )
    st.button(
        plain(label.format(doctor=doctor, minutes=minutes, count=patients)),
        icon=":material/schedule_send:",
        on_click=_tell_affected,
        args=(doctor_id, form, form_key(form)),
        key=f"{form}_button",
        wrap=True,
    )


def _tell_affected(doctor_id: int, form: str, key: UUID) -> None:
    _say_how_many(
        perform(delay_messages.tell_affected, doctor_id=doctor_id, request_key=key, done="", form=form)
    )


def _say_how_many(told: int | None) -> None:
    if told is not None:
        say(ngettext("{count} patient is told.", "{count} patients are told.", told).format(count=told))
