"""The board on the screen: a card for each visit, in a list for each of its states.

What is shown is put into words first and drawn then, so that what shows the same need not be drawn again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import streamlit as st

from core import delay_messages, delays
from core.access import Actor
from core.boards import Details, Row
from core.i18n import N_, _, clock_time, ngettext
from db.models import AppointmentStatus
from pages.ui import tills
from pages.ui.arrivals import bare_step_buttons, next_steps, tell_affected_button
from pages.ui.money import shown
from pages.ui.portions import FEW, more_button, portion
from pages.ui.words import plain, status_badge

OPEN = "board_open"  # the number of the visit whose panel is open, `WALK_IN`, `AWAY`, or nothing
WALK_IN, AWAY = "walk-in", "away"
DRAWN = 6  # of each list at first: hundreds take seconds to draw
LATE_DRAWN = 3
WORDS_WIDE = 560  # of a card, in pixels: more than a list has beside another, so that its buttons come below
LISTS: dict[str, tuple[str, frozenset[AppointmentStatus]]] = {
    "expected": (N_("Expected"), frozenset({AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED})),
    "waiting": (N_("Waiting"), frozenset({AppointmentStatus.ARRIVED})),
    "in_room": (N_("In room"), frozenset({AppointmentStatus.IN_ROOM})),
    "done": (N_("Done"), frozenset({AppointmentStatus.COMPLETED})),
    "missed": (N_("Missed"), frozenset({AppointmentStatus.NO_SHOW})),
}
HEAD, END = "head", "end"
BESIDE, BELOW = ("expected", "waiting", "in_room"), ("done", "missed")
_LIST_OF = {status: name for name, (_label, states) in LISTS.items() for status in states}
_SHOWN = {
    name: (f"board_{name}", DRAWN if name in BESIDE else FEW) for name in LISTS
}  # its key, and how many


class Card(NamedTuple):
    """What is shown of a visit: its words, in Markdown, and the steps that it can take."""

    visit_id: int
    words: str
    steps: tuple[str, ...]


class Listed(NamedTuple):
    """A list as it is drawn: how many visits are in it, the first of them, and whether these are not all."""

    name: str
    count: int
    cards: tuple[Card, ...]
    has_more: bool


class Late(NamedTuple):
    """A doctor who is late: by how many minutes at most, and how many patients do not know it yet."""

    minutes: int
    doctor: str
    doctor_id: int
    patients: int


class Head(NamedTuple):
    """What stands above the lists: how many visits there are, and who is late, the latest first."""

    said: str
    late: tuple[Late, ...]


class Part(NamedTuple):
    """Something of the board, and what it is drawn from."""

    draw: Callable[[Any], None]
    what: tuple[Any, ...]


class Cards:
    """Puts visits into words, for who acts, in a zone and a currency, with when each will begin."""

    def __init__(self, actor: Actor, zone: tzinfo, currency: str, now: datetime, rows: Sequence[Row]) -> None:
        self.actor, self.zone, self.currency, self.now = actor, zone, currency, now
        self.begins = delays.predicted(rows, now)
        self.late = {row.id: delays.late_minutes(row, self.begins.get(row.id)) for row in rows}

    def card(self, row: Row, details: Details) -> Card:
        """A visit: when, who, what there is to know, and its next steps."""
        place = f" · {plain(details.room)}" if details.room else ""
        marks = " ".join([*self._of_time(row, details), *self._of_patient(row, details)])
        words = (
            f"**{self._time(row.starts_at)} {plain(details.patient)}** {marks}  \n"
            f":gray[{plain(row.doctor)} · {plain(details.service)}{place}]"
        )
        return Card(row.id, words, tuple(next_steps(row, self.actor, is_today=True)))

    def _of_time(self, row: Row, details: Details) -> Iterator[str]:
        """Since when, or from when on, as coloured words."""
        if row.status is AppointmentStatus.ARRIVED and row.arrived_at:
            minutes = int((self.now - row.arrived_at).total_seconds()) // 60
            yield f":violet-badge[{_('waits {minutes} min').format(minutes=minutes)}]"
        elif row.status is AppointmentStatus.IN_ROOM and row.in_room_at:
            yield f":green-badge[{_('since {time}').format(time=self._time(row.in_room_at))}]"
        elif details.is_offered:
            yield f":violet-badge[{_('Offered')}]"
        elif row.status is AppointmentStatus.PENDING:
            yield status_badge(row.status)
        if self.late.get(row.id):
            time = _("about {time}").format(time=self._time(self.begins[row.id]))
            told = f" · {_('told')}" if (row.told_minutes or 0) >= self.late[row.id] else ""
            yield f":orange-badge[:material/schedule: {time}{told}]"

    def _of_patient(self, row: Row, details: Details) -> Iterator[str]:
        """What there is to know about the patient, as coloured words."""
        if details.attending_at and row.status is AppointmentStatus.CONFIRMED:
            said = _("Says they come, by text") if details.is_by_text else _("Says they come")
            yield f":green-badge[:material/{'sms' if details.is_by_text else 'check'}: {said}]"
        if details.owed_minor:
            yield f":red-badge[{shown(details.owed_minor, self.currency)}]"
        if details.is_first_visit:
            yield f":blue-badge[{_('First visit')}]"
        if details.is_overbooked:
            yield f":orange-badge[{_('Overbooked')}]"

    def _time(self, at: datetime) -> str:
        return clock_time(at, self.zone)

    def head(self, rows: Sequence[Row]) -> Head:
        """How many visits there are, and which doctors are late whose patients do not know it yet."""
        reached: defaultdict[int, set[int]] = defaultdict(set)
        most: dict[int, tuple[int, str]] = {}
        for row in rows:
            late = self.late.get(row.id, 0)
            if late:
                most[row.doctor_id] = max(most.get(row.doctor_id, (0, "")), (late, row.doctor))
            if delay_messages.is_to_tell(row.status, late, row.told_minutes):
                reached[row.doctor_id].add(row.patient_id)
        waiting = [Late(*most[number], number, len(patients)) for number, patients in reached.items()]
        return Head(counted(rows), tuple(sorted(waiting, reverse=True)))


def in_lists(rows: Sequence[Row], chosen: str | None) -> dict[str, list[Row]]:
    """The rows by the name of their list, in its order; of the one that is `chosen`, if one is."""
    of: dict[str, list[Row]] = {name: [] for name in LISTS}
    for row in rows:
        of[_LIST_OF[row.status]].append(row)
    of["waiting"].sort(key=lambda row: row.arrived_at or row.starts_at)
    of["done"].reverse()
    return of if chosen is None else {chosen: of[chosen]}


def first(name: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Those of a list that are drawn."""
    return rows[: portion(*_SHOWN[name])]


