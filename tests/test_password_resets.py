"""A forgotten password: the same answer for every name, a code once, and every session over."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import grants, one_time_codes, password_resets, second_factors, sign_ins
from core.audit import Event
from core.one_time_codes import CodeRefused
from core.passwords import PasswordCommon, PasswordLength
from core.sign_ins import WrongPassword
from db.models import AuditEntry, Notification, OneTimeCode, User
from tests import make
from tests.cast import NOW, time_is
from tests.letters import code_to, letters_to
from tests.portal import password_hash

ADA = "ada@example.org"
NEW = "glass river tempo"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def ada(session: Session) -> User:
    make.clinic(session, is_demo=True)
    return make.user(session, username="ada", email=ADA, email_verified_at=NOW, password_hash=password_hash())


@pytest.mark.parametrize("name", ["ada", " ADA ", ADA, "Ada@Example.ORG"])
def test_with_the_code_there_is_a_new_password_and_every_session_is_over(
    session: Session, ada: User, name: str
) -> None:
    token = sign_ins.start(session, user_id=ada.id)
    grants.grant(session, user_id=ada.id, browser="with the old password")
    session.flush()
    password_resets.ask(session, name=name)
    password_resets.finish(session, name=name, code=code_to(session, ADA), password=NEW)
    assert sign_ins.check_password(session, "ada", NEW).id == ada.id
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, "ada", "correct horse battery")
    assert sign_ins.current_actor(session, token) is None
    assert grants.redeem(session, browser="with the old password") is None
    assert "was changed" in letters_to(session, ADA)[-1].subject
    told = select(AuditEntry.action).where(AuditEntry.action != Event.SIGN_IN)
    assert session.scalars(told).all() == ["reset the password"]


@pytest.mark.parametrize("name", ["nobody", "nobody@example.org", "", "a\0da", "x" * 100_000, "🐎"])
def test_an_unknown_name_gets_the_same_answer_and_no_mail(session: Session, ada: User, name: str) -> None:
    for _ in range(one_time_codes.CODES_AN_HOUR + 1):
        password_resets.ask(session, name=name)
    assert session.scalars(select(Notification)).all() == []
    password_resets.is_over(session, name=name, password=NEW, address="192.0.2.1")
    with pytest.raises(CodeRefused):
        password_resets.finish(session, name=name, code="ABCD-EFGH", password=NEW)


@pytest.mark.parametrize("changes", [{"is_active": False}, {"email_verified_at": None}])
def test_nothing_is_sent_to_an_account_that_is_off_or_an_address_nobody_has_verified(
    session: Session, ada: User, changes: dict[str, object]
) -> None:
    for name, value in changes.items():
        setattr(ada, name, value)
    session.flush()
    password_resets.ask(session, name="ada")
    assert session.scalars(select(Notification)).all() == []


def test_a_verified_phone_stands_in_for_an_address(session: Session, ada: User) -> None:
    ada.email, ada.phone, ada.phone_verified_at = None, "+4915112345678", NOW
    session.flush()
    password_resets.ask(session, name="ada")
    password_resets.finish(session, name="ada", code=code_to(session, "+4915112345678"), password=NEW)
    assert sign_ins.check_password(session, "ada", NEW).id == ada.id


def test_a_code_used_twice_gets_one_sentence_and_changes_nothing(session: Session, ada: User) -> None:
    password_resets.ask(session, name="ada")
    code = code_to(session, ADA)
    password_resets.finish(session, name="ada", code=code, password=NEW)
    with pytest.raises(CodeRefused, match="used already"):
        password_resets.finish(session, name="ada", code=code, password="another river tempo")
    assert sign_ins.check_password(session, "ada", NEW).id == ada.id


def test_a_code_runs_out_after_half_an_hour(session: Session, ada: User) -> None:
    password_resets.ask(session, name="ada")
    with time_is(NOW + timedelta(minutes=30)), pytest.raises(CodeRefused):
        password_resets.finish(session, name="ada", code=code_to(session, ADA), password=NEW)


def test_the_code_of_another_account_is_worth_nothing(session: Session, ada: User) -> None:
    make.user(session, username="ben", email="ben@example.org", email_verified_at=NOW)
    password_resets.ask(session, name="ben")
    password_resets.ask(session, name="ada")
    with pytest.raises(CodeRefused):
        password_resets.finish(session, name="ada", code=code_to(session, "ben@example.org"), password=NEW)


@pytest.mark.parametrize(
    ("password", "error"),
    [("short", PasswordLength), ("password1234", PasswordCommon), ("ada@example.org", PasswordCommon)],
)
def test_a_password_that_will_not_do_leaves_the_code_good(
    session: Session, ada: User, password: str, error: type[Exception]
) -> None:
    password_resets.ask(session, name=ADA)
    if error is PasswordLength:
        with pytest.raises(error):
            password_resets.is_over(session, name=ADA, password=password, address=None)
        assert session.scalars(select(OneTimeCode.tries)).all() == [0]
    with pytest.raises(error), session.begin_nested():
        password_resets.finish(session, name=ADA, code=code_to(session, ADA), password=password)
    password_resets.finish(session, name=ADA, code=code_to(session, ADA), password=NEW)


def test_guesses_are_counted_whatever_name_is_typed_and_tell_nobody_whose_address_it_is(
    session: Session, ada: User
) -> None:
    password_resets.ask(session, name=ADA)
    for name in ("ada", ADA, "ADA", " ada", ADA.upper(), "ada"):
        assert not password_resets.is_over(session, name=name, password=NEW, address=None)
    with pytest.raises(CodeRefused):
        password_resets.finish(session, name="ada", code=code_to(session, ADA), password=NEW)


def test_nobody_is_flooded_and_everybody_is_told_the_same(session: Session, ada: User) -> None:
    for _ in range(one_time_codes.CODES_AN_HOUR + 3):
        password_resets.ask(session, name="ada")
    assert len(letters_to(session, ADA)) == one_time_codes.CODES_AN_HOUR


def test_the_second_factor_stays(session: Session, ada: User) -> None:
    ada.totp_confirmed_at = NOW
    session.flush()
    password_resets.ask(session, name="ada")
    password_resets.finish(session, name="ada", code=code_to(session, ADA), password=NEW)
    assert second_factors.has(ada)
