"""The second factor: an app's codes and recovery codes, each once, and how it is turned on."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pyotp
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import second_factors
from core.second_factors import PENDING_LIFE, NothingToConfirm, WrongCode
from core.throttles import ACCOUNT_TRIES
from db.models import AuditEntry, RecoveryCode, Role, User
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, time_is

STEP = timedelta(seconds=second_factors.STEP_SECONDS)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def eva(session: Session) -> User:
    make.clinic(session)
    return make.user(session, Role.DOCTOR, username="eva", name="Eva Roth")


def code_at(secret: str, steps: int = 0) -> str:
    """What the app shows `steps` half-minutes from now."""
    return pyotp.TOTP(secret).at(int((NOW + steps * STEP).timestamp()))


def turned_on(session: Session, user: User) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a second factor whose current code is still unspent."""
    secret = second_factors.begin(session, user).secret
    codes = second_factors.confirm(session, user, code=code_at(secret, -1))
    session.flush()
    return secret, codes


def takes(session: Session, user: User, code: str) -> bool:
    try:
        second_factors.check(session, user, code)
    except WrongCode:
        return False
    return True


@pytest.mark.parametrize(
    ("role", "is_wanted", "required"),
    [
        (Role.PATIENT, True, False),
        (Role.STAFF, True, True),
        (Role.DOCTOR, True, True),
        (Role.ADMIN, True, True),
        (Role.ADMIN, False, False),
    ],
)
def test_the_clinic_decides_for_everybody_but_patients(
    session: Session, role: Role, is_wanted: bool, required: bool
) -> None:
    clinic = make.clinic(session, requires_second_factor=is_wanted)
    assert second_factors.is_required(clinic, role) is required


def test_it_counts_only_once_a_code_has_confirmed_it(session: Session, eva: User) -> None:
    secret = second_factors.begin(session, eva).secret
    assert not second_factors.has(eva)
    assert not takes(session, eva, code_at(secret))
    with pytest.raises(WrongCode):
        second_factors.confirm(session, eva, code="000000")
    second_factors.confirm(session, eva, code=code_at(secret))
    assert second_factors.has(eva)
    assert [entry.action for entry in session.scalars(select(AuditEntry))] == ["turn the second factor on"]


def test_a_secret_that_nobody_confirms_is_worth_nothing_after_a_while(session: Session, eva: User) -> None:
    secret = second_factors.begin(session, eva).secret
    assert second_factors.pending(session, eva) is not None
    late = NOW + PENDING_LIFE + timedelta(seconds=1)
    with time_is(late):
        assert second_factors.pending(session, eva) is None
        with pytest.raises(NothingToConfirm):
            second_factors.confirm(session, eva, code=pyotp.TOTP(secret).at(int(late.timestamp())))


def test_the_old_phone_works_until_the_new_one_has_been_shown_to(session: Session, eva: User) -> None:
    old, _codes = turned_on(session, eva)
    new = second_factors.begin(session, eva).secret
    assert takes(session, eva, code_at(old))
    second_factors.confirm(session, eva, code=code_at(new))
    assert not takes(session, eva, code_at(old, 1))
    assert takes(session, eva, code_at(new, 1))


@pytest.mark.parametrize(
    ("steps", "is_taken"), [(-2, False), (-1, False), (0, True), (1, True), (2, False)]
)  # the one before is spent: it confirmed
def test_a_clock_may_be_one_step_out(session: Session, eva: User, steps: int, is_taken: bool) -> None:
    secret, _codes = turned_on(session, eva)
    assert takes(session, eva, code_at(secret, steps)) is is_taken


def test_a_code_counts_once_and_so_does_an_older_one_after_it(session: Session, eva: User) -> None:
    secret, _codes = turned_on(session, eva)
    assert takes(session, eva, code_at(secret, 1))
    assert not takes(session, eva, code_at(secret, 1))
    assert not takes(session, eva, code_at(secret, 0))


def test_a_code_may_be_typed_with_blanks(session: Session, eva: User) -> None:
    secret, _codes = turned_on(session, eva)
    code = code_at(secret)
    assert takes(session, eva, f" {code[:3]} {code[3:]} ")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٣٤٥٦٧٨", "\0", "🐎" * 5000])
def test_anything_else_gets_the_same_sentence(session: Session, eva: User, code: str) -> None:
    turned_on(session, eva)
    with pytest.raises(WrongCode):
        second_factors.check(session, eva, code)


def test_ten_recovery_codes_stand_in_once_each_as_people_type_them(session: Session, eva: User) -> None:
    _secret, codes = turned_on(session, eva)
    assert len(set(codes)) == 10
    assert takes(session, eva, codes[0])
    assert not takes(session, eva, codes[0])
    assert takes(session, eva, codes[1].lower().replace("-", " "))
    unused = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.used_at.is_(None))
    assert session.scalar(unused) == 8
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
    assert list(actions)[1:] == ["use a recovery code"] * 2


def test_recovery_codes_are_of_one_account_and_of_one_phone(session: Session, eva: User) -> None:
    _secret, codes = turned_on(session, eva)
    other = make.user(session, Role.DOCTOR)
    turned_on(session, other)
    assert not takes(session, other, codes[0])
    new = second_factors.begin(session, eva).secret
    second_factors.confirm(session, eva, code=code_at(new))
    assert not takes(session, eva, codes[0])


def test_neither_secret_nor_recovery_codes_can_be_read_in_the_database(session: Session, eva: User) -> None:
    secret, codes = turned_on(session, eva)
    assert secret not in (eva.totp_secret or "")
    kept = session.scalars(select(RecoveryCode.code_hash)).all()
    assert not {code.replace("-", "").encode() for code in codes} & set(kept)


def test_off_means_off(session: Session, eva: User) -> None:
    secret, codes = turned_on(session, eva)
    second_factors.turn_off(session, eva)
    assert not second_factors.has(eva)
    assert not takes(session, eva, code_at(secret))
    assert not takes(session, eva, codes[0])


def test_the_qr_code_is_an_svg_that_names_clinic_and_account_to_the_app(session: Session, eva: User) -> None:
    enrolment = second_factors.begin(session, eva)
    assert enrolment.svg.startswith("<svg ")
    assert len(enrolment.secret) == 32  # 160 bits, as RFC 4226 recommends


def test_guessing_is_slowed_down_and_a_right_code_forgives(session: Session, eva: User) -> None:
    secret, _codes = turned_on(session, eva)

    def over() -> bool:
        return second_factors.is_over(session, user_id=eva.id, address="192.0.2.1")

    assert [over() for _ in range(ACCOUNT_TRIES + 1)] == [False] * ACCOUNT_TRIES + [True]
    assert takes(session, eva, code_at(secret))
    assert not over()


def test_two_who_give_one_code_at_once_do_not_both_get_in(database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session)
        eva = make.user(session, Role.DOCTOR)
        secret, recovery_codes = turned_on(session, eva)
        user_id = eva.id
    for code in (code_at(secret), recovery_codes[0]):
        gun, taken = Barrier(8), []

        def give(code: str = code, gun: Barrier = gun, taken: list[bool] = taken) -> None:
            gun.wait()
            with unit_of_work(database) as session:
                taken.append(takes(session, session.get_one(User, user_id), code))

        threads = [Thread(target=give) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [False] * 7 + [True]
