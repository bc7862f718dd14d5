"""Changing a doctor's calendar: the question after a drag, and the same without dragging."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

import streamlit as st

from core import diary_changes
from core.i18n import N_, _, day, wall_clock
from db.models import Appointment
from pages.ui.actions import form_key, perform
from pages.ui.choices import choice
from pages.ui.diaries import Wanted, may_move, may_stretch
from pages.ui.words import plain

TURN = "week_turn"  # counts the changes that were decided: each gives the grid a fresh start
MOVED, STRETCHED = N_("Moved. The patient is told."), N_("Saved.")


def question(wanted: Wanted, zone: tzinfo) -> None:
    """What was dragged, at the foot of the screen, to save or to put back."""
    visit = wanted.visit
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
                new=plain(_span(wanted.starts, wanted.ends)),
            )
        )
        if wanted.is_move:
            st.caption(_("The patient gets a message with the new time."))
        with st.container(horizontal=True):
            st.button(
                _("Save"),
                type="primary",
                on_click=_save,
                args=(visit.id, wanted, visit.version, form_key("week_change")),
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
                args=(visit.id, Wanted(visit, moved, moved), visit.version, form_key("week_change")),
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
                args=(visit.id, Wanted(visit, starts, ends), visit.version, form_key("week_change")),
                key="week_stretch",
            )


def _span(starts: datetime, ends: datetime) -> str:
    return f"{day(starts.date())}, {wall_clock(starts.time())}–{wall_clock(ends.time())}"


def _save(visit_id: int, wanted: Wanted, version: int, key: UUID) -> None:
    common = {"appointment_id": visit_id, "version": version, "request_key": key, "form": "week_change"}
    if wanted.is_move:
        perform(diary_changes.move, starts_at=wanted.starts, done=MOVED, **common)
    else:
        perform(diary_changes.stretch, ends_at=wanted.ends, done=STRETCHED, **common)
    message = st.session_state["message"]
    st.session_state["message"] = message._replace(
        lost=None
    )  # the sentence names the times, the grid has them
    _turn()


def _turn() -> None:
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
