"""From a password to a session: what a browser is granted, what it still owes, and that it counts once."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core import accounts, grants, sign_ins
from db.models import AuditEntry, Role, SignIn, User
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, time_is


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def rita(session: Session) -> User:
    make.clinic(session)
    return make.user(session, Role.STAFF, username="rita")


def test_a_password_alone_opens_nothing_where_a_second_factor_is_due(session: Session, rita: User) -> None:
    grants.offer(session, rita, browser="hers")
    assert grants.redeem(session, browser="hers") is None
    grants.offer(session, rita, browser="hers")
    assert grants.waiting(session, browser="hers") == rita
    assert grants.waiting(session, browser="another") is None
    assert not grants.complete(session, browser="another", user_id=rita.id)
    assert grants.waiting(session, browser="hers") == rita
    grants.complete(session, browser="hers", user_id=rita.id)
    assert grants.waiting(session, browser="hers") is None
    assert grants.redeem(session, browser="hers") is not None


@pytest.mark.parametrize(
    ("role", "is_required", "has_one", "waits"),
    [
        (Role.PATIENT, True, False, False),
        (Role.PATIENT, False, True, True),
        (Role.DOCTOR, True, False, True),
        (Role.STAFF, True, False, True),
        (Role.ADMIN, True, False, True),
        (Role.ADMIN, False, False, False),
        (Role.ADMIN, False, True, True),
    ],
)
def test_who_waits_for_a_second_factor(
    session: Session, role: Role, is_required: bool, has_one: bool, waits: bool
) -> None:
    make.clinic(session, requires_second_factor=is_required)
    user = make.user(session, role, totp_confirmed_at=NOW if has_one else None)
    grants.offer(session, user, browser="theirs")
    assert (grants.waiting(session, browser="theirs") is not None) == waits


def test_the_wait_for_a_second_factor_ends(session: Session, rita: User) -> None:
    grants.offer(session, rita, browser="hers")
    with time_is(NOW + grants.SECOND_FACTOR_LIFE):
        assert grants.waiting(session, browser="hers") is None
        grants.complete(session, browser="hers", user_id=rita.id)
        assert grants.redeem(session, browser="hers") is None


def test_a_completed_grant_runs_out_as_soon_as_any(session: Session, rita: User) -> None:
    grants.offer(session, rita, browser="hers")
    grants.complete(session, browser="hers", user_id=rita.id)
    with time_is(NOW + grants.LIFE):
        assert grants.redeem(session, browser="hers") is None


def test_a_second_factor_completes_its_own_account_s_grant_only(session: Session, rita: User) -> None:
    """Between the code's check and the grant another tab may have signed in as somebody else."""
    eve = make.user(session, totp_confirmed_at=NOW)
    grants.offer(session, eve, browser="shared")
    grants.offer(session, rita, browser="shared")
    assert not grants.complete(session, browser="shared", user_id=eve.id)
    assert grants.redeem(session, browser="shared") is None


def test_a_password_that_was_changed_while_it_was_checked_grants_nothing(
    session: Session, rita: User
) -> None:
    session.execute(text(f"UPDATE users SET password_hash = 'another' WHERE id = {rita.id}"))
    assert not grants.offer(session, rita, browser="hers")
    assert grants.waiting(session, browser="hers") is None


