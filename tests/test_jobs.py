"""The jobs process: every job runs, a failing one runs again, and a signal stops it quietly."""

import logging
import signal
import subprocess
import sys
import threading
import time
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
    jobs = subprocess.Popen(
        [sys.executable, "-m", "jobs"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 30
    while grant_count(database) and time.monotonic() < deadline:
        time.sleep(0.1)
    jobs.send_signal(signal.SIGTERM)
    said, _ = jobs.communicate(timeout=10)
    assert grant_count(database) == 0
    assert jobs.returncode == 0
    assert [line.partition(" jobs: ")[2] for line in said.splitlines()] == ["forget old sign-ins: 1"]
