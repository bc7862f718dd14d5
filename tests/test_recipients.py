"""Who is told about a patient, and at which email address: one rule for whatever is sent."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from core import recipients
from db.models import Channel, Patient, User
from tests import make
from tests.cast import NOW, Cast, assemble, time_is

NOTED, VERIFIED, UNVERIFIED = "noted@example.org", "verified@example.org", "unverified@example.org"


@pytest.fixture
def cast(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("MAIL_FROM", "clinic@example.org")
    with time_is(NOW):
        yield assemble(session)


def account(session: Session, user_id: int, email: str | None, *, is_verified: bool = True) -> None:
    user = session.get_one(User, user_id)
    user.email, user.email_verified_at = email, NOW if is_verified else None
    session.flush()


def noted(session: Session, patient_id: int, email: str | None) -> None:
    session.get_one(Patient, patient_id).email = email
    session.flush()


def mailed_to(session: Session, patient_id: int) -> str | None:
    """Where email about a patient goes, by either way to ask."""
    told = recipients.of(session, patient_id)
    assert told is not None
    address, locale = recipients.email_of(session, patient_id)
    assert locale == told.locale
    assert (told.channel, told.sent_to) == ((Channel.EMAIL, address) if address else (None, ""))
    return address


def test_the_verified_address_comes_first_then_what_the_desk_noted_then_what_the_account_has(
    session: Session, cast: Cast
) -> None:
    (ada,) = cast.ada.patient_ids
    assert mailed_to(session, ada) is None
    account(session, cast.ada.user_id, UNVERIFIED, is_verified=False)
    assert mailed_to(session, ada) == UNVERIFIED
    noted(session, ada, NOTED)
    assert mailed_to(session, ada) == NOTED
    account(session, cast.ada.user_id, VERIFIED)
    assert mailed_to(session, ada) == VERIFIED


def test_of_a_child_only_the_guardian_is_told_even_where_the_child_has_an_account(
    session: Session, cast: Cast
) -> None:
    child = session.get_one(Patient, cast.child_id)
    child.user_id = make.user(session, email="child@example.org", email_verified_at=NOW).id
    noted(session, cast.child_id, "noted-child@example.org")
    assert mailed_to(session, cast.child_id) is None
    noted(session, cast.guardian.patient_ids[0], NOTED)
    assert mailed_to(session, cast.child_id) == NOTED
    account(session, cast.guardian.user_id, VERIFIED)
    assert mailed_to(session, cast.child_id) == VERIFIED


def test_nobody_is_told_of_who_is_erased(session: Session, cast: Cast) -> None:
    (ada,) = cast.ada.patient_ids
    account(session, cast.ada.user_id, VERIFIED)
    session.get_one(Patient, ada).erased_at = NOW
    session.flush()
    assert recipients.of(session, ada) is None
    assert recipients.email_of(session, ada)[0] is None


@pytest.mark.parametrize("source", recipients.BY_ONESELF)
def test_a_number_that_somebody_typed_gets_texts_once_a_code_came_back_from_it(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(recipients, "config", lambda: SimpleNamespace(sends_texts=True))
    user, (ada_id,) = session.get_one(User, cast.ada.user_id), cast.ada.patient_ids
    user.email, user.phone, user.sms_consent_at, user.sms_consent_source = None, "+4915112345678", NOW, source
    session.flush()
    told = recipients.of(session, ada_id)
    assert told is not None
    assert (told.channel, told.why) == (None, "unproven")
    user.email = VERIFIED
    session.flush()
    assert mailed_to(session, ada_id) == VERIFIED
    user.phone_verified_at = NOW
    session.flush()
    told = recipients.of(session, ada_id)
    assert told is not None
    assert (told.channel, told.sent_to) == (Channel.SMS, "+4915112345678")


def test_a_number_that_the_desk_was_given_gets_texts(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "config", lambda: SimpleNamespace(sends_texts=True))
    user = session.get_one(User, cast.ada.user_id)
    user.phone, user.sms_consent_at, user.sms_consent_source = "+4915112345678", NOW, "on the phone"
    session.flush()
    told = recipients.of(session, cast.ada.patient_ids[0])
    assert told is not None
    assert told.channel is Channel.SMS
