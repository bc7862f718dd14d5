"""The words of PDFs: which way they run, where lines break, and that what is drawn can be copied again."""

from datetime import UTC, date, datetime
from io import BytesIO
from unicodedata import category, normalize

import pytest

from core import bidi, line_setting, pdf_pages, pdfs, typefaces
from core.bidi import isolated
from core.i18n import use_locale
from core.pdf_pages import Document
from core.pdf_words import Style
from db.models import ClinicSettings, Paper
from tests import papers

SHEET = pdf_pages.sheet(
    ClinicSettings(name="Linden Clinic", address="", phone="", paper=Paper.A4),
    zone=UTC,
    at=datetime(2026, 6, 1, tzinfo=UTC),
)
WIDTH = 400.0


def shown(text: str, base: int) -> str:
    """A line as it stands from left to right, its brackets not turned."""
    return "".join(text[place] for place in bidi.visual(bidi.levels(text, base)))


def lines(text: str, most: float = WIDTH, *, is_own: bool = True) -> list[str]:
    set_lines = line_setting.lines(text, 10, most, is_own=is_own)
    return ["".join(word.text for unit in line.units for word in unit.words) for line in set_lines]


def made(text: str, style: Style = pdfs.BODY) -> bytes:
    return Document([pdfs.words(text, style)], SHEET, "Words").as_pdf()


@pytest.mark.parametrize(
    ("text", "base", "expected"),
    [
        ("abc", 0, "abc"),
        ("אבג", 1, "גבא"),
        ("abc אבג def", 0, "abc גבא def"),
        ("אבג abc דהו", 1, "והד abc גבא"),
        ("אבג 12.5 mg", 1, "mg 12.5 גבא"),
        ("עד 38.2 °C", 1, "C° 38.2 דע"),
        ("(אבג)", 1, ")גבא("),
        ("abc (אבג) 12", 0, "abc (גבא) 12"),
        ("א-1", 1, "1-א"),
        ("مرة 3-5", 1, "5-3 ةرم"),
        ("a אב, גד b", 0, "a דג ,בא b"),
    ],
)
def test_a_line_runs_as_the_unicode_algorithm_says(text: str, base: int, expected: str) -> None:
    assert shown(text, base) == expected


@pytest.mark.parametrize(("text", "level"), [("abc", 0), ("12 אב", 1), ("«ع» a", 1), ("12.5 %", 0), ("", 0)])
def test_a_paragraph_begins_where_its_first_letter_does(text: str, level: int) -> None:
    assert bidi.base_level(text) == level


def test_isolated_words_leave_the_sentence_around_them_in_order() -> None:
    """A dose after an Arabic drug: without isolation the figures would join the drug's direction."""
    sentence = f"{isolated('دواء')}: 2, 3 mg"
    assert [level % 2 for level in bidi.levels(sentence, 0)][-9:] == [0] * 9
    assert lines(sentence, is_own=False) == ["دواء: 2, 3 mg"]
    assert any(level % 2 for level in bidi.levels("دواء: 2, 3 mg", 0)[4:])
    assert bidi.plain(sentence) == "دواء: 2, 3 mg"


@pytest.mark.parametrize(
    "text",
    [
        "Der Patient kommt heute-morgen/abends wieder. " * 20,
        "张伟，每天两次。（饭后）阿莫西林「五百」毫克。" * 20,
        "दिन में तीन बार क्षेत्रपाल। " * 20,
        "يُنصح بتناول الدواء ثلاث مرات يوميًا. " * 20,
        "x" * 3000,
        "क्षि" * 600,
        "김민준입니다 " * 40,
    ],
    ids=["latin", "chinese", "devanagari", "arabic", "one word", "one word of marks", "korean"],
)
def test_lines_fit_and_lose_nothing(text: str) -> None:
    set_lines = line_setting.lines(text, 10, 120)
    assert max(line.width for line in set_lines) <= 120.01
    assert "".join("".join(lines(text, 120)).split()) == "".join(text.split())


def test_no_line_begins_with_what_ends_a_sentence_nor_parts_a_number_from_its_unit() -> None:
    for line in lines("张伟，每天两次。" * 40, 100):
        assert line[0] not in "，。"
    assert "10\u00a0mg" in lines("word word 10\u00a0mg", 60)[1]


def test_lines_stay_as_they_were_written() -> None:
    assert lines("a\n\n  b c") == ["a", "", "  b c"]


