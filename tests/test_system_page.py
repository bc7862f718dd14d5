"""The System page: which jobs run, which do not and why. That it is an administrator's: `test_pages`."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event

from core import heartbeats
from core.audit import TrailBroken
from db.session import engine, unit_of_work
from jobs.table import JOBS, Job
from tests.app_pages import OpenAs
from tests.cast import time_is
from tests.portal import NOON
from tests.test_pages import open_as, residents, said, texts

__all__ = ["open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
SYSTEM = "pages/admin/system.py"
CHECK = next(job for job in JOBS if job.name == "check the audit trail")
SEND = next(job for job in JOBS if job.name == "send messages")


def ran(*jobs: Job, error: Exception | None = None, touched: int = 0) -> None:
    """Have each job run now, well or with an error."""
    lease = uuid4()
    with unit_of_work() as session:
        for job in jobs:
            heartbeats.take(session, name=job.name, every=job.every, length=job.lease, lease=lease)
            if error is None:
                heartbeats.succeed(session, name=job.name, lease=lease, touched=touched)
            else:
                heartbeats.fail(session, name=job.name, lease=lease, error=error)


def test_an_administrator_sees_that_everything_runs(open_as: OpenAs) -> None:
    ran(*JOBS, touched=3)
    with time_is(NOON + timedelta(seconds=4)):
        app = open_as("albert", SYSTEM)
    assert app.title[0].value == "System"
    assert said(app.success) == ["Everything runs."]
    shown = texts(app)
    assert shown.count("In order") == len(JOBS)
    assert "**Sends messages, and looks for texts of which nothing was heard**" in shown
    assert "Last run 4 seconds ago · took 0 secs · next in 1 second · 3 rows dealt with · 0 waiting" in shown
    assert "The audit trail was last found whole 4 seconds ago." in shown
    assert shown.count(":material/block: Off") == 3, "no texts, no emails, no cards here"
    assert "Database: PostgreSQL" in shown


def test_the_page_says_when_no_job_has_ever_run_and_when_all_are_overdue(open_as: OpenAs) -> None:
    app = open_as("albert", SYSTEM)
    assert "has never run here" in said(app.error)[0]
    assert "The audit trail has not been checked yet." in texts(app)
    ran(*JOBS)
    with time_is(NOON + timedelta(days=4)):
        app = open_as("albert", SYSTEM)
    assert "The jobs process does not run" in said(app.error)[0]


def test_what_fails_stands_first_and_says_why_since_when_and_how_often(open_as: OpenAs) -> None:
    ran(*JOBS)
    with time_is(NOON + timedelta(days=1)):
        ran(*(job for job in JOBS if job not in {CHECK, SEND}))
        ran(CHECK, error=TrailBroken())
        ran(SEND, error=RuntimeError("Ada Okafor is ill"))
    with time_is(NOON + timedelta(days=1, seconds=5)):
        ran(SEND, error=RuntimeError("Ada Okafor is ill"))
    with time_is(NOON + timedelta(days=1, seconds=10)):
        app = open_as("albert", SYSTEM)
    assert said(app.error) == ["2 jobs are failing."]
    shown = texts(app)
    assert "Failed 2 times in a row, first 10 seconds ago: An error in the program (RuntimeError)." in shown
    assert "Failed once, 10 seconds ago: Entries of the audit trail were altered or taken away." in shown
    assert "last went well 1 day ago" in shown
    assert "Ada" not in shown
    assert shown.index("Failing") < shown.index("In order")


def test_one_job_that_is_overdue_is_named(open_as: OpenAs) -> None:
    ran(*JOBS)
    with time_is(NOON + timedelta(minutes=4)):
        ran(*(job for job in JOBS if job is not SEND))
        app = open_as("albert", SYSTEM)
    assert said(app.warning) == ["1 job is overdue."]
    assert "Overdue" in texts(app)
    assert "was due 4 minutes ago" in texts(app)


def test_looking_again_takes_one_small_query_beside_who_is_looking(open_as: OpenAs) -> None:
    ran(*JOBS)
    seen: list[str] = []
    event.listen(
        engine(),
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_more: seen.append(statement),
    )
    open_as("albert", SYSTEM)
    assert len([each for each in seen if "heartbeats" in each]) == 1
