"""Invites: only an admin's, for one address, once, and never over an account that is there."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import invites, sign_ins
from core.access import Actor
from core.emails import EmailNotUnderstood
from core.errors import AccessDenied, ClinicError, NotFound
from core.invites import (
    AccountExists,
    InvitedAlready,
    RoleNotInvited,
    UsernameNotUnderstood,
    UsernameTaken,
)
from core.letters import CannotSendCodes
from core.names import NameLeftOut
from core.one_time_codes import CodeRefused
from core.passwords import PasswordCommon, PasswordLength
from db.models import AuditEntry, Doctor, Invite, Role, User
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, time_is
from tests.letters import code_to, letters_to

EVA = "eva@example.org"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    made = assemble(session)
    make.clinic(session, is_demo=True)
    return made


def invited(session: Session, admin: Actor, role: Role = Role.STAFF, email: str = EVA) -> Invite:
    return invites.invite(session, admin, name="Eva Neu", email=email, role=role)


def accept(
    session: Session, email: str = EVA, code: str = "", username: str = "", password: str = PASSWORD
) -> User:
    return invites.accept(
        session, email=email, code=code or code_to(session, email), username=username, password=password
    )


@pytest.mark.parametrize("who", ["ada", "stranger", "guardian", "roth", "desk"])
def test_only_an_admin_invites(session: Session, cast: Cast, who: str) -> None:
    kept = invited(session, cast.admin)
    actor = getattr(cast, who)
    for refused in (
        lambda: invited(session, actor, email="other@example.org"),
        lambda: invites.resend(session, actor, invite_id=kept.id),
        lambda: invites.withdraw(session, actor, invite_id=kept.id),
        lambda: invites.open_invites(session, actor),
    ):
        with pytest.raises(AccessDenied):
            refused()


@pytest.mark.parametrize("role", [Role.STAFF, Role.DOCTOR, Role.ADMIN])
def test_who_accepts_gets_the_role_that_was_offered(session: Session, cast: Cast, role: Role) -> None:
    invited(session, cast.admin, role, email=" Eva@Example.org")
    user = accept(session)
    assert (user.role, user.username, user.email, user.email_verified_at) == (role, EVA, EVA, NOW)
    assert sign_ins.check_password(session, EVA, PASSWORD).id == user.id
    is_doctor = session.scalar(select(Doctor).where(Doctor.user_id == user.id)) is not None
    assert is_doctor is (role is Role.DOCTOR)
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["invite", "accept an invite"]


def test_a_user_name_can_be_chosen(session: Session, cast: Cast) -> None:
    invited(session, cast.admin)
    assert accept(session, username=" Eva.Neu ").username == "eva.neu"


@pytest.mark.parametrize("username", ["a", "x" * 51, "eva neu", "eva@elsewhere.org", "eva\0", "évа", "-eva"])
def test_an_impossible_user_name_is_refused(session: Session, cast: Cast, username: str) -> None:
    invited(session, cast.admin)
    with pytest.raises(UsernameNotUnderstood):
        accept(session, username=username)


def test_a_user_name_that_somebody_has_is_refused(session: Session, cast: Cast) -> None:
    make.user(session, username="taken")
    invited(session, cast.admin)
    with pytest.raises(UsernameTaken):
        accept(session, username="taken")


def test_patients_are_not_invited(session: Session, cast: Cast) -> None:
    with pytest.raises(RoleNotInvited):
        invited(session, cast.admin, Role.PATIENT)


def test_an_address_with_an_account_is_refused_at_once(session: Session, cast: Cast) -> None:
    make.user(session, email=EVA)
    make.user(session, username="fay@example.org")
    for email in ("EVA@example.org", "fay@example.org"):
        with pytest.raises(AccountExists):
            invited(session, cast.admin, email=email)


def test_an_account_that_came_in_between_is_left_alone(session: Session, cast: Cast) -> None:
    invited(session, cast.admin, Role.ADMIN)
    other = make.user(session, email=EVA, password_hash="theirs")
    with pytest.raises(AccountExists):
        accept(session)
    session.refresh(other)
    assert (other.role, other.password_hash) == (Role.PATIENT, "theirs")


def test_one_open_invite_an_address(session: Session, cast: Cast) -> None:
    kept = invited(session, cast.admin)
    with pytest.raises(InvitedAlready):
        invited(session, cast.admin)
    invites.withdraw(session, cast.admin, invite_id=kept.id)
    invited(session, cast.admin)


def test_sending_again_makes_a_new_code_and_seven_more_days(session: Session, cast: Cast) -> None:
    kept = invited(session, cast.admin)
    old = code_to(session, EVA)
    with time_is(NOW + timedelta(days=8)):
        assert invites.has_run_out(kept)
        with pytest.raises(CodeRefused):
            accept(session)
        invites.resend(session, cast.admin, invite_id=kept.id)
        with pytest.raises(CodeRefused):
            accept(session, code=old)
        accept(session)
    assert len(letters_to(session, EVA)) == 2


def test_a_withdrawn_invite_and_one_that_was_accepted_are_worth_nothing(session: Session, cast: Cast) -> None:
    kept = invited(session, cast.admin)
    assert [each.id for each in invites.open_invites(session, cast.admin)] == [kept.id]
    code = code_to(session, EVA)
    accept(session)
    with pytest.raises(CodeRefused):
        accept(session, code=code)
    other = invited(session, cast.admin, email="fay@example.org")
    invites.withdraw(session, cast.admin, invite_id=other.id)
    with pytest.raises(CodeRefused):
        accept(session, email="fay@example.org")
    assert invites.open_invites(session, cast.admin) == []
    with pytest.raises(NotFound):
        invites.withdraw(session, cast.admin, invite_id=other.id)
    with pytest.raises(NotFound):
        invites.resend(session, cast.admin, invite_id=kept.id)


def test_an_invite_is_bound_to_its_address(session: Session, cast: Cast) -> None:
    invited(session, cast.admin, Role.ADMIN)
    invited(session, cast.admin, email="fay@example.org")
    with pytest.raises(CodeRefused):
        accept(session, email="fay@example.org", code=code_to(session, EVA))


@pytest.mark.parametrize("code", ["", "ABCD-EFGH-JKMN", "\0", "🐎" * 900])
def test_a_wrong_code_is_refused_and_tries_run_out(session: Session, cast: Cast, code: str) -> None:
    invited(session, cast.admin)
    with pytest.raises(CodeRefused):
        invites.accept(session, email=EVA, code=code, username="", password=PASSWORD)
    for number in range(invites.TRIES + 1):
        invites.is_over(session, email=EVA, username="", password=PASSWORD, address=f"192.0.2.{number}")
    with pytest.raises(CodeRefused):
        accept(session)


def test_what_will_not_do_is_said_before_a_try_is_counted(session: Session, cast: Cast) -> None:
    invited(session, cast.admin)
    with pytest.raises(PasswordLength):
        invites.is_over(session, email=EVA, username="", password="short", address=None)
    with pytest.raises(UsernameNotUnderstood):
        invites.is_over(session, email=EVA, username="eva neu", password=PASSWORD, address=None)
    assert session.scalars(select(Invite.tries)).all() == [0]
    with pytest.raises(PasswordCommon):
        accept(session, password="password1234")


def test_an_invite_needs_a_name_an_address_and_a_way_to_send_it(session: Session, cast: Cast) -> None:
    with pytest.raises(NameLeftOut):
        invites.invite(session, cast.admin, name=" ", email=EVA, role=Role.STAFF)
    with pytest.raises(EmailNotUnderstood):
        invited(session, cast.admin, email="eva")
    make.clinic(session, is_demo=False)
    with pytest.raises(CannotSendCodes):
        invited(session, cast.admin)


def test_an_invite_accepted_by_many_at_once_opens_one_account(database: Engine) -> None:
    with unit_of_work(database) as session:
        cast = assemble(session)
        make.clinic(session, is_demo=True)
        invited(session, cast.admin, Role.DOCTOR)
        code = code_to(session, EVA)
        before = session.scalar(select(func.count()).select_from(User)) or 0
    gun, outcomes = Barrier(6), []

    def run(number: int) -> None:
        gun.wait()
        try:
            with unit_of_work(database) as session:
                accept(session, code=code, username=f"eva{number}")
            outcomes.append("done")
        except ClinicError as error:
            outcomes.append(type(error).__name__)

    threads = [Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["CodeRefused"] * 5 + ["done"]
    with unit_of_work(database) as session:
        assert session.scalar(select(func.count()).select_from(User)) == before + 1
