"""The jobs process: every job runs, a failing one runs again, and a signal stops it quietly."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from db.models import Role, SignInGrant, User
from db.session import unit_of_work
from jobs.__main__ import run, scheduler_of
from jobs.table import JOBS, Job
from tests import make

ROOT = Path(__file__).parent.parent


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_has_nothing_to_do_in_an_empty_clinic(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobs"):
        run(job)
    assert caplog.messages == []


@pytest.mark.usefixtures("database")
def test_a_job_that_raises_is_logged_with_its_traceback_and_runs_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ran_again = threading.Event()
    attempts = []

    def fail_once(session: Session) -> int:
        attempts.append(session.scalar(text("SELECT 1")))
        if len(attempts) == 1:
            raise RuntimeError("the first attempt fails")
        ran_again.set()
        return 0

    scheduler = scheduler_of((Job("fail once", fail_once, timedelta(seconds=0.2)),))
    with caplog.at_level(logging.ERROR):
        scheduler.start()
        assert ran_again.wait(10)
        scheduler.shutdown()
    assert "fail once" in caplog.text
    assert "RuntimeError: the first attempt fails" in caplog.text


def grant_count(database: Engine) -> int:
    with database.connect() as connection:
        count: int = connection.execute(text("SELECT count(*) FROM sign_in_grants")).scalar_one()
    return count


def test_the_process_does_its_work_and_stops_quietly(database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session)
        user = User(username="someone", role=Role.PATIENT, name="Someone")
        session.add(user)
        session.flush()
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        session.add(SignInGrant(browser_hash=b"a browser", user_id=user.id, expires_at=an_hour_ago))
    with running_jobs() as said:
        wait_until(lambda: not grant_count(database))
    assert grant_count(database) == 0
    assert [line.partition(" jobs: ")[2] for line in said] == ["forget old sign-ins: 1"]


def test_a_job_that_fails_over_a_row_does_not_log_the_row(database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session)
        doctor, service = make.doctor(session, name="Dr. Eva Roth"), make.service(session)
        hold = {"status": "pending", "hold_expires_at": datetime.now(UTC) - timedelta(hours=1)}
        make.appointment(session, doctor, service, datetime.now(UTC) + timedelta(days=1), **hold)
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE tries")
        connection.exec_driver_sql(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'Ada Okafor is ill'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER fail BEFORE UPDATE ON appointments FOR EACH ROW EXECUTE FUNCTION fail()"
        )

    def has_tried() -> bool:
        with database.connect() as connection:
            return bool(connection.execute(text("SELECT is_called FROM tries")).scalar_one())

    with running_jobs() as said:
        wait_until(has_tried)
    assert "let go of held times" in "".join(said)
    assert "psycopg.errors.RaiseException" in "".join(said)
    assert "Ada" not in "".join(said)


@contextmanager
def running_jobs() -> Iterator[list[str]]:
    """The jobs process, stopped by a signal at the end; then what it has said, line by line."""
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "jobs"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as jobs:
        yield said
        jobs.send_signal(signal.SIGTERM)
        said += jobs.communicate(timeout=10)[0].splitlines()
    assert jobs.returncode == 0


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
