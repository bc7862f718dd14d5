"""The fonts of our documents, which of them has a character, and words turned into glyphs by HarfBuzz.

ReportLab draws one font at a time, character by character. Names and notes come in many scripts, some of
which join, stack and reorder their letters, so what is drawn are glyphs that were shaped before.
"""

# mypy: allow-untyped-calls
# HarfBuzz and the packaged fonts have no types.

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import category, normalize

import pymupdf_fonts
import uharfbuzz

_FILES = Path(__file__).parent / "fonts"
_WORDS_KEPT = 4096


class Typeface:
    """One font file. Sizes are in thousandths of the size that text is set in."""

    def __init__(self, name: str, content: bytes, *, is_thickened: bool = False) -> None:
        self.name = name
        self.is_thickened = is_thickened  # bold by a stroke around it, where a font has no bold of its own
        self.face: Any = uharfbuzz.Face(uharfbuzz.Blob(content))
        self.font: Any = uharfbuzz.Font(self.face)
        self.scale = 1000 / self.face.upem
        self.characters = frozenset(self.face.unicodes)
        self._advances: dict[int, float] = {}
        extents = self.font.get_font_extents("ltr")
        self.ascent, self.descent = extents.ascender * self.scale, extents.descender * self.scale

    def advance(self, glyph: int) -> float:
        known = self._advances.get(glyph)
        if known is None:
            known = self._advances[glyph] = float(self.font.get_glyph_h_advance(glyph) * self.scale)
        return known


class Glyph(NamedTuple):
    """A glyph, how far it moves on, what it is shifted by, and the characters that it alone stands for.

    Of glyphs that only together stand for characters (a consonant and its vowel) none has a text: `cluster`
    is what all those with the same `start` say.
    """

    number: int
    advance: float
    right: float
    up: float
    text: str
    start: int
    cluster: str


class Shaped(NamedTuple):
    """Glyphs of one font from left to right. `text` is what they say; `is_plain` if each says its part.

    `shown` are the glyphs as TJ takes them: it moves back by thousandths of the size. Some are lifted, too.
    """

    typeface: Typeface
    glyphs: tuple[Glyph, ...]
    width: float
    text: str
    is_plain: bool
    shown: str
    is_lifted: bool


def _own(name: str) -> Callable[[], bytes]:
    return (_FILES / f"{name}.ttf").read_bytes


def _packaged(name: str) -> Callable[[], bytes]:
    return lambda: bytes(pymupdf_fonts.myfont(name))


# Earlier ones win. The first is for Latin, Cyrillic and Greek; the last have what is left, such as arrows.
_CHAIN: Sequence[tuple[str, Callable[[], bytes], Callable[[], bytes] | None]] = (
    ("NotoSans", _packaged("notos"), _packaged("notosbo")),
    ("NotoSansArabic", _own("NotoSansArabic-Regular"), _own("NotoSansArabic-Bold")),
    ("NotoSansHebrew", _own("NotoSansHebrew-Regular"), _own("NotoSansHebrew-Bold")),
    ("NotoSansDevanagari", _own("NotoSansDevanagari-Regular"), _own("NotoSansDevanagari-Bold")),
    ("FiraGO", _packaged("figo"), _packaged("figbo")),
    ("DroidSansFallback", _own("DroidSansFallback"), None),
    ("NotoSansSymbols2", _packaged("symbol2"), None),
    ("NotoSansJP", _own("NotoSansJP-Regular"), None),  # draws characters as Japan does: for Japanese, first
)
_JAPANESE = len(_CHAIN) - 1


class Look(NamedTuple):
    """What of a text decides on its fonts."""

    is_bold: bool = False
    is_japanese: bool = False


PLAIN = Look()


@cache
def typeface(place: int, is_bold: bool) -> Typeface:
    """The font at a place of the chain."""
    name, regular, bold = _CHAIN[place]
    if not is_bold:
        return Typeface(name, regular())
    return Typeface(f"{name}-Bold", bold()) if bold else Typeface(name, regular(), is_thickened=True)


@cache
def _place(character: str) -> int:
    """Where in the chain a character is; the first font, whose box then shows, if it is nowhere."""
    code = ord(character)
    return next((at for at in range(len(_CHAIN)) if code in typeface(at, False).characters), 0)


def places(text: str, *, is_japanese: bool = False) -> list[int]:
    """The place of each character's font. Marks and joiners go with the letter before them."""
    own = typeface(_JAPANESE, False).characters if is_japanese else frozenset[int]()
    found: list[int] = []
    for character in text:
        sticks = bool(found) and category(character) in {"Mn", "Mc", "Me", "Cf"}
        if sticks and (
            ord(character) in typeface(found[-1], False).characters or category(character) == "Cf"
        ):
            found.append(found[-1])
        else:
            found.append(_JAPANESE if ord(character) in own else _place(character))
    return found


@lru_cache(maxsize=_WORDS_KEPT)
def shape(text: str, look: Look, is_leftward: bool) -> tuple[Shaped, ...]:
    """A word, all of it running one way, as glyphs: a piece for each font, in the order it is read in."""
    composed = normalize("NFC", text)
    pieces: list[Shaped] = []
    at = places(composed, is_japanese=look.is_japanese)
    for place, run in groupby(zip(composed, at, strict=True), key=lambda each: each[1]):
        piece = "".join(character for character, _at in run)
        pieces.append(_shaped(piece, typeface(place, look.is_bold), is_leftward))
    return tuple(pieces)


def _shaped(text: str, face: Typeface, is_leftward: bool) -> Shaped:
    buffer = uharfbuzz.Buffer()
    buffer.add_codepoints([ord(character) for character in text])  # so clusters count characters
    buffer.cluster_level = (
        uharfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
    )  # marks are selected as themselves
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if is_leftward else "ltr"
    uharfbuzz.shape(face.font, buffer)
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    starts = sorted({info.cluster for info in infos})
    ends = dict(zip(starts, [*starts[1:], len(text)], strict=True))
    counts: dict[int, int] = {}
    for info in infos:
        counts[info.cluster] = counts.get(info.cluster, 0) + 1
    glyphs = tuple(
        Glyph(
            info.codepoint,
            at.x_advance * face.scale,
            at.x_offset * face.scale,
            at.y_offset * face.scale,
            text[info.cluster : ends[info.cluster]] if counts[info.cluster] == 1 else "",
            info.cluster,
            text[info.cluster : ends[info.cluster]],
        )
        for info, at in zip(infos, positions, strict=True)
    )
    is_plain = all(glyph.text and glyph.number for glyph in glyphs)
    is_lifted = any(glyph.up for glyph in glyphs)
    shown = " ".join(shown_glyph(face, glyph) for glyph in glyphs).replace("> <", "")
    return Shaped(face, glyphs, sum(glyph.advance for glyph in glyphs), text, is_plain, shown, is_lifted)


def shown_glyph(face: Typeface, glyph: Glyph) -> str:
    """A glyph as TJ takes it, with the moves before and after it."""
    before = f"{-glyph.right:.0f} " if glyph.right else ""
    back = face.advance(glyph.number) - glyph.advance + glyph.right
    return f"{before}<{glyph.number:04X}>" + (f" {back:.0f}" if abs(back) >= 0.5 else "")


@lru_cache(maxsize=_WORDS_KEPT)
def breadth(text: str, look: Look, is_leftward: bool) -> float:
    """How wide a word is, in thousandths of its size."""
    return sum(piece.width for piece in shape(text, look, is_leftward))
