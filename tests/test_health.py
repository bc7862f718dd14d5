"""/healthz: green while the portal, its database and every job are well; else it says what is not."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text
from starlette.requests import Request

from core import heartbeats
from core.heartbeats import GRACE
from db.config import config
from db.session import engine, forget_engine, unit_of_work
from jobs.table import JOBS, Job
from pages.front import health
from tests.cast import time_is

LATER = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _probe(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A portal that has been up for a while, and whose last answer is not kept."""
    monkeypatch.setattr(health, "_STARTED", time.monotonic() - GRACE.total_seconds() - 1)
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(health, "_health", health.Health())
    with time_is(LATER):
        yield


async def answer() -> tuple[int, str]:
    response = await health.healthz(Request({"type": "http"}))
    return response.status_code, bytes(response.body).decode()


def asked() -> tuple[int, str]:
    return asyncio.run(answer())


def went_well(*jobs: Job) -> None:
    """Have each job run now."""
    lease = uuid4()
    with unit_of_work() as session:
        for job in jobs:
            heartbeats.take(session, name=job.name, every=job.every, length=job.lease, lease=lease)
            heartbeats.succeed(session, name=job.name, lease=lease, touched=0)


def test_all_is_well_while_every_job_runs() -> None:
    went_well(*JOBS)
    assert asked() == (200, "ok")


def test_a_portal_whose_jobs_have_never_run_says_so_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked() == (503, "the jobs process has never run")
    monkeypatch.setattr(health, "_STARTED", time.monotonic())
    assert asked() == (200, "ok"), "it may be about to start"


def test_jobs_that_are_overdue_are_named_until_they_go_well_again() -> None:
    went_well(*JOBS)
    late = [job for job in JOBS if job.name in {"send messages", "remind"}]
    with time_is(LATER + timedelta(minutes=3, seconds=40)):
        went_well(*(job for job in JOBS if job not in late))
        assert asked() == (503, "the jobs process is overdue: send messages, remind")
        lease = uuid4()
        with unit_of_work() as session:
            for job in late:
                heartbeats.take(session, name=job.name, every=job.every, length=job.lease, lease=lease)
                heartbeats.fail(session, name=job.name, lease=lease, error=RuntimeError("Ada Okafor"))
        assert asked() == (503, "the jobs process is overdue: send messages, remind")
    with time_is(LATER + timedelta(minutes=5)):
        went_well(*JOBS)
        assert asked() == (200, "ok")


def test_a_database_that_does_not_answer_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    went_well(*JOBS)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/no_such_clinic")
    config.cache_clear()
    forget_engine()
    assert asked() == (503, "the database does not answer")


def test_however_often_it_is_asked_for_it_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 60.0)
    went_well(*JOBS)
    queries: list[str] = []
    event.listen(engine(), "begin", lambda _connection: queries.append("one"))
    kept = health.Health()

    async def many() -> list[str]:
        return list(await asyncio.gather(*(kept.trouble() for _number in range(50))))

    assert asyncio.run(many()) == [""] * 50
    assert queries == ["one"]
    assert asked() == (200, "ok")


def test_a_database_that_hangs_is_not_waited_for(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.3)

    async def story() -> None:
        with database.begin() as connection:
            connection.execute(text("LOCK TABLE heartbeats"))
            started = time.monotonic()
            assert await answer() == (503, "the database does not answer")
            assert time.monotonic() - started < 3

    asyncio.run(story())
