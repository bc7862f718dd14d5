"""One's own account: what changes at once, what needs a code or the password, and what never changes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import i18n, profiles, safeguards, second_factors, sign_ins, sms_lengths
from core.access import Actor
from core.audit import Event
from core.emails import EmailNotUnderstood
from core.errors import ClinicError, NotFound
from core.letters import CannotSendCodes
from core.names import NameLeftOut, NameUnreadable
from core.one_time_codes import CodeRefused
from core.passwords import PasswordCommon, PasswordLength, WrongCurrentPassword
from core.phones import PhoneNotUnderstood
from core.profiles import EmailTaken, LanguageUnknown, NoPhoneForMessages
from core.safeguards import PasswordUnchanged, SecondFactorRequired
from core.sign_ins import WrongPassword
from core.throttles import ACCOUNT_TRIES
from db.models import AuditEntry, CodePurpose, Patient, Role, SignIn, User
from tests import make
from tests.cast import NOW, Cast, assemble, time_is
from tests.letters import code_to, letters_to
from tests.portal import PASSWORD, password_hash
from tests.test_languages import Backwards

OLD, NEW = "ada@example.org", "new@example.org"
OTHER_PASSWORD = "glass river tempo"
EMAIL, PHONE = CodePurpose.VERIFY_EMAIL, CodePurpose.VERIFY_PHONE


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    made = assemble(session)
    make.clinic(session, is_demo=True, phone="+493012345678")
    for actor in (made.ada, made.desk):
        user = account(session, actor)
        user.password_hash = password_hash()
    ada = account(session, made.ada)
    ada.username = ada.email = OLD
    ada.email_verified_at = NOW
    session.flush()
    return made


def account(session: Session, actor: Actor) -> User:
    return session.get_one(User, actor.user_id, populate_existing=True)


def record(session: Session, actor: Actor) -> Patient:
    return session.get_one(Patient, actor.patient_ids[0], populate_existing=True)


def test_the_name_and_language_change_for_the_account_and_ones_own_record(
    session: Session, cast: Cast
) -> None:
    profiles.save(session, cast.guardian, name=" Greta  Groß ", locale="en_GB", has_sms_consent=False)
    assert profiles.own(session, cast.guardian).name == "Greta Groß"
    assert record(session, cast.guardian).name_folded == "greta gross"
    assert session.get_one(Patient, cast.child_id).name == "Mila Klein"
    assert account(session, cast.ben).name == "Ben Sato"


def test_a_role_sent_along_changes_nothing(session: Session, cast: Cast) -> None:
    with pytest.raises(TypeError):
        profiles.save(session, cast.ada, name="Ada", locale="en", has_sms_consent=False, role=Role.ADMIN)  # type: ignore[call-arg]
    profiles.save(session, cast.ada, name="Ada", locale="en", has_sms_consent=False)
    ada = account(session, cast.ada)
    assert (ada.role, ada.username, ada.email, ada.password_hash) == (Role.PATIENT, OLD, OLD, password_hash())


def test_consent_is_kept_with_when_and_how_and_can_be_withdrawn(session: Session, cast: Cast) -> None:
    def save(wish: bool) -> User:
        profiles.save(session, cast.ada, name="Ada Okafor", locale="en", has_sms_consent=wish)
        return account(session, cast.ada)

    with pytest.raises(NoPhoneForMessages):
        save(True)
    account(session, cast.ada).phone = "+4915112345678"
    session.flush()
    assert (save(True).sms_consent_at, save(True).sms_consent_source) == (NOW, "profile")
    with time_is(NOW + timedelta(days=1)):
        assert save(True).sms_consent_at == NOW, "agreeing again does not make it later"
    assert (save(False).sms_consent_at, save(False).sms_consent_source) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": ""}, NameLeftOut),
        ({"name": "Ada\0"}, NameUnreadable),
        ({"name": "Ada\u202e"}, NameUnreadable),
        ({"locale": "tlh"}, LanguageUnknown),
    ],
)
def test_a_profile_that_cannot_be_is_not_saved(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[ClinicError]
) -> None:
    with pytest.raises(error):
        profiles.save(session, cast.ada, **{"name": "A", "locale": "en", "has_sms_consent": False} | wrong)
    assert account(session, cast.ada).name == "Ada Okafor"


def test_a_new_address_counts_once_its_code_has_come_back(session: Session, cast: Cast) -> None:
    profiles.ask_email(session, cast.ada, email=" New@Example.ORG ", password=PASSWORD)
    assert account(session, cast.ada).email == OLD
    assert profiles.awaited(session, cast.ada, EMAIL) == NEW
    profiles.confirm_email(session, cast.ada, code=code_to(session, NEW))
    ada = account(session, cast.ada)
    assert (ada.email, ada.username, ada.email_verified_at) == (NEW, NEW, NOW)
    assert record(session, cast.ada).email == NEW
    assert "was changed" in letters_to(session, OLD)[-1].subject
    assert profiles.awaited(session, cast.ada, EMAIL) is None
    with pytest.raises(CodeRefused):
        profiles.confirm_email(session, cast.ada, code=code_to(session, NEW))


def test_a_notice_is_in_its_readers_language(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = i18n._translations
    monkeypatch.setattr(i18n, "_translations", lambda code: Backwards() if code == "de" else known(code))
    monkeypatch.setattr(i18n, "languages", lambda: ("en", "en_GB", "de"))
    account(session, cast.ada).locale = "de"
    safeguards.change_password(session, cast.ada, current=PASSWORD, new=OTHER_PASSWORD)
    [letter] = letters_to(session, OLD)
    assert letter.subject == "«Your password at Linden Clinic was changed»"
    assert i18n.spoken() == "en"


def test_a_user_name_of_ones_own_stays(session: Session, cast: Cast) -> None:
    account(session, cast.ada).username = "ada"
    session.flush()
    profiles.ask_email(session, cast.ada, email=NEW, password=PASSWORD)
    profiles.confirm_email(session, cast.ada, code=code_to(session, NEW))
    assert account(session, cast.ada).username == "ada"


def test_an_address_of_another_account_is_told_there_and_not_on_the_screen(
    session: Session, cast: Cast
) -> None:
    account(session, cast.ben).email = NEW
    session.flush()
    profiles.ask_email(session, cast.ada, email=NEW, password=PASSWORD)
    assert profiles.awaited(session, cast.ada, EMAIL) == NEW
    assert [letter.is_secret for letter in letters_to(session, NEW)] == [False]


def test_an_address_that_another_account_got_in_between_is_refused(session: Session, cast: Cast) -> None:
    profiles.ask_email(session, cast.ada, email=NEW, password=PASSWORD)
    account(session, cast.ben).email = NEW
    session.flush()
    with pytest.raises(EmailTaken):
        profiles.confirm_email(session, cast.ada, code=code_to(session, NEW))
    assert account(session, cast.ada).email == OLD


def test_a_code_for_one_persons_address_is_worth_nothing_to_another(session: Session, cast: Cast) -> None:
    profiles.ask_email(session, cast.ada, email=NEW, password=PASSWORD)
    with pytest.raises(CodeRefused):
        profiles.confirm_email(session, cast.stranger, code=code_to(session, NEW))
    assert account(session, cast.stranger).email is None


def test_a_phone_in_national_format_counts_once_its_code_has_come_back(session: Session, cast: Cast) -> None:
    profiles.ask_phone(session, cast.ada, phone="0151 12345678", password=PASSWORD)
    profiles.confirm_phone(session, cast.ada, code=code_to(session, "+4915112345678"))
    ada = account(session, cast.ada)
    assert (ada.phone, ada.phone_verified_at) == ("+4915112345678", NOW)
    assert record(session, cast.ada).phone == "+4915112345678"


def test_a_code_by_text_is_one_segment_and_calls_the_clinic_by_its_name_in_texts(
    session: Session, cast: Cast
) -> None:
    make.clinic(
        session, name="Centro médico de la Seguridad Social “Ramón y Cajal”", text_name="Clinic “Cajal”"
    )
    profiles.ask_phone(session, cast.ada, phone="0151 12345678", password=PASSWORD)
    [sent] = letters_to(session, "+4915112345678")
    assert sent.body.startswith('Your code for Clinic "Cajal" is ')
    assert sms_lengths.segments(sent.body) == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda s, a: profiles.ask_email(s, a, email=NEW, password="wrong"), WrongCurrentPassword),
        (lambda s, a: profiles.ask_email(s, a, email="ada", password=PASSWORD), EmailNotUnderstood),
        (lambda s, a: profiles.ask_phone(s, a, phone="0151 1234567", password=""), WrongCurrentPassword),
        (lambda s, a: profiles.ask_phone(s, a, phone=" ", password=PASSWORD), PhoneNotUnderstood),
        (lambda s, a: profiles.confirm_email(s, a, code="123456"), CodeRefused),
        (lambda s, a: profiles.confirm_phone(s, a, code=""), CodeRefused),
        (lambda s, a: safeguards.begin_second_factor(s, a, password="wrong"), WrongCurrentPassword),
        (lambda s, a: safeguards.turn_off_second_factor(s, a, password="wrong"), WrongCurrentPassword),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    session: Session, cast: Cast, call: Callable[[Session, Actor], None], error: type[ClinicError]
) -> None:
    with pytest.raises(error):
        call(session, cast.ada)
    assert session.scalars(select(AuditEntry)).all() == []


def test_without_a_gateway_phones_are_not_verified_yet(session: Session, cast: Cast) -> None:
    make.clinic(session, is_demo=False)
    for call in (
        lambda: profiles.ask_phone(session, cast.ada, phone="0151 12345678", password=PASSWORD),
        lambda: profiles.ask_email(session, cast.ada, email=NEW, password=PASSWORD),
    ):
        with pytest.raises(CannotSendCodes):
            call()


def test_guessing_the_current_password_is_slowed_down(session: Session, cast: Cast) -> None:
    over = [profiles.is_over(session, cast.ada) for _ in range(ACCOUNT_TRIES + 1)]
    assert over == [False] * ACCOUNT_TRIES + [True]
    profiles.require_password(session, account(session, cast.ada), PASSWORD)
    assert not profiles.is_over(session, cast.ada)


def signed_in(session: Session, actor: Actor, browser: str) -> tuple[str, int]:
    token = sign_ins.start(session, user_id=actor.user_id, address="192.0.2.1")
    session.flush()
    row = session.scalars(select(SignIn).order_by(SignIn.id.desc()).limit(1)).one()
    row.browser = browser
    session.flush()
    return token, row.id


def test_a_new_password_ends_every_session_and_its_owner_is_told(session: Session, cast: Cast) -> None:
    token, _id = signed_in(session, cast.ada, "Firefox")
    safeguards.change_password(session, cast.ada, current=PASSWORD, new=OTHER_PASSWORD)
    assert sign_ins.current_actor(session, token) is None
    assert sign_ins.check_password(session, OLD, OTHER_PASSWORD).id == cast.ada.user_id
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, OLD, PASSWORD)
    assert "password" in letters_to(session, OLD)[-1].subject
    told = select(AuditEntry.action).where(AuditEntry.action != Event.SIGN_IN)
    assert session.scalars(told).all() == ["change the password"]


@pytest.mark.parametrize(
    ("current", "new", "error"),
    [
        ("wrong", OTHER_PASSWORD, WrongCurrentPassword),
        (PASSWORD + " ", OTHER_PASSWORD, WrongCurrentPassword),
        (PASSWORD, "short", PasswordLength),
        (PASSWORD, "okafor-1234567", PasswordCommon),
        (PASSWORD, PASSWORD, PasswordUnchanged),
    ],
)
def test_a_password_that_cannot_be_changed_stays(
    session: Session, cast: Cast, current: str, new: str, error: type[ClinicError]
) -> None:
    token, _id = signed_in(session, cast.ada, "Firefox")
    with pytest.raises(error):
        safeguards.change_password(session, cast.ada, current=current, new=new)
    assert sign_ins.current_actor(session, token) is not None


def test_people_see_where_they_are_signed_in_and_end_any_but_others_sessions(
    session: Session, cast: Cast
) -> None:
    _old, idle_id = signed_in(session, cast.ada, "idled out")
    session.execute(
        text(f"UPDATE sign_ins SET last_seen_at = now() - interval '1 year' WHERE id = {idle_id}")
    )
    hers = [signed_in(session, cast.ada, browser) for browser in ("Firefox", "Safari", "Edge")]
    _token, theirs_id = signed_in(session, cast.ben, "Chrome")
    assert {each.browser for each in safeguards.sessions(session, cast.ada)} == {"Firefox", "Safari", "Edge"}
    safeguards.end_session(session, cast.ada, sign_in_id=hers[1][1])
    assert sign_ins.current_actor(session, hers[1][0]) is None
    for over in (hers[1][1], theirs_id, 999_999):
        with pytest.raises(NotFound):
            safeguards.end_session(session, cast.ada, sign_in_id=over)
    here = Actor(cast.ada.user_id, Role.PATIENT, "Ada", sign_in_id=hers[0][1])
    safeguards.end_other_sessions(session, here)
    assert [each.browser for each in safeguards.sessions(session, here)] == ["Firefox"]
    assert [each.browser for each in safeguards.sessions(session, cast.ben)] == ["Chrome"]


def factor_on(session: Session, actor: Actor) -> None:
    safeguards.begin_second_factor(session, actor, password=PASSWORD)
    begun = safeguards.begun_second_factor(session, actor)
    assert begun is not None
    code = pyotp.TOTP(begun.secret).at(int(NOW.timestamp()))
    assert len(safeguards.confirm_second_factor(session, actor, code=code)) == 10


def test_a_second_factor_is_turned_on_with_the_password_and_off_again(session: Session, cast: Cast) -> None:
    factor_on(session, cast.ada)
    assert second_factors.has(account(session, cast.ada))
    assert safeguards.begun_second_factor(session, cast.ada) is None
    safeguards.turn_off_second_factor(session, cast.ada, password=PASSWORD)
    assert not second_factors.has(account(session, cast.ada))
    assert "second step" in letters_to(session, OLD)[-1].subject


def test_who_must_have_a_second_factor_cannot_turn_it_off(session: Session, cast: Cast) -> None:
    factor_on(session, cast.desk)
    with pytest.raises(SecondFactorRequired):
        safeguards.turn_off_second_factor(session, cast.desk, password=PASSWORD)
    make.clinic(session, requires_second_factor=False)
    safeguards.turn_off_second_factor(session, cast.desk, password=PASSWORD)
