"""PDFs in the clinic's name: titled, numbered n of m, in letters of many scripts.

People's own words go through `words`, since ReportLab reads what it is given as markup, which can embed a
file of this machine or break the document.
"""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-subclassing-any
# ReportLab has no types.

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import pymupdf_fonts
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.fonts import addMapping
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle
from reportlab.platypus.flowables import Flowable

from core.i18n import _

FONT, BOLD = "Noto Sans", "Noto Sans Bold"  # Latin with all accents, Cyrillic, Greek, Vietnamese
MARGIN = 18 * mm
_FRAME = 6  # points: what ReportLab leaves around the text of a page
_GREY = colors.HexColor("#5b6b6d")
_LINE = colors.HexColor("#d5e0e1")
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=10, leading=14)
_SMALL = ParagraphStyle("small", _TEXT, fontSize=8.5, leading=11.5)
_LABEL = ParagraphStyle("label", _SMALL, textColor=_GREY)
_AMOUNT = ParagraphStyle("amount", _SMALL, alignment=TA_RIGHT)
_AMOUNT_LABEL = ParagraphStyle("amount label", _LABEL, alignment=TA_RIGHT)
_SENDER = ParagraphStyle("sender", _TEXT, fontName=BOLD)
_REACHED = ParagraphStyle("reached", _LABEL, spaceAfter=8 * mm)
_TITLE = ParagraphStyle("title", _TEXT, fontName=BOLD, fontSize=18, leading=24, spaceAfter=2 * mm)
_HEADING = ParagraphStyle(
    "heading", _TEXT, fontName=BOLD, fontSize=12.5, leading=16, spaceBefore=6 * mm, spaceAfter=1.5 * mm
)


@cache
def _register_fonts() -> None:
    for name, font in ((FONT, "notos"), (BOLD, "notosbo")):
        pdfmetrics.registerFont(TTFont(name, BytesIO(pymupdf_fonts.myfont(font))))
    addMapping(FONT, 0, 0, FONT)
    addMapping(FONT, 1, 0, BOLD)


def words(text: str, style: ParagraphStyle = _TEXT) -> Paragraph:
    """People's own words, line by line as they wrote them."""
    _register_fonts()
    return Paragraph("<br/>".join(escape(line) for line in text.splitlines()), style)


def title(text: str) -> Paragraph:
    return words(text, _TITLE)


def letterhead(name: str, reached: str) -> list[Paragraph]:
    """Who writes, and where they are reached."""
    return [words(name, _SENDER), words(reached, _REACHED)]


def heading(text: str) -> Paragraph:
    return words(text, _HEADING)


def note(text: str) -> Paragraph:
    return words(text, _LABEL)


def facts(pairs: Sequence[tuple[str, str]]) -> Table:
    """Labels with what they stand for, below each other."""
    rows = [[words(label, _LABEL), words(value)] for label, value in pairs]
    return Table(rows, colWidths=[38 * mm, None], hAlign="LEFT", splitInRow=1, style=_style())


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float | None],
    *,
    amounts: int | None = None,
) -> Table:
    """A table whose headings stand again on each page. `widths` in mm; None shares what is left.

    The column `amounts`, counted from 0, has its figures below each other on the right.
    """
    cells = [
        [words(each, _AMOUNT_LABEL if at == amounts else _LABEL) for at, each in enumerate(headings)],
        *([words(each, _AMOUNT if at == amounts else _SMALL) for at, each in enumerate(row)] for row in rows),
    ]
    across = [None if width is None else width * mm for width in widths]
    return Table(cells, colWidths=across, repeatRows=1, hAlign="LEFT", splitInRow=1, style=_style())


def _style() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ]
    )


class _Numbered(Canvas):
    """Draws the foot of each page at the end, when it is known how many there are."""

    clinic = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - ReportLab's own name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFont(FONT, 8)
            self.setFillColor(_GREY)
            self.drawString(MARGIN + _FRAME, 10 * mm, self.clinic)
            counted = _("Page {number} of {count}").format(number=number, count=len(self._pages))
            self.drawRightString(A4[0] - MARGIN - _FRAME, 10 * mm, counted)
            super().showPage()
        super().save()


def document(story: Sequence[Flowable], *, title: str, clinic: str, language: str) -> bytes:
    """The parts as a PDF on A4, with its title, author and language in it. `language` such as en or pt-BR."""
    written = BytesIO()
    made = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 4 * mm,
        title=title,
        author=clinic,
        creator="Clinic Portal",
        lang=language,
        displayDocTitle=1,
    )
    numbered = type("Numbered", (_Numbered,), {"clinic": clinic})
    made.build(list(story), canvasmaker=numbered)
    return written.getvalue()
