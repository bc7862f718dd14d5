"""Known and unknown names cost the same work, counted and not timed: nobody learns by waiting who is here."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import bcrypt
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core import password_resets, passwords, registrations, sign_ins
from core.one_time_codes import CodeRefused
from core.sign_ins import WrongPassword
from tests import make
from tests.cast import NOW, time_is
from tests.portal import PASSWORD, password_hash

KNOWN, UNKNOWN = "ada@example.org", "zoe@example.org"
Work = Counter[str]


@pytest.fixture(autouse=True)
def _people(session: Session) -> Iterator[None]:
    """Somebody of each kind that a name may turn out to be."""
    make.clinic(session, is_demo=True)
    make.user(session, username="ada", email=KNOWN, email_verified_at=NOW, password_hash=password_hash())
    make.user(session, username="walk-in")
    make.user(session, username="gone", password_hash=password_hash(), is_active=False)
    with time_is(NOW):
        yield


@pytest.fixture
def work(session: Session, monkeypatch: pytest.MonkeyPatch) -> Work:
    """How often something slow was done: bcrypt's two functions, and statements sent to the database."""
    done: Work = Counter()

    def counted(name: str) -> None:
        original = getattr(bcrypt, name)

        def call(*arguments: Any) -> Any:
            done[name] += 1
            return original(*arguments)

        monkeypatch.setattr(bcrypt, name, call)

    counted("checkpw")
    counted("hashpw")

    @event.listens_for(session.connection(), "before_cursor_execute")
    def _count(*_: object) -> None:
        done["statements"] += 1

    return done


@pytest.mark.parametrize("name", ["ada", KNOWN, "nobody", UNKNOWN, "walk-in", "gone", ""])
def test_a_wrong_password_is_checked_once_whoever_it_is_for(session: Session, work: Work, name: str) -> None:
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, name, "wrong")
    assert work == {"checkpw": 1, "statements": 1}


@pytest.mark.parametrize("name", ["walk-in", "gone", "nobody", "a\0da"])
def test_a_password_that_would_be_right_is_checked_once_too(session: Session, work: Work, name: str) -> None:
    with pytest.raises(WrongPassword):
        sign_ins.check_password(session, name, PASSWORD)
    assert (work["checkpw"], work["hashpw"]) == (1, 0)


@pytest.mark.rounds
def test_the_hash_that_stands_in_for_a_missing_one_is_as_slow_as_any(work: Work) -> None:
    kept = passwords.hashed(PASSWORD)
    version, rounds = kept.split("$")[1:3]
    assert passwords._NOBODYS.startswith(f"${version}${rounds}$")
    assert len(passwords._NOBODYS) == len(kept)
    assert not passwords.matches("anything", None)
    assert work["checkpw"] == 1


def ask_to_register(session: Session, email: str) -> None:
    registrations.ask(
        session,
        name="Zoë Übel",
        birth_on=date(1990, 2, 15),
        phone="+49 151 12345678",
        email=email,
        password="glass river tempo",
        has_sms_consent=False,
        browser="hers",
    )


def test_a_form_is_hashed_once_whether_its_address_is_known_or_not(session: Session, work: Work) -> None:
    seen = []
    for email in (KNOWN, UNKNOWN):
        work.clear()
        ask_to_register(session, email)
        seen.append(Counter(work))
    assert [(each["hashpw"], each["checkpw"]) for each in seen] == [(1, 0)] * 2
    assert seen[0]["statements"] == seen[1]["statements"]


def test_a_reset_hashes_nothing_before_its_code_was_right(session: Session, work: Work) -> None:
    for name in ("ada", KNOWN, "nobody", UNKNOWN, "walk-in", "gone"):
        password_resets.ask(session, name=name)
        with pytest.raises(CodeRefused):
            password_resets.finish(session, name=name, code="no", password="glass river tempo")
    assert (work["hashpw"], work["checkpw"]) == (0, 0)
