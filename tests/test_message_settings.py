"""What the clinic sets about messages, its own words, and a patient's wishes: bounds, in a sentence each."""

from datetime import time
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core import (
    clinics,
    contact_preferences,
    letters,
    message_settings,
    message_templates,
    message_wordings,
    phone_states,
)
from core.contact_preferences import NumberMissing, UnknownChannel, UnknownZone
from core.errors import ClinicError
from core.message_settings import (
    OfferOutOfBounds,
    QuietHoursOutOfOrder,
    ReminderOutOfBounds,
    TextNameTooLong,
    TooManyReminders,
)
from core.message_templates import TEMPLATES
from core.message_wordings import BlankUnknown, BraceAlone, TextEmpty, TextTooLong, UnknownTemplate
from db.config import config
from db.models import User
from tests.cast import Cast, assemble
from tests.messages import ADA, reached

BOOKED = "{clinic} {when} {link}"


@pytest.fixture
def cast(session: Session) -> Cast:
    return assemble(session)


def change(session: Session, cast: Cast, **changes: Any) -> None:
    settings: dict[str, Any] = {
        "text_name": "",
        "reminder_minutes": [2880, 180],
        "quiet_from": time(20),
        "quiet_until": time(8),
        "waitlist_offer_minutes": 60,
    }
    message_settings.change(session, cast.admin, **settings | changes)


def wish(session: Session, cast: Cast, **changes: Any) -> None:
    wishes: dict[str, Any] = {
        "patient_id": cast.ada.patient_ids[0],
        "contact_by": None,
        "wants_texts": False,
        "wants_reminders": True,
        "time_zone": None,
    }
    contact_preferences.save(session, cast.ada, **wishes | changes)


@pytest.mark.parametrize("locale", ["en", "en_GB"])
def test_every_text_of_ours_is_one_segment_at_an_address_of_ordinary_length(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://portal.lindenhof-clinic.example.org")
    config.cache_clear()
    change(session, cast, text_name="Lindenhof Clinic")
    for name, template in TEMPLATES.items():
        words = {"name": name, "locale": locale, "text": template.text}
        seen = message_wordings.preview(session, cast.admin, **words)
        assert (seen.refusal, seen.segments, seen.is_short_alphabet) == ("", 1, True), seen.body


def test_no_text_has_room_for_a_doctor_a_service_or_a_specialty(session: Session, cast: Cast) -> None:
    harmless = {"clinic", "when", "until", "link", "amount", "minutes"}
    assert {blank for template in TEMPLATES.values() for blank in template.needs} == harmless
    for letter in (letters.VERIFY_PHONE, letters.RESET_BY_PHONE):
        assert set(message_templates.blanks(letter.text)) == {"clinic", "code", "minutes"}
    for blank in ("doctor", "service", "specialty", "visit"):
        text = f"{BOOKED} {{{blank}}}"
        with pytest.raises(BlankUnknown):
            message_wordings.save(session, cast.admin, name="booked", locale="en", text=text)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"text_name": "x" * 31}, TextNameTooLong),
        ({"reminder_minutes": [60, 120, 180, 240, 300, 360]}, TooManyReminders),
        ({"reminder_minutes": [59]}, ReminderOutOfBounds),
        ({"reminder_minutes": [14 * 24 * 60 + 1]}, ReminderOutOfBounds),
        ({"quiet_from": time(8), "quiet_until": time(8)}, QuietHoursOutOfOrder),
        ({"quiet_from": time(1), "quiet_until": time(8)}, QuietHoursOutOfOrder),
        ({"waitlist_offer_minutes": 4}, OfferOutOfBounds),
        ({"waitlist_offer_minutes": 1441}, OfferOutOfBounds),
    ],
)
def test_settings_out_of_bounds_are_refused(
    session: Session, cast: Cast, changes: dict[str, Any], refusal: type[ClinicError]
) -> None:
    with pytest.raises(refusal):
        change(session, cast, **changes)


def test_settings_at_their_bounds_are_kept(session: Session, cast: Cast) -> None:
    change(
        session,
        cast,
        text_name="x" * 30,
        reminder_minutes=[60, 14 * 24 * 60, 120, 180, 240, 60],
        waitlist_offer_minutes=1440,
    )
    kept = clinics.settings(session)
    assert kept.reminder_minutes == [14 * 24 * 60, 240, 180, 120, 60]
    assert (kept.text_name, kept.waitlist_offer_minutes) == ("x" * 30, 1440)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (" \0 ", TextEmpty),
        (BOOKED + "x" * 320, TextTooLong),
        ("{clinic} {when:>2000} {link}", BraceAlone),
        ("{clinic} {when:{link}} {link}", BraceAlone),
        ("{clinic} {when!r} {link}", BraceAlone),
        ("{clinic} {when.year} {link}", BraceAlone),
        ("{clinic} {} {link}", BraceAlone),
    ],
)
def test_words_that_would_not_be_sent_as_they_stand_are_refused(
    session: Session, cast: Cast, text: str, refusal: type[ClinicError]
) -> None:
    with pytest.raises(refusal):
        message_wordings.save(session, cast.admin, name="booked", locale="en", text=text)


@pytest.mark.parametrize(("name", "locale"), [("nothing", "en"), ("booked", "xx")])
def test_words_for_no_message_or_language_are_refused(
    session: Session, cast: Cast, name: str, locale: str
) -> None:
    with pytest.raises(UnknownTemplate):
        message_wordings.save(session, cast.admin, name=name, locale=locale, text=BOOKED)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"wants_texts": True}, NumberMissing),
        ({"time_zone": "Europe/Atlantis"}, UnknownZone),
        ({"contact_by": "pigeon"}, UnknownChannel),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(
    session: Session, cast: Cast, changes: dict[str, Any], refusal: type[ClinicError]
) -> None:
    with pytest.raises(refusal):
        wish(session, cast, **changes)


def stopped(session: Session, cast: Cast, *, is_verified: bool) -> bool:
    """Whether Ada's number still wants no texts, after a text said so and Ada has agreed to some anew."""
    reached(session, cast.ada, phone=ADA)
    account = session.get_one(User, cast.ada.user_id)
    account.phone_verified_at = account.sms_consent_at if is_verified else None
    phone_states.stop(session, ADA, by="a text")
    wish(session, cast, wants_texts=False)
    wish(session, cast, wants_texts=True)
    state = phone_states.of(session, ADA)
    return state is not None and state.opted_out_at is not None


def test_who_agrees_anew_is_sent_texts_again(session: Session, cast: Cast) -> None:
    assert not stopped(session, cast, is_verified=True)


def test_a_number_that_nobody_has_proved_to_be_theirs_stays_stopped(session: Session, cast: Cast) -> None:
    assert stopped(session, cast, is_verified=False)
