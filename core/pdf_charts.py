"""Bars with their names and values, drawn in the letters of any script. A table beside them says the same."""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-subclassing-any
# ReportLab has no types.

from collections.abc import Sequence
from typing import Any, NamedTuple

from reportlab.lib.colors import HexColor
from reportlab.platypus.flowables import Flowable

from core import pdf_words
from core.pdf_tags import Node
from core.pdf_words import Style

_BAR = HexColor("#2b7a86")
_BEHIND = HexColor("#e9f0f1")
_ROW, _THICK = 18.0, 10.0  # points
_FEWEST = 2  # bars on a page: one alone shows nothing beside which it is long or short
_NAMES, _VALUES = 0.3, 0.16  # shares of the width
_NAME = Style(8.8, 12, is_own=True)
_VALUE = _NAME._replace(align="right")


class Bar(NamedTuple):
    """`size` is what the bar is as long as, `value` how it reads."""

    name: str
    size: int
    value: str


class Bars(Flowable):
    """Bars below each other. `alternative` is what is read to those who cannot see them.

    Where they go on over several pages they are all drawn against the longest of them.
    """

    def __init__(self, bars: Sequence[Bar], alternative: str, longest: int = 0) -> None:
        super().__init__()
        self._bars, self._drawn_on = list(bars), None
        self._longest = max(longest, *(bar.size for bar in bars), 0)
        self._node = Node("Figure", alternative=alternative)

    def wrap(self, most: float, _height: float) -> tuple[float, float]:
        self.width: Any = most
        self.height: Any = len(self._bars) * _ROW + 6
        return most, self.height

    def split(self, most: float, height: float) -> list["Bars"]:
        fitting = min(int((height - 6) // _ROW), len(self._bars) - _FEWEST)
        if fitting < _FEWEST:
            return []
        parts = self._bars[:fitting], self._bars[fitting:]
        return [Bars(part, self._node.alternative, self._longest) for part in parts]

    def draw(self) -> None:
        canvas = self.canv
        mark = canvas.outline.mark(self._node, canvas.page_index)
        canvas._code.append(f"/Figure <</MCID {mark}>> BDC")
        longest = self._longest or 1
        left, across = self.width * _NAMES, self.width * (1 - _NAMES - _VALUES)
        for place, bar in enumerate(self._bars):
            foot = self.height - 3 - (place + 1) * _ROW + (_ROW - _THICK) / 2
            canvas.setFillColor(_BEHIND)
            canvas.rect(left, foot, across, _THICK, stroke=0, fill=1)
            canvas.setFillColor(_BAR)
            canvas.rect(left, foot, across * max(bar.size, 0) / longest, _THICK, stroke=0, fill=1)
            pdf_words.write(canvas, bar.name, _NAME, (0, foot + 2), left - 8)
            pdf_words.write(canvas, bar.value, _VALUE, (self.width, foot + 2), self.width * _VALUES)
        canvas._code.append("EMC")
