"""What our documents are made of: letterhead, titles, facts, tables. `pdf_pages` makes pages of them.

People's own words are drawn as they are, never through ReportLab's paragraphs, which read what they are given
as markup: that can embed a file of this machine or break the document.
"""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-subclassing-any
# ReportLab has no types.

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image as Pictures
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.platypus.flowables import Flowable, Image, KeepTogether, Spacer
from reportlab.platypus.tables import Table, TableStyle

from core.pdf_pages import GREY, LINE, Sheet
from core.pdf_tags import Node
from core.pdf_words import Style, Words
from core.phones import shown

RED = HexColor("#a61b1b")
TEXT = Style(10, 14.5)
OWN = TEXT._replace(is_own=True)
BODY = OWN._replace(align="start")
SMALL = Style(8.8, 12, is_own=True)
LABEL = Style(8.8, 12, GREY)
RED_TEXT = TEXT._replace(color=RED)
DATE = TEXT._replace(align="right")
_FACT = LABEL._replace(leading=TEXT.leading)
_AMOUNT = SMALL._replace(align="right")
_AMOUNT_LABEL = LABEL._replace(align="right")
_TOTAL = SMALL._replace(is_bold=True)
_TOTAL_AMOUNT = _AMOUNT._replace(is_bold=True)
_SENDER = Style(11.5, 16, is_bold=True, is_own=True)
_REACHED = LABEL._replace(is_own=True)
_TITLE = Style(18, 25, is_bold=True, before=2 * mm, after=2 * mm, tag="H1")
_HEADING = Style(12.5, 18, is_bold=True, before=5 * mm, after=1 * mm, tag="H2", room_below=75)
_SUBHEADING = Style(10.5, 15, is_bold=True, before=2.5 * mm, tag="H3", room_below=48)
_PART = Style(8.8, 13, GREY, before=1 * mm, room_below=30)
_FORMERLY = Style(8.8, 13, is_bold=True, before=2 * mm, tag="H4", room_below=45)
_WARNING = Style(20, 28, RED, is_bold=True, before=2 * mm, after=1 * mm)
_LOGO = (48 * mm, 20 * mm)
_LOGO_PIXELS = 800


def words(text: str, style: Style = BODY) -> Words:
    """People's own words, line by line as they wrote them, unless `style` says that they are ours."""
    return Words(text, style)


def title(text: str) -> Words:
    return words(text, _TITLE)


def heading(text: str) -> Words:
    return words(text, _HEADING)


def subheading(text: str) -> Words:
    return words(text, _SUBHEADING)


def part(text: str) -> Words:
    """What the words below are: Findings, Plan."""
    return words(text, _PART)


def formerly(text: str) -> Words:
    """That what stands below is no longer so."""
    return words(text, _FORMERLY)


def warning(text: str) -> Words:
    """What nobody may overlook."""
    return words(text, _WARNING)


def note(text: str) -> Words:
    return words(text, LABEL)


def gap(height_mm: float) -> Spacer:
    return Spacer(1, height_mm * mm)


def until(parts: Sequence[Flowable], height_mm: float, width: float) -> list[Flowable]:
    """Parts that are to take at least so much of the page, as what follows has its place on it."""
    taken = sum(part.wrap(width, 10_000)[1] for part in parts)
    return [*parts, Spacer(1, max(0, height_mm * mm - taken))]


def together(parts: Sequence[Flowable]) -> KeepTogether:
    """Parts that no page divides, where one page can hold them."""
    return KeepTogether(list(parts))


