"""Signing in through another site: by its own number of a person, fresh, once, and linked with a password."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import identities
from core.access import Actor
from core.identities import Identity, LinkedElsewhere, SaidTooLongAgo
from core.passwords import WrongCurrentPassword
from db.models import Role, SocialIdentity
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, time_is
from tests.portal import PASSWORD, password_hash

GOOGLE = "https://accounts.google.com"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


def somebody(session: Session, **changes: Any) -> Actor:
    user = make.user(session, password_hash=password_hash(), **changes)
    return Actor(user.id, Role.PATIENT, user.name)


def as_google_says(subject: str = "1234", *, seconds_ago: int = 10, **claims: Any) -> Identity:
    issued = int(NOW.timestamp()) - seconds_ago
    found = identities.from_claims({"iss": GOOGLE, "sub": subject, "iat": issued, **claims})
    assert found is not None
    return found


def test_a_linked_identity_lets_its_account_in_and_no_other(session: Session) -> None:
    ada, _ben = somebody(session), somebody(session)
    identities.link(session, ada, identity=as_google_says(seconds_ago=20), password=PASSWORD)
    user = identities.spend(session, as_google_says())
    assert user is not None
    assert user.id == ada.user_id
    assert identities.spend(session, as_google_says("5678")) is None
    elsewhere = as_google_says()._replace(issuer="https://www.facebook.com")
    assert identities.spend(session, elsewhere) is None


def test_the_same_email_is_no_link(session: Session) -> None:
    somebody(session, email="ada@example.org")
    claims = {"email": "ada@example.org", "email_verified": True}
    assert identities.spend(session, as_google_says(**claims)) is None
    assert identities.spend(session, as_google_says(email="ada@example.org")) is None


def test_what_was_said_counts_once_and_nothing_older_after_it(session: Session) -> None:
    ada = somebody(session)
    identities.link(session, ada, identity=as_google_says(seconds_ago=60), password=PASSWORD)
    assert identities.spend(session, as_google_says(seconds_ago=60)) is None, "the link has spent it"
    assert identities.spend(session, as_google_says(seconds_ago=10)) is not None
    for replayed in (10, 30):
        assert identities.spend(session, as_google_says(seconds_ago=replayed)) is None


@pytest.mark.parametrize("seconds_ago", [301, -61, 86_400])
def test_what_was_said_long_ago_or_will_be_does_not_count(session: Session, seconds_ago: int) -> None:
    ada = somebody(session)
    identities.link(session, ada, identity=as_google_says(seconds_ago=299), password=PASSWORD)
    late = as_google_says(seconds_ago=seconds_ago)
    assert identities.spend(session, late) is None
    with pytest.raises(SaidTooLongAgo):
        identities.link(session, ada, identity=late, password=PASSWORD)


def test_linking_takes_the_account_s_own_password(session: Session) -> None:
    ada = somebody(session)
    for wrong in ("", "wrong", f"{PASSWORD} "):
        with pytest.raises(WrongCurrentPassword):
            identities.link(session, ada, identity=as_google_says(), password=wrong)
    assert identities.own(session, ada) == []


def test_an_identity_belongs_to_one_account(session: Session) -> None:
    ada, ben = somebody(session), somebody(session)
    first = identities.link(session, ada, identity=as_google_says(), password=PASSWORD)
    assert identities.link(session, ada, identity=as_google_says(), password=PASSWORD) == first
    with pytest.raises(LinkedElsewhere):
        identities.link(session, ben, identity=as_google_says(), password=PASSWORD)


def test_only_one_s_own_link_can_be_taken_away(session: Session) -> None:
    ada, ben = somebody(session), somebody(session)
    link = identities.link(session, ada, identity=as_google_says(seconds_ago=20), password=PASSWORD)
    identities.unlink(session, ben, identity_id=link.id)
    assert identities.own(session, ada) == [link]
    assert identities.own(session, ben) == []
    identities.unlink(session, ada, identity_id=link.id)
    assert identities.spend(session, as_google_says()) is None


def test_a_deactivated_account_is_not_let_in(session: Session) -> None:
    ada = somebody(session)
    identities.link(session, ada, identity=as_google_says(seconds_ago=20), password=PASSWORD)
    session.get_one(make.User, ada.user_id).is_active = False
    session.flush()
    assert identities.spend(session, as_google_says()) is None


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"iss": GOOGLE, "sub": "1"},
        {"iss": GOOGLE, "iat": 1},
        {"sub": "1", "iat": 1},
        {"iss": "", "sub": "1", "iat": 1},
        {"iss": GOOGLE, "sub": "", "iat": 1},
        {"iss": GOOGLE, "sub": 1, "iat": 1},
        {"iss": GOOGLE, "sub": "1" * 256, "iat": 1},
        {"iss": GOOGLE, "sub": "1", "iat": "now"},
    ],
)
def test_claims_that_lack_something_are_nobody_s(claims: dict[str, Any]) -> None:
    assert identities.from_claims(claims) is None


def test_one_word_of_another_site_lets_one_in(database: Engine) -> None:
    """Twenty tabs that show the same cookie at once: one of them signs in."""
    with unit_of_work(database) as session:
        ada = somebody(session)
        identities.link(session, ada, identity=as_google_says(seconds_ago=20), password=PASSWORD)

    def enter(_number: int) -> bool:
        with unit_of_work(database) as session:
            return identities.spend(session, as_google_says()) is not None

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(enter, range(20))) == 1
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(SocialIdentity)) == 1
