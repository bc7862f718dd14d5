"""The clinic's own language is that of whoever has chosen none; it says which others can be chosen."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core import (
    announcements,
    clinic_settings,
    clinics,
    i18n,
    patients,
    profiles,
    recipients,
    setting_changes,
    texters,
)
from core.clinic_settings import Details
from core.profiles import LanguageUnknown
from core.set_up_errors import OwnLanguageMissing, UnknownLanguage
from core.setting_changes import Subject
from db.models import Notification, User
from pages.ui.setting_words import field_value
from tests.cast import NOW, Cast, assemble, time_is


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def change(session: Session, cast: Cast, **changes: Any) -> Details:
    seen = clinic_settings.details(session, cast.admin)
    clinic_settings.change(session, cast.admin, wanted=seen._replace(**changes), seen=seen)
    return clinic_settings.details(session, cast.admin)


def test_a_clinic_offers_all_languages_at_first_and_then_those_it_says(session: Session, cast: Cast) -> None:
    assert clinics.offered_languages(session) == ("en", ("en", "en_GB"))
    now = change(session, cast, locale="en_GB", locales=("en_GB", "en_GB"))
    assert (now.locale, now.locales) == ("en_GB", ("en_GB",))
    assert clinics.offered_languages(session) == ("en_GB", ("en_GB",))
    [line] = setting_changes.entries(session, cast.admin, subject=Subject.CLINIC)
    told = [field_value("locales", side["locales"], "EUR") for side in (line.before or {}, line.after)]
    assert told == ["English, English (United Kingdom)", "English (United Kingdom)"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"locales": ()}, OwnLanguageMissing),
        ({"locales": ("en_GB",)}, OwnLanguageMissing),
        ({"locale": "en_GB", "locales": ("en",)}, OwnLanguageMissing),
        ({"locales": ("en", "tlh")}, UnknownLanguage),
        ({"locale": "", "locales": ("en",)}, OwnLanguageMissing),
    ],
)
def test_there_is_at_least_one_and_the_clinics_own_is_among_them(
    session: Session, cast: Cast, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        change(session, cast, **changes)
    assert clinics.offered_languages(session) == ("en", ("en", "en_GB"))


def test_who_is_written_down_at_the_desk_reads_the_clinics_language(session: Session, cast: Cast) -> None:
    before = patients.register(session, cast.desk, name="Anna Alt", birth_on=date(1980, 1, 2))
    change(session, cast, locale="en_GB")
    after = patients.register(session, cast.desk, name="Nora Neu", birth_on=date(1980, 1, 2))
    assert (before.locale, after.locale) == ("en", "en_GB")


def test_a_number_that_nobody_has_is_answered_in_the_clinics_language(session: Session, cast: Cast) -> None:
    change(session, cast, locale="en_GB")
    assert texters.of(session, "+4915100000000").locale == "en_GB"
    assert recipients.email_of(session, 10**6) == (None, "en_GB")
    announcements.written_by_hand(session, to="+4915100000000", text="Hello", key="1", patient_id=None)
    [message] = session.query(Notification).all()
    assert message.details["locale"] == "en_GB"


def test_a_language_that_is_offered_no_more_is_kept_by_who_has_it_and_chosen_by_nobody(
    session: Session, cast: Cast
) -> None:
    form = {"name": "Ada Okafor", "has_sms_consent": False}
    profiles.save(session, cast.ada, **form, locale="en_GB")
    change(session, cast, locales=("en",))
    profiles.save(session, cast.ada, **form, locale="en_GB")
    with pytest.raises(LanguageUnknown):
        profiles.save(session, cast.ben, name="Ben", has_sms_consent=False, locale="en_GB")
    assert session.get_one(User, cast.ada.user_id).locale == "en_GB"


@pytest.mark.parametrize(
    ("wanted", "offered", "spoken"),
    [
        ("en-US", ("en", "en_GB"), "en"),
        ("en-AU", ("en", "en_GB"), "en_GB"),
        ("en-US", ("de", "en_GB"), "en_GB"),
        ("en-AU", ("de", "en"), "en"),
        ("de-AT", ("de", "en"), "de"),
        ("fr", ("de", "en"), "de"),
        ("fr", (), "de"),
    ],
)
def test_a_browser_gets_what_comes_nearest_and_else_the_clinics_own(
    wanted: str, offered: tuple[str, ...], spoken: str
) -> None:
    assert i18n.negotiate(wanted, offered, "de") == spoken
