"""What stops a start: an old schema, an empty database, a demo in production. One sentence each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import passwords, setup, sign_ins
from db.migrate import alembic_config
from db.models import Role
from db.session import unit_of_work
from tests import make

ROOT = Path(__file__).parent.parent
CLINIC = {"name": "Our Clinic", "zone": "Asia/Tokyo", "currency": "JPY", "phone": "", "admin": "Ann"}


def started(
    module: str, database_url: str, *arguments: str, stdin: str = "", **environment: str
) -> tuple[int, str]:
    """How `python -m module` ended and what it said."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url} | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr.strip()


def test_an_old_schema_is_named(database: Engine, database_url: str) -> None:
    command.downgrade(alembic_config(database), "base")
    code, said = started("jobs", database_url)
    assert code != 0
    newest = max(path.stem for path in ROOT.glob("db/migrations/versions/*.py"))[:4]
    assert said == f"The database schema is empty, not {newest}: run `python -m db.migrate`."


def test_an_empty_database_says_how_to_begin(database_url: str) -> None:
    code, said = started("jobs", database_url)
    assert code != 0
    assert "holds no clinic yet" in said
    assert "\n" not in said


def test_production_refuses_the_demo_clinic(database: Engine, database_url: str) -> None:
    with unit_of_work(database) as session:
        make.clinic(session, is_demo=True)
    code, said = started("jobs", database_url, CLINIC_ENV="production", SECRET_KEY="x" * 40)
    assert code != 0
    assert said == "This is the demo clinic, whose passwords are public: CLINIC_ENV=production refuses it."


def test_an_unreachable_database_gets_one_sentence() -> None:
    code, said = started("jobs", "postgresql://nobody@127.0.0.1:1/none")
    assert code != 0
    assert said.startswith("The database at postgresql://nobody@127.0.0.1:1/none cannot be reached: ")
    assert "\n" not in said


def test_a_clinic_is_set_up_from_the_command_line_once(database: Engine, database_url: str) -> None:
    words = [f"--{name}={value}" for name, value in CLINIC.items()]
    assert started("core.setup", database_url, *words, stdin="long enough for me\n") == (0, "")
    with unit_of_work(database) as session:
        assert sign_ins.check_password(session, "ann", "long enough for me").role is Role.ADMIN
    code, said = started("core.setup", database_url, *words, stdin="long enough for me\n")
    assert (code, said) == (1, "This database holds a clinic already.")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": " "}, setup.NameMissing),
        ({"admin": ""}, setup.NameMissing),
        ({"zone": "Mars/Olympus"}, setup.UnknownZone),
        ({"currency": "BTC"}, setup.UnknownCurrency),
        ({"password": "short"}, passwords.PasswordLength),
        ({"password": "x" * 129}, passwords.PasswordLength),
        ({"password": "password1234"}, passwords.PasswordCommon),
    ],
)
def test_a_clinic_with_impossible_settings_is_not_written(
    session: Session, wrong: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        setup.found_clinic(session, **{**CLINIC, "password": "long enough for me"} | wrong)
    assert session.get(make.ClinicSettings, 1) is None
