"""PDFs: people's own words stay words, in many scripts; a document has a title, a language, page numbers."""

from datetime import date, timedelta
from typing import Any

import pytest

from core import summaries, typefaces
from db.models import ClinicSettings
from tests.cast import BERLIN, NOW

HOSTILE = [
    '<img src="/etc/passwd"/>',
    '<a href="http://evil.example">x</a>',
    "<b>never closed",
    "&nbsp; & < > \" '",
    "\u202eright to left",
    "tab\tand\x0bvertical",
    "x" * 3000,
    "words " * 3000,
    "",
]


def item(words: str) -> dict[str, Any]:
    return {"kind": "allergy", "name": words, "details": words, "severity": "severe", "ended_at": None}


def made(**changes: Any) -> bytes:
    patient = {
        "name": "Ada Okafor",
        "birth_on": date(1985, 5, 17).isoformat(),
        "sex": "female",
        "phone": None,
        "email": None,
    }
    visits, record = changes.pop("visits", []), changes.pop("record", [])
    sections = {
        "patient": [patient | changes],
        "account": [],
        "visits": visits,
        "emergency_accesses": [],
        "record": record,
        "waitlist_offers": [],
    }
    clinic = ClinicSettings(name="Linden Clinic")
    return summaries.summary(sections, clinic=clinic, zone=BERLIN, made_at=NOW, locale="pt_BR").as_pdf()


def pages(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") or pdf.count(b"/Type /Page ")


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_people_write_makes_a_document_without_links_or_images(words: str) -> None:
    pdf = made(name=words or "x", record=[item(words or "x")], email=words)
    assert pdf.startswith(b"%PDF-")
    for active in (b"/URI", b"/Subtype /Image", b"/JavaScript", b"/Launch"):
        assert active not in pdf


def test_the_document_says_its_title_author_and_language() -> None:
    pdf = made()
    assert b"(Your data at Linden Clinic)" in pdf
    assert b"/Author (Linden Clinic)" in pdf
    assert b"/Lang (pt-BR)" in pdf


def test_many_visits_fill_several_pages() -> None:
    visit = {"service": "Check-up", "doctor": "Dr. Jonas Weiß", "status": "completed"}
    visits = [
        visit | {"id": number, "starts_at": (NOW - timedelta(days=number)).isoformat()}
        for number in range(90)
    ]
    assert pages(made()) == 1
    assert pages(made(visits=visits)) == 3


@pytest.mark.parametrize("is_bold", [False, True])
def test_the_letters_of_many_languages_are_there(is_bold: bool) -> None:
    written = {
        0: "ßžřőąşğİÅØñçЖїўΩώếữợđạ–“„’…•€",
        1: "عربيپچگکیە؟،٣ﷺ",
        2: "שלוםךְָּ״",
        3: "हिन्दीक्षेत्र।",
        5: "汉語龘々。，ひらがなカタカナー한글뷁",
    }
    for place, letters in written.items():
        missing = set(map(ord, letters)) - typefaces.typeface(place, is_bold).characters
        assert missing == set()
        assert typefaces.places(letters) == [place] * len(letters)
    japanese = "骨直角辻々ひらがなカタカナー。、「」"
    assert set(map(ord, japanese)) <= typefaces.typeface(7, is_bold).characters
    assert typefaces.places(japanese, is_japanese=True) == [7] * len(japanese)