def parts(head: Head, lists: Mapping[str, Listed]) -> dict[str, Part]:
    """What is drawn, by name. How many are in a list changes more often than who is next in it."""
    below = tuple(lists[name] for name in BELOW) if len(lists) > 1 else ()
    found = {HEAD: Part(_draw_head, head), END: Part(_draw_below, below)}
    for name, listed in lists.items():
        if listed not in below:
            found[f"{name}_count"] = Part(_draw_count, (name, listed.count))
            found[name] = Part(_draw_cards, listed._replace(count=0))
    return found


def _draw_head(head: Head) -> None:
    """How many visits there are, and a way to tell those whom a delay reaches."""
    st.caption(head.said)
    if not head.late:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        for each in head.late[:LATE_DRAWN]:
            tell_affected_button(each.doctor_id, each.doctor, each.minutes, each.patients)
        more = len(head.late) - LATE_DRAWN
        if more > 0:
            said = ngettext("{count} more doctor is late.", "{count} more doctors are late.", more)
            st.caption(said.format(count=more), width="content")


def _draw_below(lists: Sequence[Listed]) -> None:
    """The lists of who is done with, each only where somebody is in it."""
    for column, listed in zip(st.columns(len(lists)) if lists else (), lists, strict=True):
        if listed.count:
            with column:
                _draw_count((listed.name, listed.count))
                _draw_cards(listed)


def _draw_count(counted: tuple[str, int]) -> None:
    name, count = counted
    st.markdown(f"#### {_(LISTS[name][0])} :gray[{count}]")


def _draw_cards(listed: Listed) -> None:
    if not listed.cards:
        st.caption(_("Nobody."))
    for card in listed.cards:
        _draw_card(card)
    if listed.has_more:
        more_button(_SHOWN[listed.name][0], len(listed.cards))


def _draw_card(card: Card) -> None:
    with st.container(border=True, horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(card.words, width=WORDS_WIDE)
        bare_step_buttons(card.visit_id, card.steps)
        st.button(
            _("More"),
            icon=":material/more_horiz:",
            type="tertiary",
            on_click=st.session_state.update,
            args=({OPEN: card.visit_id, tills.OPEN: card.visit_id},),
            key=f"board_more_{card.visit_id}",
        )


def counted(rows: Sequence[Row]) -> str:
    """How many visits there are, and how many patients wait."""
    waiting = sum(row.status is AppointmentStatus.ARRIVED for row in rows)
    said = ngettext("{count} visit", "{count} visits", len(rows)).format(count=len(rows))
    return said + (_(", {waiting} waiting").format(waiting=waiting) if waiting else "")
