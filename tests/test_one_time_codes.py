"""One-time codes: once, for minutes, five tries, five an hour, and nothing to read in the database."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import one_time_codes
from core.one_time_codes import CODES_AN_HOUR, LIFE, TRIES, CodeRefused, TooManyCodes
from core.throttles import ACCOUNT_TRIES
from db.models import CodePurpose, OneTimeCode
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, time_is

ADA = "ada@example.org"
VERIFY, RESET = CodePurpose.VERIFY_EMAIL, CodePurpose.RESET_PASSWORD


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


def works(session: Session, code: str, purpose: CodePurpose = VERIFY, sent_to: str = ADA) -> bool:
    try:
        one_time_codes.redeem(session, purpose, sent_to=sent_to, code=code)
    except CodeRefused:
        return False
    return True


def wrong(code: str) -> str:
    return ("1" if code[0] != "1" else "2") + code[1:]


def test_a_code_brings_its_payload_back_once_and_forgets_it(session: Session) -> None:
    code = one_time_codes.issue(session, VERIFY, sent_to=ADA, payload={"name": "Ada"})
    assert one_time_codes.redeem(session, VERIFY, sent_to=ADA, code=code) == {"name": "Ada"}
    assert session.scalars(select(OneTimeCode)).one().payload is None
    assert not works(session, code)


def test_verification_codes_are_digits_and_reset_codes_do_not_look_alike(session: Session) -> None:
    digits = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    assert (len(digits), digits.isdecimal()) == (6, True)
    letters = one_time_codes.issue(session, RESET, sent_to=ADA).replace("-", "")
    assert len(letters) == 8
    assert not set(letters) & set("ILO01")


def test_a_reset_code_is_taken_as_people_type_it(session: Session) -> None:
    code = one_time_codes.issue(session, RESET, sent_to=ADA)
    assert works(session, f" {code.lower().replace('-', ' ')} ", RESET)


@pytest.mark.parametrize(("purpose", "minutes"), [(VERIFY, 10), (CodePurpose.REGISTER, 10), (RESET, 30)])
def test_a_code_runs_out(session: Session, purpose: CodePurpose, minutes: int) -> None:
    assert LIFE[purpose] == timedelta(minutes=minutes)
    code = one_time_codes.issue(session, purpose, sent_to=ADA)
    with time_is(NOW + LIFE[purpose]):
        assert not works(session, code, purpose)
    with time_is(NOW + LIFE[purpose] - timedelta(seconds=1)):
        assert works(session, code, purpose)


def test_a_code_is_for_one_purpose_one_address_and_one_account(session: Session) -> None:
    ada = make.user(session)
    code = one_time_codes.issue(session, VERIFY, sent_to=ADA, user_id=ada.id)
    assert not works(session, code, RESET)
    assert not works(session, code, sent_to="ben@example.org")
    assert not works(session, code)
    one_time_codes.redeem(session, VERIFY, sent_to=ADA, code=code, user_id=ada.id)


def test_a_new_code_voids_the_older_one(session: Session) -> None:
    older = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    other = one_time_codes.issue(session, RESET, sent_to=ADA)
    newer = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    assert not works(session, older)
    assert works(session, newer)
    assert works(session, other, RESET)


def test_after_five_tries_a_code_is_dead_even_when_it_is_right(session: Session) -> None:
    code = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    for number in range(TRIES):
        assert not one_time_codes.is_over(session, VERIFY, sent_to=ADA, address=f"192.0.2.{number}")
        assert not works(session, wrong(code))
    assert not one_time_codes.is_over(session, VERIFY, sent_to=ADA, address="192.0.2.99")
    assert not works(session, code)


def test_what_is_refused_at_an_address_is_no_try_at_the_code(session: Session) -> None:
    """A stranger who posts by the hundred uses up five tries, and not one of whoever asks elsewhere."""
    code = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    for _ in range(100):
        one_time_codes.is_over(session, VERIFY, sent_to=ADA, address="203.0.113.9")
    assert session.scalars(select(OneTimeCode.tries)).all() == [ACCOUNT_TRIES]
    assert works(session, code)


def test_the_fifth_try_may_still_be_the_right_one(session: Session) -> None:
    code = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    for _ in range(TRIES):
        assert not one_time_codes.is_over(session, VERIFY, sent_to=ADA, address=None)
    assert works(session, code)


def test_new_codes_give_no_new_tries_at_once(session: Session) -> None:
    for _ in range(ACCOUNT_TRIES):
        assert not one_time_codes.is_over(session, VERIFY, sent_to=ADA, address="192.0.2.1")
    one_time_codes.issue(session, VERIFY, sent_to=ADA)
    assert one_time_codes.is_over(session, VERIFY, sent_to=ADA, address="192.0.2.1")


def test_nobody_is_flooded_with_codes(session: Session) -> None:
    for _ in range(CODES_AN_HOUR):
        one_time_codes.issue(session, VERIFY, sent_to=ADA)
    with pytest.raises(TooManyCodes):
        one_time_codes.issue(session, VERIFY, sent_to=ADA)
    one_time_codes.issue(session, RESET, sent_to=ADA)  # strangers who register her silence no reset
    one_time_codes.issue(session, VERIFY, sent_to="ben@example.org")
    with time_is(NOW + timedelta(hours=1)):
        one_time_codes.issue(session, VERIFY, sent_to=ADA)


def test_neither_code_nor_a_hash_to_search_for_it_is_kept(session: Session) -> None:
    code = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    kept = session.scalars(select(OneTimeCode)).one()
    assert code.encode() not in kept.code_hash
    assert len(kept.code_hash) == 32


@pytest.mark.parametrize("code", ["", "\0", "🐎" * 9000, "12345"])
def test_anything_else_gets_the_same_sentence(session: Session, code: str) -> None:
    one_time_codes.issue(session, VERIFY, sent_to=ADA)
    assert not works(session, code)


def test_a_form_is_forgotten_when_its_code_has_run_out_and_the_code_an_hour_later(session: Session) -> None:
    one_time_codes.issue(session, CodePurpose.REGISTER, sent_to=ADA, payload={"name": "Ada"})
    with time_is(NOW + timedelta(minutes=10)):
        assert one_time_codes.forget_old(session) == 1
        assert session.scalars(select(OneTimeCode.payload)).all() == [None]
    with time_is(NOW + timedelta(hours=1)):
        assert one_time_codes.forget_old(session) == 1
        assert session.scalars(select(OneTimeCode)).all() == []


def test_of_eight_who_give_one_code_at_once_one_is_through(database: Engine) -> None:
    with unit_of_work(database) as session:
        code = one_time_codes.issue(session, VERIFY, sent_to=ADA)
    gun, through = Barrier(8), []

    def give() -> None:
        gun.wait()
        with unit_of_work(database) as session:
            through.append(works(session, code))

    threads = [Thread(target=give) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(through) == [False] * 7 + [True]


def test_asking_at_once_does_not_get_past_the_limit(database: Engine) -> None:
    gun, sent = Barrier(12), []

    def ask() -> None:
        gun.wait()
        try:
            with unit_of_work(database) as session:
                one_time_codes.issue(session, VERIFY, sent_to=ADA)
            sent.append(True)
        except TooManyCodes:
            sent.append(False)

    threads = [Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == CODES_AN_HOUR