def test_a_session_begun_while_the_password_changes_ends_with_it(database: Engine) -> None:
    """Whichever comes first: the exchange waits for the change, or the change ends what it has begun."""
    with unit_of_work(database) as session:
        make.clinic(session, requires_second_factor=False)
        ada = make.user(session, password_hash="old")
    for attempt in range(20):
        with unit_of_work(database) as session:
            grants.grant(session, user_id=ada.id, browser="hers")
        gun = Barrier(2)
        tokens: list[str | None] = []

        def exchange(gun: Barrier = gun, tokens: list[str | None] = tokens) -> None:
            gun.wait()
            with unit_of_work(database) as session:
                tokens.append(grants.redeem(session, browser="hers"))

        def change(gun: Barrier = gun, attempt: int = attempt) -> None:
            gun.wait()
            with unit_of_work(database) as session:
                session.execute(text(f"UPDATE users SET password_hash = 'new {attempt}' WHERE id = {ada.id}"))

        both = [Thread(target=exchange), Thread(target=change)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        with Session(database) as session:
            assert sign_ins.current_actor(session, tokens[0]) is None


@pytest.mark.parametrize("change", ["is_active = false", "password_hash = 'another'", "role = 'admin'"])
def test_a_change_of_the_account_takes_back_what_was_granted(
    session: Session, rita: User, change: str
) -> None:
    grants.grant(session, user_id=rita.id, browser="hers")
    grants.offer(session, rita, browser="elsewhere")
    session.execute(text(f"UPDATE users SET {change} WHERE id = {rita.id}"))
    assert grants.redeem(session, browser="hers") is None
    assert grants.waiting(session, browser="elsewhere") is None


def test_somebody_else_at_the_same_browser_takes_its_place(session: Session, rita: User) -> None:
    ada = make.user(session)
    grants.offer(session, rita, browser="shared")
    grants.withdraw(session, browser="shared")
    assert grants.waiting(session, browser="shared") is None
    grants.offer(session, rita, browser="shared")
    grants.offer(session, ada, browser="shared")
    assert grants.waiting(session, browser="shared") is None
    token = grants.redeem(session, browser="shared")
    actor = sign_ins.current_actor(session, token)
    assert actor is not None
    assert actor.user_id == ada.id


def test_who_came_failed_and_went_is_in_the_trail(session: Session, rita: User) -> None:
    sign_ins.note_failure(session, username="RITA", address="192.0.2.7")
    sign_ins.note_failure(session, username="nobody", address="192.0.2.8")
    token = sign_ins.start(session, user_id=rita.id, address="192.0.2.7", browser_name="Firefox " * 100)
    sign_ins.end(session, token)
    sign_ins.end(session, token)
    told = session.execute(
        select(AuditEntry.action, AuditEntry.object_id, AuditEntry.address).order_by(AuditEntry.id)
    ).all()
    assert told == [
        ("sign in failed", rita.id, "192.0.2.7"),
        ("sign in failed", None, "192.0.2.8"),
        ("sign in", rita.id, "192.0.2.7"),
        ("sign out", rita.id, "192.0.2.7"),
    ]
    kept = session.scalars(select(SignIn)).one()
    assert (kept.end_reason, len(kept.browser or "")) == ("signed out", sign_ins.BROWSER_NAME_LENGTH)


@pytest.mark.parametrize("name", ["ada@example.org", "ADA@EXAMPLE.ORG ", "ada"])
def test_an_account_is_found_by_user_name_or_email(session: Session, name: str) -> None:
    ada = make.user(session, username="ada", email="ada@example.org")
    assert accounts.named(session, name) == ada


def test_a_user_name_comes_before_somebody_else_s_email(session: Session) -> None:
    """Registration refuses such a name; should there be one all the same, it is nobody's way in."""
    make.user(session, username="ben", email="x@example.org")
    named_so = make.user(session, username="x@example.org")
    assert accounts.named(session, "x@example.org") == named_so


def test_how_long_a_session_may_idle_is_a_setting(session: Session, rita: User) -> None:
    make.clinic(session, staff_idle_minutes=5)
    token = sign_ins.start(session, user_id=rita.id)
    with time_is(NOW + timedelta(minutes=4, seconds=59)):
        assert sign_ins.current_actor(session, token, is_active_use=False) is not None
        assert sign_ins.live(session, [sign_ins.hashed(token)])
    with time_is(NOW + timedelta(minutes=5)):
        assert sign_ins.current_actor(session, token) is None
        assert not sign_ins.live(session, [sign_ins.hashed(token)])