@pytest.mark.parametrize(
    "text",
    ["𠀀 beyond", "😀 🧿", "ᚠᚢᚦ", "\ue000", "\x07\x00", "a\u202eb", "\ud800"],
)
def test_what_no_font_has_is_a_box_and_breaks_nothing(text: str) -> None:
    pdf = made(f"before {text} after")
    read = papers.text_of(pdf)
    assert "before" in read
    assert "after" in read
    assert typefaces.shape("😀", typefaces.PLAIN, False)[0].glyphs[0].number == 0
    assert typefaces.shape("😀", typefaces.PLAIN, False)[0].width > 0


def test_what_no_font_has_can_still_be_copied() -> None:
    assert "😀" in papers.text_of(made("so 😀 it is"))


@pytest.mark.parametrize(
    "text",
    [
        "Łódź a\u0323\u0302 e\u0301 ﬁ",
        "محمد يوسف",
        "क्षेत्र र्कि श्री",
        "ไทย ქართული",
        "✓ → ≥ ½ ₂",
    ],
)
def test_marks_and_joined_letters_are_copied_as_they_were_written(text: str) -> None:
    read = papers.run_on(made(text))
    assert [word for word in normalize("NFC", text).split() if word not in read] == []


@pytest.mark.parametrize("text", ["שָׁלוֹם", "يُنصح يوميًا", "لا إله", "الطُّلَّاب"])
def test_vowels_written_from_right_to_left_are_copied_with_their_letters_in_order(text: str) -> None:
    """Poppler puts a vowel before or after its letter, and turns round lam-alef, which is one glyph."""
    read = papers.text_of(made(text)).partition("Printed")[0].replace(" ", "")
    written = text.replace(" ", "")
    assert sorted(read) == sorted(written)

    def letters(of: str) -> str:
        return "".join(each for each in of if category(each) == "Lo").replace("ال", "لا")

    assert letters(read) == letters(written)


def test_letters_of_one_word_are_joined() -> None:
    """Alone, the letters of the word have other glyphs: isolated forms, and unstacked consonants."""
    for word in ("محمد", "क्षेत्र"):
        together = [
            glyph.number
            for piece in typefaces.shape(word, typefaces.PLAIN, word < "ा")
            for glyph in piece.glyphs
        ]
        alone = [
            glyph.number
            for letter in word
            for piece in typefaces.shape(letter, typefaces.PLAIN, False)
            for glyph in piece.glyphs
        ]
        assert sorted(together) != sorted(alone)


@pytest.mark.parametrize("name", ["", "\n", "a\nb", "… … …", "w" * 500, "\u2068" * 50, "字" * 200])
def test_the_foot_of_a_page_is_two_lines_whatever_a_name_is(name: str) -> None:
    sheet = SHEET._replace(name=name)
    about = pdf_pages.About(name, date(1985, 5, 17))
    pdf = Document([pdfs.words("Words")], sheet, "Words", about).as_pdf()
    assert ", born May 17, 1985" in papers.text_of(pdf)
    assert "Page 1 of 1" in papers.text_of(pdf)


def test_a_document_can_go_straight_into_a_file() -> None:
    file = BytesIO()
    Document([pdfs.words("Words")], SHEET, "Words").write(file)
    assert "Words" in papers.text_of(file.getvalue())


def test_a_table_is_read_as_one_with_its_headings_once() -> None:
    rows = [(f"Row {number}", "x") for number in range(120)]
    pdf = Document([pdfs.table(("Name", "Value"), rows, (None, 30))], SHEET, "Table").as_pdf()
    assert int(papers.info(pdf)["Pages"]) > 2
    read = papers.structure(pdf)
    assert read.count("TH:") == 2
    assert read.count("TR\n") == 121
    assert papers.text_of(pdf).count("Name Value") == int(papers.info(pdf)["Pages"])


@pytest.mark.parametrize(
    ("words", "locale", "font"),
    [
        ("直ちに骨を", "en", "NotoSansJP"),
        ("直骨", "ja", "NotoSansJP"),
        ("直骨", "en", "DroidSansFallback"),
        ("김민준", "en", "DroidSansFallback"),
    ],
)
def test_kanji_are_drawn_as_japan_does_beside_kana_or_for_who_speaks_japanese(
    words: str, locale: str, font: str
) -> None:
    use_locale(locale)
    [line] = line_setting.lines(words, 10, WIDTH)
    assert {word.typeface.name for unit in line.units for word in unit.words} == {font}
    use_locale("en")
    assert papers.run_on(made(words)).startswith(words)
