"""The board in parts, each of which is drawn anew alone when something of it has changed."""

from collections.abc import Mapping

import streamlit as st

from pages.ui.boards import BESIDE, END, HEAD, OPEN, Part
from pages.ui.redraws import redraw

Parts = Mapping[str, Part]


class Board:
    """What is drawn of a day, by part, and of which state of the day that is: its `mark`."""

    def __init__(self, mark: str, parts: Parts) -> None:
        self.mark, self._parts, self._due = mark, parts, set(parts)
        self._opened = st.session_state.get(OPEN)
        self.is_new = True  # until somebody has followed it

    @property
    def is_empty(self) -> bool:
        return not self._parts

    def draw(self, chosen: str | None) -> None:
        """All of it, or of the lists the one that is chosen."""
        self._place(HEAD)
        names = BESIDE if chosen is None else (chosen,)
        for column, name in zip(st.columns(len(names)), names, strict=True):
            with column:
                self._place(f"{name}_count")
                self._place(name)
        self._place(END)

    def become(self, mark: str, parts: Parts) -> None:
        """Draw anew what is another by now. It ends the run where there is something."""
        if not parts or not self._parts:
            st.rerun()
        self._due = {name for name, part in parts.items() if part != self._parts[name]}
        self.mark, self._parts = mark, parts
        if self._due:
            redraw([_key(name) for name in self._due])

    def _place(self, name: str) -> None:
        st.fragment(self._part, key=_key(name))(name)

    def _part(self, name: str) -> None:
        """Draw one part, if that is due; else somebody has clicked in it, which the whole page answers."""
        asks_for_more = "message" in st.session_state or st.session_state.get(OPEN) != self._opened
        if name not in self._due or asks_for_more:
            st.rerun()
        self._due.remove(name)
        part = self._parts[name]
        part.draw(part.what)


def _key(name: str) -> str:
    return f"board_part_{name}"
