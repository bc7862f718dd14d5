"""Fonts in a PDF: only the glyphs that a document uses, each with the characters that it stands for."""

# mypy: allow-untyped-calls, allow-untyped-defs
# ReportLab and HarfBuzz have no types.

from typing import Any

import uharfbuzz
from reportlab.pdfbase import pdfdoc

from core.typefaces import Glyph, Shaped, Typeface

_RANGE = 100  # entries in one block of a ToUnicode map: the most that the format allows
_KEPT = frozenset(["head", "hhea", "hmtx", "maxp", "loca", "glyf", "cvt ", "fpgm", "prep", "CFF "])
_SYMBOLIC = 4
_CHARACTERS = {
    "Registry": pdfdoc.PDFString("Adobe"),
    "Ordering": pdfdoc.PDFString("Identity"),
    "Supplement": 0,
}


def utf16(text: str) -> str:
    """Characters as a PDF writes them in hexadecimal."""
    return text.encode("utf-16-be", "replace").hex().upper()


class Embedded:
    """A font in one document. ReportLab asks for its objects at the end, when all glyphs are known."""

    def __init__(self, document: Any, typeface: Typeface) -> None:
        self.name = f"N{len(document.delayedFonts) + 1}"
        self.typeface = typeface
        self._used: dict[int, str] = {0: ""}
        self._words: dict[int, tuple[Shaped, bool]] = {}  # with the words, so that no other gets their number
        document.delayedFonts.append(self)

    def use(self, shaped: Shaped) -> bool:
        """Whether the glyphs of a word say what they stand for, there as in the whole document."""
        known = self._words.get(id(shaped))
        if known is None:
            is_spelt = shaped.is_plain and all(map(self.spells, shaped.glyphs))
            for glyph in shaped.glyphs:
                if not self._used.get(glyph.number):
                    self._used[glyph.number] = glyph.text if glyph.number else ""
            known = self._words[id(shaped)] = (shaped, is_spelt)
        return known[1]

    def spells(self, glyph: Glyph) -> bool:
        """Whether a glyph stands for these characters, and for no others elsewhere in the document."""
        return (self._used.get(glyph.number) or glyph.text) == glyph.text

    def addObjects(self, document: Any) -> None:  # noqa: N802 - ReportLab's own name
        content, is_outline = self._subset()
        base = f"{_tag(self.name)}+{self.typeface.name}"
        file = _stream(content)
        if is_outline:
            file.dictionary.dict["Subtype"] = pdfdoc.PDFName("CIDFontType0C")
        else:
            file.dictionary.dict["Length1"] = len(content)
        inner = {
            "Type": pdfdoc.PDFName("Font"),
            "Subtype": pdfdoc.PDFName("CIDFontType0" if is_outline else "CIDFontType2"),
            "BaseFont": pdfdoc.PDFName(base),
            "CIDSystemInfo": pdfdoc.PDFDictionary(_CHARACTERS),
            "FontDescriptor": document.Reference(self._descriptor(document, base, file, is_outline)),
            "DW": 1000,
            "W": self._widths(),
        }
        if not is_outline:
            inner["CIDToGIDMap"] = pdfdoc.PDFName("Identity")
        outer = {
            "Type": pdfdoc.PDFName("Font"),
            "Subtype": pdfdoc.PDFName("Type0"),
            "BaseFont": pdfdoc.PDFName(base),
            "Encoding": pdfdoc.PDFName("Identity-H"),
            "DescendantFonts": pdfdoc.PDFArray([document.Reference(pdfdoc.PDFDictionary(inner))]),
            "ToUnicode": document.Reference(_stream(self._to_unicode().encode())),
        }
        whole = pdfdoc.PDFDictionary(outer)
        document.idToObject["BasicFonts"].dict[self.name] = document.Reference(whole)

    def _subset(self) -> tuple[bytes, bool]:
        """What is drawn of the font, the glyphs keeping their numbers; whether its outlines are CFF."""
        wanted = uharfbuzz.SubsetInput()
        wanted.glyph_set.update(self._used)
        wanted.flags = (
            uharfbuzz.SubsetFlags.RETAIN_GIDS
            | uharfbuzz.SubsetFlags.NO_HINTING
            | uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
            | uharfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
        )
        dropped = set(self.typeface.face.table_tags) - _KEPT
        wanted.drop_table_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in dropped)
        cut = uharfbuzz.subset(self.typeface.face, wanted)
        is_outline = "CFF " in cut.table_tags
        return (cut.reference_table("CFF ") if is_outline else cut.blob).data, is_outline

    def _descriptor(self, document: Any, base: str, file: Any, is_outline: bool) -> Any:
        face = self.typeface
        return pdfdoc.PDFDictionary(
            {
                "Type": pdfdoc.PDFName("FontDescriptor"),
                "FontName": pdfdoc.PDFName(base),
                "Flags": _SYMBOLIC,
                "FontBBox": pdfdoc.PDFArray([-1000, round(face.descent), 3000, round(face.ascent)]),
                "ItalicAngle": 0,
                "Ascent": round(face.ascent),
                "Descent": round(face.descent),
                "CapHeight": 700,
                "StemV": 80,
                "FontFile3" if is_outline else "FontFile2": document.Reference(file),
            }
        )

    def _widths(self) -> Any:
        written: list[Any] = []
        for number in sorted(self._used):
            written += [number, pdfdoc.PDFArray([round(self.typeface.advance(number), 2)])]
        return pdfdoc.PDFArray(written)

    def _to_unicode(self) -> str:
        """The map that makes text selectable (ISO 32000-1, 9.10.3)."""
        said = [(number, text) for number, text in sorted(self._used.items()) if text and number]
        blocks = [said[at : at + _RANGE] for at in range(0, len(said), _RANGE)]
        lines = [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
        ]
        for block in blocks:
            lines.append(f"{len(block)} beginbfchar")
            lines += [f"<{number:04X}> <{utf16(text)}>" for number, text in block]
            lines.append("endbfchar")
        lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
        return "\n".join(lines)


def _stream(content: bytes) -> Any:
    made = pdfdoc.PDFStream(content=content)
    made.filters = [pdfdoc.PDFZCompress]
    return made


def _tag(name: str) -> str:
    """Six letters that tell a subset of a font from others."""
    number = int(name[1:])
    return "".join(chr(65 + number // 26**power % 26) for power in range(5, -1, -1))
