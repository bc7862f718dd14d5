"""The board on the screen: a card for each visit, in a list for each of its states."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

import streamlit as st

from core import delay_messages, delays
from core.access import Actor
from core.boards import Row
from core.i18n import N_, _, clock_time, ngettext
from db.models import AppointmentStatus
from pages.ui import tills
from pages.ui.arrivals import bare_step_buttons, tell_affected_button
from pages.ui.money import shown
from pages.ui.portions import FEW, show_portion
from pages.ui.words import plain, status_badge

OPEN = "board_open"  # the number of the visit whose panel is open, `WALK_IN`, or nothing
WALK_IN = "walk-in"
DRAWN = 6  # of each list at first: hundreds take seconds to draw
LATE_DRAWN = 3
LISTS: dict[str, tuple[str, frozenset[AppointmentStatus]]] = {
    "expected": (N_("Expected"), frozenset({AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED})),
    "waiting": (N_("Waiting"), frozenset({AppointmentStatus.ARRIVED})),
    "in_room": (N_("In room"), frozenset({AppointmentStatus.IN_ROOM})),
    "done": (N_("Done"), frozenset({AppointmentStatus.COMPLETED})),
    "missed": (N_("Missed"), frozenset({AppointmentStatus.NO_SHOW})),
}
BESIDE = ("expected", "waiting", "in_room")


class Shown(NamedTuple):
    """Which of the rows are asked for; None is any."""

    doctor_id: int | None
    room_id: int | None
    state: str | None

    def of(self, rows: Sequence[Row]) -> list[Row]:
        return [
            row
            for row in rows
            if self.doctor_id in {None, row.doctor_id} and self.room_id in {None, row.room_id}
        ]


class Cards:
    """Draws cards: who acts, in which zone and currency, at what time, and when each visit will begin."""

    def __init__(self, actor: Actor, zone: tzinfo, currency: str, now: datetime, rows: Sequence[Row]) -> None:
        self.actor, self.zone, self.currency, self.now = actor, zone, currency, now
        self.begins = delays.predicted(rows, now)
        self.late = {row.id: delays.late_minutes(row, self.begins.get(row.id)) for row in rows}

    def card(self, row: Row) -> None:
        """A visit: when, who, what there is to know, and its next steps."""
        with st.container(border=True, gap="small"):
            place = f" · {plain(row.room)}" if row.room else ""
            st.markdown(
                f"**{self._time(row.starts_at)} {plain(row.patient)}** {' '.join(self._marks(row))}  \n"
                f":gray[{plain(row.doctor)} · {plain(row.service)}{place}]"
            )
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                bare_step_buttons(row, self.actor)
                st.button(
                    _("More"),
                    icon=":material/more_horiz:",
                    type="tertiary",
                    on_click=st.session_state.update,
                    args=({OPEN: row.id, tills.OPEN: row.id},),
                    key=f"board_more_{row.id}",
                )

    def _marks(self, row: Row) -> list[str]:
        """What is to be seen at a glance, as coloured words."""
        marks = []
        if row.status is AppointmentStatus.ARRIVED and row.arrived_at:
            minutes = int((self.now - row.arrived_at).total_seconds()) // 60
            marks.append(f":violet-badge[{_('waits {minutes} min').format(minutes=minutes)}]")
        elif row.status is AppointmentStatus.IN_ROOM and row.in_room_at:
            marks.append(f":green-badge[{_('since {time}').format(time=self._time(row.in_room_at))}]")
        elif row.is_offered:
            marks.append(f":violet-badge[{_('Offered')}]")
        elif row.status is AppointmentStatus.PENDING:
            marks.append(status_badge(row.status))
        if self.late.get(row.id):
            time = _("about {time}").format(time=self._time(self.begins[row.id]))
            told = f" · {_('told')}" if (row.told_minutes or 0) >= self.late[row.id] else ""
            marks.append(f":orange-badge[:material/schedule: {time}{told}]")
        if row.attending_at and row.status is AppointmentStatus.CONFIRMED:
            marks.append(f":green-badge[:material/check: {_('Says they come')}]")
        if row.owed_minor:
            marks.append(f":red-badge[{shown(row.owed_minor, self.currency)}]")
        if row.is_first_visit:
            marks.append(f":blue-badge[{_('First visit')}]")
        if row.is_overbooked:
            marks.append(f":orange-badge[{_('Overbooked')}]")
        return marks

    def _time(self, at: datetime) -> str:
        return clock_time(at, self.zone)

    def late_doctors(self, rows: Sequence[Row]) -> None:
        """The doctors who are running late, with a way to tell those who do not know it yet."""
        reached: defaultdict[int, set[int]] = defaultdict(set)
        most: dict[int, tuple[int, str]] = {}
        for row in rows:
            late = self.late.get(row.id, 0)
            if late:
                most[row.doctor_id] = max(most.get(row.doctor_id, (0, "")), (late, row.doctor))
            if delay_messages.is_to_tell(row.status, late, row.told_minutes):
                reached[row.doctor_id].add(row.patient_id)
        waiting = sorted(reached, key=lambda each: most[each], reverse=True)

        if not waiting:
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            for doctor_id in waiting[:LATE_DRAWN]:
                minutes, name = most[doctor_id]
                tell_affected_button(doctor_id, name, minutes, len(reached[doctor_id]))
            more = len(waiting) - LATE_DRAWN
            if more > 0:
                said = ngettext("{count} more doctor is late.", "{count} more doctors are late.", more)
                st.caption(said.format(count=more), width="content")


def draw(cards: Cards, rows: Sequence[Row], state: str | None) -> None:
    """The lists: those whom something is to be done about beside each other, what is over below."""
    listed = {name: [row for row in rows if row.status in states] for name, (_label, states) in LISTS.items()}
    listed["waiting"].sort(key=lambda row: row.arrived_at or row.starts_at)
    listed["done"].reverse()
    if state is not None:
        _list(cards, state, listed[state])
        return
    for column, name in zip(st.columns(len(BESIDE)), BESIDE, strict=True):
        with column:
            _list(cards, name, listed[name])
    for column, name in zip(st.columns(2), ("done", "missed"), strict=True):
        if listed[name]:
            with column:
                _list(cards, name, listed[name], first=FEW)


def _list(cards: Cards, name: str, rows: Sequence[Row], first: int = DRAWN) -> None:
    label = _(LISTS[name][0])
    st.markdown(f"#### {label} :gray[{len(rows)}]")
    show_portion(rows, cards.card, key=f"board_{name}", nothing=_("Nobody."), first=first)


def counted(rows: Sequence[Row]) -> str:
    """How many visits there are, and how many patients wait."""
    waiting = sum(row.status is AppointmentStatus.ARRIVED for row in rows)
    said = ngettext("{count} visit", "{count} visits", len(rows)).format(count=len(rows))
    return said + (_(", {waiting} waiting").format(waiting=waiting) if waiting else "")
