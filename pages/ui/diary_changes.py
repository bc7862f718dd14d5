"""Changing a doctor's calendar: the question after a drag, and the same without dragging."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

import streamlit as st

from core import diary_changes
from core.access import Actor
from core.i18n import N_, _, day, wall_clock
from db.models import Appointment
from pages.ui.actions import form_key, perform
from pages.ui.choices import choice
from pages.ui.diaries import Wanted, may_move, may_stretch
from pages.ui.refusals import reading
from pages.ui.words import plain

TURN = "week_turn"  # counts the changes that were decided: each gives the grid a fresh start
MOVED, STRETCHED = N_("Moved. The patient is told."), N_("Saved.")


def question(actor: Actor, wanted: Wanted, zone: tzinfo) -> None:
    """What was dragged, at the foot of the screen, to save or to put back; or at once why it cannot be."""
    visit = wanted.visit
    change, arguments = _change(wanted)
    with reading() as session:
        expected = diary_changes.expected(session, actor, change, **arguments)
    ends = wanted.ends if expected.refusal else expected.ends_at.astimezone(zone)
    old = (visit.starts_at.astimezone(zone), visit.ends_at.astimezone(zone))
    words = (
        _("Move **{patient}** ({service}) from {old} to **{new}**?")
        if wanted.is_move
        else _("Let the visit of **{patient}** ({service}) last from {new} instead of {old}?")
    )
    with st.bottom, st.container(border=True):
        st.markdown(
            words.format(
                patient=plain(visit.patient.name),
                service=plain(visit.service.name),
                old=plain(_span(*old)),
                new=plain(_span(wanted.starts, ends)),
            )
        )
        if expected.refusal:
            st.error(plain(expected.refusal), icon=":material/error:")
        elif wanted.is_move:
            if ends < wanted.ends:
                st.caption(_("There is only time for the usual length there."))
            st.caption(_("The patient gets a message with the new time."))
        with st.container(horizontal=True):
            st.button(
                _("Save"),
                type="primary",
                disabled=bool(expected.refusal),
                on_click=_save,
                args=(wanted, form_key("week_change")),
                key="week_save",
            )
            st.button(_("Put back"), icon=":material/undo:", on_click=_turn, key="week_put_back")


def by_hand(visits: Sequence[Appointment], zone: tzinfo) -> None:
    """The same for who cannot drag: a visit, and its new time or its new length."""
    named = {
        each.id: f"{day(each.starts_at.astimezone(zone).date())}, "
        f"{wall_clock(each.starts_at.astimezone(zone).time())} · {each.patient.name}"
        for each in visits
        if may_move(each) or may_stretch(each)
    }
    if not named:
        return
    with st.expander(_("Change a visit without dragging"), icon=":material/edit_calendar:"):
        number = choice(_("Visit"), named, key="week_visit")
        visit = next((each for each in visits if each.id == number), None)
        if visit is None:
            return
        starts = visit.starts_at.astimezone(zone)
        when, until = st.columns(2)
        with when:
            on = st.date_input(_("Day"), starts.date(), format="YYYY-MM-DD", key=f"week_on_{visit.id}")
            at = st.time_input(_("Begins"), starts.time(), step=300, key=f"week_at_{visit.id}")
            moved = datetime.combine(on or starts.date(), at or starts.time(), zone)
            st.button(
                _("Move"),
                disabled=not may_move(visit) or moved == starts,
                on_click=_save,
                args=(Wanted(visit, moved, moved), form_key("week_change")),
                key="week_move",
            )
        with until:
            present = int((visit.ends_at - visit.starts_at).total_seconds()) // 60
            minutes = st.number_input(
                _("Minutes"), 5, 720, value=present, step=5, key=f"week_minutes_{visit.id}"
            )
            ends = (visit.starts_at + timedelta(minutes=minutes)).astimezone(zone)
            st.button(
                _("Change the length"),
                disabled=not may_stretch(visit) or minutes == present,
                on_click=_save,
                args=(Wanted(visit, starts, ends), form_key("week_change")),
                key="week_stretch",
            )


def _span(starts: datetime, ends: datetime) -> str:
    return f"{day(starts.date())}, {wall_clock(starts.time())}–{wall_clock(ends.time())}"


def _change(wanted: Wanted) -> tuple[Callable[..., Appointment], dict[str, Any]]:
    """The service that does it, and with what."""
    shown = {"appointment_id": wanted.visit.id, "version": wanted.visit.version}
    if wanted.is_move:
        return diary_changes.move, {**shown, "starts_at": wanted.starts}
    return diary_changes.stretch, {**shown, "ends_at": wanted.ends}


def _save(wanted: Wanted, key: UUID) -> None:
    change, arguments = _change(wanted)
    done = MOVED if wanted.is_move else STRETCHED
    perform(change, **arguments, request_key=key, form="week_change", done=done)
    message = st.session_state["message"]
    st.session_state["message"] = message._replace(
        lost=None
    )  # the sentence names the times, the grid has them
    _turn()


def _turn() -> None:
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
