"""Every sentence a person reads passes through `_`, in callbacks too; dates and prices follow the reader."""

import gettext
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core import i18n, languages, sign_ins
from core.offers import SENTENCES, Rule
from db.models import User
from db.session import unit_of_work
from tests import portal
from tests.app_pages import opened
from tests.cast import BERLIN

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Backwards(gettext.NullTranslations):
    """A language that is English in angle quotes: enough to see what has been translated."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"


@pytest.fixture
def quoted(monkeypatch: pytest.MonkeyPatch, noon_without_cookies: None) -> None:
    known = i18n._translations
    monkeypatch.setattr(i18n, "_translations", lambda code: Backwards() if code == "de" else known(code))


def test_what_a_click_came_to_is_said_in_the_readers_language(quoted: None, database: Engine) -> None:
    with unit_of_work(database) as session:
        portal.settle_in(session)
        rita = session.scalars(select(User).where(User.username == "rita")).one()
        rita.locale = "de"
    app = opened(database, "rita", "pages/staff/book_for_patient.py")
    assert app.title[0].value == "«Book for a patient»"
    app.text_input(key="people_name").set_value("Zoë Übel")
    app.date_input(key="people_birth").set_value(date(1990, 2, 15))
    app.button(key="people_submit").click().run()
    assert app.success[0].value.replace("\\", "") == "«Patient added.»"
    app.button(key="people_another").click().run()
    app.button(key="people_submit").click().run()
    assert app.error[0].value.startswith("«Please give the patient")
    with unit_of_work(database) as session:
        sign_ins.end(session, app.session_state["sign_in_token"])
    app.button(key="people_submit").click().run()
    assert app.error[0].value.startswith("«You have been signed out")


def test_dates_times_and_prices_follow_the_reader_and_the_currency() -> None:
    try:
        i18n.use_locale("en_GB")
        assert i18n.full_time(NOON, BERLIN) == "Monday, 1 June 2026, 14:00"
        assert i18n.money(4500, "EUR") == "€45.00"
        assert i18n.money(4500, "JPY") == "JP¥4,500"
        i18n.use_locale("de")
        assert i18n.full_time(NOON, BERLIN) == "Montag, 1. Juni 2026, 14:00"
        assert i18n.money(4500, "EUR") == "45,00\xa0€"
        assert languages.language_name("vi") == "Vietnamesisch"
        assert languages.language_in_both("vi") == "Vietnamesisch (Tiếng Việt)"
        assert [languages.language_in_both(each) for each in ("de", "xx")] == ["Deutsch", "xx"]
    finally:
        i18n.use_locale("en")


@pytest.mark.parametrize(
    ("minutes", "words"), [(15, "15 minutes"), (60, "1 hour"), (90, "90 minutes"), (120, "2 hours")]
)
def test_lengths_of_time_read_well(minutes: int, words: str) -> None:
    assert i18n.span(minutes) == words


def test_every_rule_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Rule)


def test_the_template_holds_every_sentence_of_an_error() -> None:
    template = (Path(__file__).parent.parent / "locale" / "clinic.pot").read_text()
    for sentence in SENTENCES.values():
        assert sentence.split("{")[0][:40] in template.replace('"\n"', "")


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        ("en-US", "en"),
        ("en", "en"),
        ("en-GB", "en_GB"),
        ("en-IE", "en_GB"),
        ("de-AT", "en_GB"),
        ("", "en_GB"),
        ("zh-Hans-CN", "en_GB"),
        ("../../etc", "en_GB"),
    ],
)
def test_whoever_is_new_is_spoken_to_as_the_browser_asks(wanted: str, spoken: str) -> None:
    assert i18n.negotiate(wanted) == spoken


def test_whoever_speaks_another_language_is_not_told_days_in_it_in_an_english_sentence() -> None:
    with i18n.speaking("de"):
        assert i18n.day_and_time(NOON, BERLIN) == "Mon 1 Jun, 14:00"
    assert i18n.spoken() == "en"


def test_a_language_that_there_is_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "languages", lambda: ("en", "en_GB", "de", "pt_BR"))
    assert [i18n.negotiate(wanted) for wanted in ("de-AT", "pt-BR", "fr")] == ["de", "pt_BR", "en_GB"]
