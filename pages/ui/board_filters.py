"""Which visits of the board are asked for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from core.boards import Row
from core.i18n import _
from pages.ui.arrivals import late_popover
from pages.ui.boards import LISTS
from pages.ui.choices import choice


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


def filters(doctors: Mapping[int, str], rooms: Mapping[int, str]) -> Shown:
    """Ask for doctor, room and state; those of one doctor can be told of a delay."""
    bare = {"index": None, "label_visibility": "collapsed"}
    labels = {name: _(label) for name, (label, _states) in LISTS.items()}
    with st.container(horizontal=True, vertical_alignment="center"):
        doctor_id = choice(
            _("Doctor"), doctors, placeholder=_("Any doctor"), key="board_doctor", width=240, **bare
        )
        room_id = choice(_("Room"), rooms, placeholder=_("Any room"), key="board_room", width=170, **bare)
        state = choice(_("Status"), labels, placeholder=_("Any status"), key="board_state", width=150, **bare)
        if doctor_id is not None:
            late_popover(doctor_id, _("Running late"))
    return Shown(doctor_id, room_id, state)
