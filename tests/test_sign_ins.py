"""Signing in: a password, a grant, a token, and how each of them ends."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from core import grants, passwords, sign_ins
from core.sign_ins import WrongPassword
from db.models import Role, SignIn, SignInGrant, User
from tests import make
from tests.cast import NOW, time_is
from tests.portal import PASSWORD, password_hash

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def ada(session: Session) -> User:
    user = make.user(session, username="ada", password_hash=password_hash())
    make.patient(session, user_id=user.id)
    return user


@pytest.mark.parametrize("username", ["ada", "ADA", "  Ada "])
def test_the_user_name_knows_no_case(session: Session, ada: User, username: str) -> None:
    assert sign_ins.check_password(session, username, PASSWORD).id == ada.id


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("ada", f"{PASSWORD} "),
        ("ada", f"{PASSWORD}\0"),
        ("ada", "🐎" * 40),
        ("nobody", PASSWORD),
        ("", ""),
        ("a\0da", PASSWORD),
    ],
)
def test_anything_else_gets_the_same_sentence(
    session: Session, ada: User, username: str, password: str
) -> None:
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, username, password)


def test_every_character_of_a_long_password_counts() -> None:
    long = "a" * 100
    secret = passwords.hashed(long)
    assert passwords.matches(long, secret)
    assert not passwords.matches("a" * 99 + "b", secret)
    assert not passwords.matches("a" * 72, secret)


def test_accounts_without_a_password_and_inactive_ones_cannot_sign_in(session: Session, ada: User) -> None:
    make.user(session, username="walk-in")
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, "walk-in", "")
    ada.is_active = False
    session.flush()
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, "ada", PASSWORD)


def test_a_grant_is_exchanged_once_and_by_its_own_browser_only(session: Session, ada: User) -> None:
    grants.grant(session, user_id=ada.id, browser="hers")
    assert grants.redeem(session, browser="another") is None
    token = grants.redeem(session, browser="hers", address="192.0.2.1")
    assert token is not None
    assert grants.redeem(session, browser="hers") is None
    actor = sign_ins.current_actor(session, token)
    assert actor is not None
    assert (actor.user_id, actor.role) == (ada.id, Role.PATIENT)


def test_a_grant_runs_out(session: Session, ada: User) -> None:
    grants.grant(session, user_id=ada.id, browser="hers")
    with time_is(NOW + grants.LIFE):
        assert grants.redeem(session, browser="hers") is None


def test_the_token_itself_is_not_kept(session: Session, ada: User) -> None:
    token = sign_ins.start(session, user_id=ada.id)
    session.flush()
    kept = session.scalars(select(SignIn)).one()
    assert token.encode() not in kept.token_hash
    assert len(token) >= 43  # 256 bits in base64


@pytest.mark.parametrize("token", [None, "", "made up", "\0", "🐎"])
def test_a_made_up_token_is_nobody(session: Session, token: str | None) -> None:
    assert sign_ins.current_actor(session, token) is None


def test_a_session_ends_when_told_when_idle_and_at_its_limit(session: Session, ada: User) -> None:
    ended, idle, kept = (sign_ins.start(session, user_id=ada.id) for _ in range(3))
    sign_ins.end(session, ended)
    assert sign_ins.current_actor(session, ended) is None
    limit = timedelta(minutes=60)
    with time_is(NOW + limit - SECOND):
        assert sign_ins.current_actor(session, idle, is_active_use=False) is not None
        assert sign_ins.current_actor(session, kept) is not None
    with time_is(NOW + limit):
        assert sign_ins.current_actor(session, idle) is None, "what a page does by itself keeps nothing alive"
        assert sign_ins.current_actor(session, kept) is not None
    at = NOW
    while at < NOW + sign_ins.ABSOLUTE_LIMIT:
        with time_is(at):
            assert sign_ins.current_actor(session, kept) is not None
        at += limit - SECOND
    with time_is(NOW + sign_ins.ABSOLUTE_LIMIT):
        assert sign_ins.current_actor(session, kept) is None


def test_staff_idle_out_sooner_than_patients(session: Session) -> None:
    rita = make.user(session, Role.STAFF)
    token = sign_ins.start(session, user_id=rita.id)
    session.flush()
    with time_is(NOW + timedelta(minutes=15)):
        assert sign_ins.current_actor(session, token) is None


@pytest.mark.parametrize(
    "change", ["role = 'staff'", "is_active = false", "password_hash = 'another'", "password_hash = NULL"]
)
def test_a_change_of_what_an_account_may_do_ends_its_sessions(
    session: Session, ada: User, change: str
) -> None:
    token = sign_ins.start(session, user_id=ada.id)
    session.flush()
    session.execute(text(f"UPDATE users SET name = 'Ada L.' WHERE id = {ada.id}"))
    assert sign_ins.current_actor(session, token) is not None
    session.execute(text(f"UPDATE users SET {change} WHERE id = {ada.id}"))
    assert sign_ins.current_actor(session, token) is None
    session.execute(text(f"UPDATE users SET role = 'patient', is_active = true WHERE id = {ada.id}"))
    assert sign_ins.current_actor(session, token) is None, "what has ended stays so"


def test_the_live_among_many_sessions_are_told_apart_without_counting_as_use(
    session: Session, ada: User
) -> None:
    rita = make.user(session, Role.STAFF)
    off = make.user(session, is_active=False)
    ended, hers = (sign_ins.start(session, user_id=ada.id) for _ in range(2))
    ritas, offs = (sign_ins.start(session, user_id=user.id) for user in (rita, off))
    session.flush()
    sign_ins.end(session, ended)
    asked = {sign_ins.hashed(token) for token in (ended, hers, ritas, offs, "made up")}
    assert sign_ins.live(session, asked) == {sign_ins.hashed(hers), sign_ins.hashed(ritas)}
    with time_is(NOW + timedelta(minutes=15)):
        assert sign_ins.live(session, asked) == {sign_ins.hashed(hers)}, "staff idle out sooner"
    with time_is(NOW + timedelta(minutes=60)):
        assert sign_ins.live(session, asked) == set(), "asking has kept nothing alive"


def test_who_is_signed_in_is_one_question_to_the_database(session: Session, ada: User) -> None:
    make.patient(session, guardian_id=session.scalars(select(make.Patient.id)).one())
    token = sign_ins.start(session, user_id=ada.id)
    session.flush()
    asked: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
    actor = sign_ins.current_actor(session, token)
    assert actor is not None
    assert len(actor.patient_ids) == 2
    assert len(asked) == 1


def test_a_guardian_acts_for_dependants_until_the_link_is_removed(session: Session, ada: User) -> None:
    own = session.scalars(select(make.Patient).where(make.Patient.user_id == ada.id)).one()
    child = make.patient(session, guardian_id=own.id)
    token = sign_ins.start(session, user_id=ada.id)
    session.flush()
    actor = sign_ins.current_actor(session, token)
    assert actor is not None
    assert actor.patient_ids == (own.id, child.id)
    child.guardian_id = None
    session.flush()
    actor = sign_ins.current_actor(session, token)
    assert actor is not None
    assert actor.patient_ids == (own.id,)


def test_old_sessions_and_grants_are_forgotten_and_live_ones_kept(session: Session, ada: User) -> None:
    grants.grant(session, user_id=ada.id, browser="late")
    ended = sign_ins.start(session, user_id=ada.id)
    session.flush()
    sign_ins.end(session, ended)
    with time_is(NOW + sign_ins.KEEP_ENDED):
        sign_ins.start(session, user_id=ada.id)
        grants.grant(session, user_id=ada.id, browser="fresh")
        session.flush()
        sign_ins.forget_old(session)
    assert session.scalar(select(func.count()).select_from(SignIn)) == 1
    assert session.scalar(select(func.count()).select_from(SignInGrant)) == 1