def letterhead(sheet: Sheet) -> list[Flowable]:
    """Who writes and where they are reached, with the logo on the other side."""
    phone = shown(sheet.phone) if sheet.phone else ""
    reached = "\n".join(each for each in (sheet.address, phone) if each)
    sender: list[Flowable] = [words(sheet.name, _SENDER)]
    if reached:
        sender.append(words(reached, _REACHED))
    if sheet.logo is None:
        return [*sender, gap(5)]
    logo = _Logo(BytesIO(_drawable(sheet.logo)))
    scale = min(_LOGO[0] / logo.imageWidth, _LOGO[1] / logo.imageHeight)
    logo.drawWidth, logo.drawHeight = logo.imageWidth * scale, logo.imageHeight * scale
    head = Table([[sender, logo]], colWidths=[sheet.width - _LOGO[0], _LOGO[0]], hAlign="LEFT")
    head.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("ALIGN", (1, 0), (1, 0), "RIGHT"), *_no_padding()])
    )
    return [head, gap(5)]


@lru_cache(maxsize=2)
def _drawable(logo: bytes) -> bytes:
    """A logo on white and no larger than print needs: it goes into every document."""
    with Pictures.open(BytesIO(logo), formats=("PNG", "JPEG")) as opened:
        opened.thumbnail((_LOGO_PIXELS, _LOGO_PIXELS))
        picture = opened.convert("RGBA")
    white = Pictures.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    written = BytesIO()
    white.convert("RGB").save(written, "PNG")
    return written.getvalue()


class _Logo(Image):
    """An ornament: the clinic's name stands beside it."""

    def draw(self) -> None:
        self.canv._code.append("/Artifact BMC")
        super().draw()
        self.canv._code.append("EMC")


def facts(pairs: Sequence[tuple[str, str]], *, label_mm: float = 38) -> Table:
    """Labels with what they stand for, below each other."""
    whole = Node("Table")
    rows = []
    for label, value in pairs:
        row = whole.inner("TR")
        rows.append([Words(label, _FACT, row.inner("TH", "Row")), Words(value, OWN, row.inner("TD"))])
    return _Grid(rows, colWidths=[label_mm * mm, None], hAlign="LEFT", splitInRow=1, style=_style())


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float | None],
    *,
    amounts: int | Sequence[int] = (),
    total: Sequence[str] | None = None,
) -> Table:
    """A table whose headings stand again on each page. `widths` in mm; None shares what is left.

    The columns `amounts`, counted from 0, have their figures below each other on the right. What the rows
    come to in all, `total`, stands below them in bold.
    """
    right = {amounts} if isinstance(amounts, int) else set(amounts)
    whole = Node("Table")
    cells = [_line(whole, headings, (LABEL, _AMOUNT_LABEL), right, is_head=True)]
    cells += [_line(whole, row, (SMALL, _AMOUNT), right) for row in rows]
    if total is not None:
        cells.append(_line(whole, total, (_TOTAL, _TOTAL_AMOUNT), right))
    across = [None if width is None else width * mm for width in widths]
    return _Grid(cells, colWidths=across, repeatRows=1, hAlign="LEFT", splitInRow=1, style=_style())


def _line(
    whole: Node, texts: Sequence[str], styles: tuple[Style, Style], right: set[int], *, is_head: bool = False
) -> list[Words]:
    """A row of a table: in the first style, and on the right in the second."""
    line = whole.inner("TR")
    cell = ("TH", "Column") if is_head else ("TD",)
    return [Words(each, styles[at in right], line.inner(*cell)) for at, each in enumerate(texts)]


class _Grid(Table):
    """A table as wide as the page; its lines are ornaments."""

    def _calc(self, width: float, height: float) -> None:
        if None in self._argW:
            left = width - sum(each for each in self._argW if each is not None)
            share = left / self._argW.count(None)
            self._argW = [share if each is None else each for each in self._argW]
            self._colWidths = list(self._argW)
        super()._calc(width, height)

    def _drawLines(self) -> None:  # noqa: N802 - ReportLab's own name
        self.canv._code.append("/Artifact BMC")
        super()._drawLines()
        self.canv._code.append("EMC")


def _style() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
            *_no_padding(),
            ("RIGHTPADDING", (0, 0), (-2, -1), 8),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )


def _no_padding() -> list[tuple[Any, ...]]:
    sides = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
    return [(side, (0, 0), (-1, -1), 0) for side in sides]
