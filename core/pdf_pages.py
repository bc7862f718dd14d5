"""The pages of a document: the paper, the foot of each with their number, title, author and language."""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-subclassing-any
# ReportLab has no types.

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from io import BytesIO
from typing import IO, Any, NamedTuple

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate
from reportlab.platypus.flowables import Flowable

from core import bidi, pdf_words
from core.font_embedding import Embedded
from core.i18n import _, full_time, short_date, speaking, spoken, zone_offset
from core.pdf_tags import Outline
from core.pdf_words import Style
from core.typefaces import Typeface
from db.models import ClinicSettings, Paper

MARGIN = 20 * mm
GREY = HexColor("#56666a")
LINE = HexColor("#cfdbdc")
_SIZES = {Paper.A4: A4, Paper.LETTER: LETTER}
_FOOT = Style(8, 10, GREY)
_NUMBER = _FOOT._replace(align="right")
_LAID_OUT = 0.75  # the share of the work that is done when all parts have their place
Told = Callable[[float], None]  # hears which share of the work is done
vars(rl_config)["useA85"] = (
    0  # pages as they are compressed: written out in letters they are a quarter longer
)


def untold(_share: float) -> None:
    """Whom the progress of a short document is told to."""


class Sheet(NamedTuple):
    """Who prints a document, on which paper, when, in which language."""

    name: str
    address: str
    phone: str | None
    logo: bytes | None
    paper: Paper
    zone: tzinfo
    printed_at: datetime
    language: str  # such as en or pt-BR

    @property
    def printed(self) -> str:
        zone = zone_offset(self.printed_at, self.zone)
        return _("Printed on {time}").format(time=f"{full_time(self.printed_at, self.zone)} ({zone})")

    @property
    def width(self) -> float:
        """Between the margins, in points."""
        return float(_SIZES[self.paper][0] - 2 * MARGIN)


def sheet(clinic: ClinicSettings, *, zone: tzinfo, at: datetime, locale: str | None = None) -> Sheet:
    """A sheet of the clinic's, in the language spoken now unless `locale` says another."""
    return Sheet(
        name=clinic.name,
        address=clinic.address or "",
        phone=clinic.phone,
        logo=clinic.logo,
        paper=clinic.paper or Paper.A4,
        zone=zone,
        printed_at=at,
        language=(locale or spoken()).replace("_", "-"),
    )


class About(NamedTuple):
    """Whose document it is, and what has to be said of it on every page."""

    patient: str
    birth_on: date
    warning: str = ""

    def line(self, most: float) -> str:
        """All of it within so many points: what is too long is the name."""
        name = " ".join(self.patient.split())
        while not pdf_words.fits(self._said(name), _FOOT, most) and len(name) > 1:
            name = pdf_words.shortened(name)
        return self._said(name)

    def _said(self, name: str) -> str:
        born = _("{patient}, born {date}").format(patient=bidi.isolated(name), date=short_date(self.birth_on))
        return f"{self.warning} · {born}" if self.warning else born


class _Pages(Canvas):
    """Writes the foot of each page at the end, when it is known how many there are."""

    sheet: Sheet
    about: About | None = None
    told: Told

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.outline = Outline()
        self._fonts: dict[Typeface, Embedded] = {}
        self._pages: list[dict[str, Any]] = []

    def _make_preamble(self) -> None:
        """Pages begin without ReportLab's first font, which is not embedded."""
        self._preamble = "1 0 0 1 0 0 cm"

    def setFont(self, *_font: Any, **_more: Any) -> None:  # noqa: N802
        """Tables of ReportLab name a font for each cell; ours hold words that bring their own."""

    @property
    def page_index(self) -> int:
        return len(self._pages)

    def embedded(self, typeface: Typeface) -> Embedded:
        known = self._fonts.get(typeface)
        if known is None:
            known = self._fonts[typeface] = Embedded(self._doc, typeface)
        return known

    def showPage(self) -> None:  # noqa: N802 - ReportLab's own name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(list(self._pages), start=1):
            self.__dict__.update(page)
            self._foot(number)
            super().showPage()
            self.told(_LAID_OUT + (1 - _LAID_OUT) * number / (len(self._pages) + 1))
        self.outline.write(self._doc)
        self._doc.idToObject[
            "BasicFonts"
        ].dict.clear()  # ours come when all is written; ReportLab's are not used
        super().save()

    def _foot(self, number: int) -> None:
        """Whose document it is, when it was printed and by whom, on every page."""
        sheet, right = self.sheet, self._pagesize[0] - MARGIN
        counted = _("Page {number} of {count}").format(number=number, count=len(self._pages))
        self._code.append("/Artifact <</Type /Pagination /Subtype /Footer>> BDC")
        self.setStrokeColor(LINE)
        self.setLineWidth(0.5)
        self.line(MARGIN, 19 * mm, right, 19 * mm)
        if self.about:
            pdf_words.write(
                self, self.about.line(sheet.width * 0.48), _FOOT, (MARGIN, 15 * mm), sheet.width * 0.48
            )
            pdf_words.write(self, sheet.printed, _NUMBER, (right, 15 * mm), sheet.width * 0.5)
        else:
            pdf_words.write(self, sheet.printed, _FOOT, (MARGIN, 15 * mm), sheet.width)
        pdf_words.write(self, sheet.name, _FOOT, (MARGIN, 10.5 * mm), sheet.width * 0.75)
        pdf_words.write(self, counted, _NUMBER, (right, 10.5 * mm), sheet.width * 0.25)
        self._code.append("EMC")


@dataclass(frozen=True)
class Document:
    """What is to be printed, read and not laid out yet: nothing of it asks the database any more.

    `about` names whose document it is, at the foot of every page.
    """

    story: list[Flowable]
    sheet: Sheet
    title: str
    about: About | None = None
    locale: str = field(default_factory=spoken)

    def as_pdf(self) -> bytes:
        """The whole PDF. For what may be long, `write` it into a file."""
        written = BytesIO()
        self.write(written)
        return written.getvalue()

    def write(self, file: IO[bytes], told: Told = untold) -> None:
        """Lay the document out and write it into `file`; once, since the parts are used up.

        All of it is laid out before the first byte is written: each page says how many there are. `told`
        hears which share is done, 0 to 1, after every part and page, and stops the work by raising.
        """
        made = SimpleDocTemplate(
            file,
            pagesize=_SIZES[self.sheet.paper],
            leftMargin=MARGIN - 6,  # ReportLab leaves as many points around the text of a page
            rightMargin=MARGIN - 6,
            topMargin=MARGIN - 6,
            bottomMargin=MARGIN + 1 * mm,
            title=bidi.plain(self.title),
            author=self.sheet.name,
            subject="",
            creator="Clinic Portal",
            lang=self.sheet.language,
            displayDocTitle=1,
        )
        made.setProgressCallBack(_laying_out(len(self.story), told))
        pages = {"sheet": self.sheet, "about": self.about, "told": staticmethod(told)}
        with speaking(self.locale):
            made.build(self.story, canvasmaker=type("Pages", (_Pages,), pages))


def _laying_out(parts: int, told: Told) -> Callable[[str, int], None]:
    """What ReportLab calls while it lays parts out: those that a page divides count as they come."""

    def heard(what: str, number: int) -> None:
        if what == "PROGRESS":
            told(_LAID_OUT * min(1, max(0, number) / max(parts, 1)))

    return heard
