"""PDFs as poppler reads them: their text, what they say of themselves, their fonts, where words stand."""

import re
import shutil
import subprocess

import pytest

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler's pdftotext")
_TURNS = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F)])
MM = 72 / 25.4


def _read(tool: str, *options: str, pdf: bytes) -> str:
    ran = subprocess.run([tool, *options], input=pdf, capture_output=True, check=True)
    assert ran.stderr == b""
    return ran.stdout.decode()


def text_of(pdf: bytes) -> str:
    """What can be read, each run of blanks as one, without the marks that pdftotext sets around Hebrew."""
    return " ".join(_read("pdftotext", "-layout", "-", "-", pdf=pdf).translate(_TURNS).split())


def run_on(pdf: bytes) -> str:
    """What can be read in the order in which it was written, without any blanks: words may end a line."""
    return "".join(_read("pdftotext", "-raw", "-", "-", pdf=pdf).translate(_TURNS).split())


def words_of(pdf: bytes) -> set[str]:
    return set(text_of(pdf).split())


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page."""
    pages = _read("pdftotext", "-layout", "-", "-", pdf=pdf).translate(_TURNS).split("\f")[:-1]
    return [" ".join(page.split()) for page in pages]


def info(pdf: bytes) -> dict[str, str]:
    """What the document says of itself, such as Title, Tagged and Page size."""
    lines = _read("pdfinfo", "-", pdf=pdf).splitlines()
    return {name: value.strip() for name, _colon, value in (line.partition(":") for line in lines)}


def structure(pdf: bytes) -> str:
    """The parts of the document with their text, as they are read to somebody."""
    return _read("pdfinfo", "-struct-text", "-", pdf=pdf)


def fonts(pdf: bytes) -> list[tuple[str, str, str]]:
    """Each font: whether it is embedded, a subset, and says which characters it shows."""
    lines = _read("pdffonts", "-", pdf=pdf).splitlines()[2:]
    return [tuple(re.findall(r" (yes|no)(?= )", line)) for line in lines]  # type: ignore[misc]


def places(pdf: bytes) -> dict[str, tuple[float, float]]:
    """Where each word of the first page begins, in mm from its left and upper edges."""
    boxes = re.findall(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)"[^>]*>([^<]*)<',
        _read("pdftotext", "-bbox", "-l", "1", "-", "-", pdf=pdf),
    )
    return {word: (float(left) / MM, float(top) / MM) for left, top, word in boxes}
