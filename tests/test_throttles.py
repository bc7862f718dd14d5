"""Guessing passwords: slow for one account, for one address, and for many guesses at once."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import sign_ins, throttles
from core.throttles import ACCOUNT_TRIES, ADDRESS_TRIES, EVERYWHERE_TRIES, FORGET_MINUTES
from db.models import SignInAttempts
from db.session import unit_of_work
from tests.cast import NOW, time_is

FORGET = timedelta(minutes=FORGET_MINUTES)


def tried(session: Session, username: str = "ada", address: str | None = "192.0.2.1") -> bool:
    """Whether one more try is let through."""
    return not throttles.is_over(session, username=username, address=address)


def test_five_tries_are_free_and_then_each_waits_longer(session: Session) -> None:
    with time_is(NOW):
        assert [tried(session) for _ in range(ACCOUNT_TRIES + 1)] == [True] * ACCOUNT_TRIES + [False]
    at = NOW
    for wait in (2, 4, 8, 16):
        with time_is(at + timedelta(seconds=wait - 1)):
            assert not tried(session)
        at += timedelta(seconds=wait)
        with time_is(at):
            assert [tried(session), tried(session)] == [True, False]


def test_an_account_waits_a_quarter_of_an_hour_at_most_and_impatience_costs_nothing(session: Session) -> None:
    at, waits = NOW, []
    with time_is(NOW):
        for _ in range(ACCOUNT_TRIES):
            tried(session)
    for _ in range(14):
        with time_is(at):
            assert not any(tried(session) for _ in range(5))
        key = "account ada\n192.0.2.1"
        until = session.get_one(SignInAttempts, key, populate_existing=True).locked_until
        assert until is not None
        waits.append(until - at)
        at = until
        with time_is(at):
            assert tried(session)
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (2, 4, 8, 16)]
    assert waits[-4:] == [FORGET] * 4


def test_no_case_or_blank_makes_another_account_of_it(session: Session) -> None:
    with time_is(NOW):
        through = [tried(session, name) for name in ("ada", "ADA", " Ada ", "aDa", "adA", "ada\0")]
    assert through == [True] * ACCOUNT_TRIES + [False]


def test_one_address_cannot_try_many_accounts(session: Session) -> None:
    with time_is(NOW):
        through = [tried(session, f"user{number}") for number in range(ADDRESS_TRIES + 5)]
        assert through == [True] * ADDRESS_TRIES + [False] * 5
        assert tried(session, "somebody", "192.0.2.2"), "others are not made to wait for it"


def test_the_right_password_forgives_the_account(session: Session) -> None:
    with time_is(NOW):
        for _ in range(ACCOUNT_TRIES):
            tried(session)
        throttles.forgive(session, username="Ada")
        assert tried(session)


def test_a_quarter_of_an_hour_without_a_try_forgets(session: Session) -> None:
    with time_is(NOW):
        for _ in range(ACCOUNT_TRIES):
            tried(session)
    with time_is(NOW + timedelta(seconds=2) + FORGET):  # the wait after the fifth, then the quarter
        assert [tried(session) for _ in range(ACCOUNT_TRIES + 1)] == [True] * ACCOUNT_TRIES + [False]


def test_old_tries_are_swept_up(session: Session) -> None:
    with time_is(NOW):
        tried(session)
    with time_is(NOW + sign_ins.KEEP_TRIES):
        assert sign_ins.forget_old(session) == 3
        assert sign_ins.forget_old(session) == 0


@pytest.mark.parametrize("name", ["", "x" * 100_000, "🐎" * 400])
def test_any_name_can_be_counted(session: Session, name: str) -> None:
    with time_is(NOW):
        assert tried(session, name)


def test_thirty_guesses_at_once_count_one_by_one(database: Engine) -> None:
    gun = Barrier(30)
    through: list[bool] = []

    def guess() -> None:
        gun.wait()
        with unit_of_work(database) as session:
            through.append(tried(session))

    with time_is(NOW):
        guesses = [Thread(target=guess) for _ in range(30)]
        for each in guesses:
            each.start()
        for each in guesses:
            each.join()
    assert sorted(through) == [False] * (30 - ACCOUNT_TRIES) + [True] * ACCOUNT_TRIES


def test_a_stranger_who_never_stops_keeps_nobody_else_out(session: Session) -> None:
    for hour in range(24):
        with time_is(NOW + timedelta(hours=hour)):
            for _ in range(30):
                tried(session, address="203.0.113.9")
            assert tried(session, address="192.0.2.1")
            throttles.forgive_here(session, username="ada", address="192.0.2.1")


def test_guesses_from_many_addresses_wait_as_well(session: Session) -> None:
    with time_is(NOW):
        through = [tried(session, address=f"203.0.113.{number}") for number in range(EVERYWHERE_TRIES + 10)]
    assert through == [True] * EVERYWHERE_TRIES + [False] * 10


@pytest.mark.parametrize("address", ["192.0.2.1", None], ids=["a router's", "not known"])
def test_people_who_share_an_address_do_not_use_it_up_by_signing_in(
    session: Session, address: str | None
) -> None:
    """A clinic's receptionists idle out every quarter of an hour, behind one router."""
    for minutes in range(0, 8 * 60, 2):
        with time_is(NOW + timedelta(minutes=minutes)):
            name = f"receptionist {minutes % 7}"
            assert tried(session, name, address)
            throttles.forgive_here(session, username=name, address=address)
