"""The jobs process: each turn runs in one of them, a failing job again, and a signal stops it quietly."""

import logging
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core import audit, heartbeats
from core.access import Action, Actor
from core.audit import TrailBroken
from core.heartbeats import Beat, State
from db.models import Heartbeat, Role, SignInGrant, User
from db.session import unit_of_work
from jobs.__main__ import keep_up, run, scheduler_of
from jobs.table import JOBS, Job
from tests import job_process, make
from tests.cast import time_is
from tests.jobs_running import running_jobs, wait_until


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_has_nothing_to_do_in_an_empty_clinic(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobs"):
        run(job, uuid4())
    assert caplog.messages == []
    assert beat(job).state is State.IN_ORDER


def beat(job: Job) -> Beat:
    """How a job fares, as an administrator sees it."""
    admin = Actor(1, Role.ADMIN, "Albert Admin")
    with unit_of_work() as session:
        [found] = heartbeats.look(session, admin, intervals={job.name: job.every}, backlogs={})
    return found


def test_every_job_has_a_name_words_and_a_lease_longer_than_its_turns_are_apart() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert len({job.does for job in JOBS}) == len(JOBS)
    assert [job.name for job in JOBS if job.lease < timedelta(minutes=2)] == []


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

    scheduler = scheduler_of((Job("fail once", "Fails once", fail_once, timedelta(seconds=0.2)),))
    with caplog.at_level(logging.ERROR):
        scheduler.start()
        assert ran_again.wait(10)
        scheduler.shutdown()
    assert "fail once" in caplog.text
    assert "RuntimeError: the first attempt fails" in caplog.text


@pytest.mark.usefixtures("database")
def test_a_turn_that_lasts_past_the_next_ones_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    begun, may_end, again = threading.Event(), threading.Event(), threading.Event()

    def work() -> int:
        (again if begun.is_set() else begun).set()
        assert may_end.wait(10)
        return 0

    job = Job("work", "Works", work, timedelta(seconds=0.1), opens_its_own=True)
    scheduler = scheduler_of((job,))
    skipped: list[object] = []
    scheduler.add_listener(skipped.append, EVENT_JOB_MAX_INSTANCES)
    with caplog.at_level(logging.WARNING):
        scheduler.start()
        assert begun.wait(10)
        wait_until(lambda: bool(skipped))
        may_end.set()
        assert again.wait(10), "made up for"
        scheduler.shutdown()
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == []


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
    assert [line.partition(" jobs: ")[2] for line in said.lines] == ["forget old sign-ins: 1"]


def test_a_job_that_fails_over_a_row_does_not_log_the_row(database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session)
        doctor, service = make.doctor(session, name="Dr. Eva Roth"), make.service(session)
        hold = {"status": "pending", "hold_expires_at": datetime.now(UTC) - timedelta(hours=1)}
        make.appointment(session, doctor, service, datetime.now(UTC) + timedelta(days=1), **hold)
    with database.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'Ada Okafor is ill'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER fail BEFORE UPDATE ON appointments FOR EACH ROW EXECUTE FUNCTION fail()"
        )

    def has_failed() -> bool:
        """The waitlist's job lets go of held times too: where it came first, this one's next turn fails."""
        failed = text("SELECT failures FROM heartbeats WHERE name = 'let go of held times'")
        with database.connect() as connection:
            return bool(connection.execute(failed).scalar_one_or_none())

    with running_jobs() as said:
        wait_until(has_failed)
    assert "let go of held times" in "".join(said.lines)
    assert "psycopg.errors.RaiseException" in "".join(said.lines)
    assert "Ada" not in "".join(said.lines)


def turns(database: Engine, job: str) -> list[int]:
    """The processes that have run a job, in order."""
    with database.connect() as connection:
        found = connection.execute(
            text("SELECT process FROM turns WHERE job = :job ORDER BY at"), {"job": job}
        )
        return list(found.scalars())


def apart(database: Engine) -> list[float]:
    """How many seconds lie between the turns that were begun."""
    with database.connect() as connection:
        found = connection.execute(
            text(
                "SELECT EXTRACT(epoch FROM at - lag(at) OVER (ORDER BY at)) FROM turns "
                "WHERE job <> 'lingered' ORDER BY at"
            )
        )
        return [float(each) for each in found.scalars() if each is not None]


@pytest.fixture
def counted(database: Engine) -> Engine:
    """A clinic, and a place for `tests.job_process` to note its turns."""
    with unit_of_work(database) as session:
        make.clinic(session)
        session.execute(text(job_process.MADE))
        session.execute(text("CREATE TABLE broken (why text)"))
    return database


