"""Text broken into lines: where it may break, how much fits, and in which order its words stand."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from unicodedata import category

from core import bidi, typefaces
from core.i18n import spoken, without_country
from core.typefaces import Look, Shaped

_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff"  # Korean breaks between words
_NEVER_FIRST = "、。，．・：；？！）」』】〉》〕”’ーっゃゅょッャュョぁぃぅぇぉァィゥェォ々%％°,.;:!?)]}"
_NEVER_LAST = "（「『【〈《〔“‘([{"
_BLANK = r" \t\u1680\u2000-\u2006\u2008-\u200a\u2028\u205f\u3000"  # without those where no line breaks
_PIECE = re.compile(
    rf"[{re.escape(_NEVER_LAST)}]*[{_WIDE}][{re.escape(_NEVER_FIRST)}]*"
    rf"|[^{_BLANK}{_WIDE}]+?(?:[-–—/](?=[^\W\d_])|(?=[{_BLANK}{_WIDE}]|$))"
    rf"|[{_BLANK}]+|.",
    re.DOTALL,
)
_WORDS = re.compile(r"\s+|\S+")
_KANA = re.compile("[\u3041-\u30fa\u30fd-\u30ff\u31f0-\u31ff\uff66-\uff9d]")
_FACE, _BREADTH = attrgetter("typeface"), attrgetter("width")

Levels = list[int] | None  # None where all runs from left to right


class Unit(NamedTuple):
    """Words that follow each other in one font, and how far from the line's left they begin, in points."""

    words: Sequence[Shaped]
    left: float


class Line(NamedTuple):
    """What stands on a line, in the order it is read in; `is_leftward` if it begins on the right."""

    units: tuple[Unit, ...]
    width: float
    is_leftward: bool


_Piece = tuple[int, int, bool, float]  # from where to where, whether it is blank, and its width


def lines(text: str, size: float, most: float, *, is_bold: bool = False, is_own: bool = True) -> list[Line]:
    """`text` in lines that are at most `most` points wide; what it was written in lines stays in them.

    Somebody's own words begin on the side that their script does, a sentence of ours on ours. Characters that
    China and Japan write differently are Japanese where kana stand beside them, or where Japanese is spoken.
    """
    is_japanese = _KANA.search(text) is not None or without_country(spoken()) == "ja"
    look = Look(is_bold, is_japanese)
    found: list[Line] = []
    for paragraph in (bidi.plain(text) if is_own else text).split("\n"):
        if not bidi.is_turning(paragraph):
            found += _set(bidi.plain(paragraph), None, 0, (size, most, look))
            continue
        base = bidi.base_level(paragraph) if is_own else 0
        levels = bidi.levels(paragraph, base)
        kept = [level for character, level in zip(paragraph, levels, strict=True) if bidi.plain(character)]
        found += _set(bidi.plain(paragraph), kept, base, (size, most, look))
    return found


def _set(text: str, levels: Levels, base: int, how: tuple[float, float, Look]) -> Iterator[Line]:
    size, most, look = how
    if not text.strip():
        yield Line((), 0, bool(base))
        return
    start, across = 0, 0.0
    end = 0  # of the last piece on the line that is no blank
    for begins, ends, is_blank, width in _pieces(text, levels, size, most, look):
        if not is_blank and across + width > most and end > start:
            yield _line(text, levels, (start, end), base, size, look)
            start, across = begins, 0.0
        across += width
        if not is_blank:
            end = ends
    yield _line(text, levels, (start, end), base, size, look)


def _pieces(text: str, levels: Levels, size: float, most: float, look: Look) -> Iterator[_Piece]:
    breadth, scale = typefaces.breadth, size / 1000
    for found in _PIECE.finditer(text):
        at, end = found.span()
        piece = found.group()
        if levels is None:
            across = breadth(piece, look, False) * scale
        else:
            across = _width(text, levels, at, end, size, look)
        if across > most and end - at > 1:
            yield from _cut(text, levels, (at, end), size, most, look)
        else:
            yield at, end, piece.isspace(), across


def _cut(
    text: str, levels: Levels, span: tuple[int, int], size: float, most: float, look: Look
) -> Iterator[_Piece]:
    """A word that is wider than a line, in parts that fit; marks stay with their letters."""
    at, last = span
    while at < last:
        end, across = at + 1, 0.0
        for stop in range(at + 1, last + 1):
            if stop < last and category(text[stop]) in {"Mn", "Mc", "Me", "Cf"}:
                continue
            grown = across + _width(text, levels, end if stop > at + 1 else at, stop, size, look)
            if grown > most and end > at + 1:
                break
            end, across = stop, grown
        yield at, end, False, across
        at = end


def _runs(text: str, levels: Levels, start: int, end: int) -> Iterator[tuple[int, str]]:
    if levels is None:
        yield 0, text[start:end]
        return
    for level, run in groupby(range(start, end), key=levels.__getitem__):
        places = list(run)
        yield level, text[places[0] : places[-1] + 1]


def _width(text: str, levels: Levels, start: int, end: int, size: float, look: Look) -> float:
    if levels is None:
        return typefaces.breadth(text[start:end], look, False) * size / 1000
    return sum(
        typefaces.breadth(run, look, bool(level % 2)) * size / 1000
        for level, run in _runs(text, levels, start, end)
    )


def _line(text: str, levels: Levels, span: tuple[int, int], base: int, size: float, look: Look) -> Line:
    """The units of a line in the order they are read in, each where it stands."""
    if levels is None:
        return _rightward(text[span[0] : span[1]], size, look)
    order: list[int] = []
    read: list[Shaped] = []
    for level, run in _runs(text, levels, *span):
        for word in _WORDS.findall(run):
            pieces = typefaces.shape(word, look, bool(level % 2))
            read += pieces
            order += [level] * len(pieces)
    across = 0.0
    lefts = [0.0] * len(read)
    for place in bidi.visual(order):
        lefts[place] = across
        across += read[place].width * size / 1000
    return Line(
        tuple(Unit((word,), left) for word, left in zip(read, lefts, strict=True)), across, bool(base)
    )


def _rightward(text: str, size: float, look: Look) -> Line:
    words = [shaped for word in _WORDS.findall(text) for shaped in typefaces.shape(word, look, False)]
    units, across = [], 0.0
    for _face, run in groupby(words, key=_FACE):
        together = list(run)
        units.append(Unit(together, across))
        across += sum(map(_BREADTH, together)) * size / 1000
    return Line(tuple(units), across, False)
