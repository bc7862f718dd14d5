"""The way back in for somebody who cannot give a second factor any more."""

import os
import subprocess
import sys

import pyotp
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock, second_factors, secrets_at_rest
from core.second_factors import SecretUnreadable
from db.config import config
from db.models import AuditEntry, Notification, RecoveryCode, Role, User
from db.session import unit_of_work
from tests import make


def locked_out(session: Session) -> User:
    make.clinic(session, is_demo=True)  # whose messages go into its mailbox
    user = make.user(
        session, Role.ADMIN, username="ann", email="ann@example.org", email_verified_at=clock.now()
    )
    second_factors.begin(session, user)
    secret = secrets_at_rest.decrypted(user.totp_pending or "")
    second_factors.confirm(session, user, code=pyotp.TOTP(secret).now())
    return user


def rescue(database_url: str, username: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core.rescue", username],
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_second_factor_is_off_and_the_trail_knows(database: Engine, database_url: str) -> None:
    with unit_of_work(database) as session:
        locked_out(session)
    done = rescue(database_url, "ANN@example.org")
    assert (done.returncode, done.stderr) == (0, "")
    with Session(database) as session:
        ann = session.scalars(select(User).where(User.username == "ann")).one()
        assert not second_factors.has(ann)
        assert session.scalars(select(RecoveryCode)).all() == []
        told = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert told is not None
        assert (told.action, told.object_id, told.detail) == (
            "turn the second factor off",
            ann.id,
            {"by": "rescue"},
        )
        assert session.scalars(select(Notification.sent_to)).all() == ["ann@example.org"]


def test_a_name_that_nobody_has_changes_nothing(database: Engine, database_url: str) -> None:
    with unit_of_work(database) as session:
        locked_out(session)
    done = rescue(database_url, "bob")
    assert (done.returncode, done.stderr) == (1, "There is no such account.\n")
    with Session(database) as session:
        assert second_factors.has(session.scalars(select(User)).one())


def test_under_another_secret_key_the_code_gets_a_sentence(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = locked_out(session)
    monkeypatch.setenv("SECRET_KEY", "another key than the one before, as long as it must be")
    config.cache_clear()
    with pytest.raises(SecretUnreadable):
        second_factors.check(session, user, "123456")
