"""Text as ReportLab lays it out, drawn glyph by glyph: right in every script, and never read as markup."""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-subclassing-any
# ReportLab has no types.

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from reportlab.lib.colors import Color
from reportlab.platypus.flowables import Flowable

from core import line_setting
from core.font_embedding import Embedded, utf16
from core.line_setting import Line, Unit
from core.pdf_tags import Node
from core.typefaces import Glyph, Shaped, shown_glyph

_HEADING_LINES = 6
_DESCENT = 0.24  # of the size: what is below the baseline in most scripts
BLACK = Color(0.1, 0.13, 0.14)
_SHOWN = attrgetter("shown")
_Group = list[Shaped]


class Style(NamedTuple):
    """How text looks. Sizes in points; `align` is left, right, or start: where its reading begins.

    `is_own` text is somebody's words, other text a sentence of ours. `room_below` keeps a heading on the page
    of what follows it.
    """

    size: float
    leading: float
    color: Color = BLACK
    is_bold: bool = False
    align: str = "left"
    is_own: bool = False
    before: float = 0
    after: float = 0
    tag: str = "P"
    room_below: float = 0


class Words(Flowable):
    """People's words, in lines that fit, split over pages where they must be."""

    def __init__(
        self, text: str, style: Style, node: Node | None = None, lines: Sequence[Line] | None = None
    ) -> None:
        super().__init__()
        self.text = "\n".join(line.replace("\t", "    ") for line in text.splitlines())
        self.style, self.node = style, node or Node(style.tag)
        self._lines: Sequence[Line] | None = lines
        self._set_for: float | None = None
        self._drawn_on: Any = None
        self.width: Any = 0
        self.height: Any = 0

    def getSpaceBefore(self) -> float:  # noqa: N802 - ReportLab's own name
        return self.style.before

    def getSpaceAfter(self) -> float:  # noqa: N802
        return self.style.after

    def wrap(self, most: float, height: float) -> tuple[float, float]:
        if self._lines is None or (self._set_for is not None and self._set_for != most):
            style = self.style
            self._lines = line_setting.lines(
                self.text, style.size, most, is_bold=style.is_bold, is_own=style.is_own
            )
        self._set_for = self.width = most
        self.height = len(self._lines) * self.style.leading
        if self._stays_with_next and height < self.height + self.style.room_below:
            return most, height + 1  # it does not fit: it would stand alone at the foot of the page
        return most, self.height

    @property
    def _stays_with_next(self) -> bool:
        """A heading of many lines is somebody's joke, and may fill pages."""
        return self.style.room_below > 0 and len(self._lines or []) <= _HEADING_LINES

    def minWidth(self) -> float:  # noqa: N802
        return 0

    def split(self, most: float, height: float) -> list["Words"]:
        self.wrap(most, height)
        if self._stays_with_next:
            return []
        lines = self._lines or []
        fitting = int((height + 0.01) // self.style.leading)
        if fitting < 1 or (fitting < 2 < len(lines)):  # no line stands alone at the foot of a page
            return []
        if fitting >= len(lines):
            return [self]
        if len(lines) - fitting == 1 and fitting > 2:
            fitting -= 1  # nor at the head of one
        first = self.style._replace(after=0)
        rest = self.style._replace(before=0)
        return [
            Words(self.text, first, self.node, lines[:fitting])._of_width(most),
            Words(self.text, rest, self.node, lines[fitting:])._of_width(most),
        ]

    def _of_width(self, most: float) -> "Words":
        self._set_for = most
        return self

    def drawOn(self, canvas: Any, x: float, y: float, _sW: float = 0) -> None:  # noqa: N802, N803
        """Draw in the canvas's own coordinates: putting them aside and back for each text takes longer.

        The repeated headings of a table are drawn again on each page, but read once.
        """
        if not any(line.units for line in self._lines or []):
            return
        again, self._drawn_on = self._drawn_on is canvas.outline, canvas.outline
        with_mark = [] if again else [canvas.outline.mark(self.node, canvas.page_index)]
        tag = f"/{self.node.tag} <</MCID {with_mark[0]}>> BDC" if with_mark else "/Artifact BMC"
        canvas._code.append(tag)
        baseline = y + self.height - (self.style.leading + self.style.size) / 2 + self.style.size * _DESCENT
        for line in self._lines or []:
            write_line(canvas, line, self.style, (x + self._left(line), baseline))
            baseline -= self.style.leading
        canvas._code.append("EMC")

    def _left(self, line: Line) -> float:
        free = self.width - line.width
        is_right = self.style.align == "right" or (self.style.align == "start" and line.is_leftward)
        return float(free) if is_right else 0.0


def write(canvas: Any, text: str, style: Style, at: tuple[float, float], most: float) -> None:
    """One line of text at a place, cut at `most` points: for what is on every page and read on none."""
    text = " ".join(text.split())
    while not fits(text, style, most) and len(text) > 1:
        text = shortened(text)
    line = line_setting.lines(text, style.size, most, is_bold=style.is_bold, is_own=style.is_own)[0]
    left = at[0] - (line.width if style.align == "right" else 0)
    write_line(canvas, line, style, (left, at[1]))


def fits(text: str, style: Style, most: float) -> bool:
    """Whether a text takes one line."""
    return len(line_setting.lines(text, style.size, most, is_bold=style.is_bold, is_own=style.is_own)) == 1


def shortened(text: str) -> str:
    """A text without its last tenth, which says that something is missing."""
    kept = text.rstrip("… ")
    return kept[: len(kept) * 9 // 10].rstrip() + "…"


def write_line(canvas: Any, line: Line, style: Style, at: tuple[float, float]) -> None:
    """The glyphs of a line. They are written in the order they are read in, wherever they stand."""
    code = canvas._code
    code.append(f"{_ink(style.color)} BT")
    named = None
    for font, group, left, is_plain in _groups(canvas, line.units, style.size):
        face = font.typeface
        if font is not named:
            named = font
            pen = f"{2 if face.is_thickened else 0} Tr {style.size / 36:.2f} w"
            code.append(f"/{font.name} {style.size:g} Tf {pen}")
        code.append(f"1 0 0 1 {at[0] + left:.2f} {at[1]:.2f} Tm")
        if is_plain:
            code.append(f"[{' '.join(map(_SHOWN, group))}]TJ".replace("> <", ""))
        else:
            code += _clusters(font, group[0], style.size)
    code.append("0 Tr ET")


@cache
def _ink(color: Color) -> str:
    """The operators that write in a color, filled or by a stroke."""
    shares = " ".join(f"{share:.3f}" for share in color.rgb())
    return f"{shares} rg {shares} RG"


def _groups(
    canvas: Any, units: Sequence[Unit], size: float
) -> Iterator[tuple[Embedded, _Group, float, bool]]:
    """Words that go on where the last ended, in its font, and are plain; others alone. With their left."""
    font: Embedded | None = None
    group: _Group = []
    left = ended = 0.0
    for unit in units:
        its = canvas.embedded(unit.words[0].typeface)
        if group and font is not None and (its is not font or abs(ended - unit.left) >= 0.01):
            yield font, group, left, True
            group = []
        font, ended = its, unit.left
        for shaped in unit.words:
            is_plain = its.use(shaped) and not shaped.is_lifted
            if group and not is_plain:
                yield its, group, left, True
                group = []
            if not group:
                left = ended
            ended += shaped.width * size / 1000
            if is_plain:
                group.append(shaped)
            else:
                yield its, [shaped], left, False
    if group and font is not None:
        yield font, group, left, True


def _clusters(font: Embedded, shaped: Shaped, size: float) -> Iterator[str]:
    """The operators that show a word whose glyphs are lifted, or say only together what they stand for.

    What is said for glyphs is said of a whole word, which readers keep together; but some turn it round from
    right to left, so there it is as little as can be.
    """
    for run, said in _said(font, shaped):
        if said:
            yield f"/Span <</ActualText <FEFF{utf16(said)}>>> BDC"
        for glyph in run:
            shown = f"[{shown_glyph(shaped.typeface, glyph)}]TJ"
            yield f"{glyph.up * size / 1000:.2f} Ts {shown} 0 Ts" if glyph.up else shown
        if said:
            yield "EMC"


def _said(font: Embedded, shaped: Shaped) -> Iterator[tuple[Sequence[Glyph], str]]:
    """Glyphs with what has to be said for them, nothing where they spell it themselves."""
    glyphs = shaped.glyphs
    if font.use(shaped):
        yield glyphs, ""
    elif glyphs[0].start <= glyphs[-1].start:
        yield glyphs, shaped.text
    else:
        for _start, run in groupby(glyphs, key=lambda glyph: glyph.start):
            part = list(run)
            is_spelt = len(part) == 1 and part[0].number > 0 and font.spells(part[0])
            yield part, "" if is_spelt else part[0].cluster