def test_of_two_processes_one_runs_each_turn(counted: Engine) -> None:
    with running_jobs("count"), running_jobs("count"):
        wait_until(lambda: len(turns(counted, "count")) > 8)
    gaps = apart(counted)
    share = sum(gaps) / len(gaps) / job_process.EVERY.total_seconds()
    assert share > 0.8, "no turn was taken by both"
    assert share < 2, "and hardly any was left out, however busy the machine"


def test_a_frozen_process_is_taken_over_from_and_changes_nothing_when_it_wakes(counted: Engine) -> None:
    with running_jobs("linger") as first:
        wait_until(lambda: len(turns(counted, "linger")) == 1)
        first.process.send_signal(signal.SIGSTOP)
        with running_jobs("linger") as second:
            wait_until(lambda: second.process.pid in turns(counted, "lingered"))
            began, ended = len(turns(counted, "linger")), len(turns(counted, "lingered"))
            assert (began, ended) == (2, 1)
            assert apart(counted)[0] > job_process.LEASE.total_seconds() - 0.1, (
                "it waited for the lease to end"
            )
            wait_until(lambda: len(turns(counted, "linger")) == 3)
            lease = lease_of(counted)
            first.process.send_signal(signal.SIGCONT)
            wait_until(lambda: first.process.pid in turns(counted, "lingered"))
            assert lease_of(counted) == lease, "the turn that goes on now is the second one's"
            wait_until(lambda: turns(counted, "lingered").count(second.process.pid) == 2)
            wait_until(lambda: beat(LINGER).finished_at is not None)
    assert (beat(LINGER).failures, beat(LINGER).touched, lease_of(counted)) == (0, 7, None)


def test_a_killed_process_is_taken_over_from(counted: Engine) -> None:
    with running_jobs("linger", exit_code=-signal.SIGKILL) as first:
        wait_until(lambda: len(turns(counted, "linger")) == 1)
        first.process.kill()
    killed_at = time.monotonic()
    with running_jobs("linger") as second:
        wait_until(lambda: second.process.pid in turns(counted, "lingered"))
    assert time.monotonic() - killed_at < 15
    assert first.process.pid not in turns(counted, "lingered")


def lease_of(database: Engine) -> UUID | None:
    with unit_of_work(database) as session:
        return session.get_one(Heartbeat, "linger").lease


LINGER, FAIL = job_process.TABLES["linger"][0], job_process.TABLES["fail"][0]


def test_a_process_that_fails_says_so_without_values_goes_on_and_recovers(counted: Engine) -> None:
    with unit_of_work(counted) as session:
        session.execute(text("INSERT INTO broken VALUES ('Ada')"))
    with running_jobs("fail") as said:
        wait_until(lambda: beat(FAIL).failures > 1)
        failing = beat(FAIL)
        with unit_of_work(counted) as session:
            session.execute(text("DELETE FROM broken"))
        wait_until(lambda: beat(FAIL).state is State.IN_ORDER)
    assert (failing.state, failing.error, failing.succeeded_at) == (State.FAILING, "RuntimeError", None)
    assert failing.failed_at is not None
    assert failing.finished_at is not None
    assert failing.failed_at < failing.finished_at, "since the first of them"
    assert "RuntimeError" in "".join(said.lines)
    assert "Ada" not in "".join(said.lines)


def test_when_the_clock_is_set_back_jobs_do_not_wait_for_that_time_to_come_again() -> None:
    ran = threading.Event()

    def work() -> int:
        ran.set()
        return 0

    scheduler = scheduler_of((Job("work", "Works", work, timedelta(minutes=1), opens_its_own=True),))
    scheduler.start(paused=True)
    [job] = scheduler.get_jobs()
    now = datetime.now(UTC)
    job.modify(next_run_time=now + timedelta(seconds=50))
    keep_up(scheduler)
    assert job.next_run_time == now + timedelta(seconds=50), "within its interval it is left alone"
    job.modify(next_run_time=now + timedelta(hours=1))  # as it is once the clock was set back by an hour
    keep_up(scheduler)
    assert job.next_run_time <= datetime.now(UTC)
    scheduler.shutdown()


def test_meddling_with_the_audit_trail_is_found_by_its_job(
    database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    [check] = [job for job in JOBS if job.work is audit.require_whole]
    with unit_of_work(database) as session:
        make.clinic(session)
        for number in range(3):
            audit.record(session, None, Action.BOOK, kind="appointment", number=number)
    run(check, uuid4())
    assert (beat(check).state, beat(check).touched) == (State.IN_ORDER, 3)
    went_well_at = beat(check).succeeded_at
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
        connection.execute(text("UPDATE audit_entries SET object_id = 9 WHERE object_id = 1"))
    with time_is(datetime.now(UTC) + timedelta(days=1)), pytest.raises(TrailBroken):
        run(check, uuid4())
    found = beat(check)
    assert (found.state, found.error, found.succeeded_at) == (State.FAILING, "TrailBroken", went_well_at)
    assert "does not fit in 1 places" in caplog.text
