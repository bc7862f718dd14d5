"""Turns of the recurring jobs, taken in the database: each turn runs once, however many processes there are.

A turn is taken for the length of a lease. Whoever dies or is frozen in it holds the job no longer than that;
then it is run again, and an outcome that comes later changes nothing. All times are instants and lengths: a
day on which clocks change is a day like others, and a clock that was wrong is followed once it is right.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, Text, case, column, null, select, values
from sqlalchemy.orm import Session

from core import access, clock
from core.access import Action, Actor
from db.models import Heartbeat
from db.session import run

LATE_AFTER_TURNS = 3
GRACE = timedelta(minutes=2)  # beside them, and for a portal that has just started
MOST_SLACK = timedelta(seconds=1)  # no timer rings exactly at its time

Backlog = Callable[[], Select[int]]

# What is lost of these when the database crashes makes a job run once more: no commit waits for the disk.
_UNHURRIED = "SELECT set_config('synchronous_commit', 'off', true)"
# The next turn is an interval after this one was due, unless turns were missed: those are made up for once.
_TAKE = """
    INSERT INTO heartbeats AS known (name, next_at, started_at, lease, leased_until)
    VALUES (%(name)s, %(now)s + %(every)s, %(now)s, %(lease)s, %(now)s + %(length)s)
    ON CONFLICT (name) DO UPDATE SET
        next_at = CASE
            WHEN known.next_at > %(now)s + %(slack)s - %(every)s AND known.next_at <= %(now)s + %(slack)s
            THEN known.next_at + %(every)s ELSE %(now)s + %(every)s END,
        started_at = %(now)s, lease = %(lease)s, leased_until = %(now)s + %(length)s
    WHERE CASE
        WHEN known.lease IS NULL
        THEN known.next_at <= %(now)s + %(slack)s OR known.next_at > %(now)s + %(every)s + %(slack)s
        ELSE known.lease = %(lease)s OR known.leased_until <= %(now)s
            OR known.leased_until > %(now)s + %(length)s END
    RETURNING name
"""
_SUCCEED = """
    UPDATE heartbeats
    SET finished_at = %(now)s, succeeded_at = %(now)s, touched = %(touched)s, failures = 0,
        lease = NULL, leased_until = NULL
    WHERE name = %(name)s AND lease = %(lease)s RETURNING name
"""
_FAIL = """
    UPDATE heartbeats
    SET finished_at = %(now)s, touched = 0, failures = failures + 1, error = %(error)s,
        failed_at = CASE WHEN failures = 0 THEN %(now)s ELSE failed_at END,
        lease = NULL, leased_until = NULL
    WHERE name = %(name)s AND lease = %(lease)s RETURNING name
"""


class State(StrEnum):
    IN_ORDER = "in order"
    OVERDUE = "overdue"
    FAILING = "failing"


class Health(NamedTuple):
    """Whether any job has ever run here, and the names of those that have not gone well for too long."""

    has_ever_run: bool
    overdue: list[str]


class Beat(NamedTuple):
    """How a job fares. One that has never run has no times; `backlog` is None where nothing is counted."""

    name: str
    state: State
    started_at: datetime | None = None
    finished_at: datetime | None = None
    succeeded_at: datetime | None = None
    next_at: datetime | None = None
    touched: int = 0
    failures: int = 0
    failed_at: datetime | None = None
    error: str | None = None
    is_running: bool = False
    backlog: int | None = None


def take(session: Session, *, name: str, every: timedelta, length: timedelta, lease: UUID) -> bool:
    """Take the next turn of a job for at most `length`; whether it is due and nobody else has it.

    `lease` is the token of one process, which runs a job once at a time: it may take up again what it could
    not finish. A turn is also due when the last one was never finished, or when it is further away than
    `every`: then the clock was set back.
    """
    run(session, _UNHURRIED, {})
    slack = min(every / 5, MOST_SLACK)
    given = {"name": name, "every": every, "length": length, "lease": lease, "slack": slack}
    return bool(run(session, _TAKE, given | {"now": clock.now()}))


def succeed(session: Session, *, name: str, lease: UUID, touched: int) -> bool:
    """Note that a turn went well; whether it was still the lease's."""
    run(session, _UNHURRIED, {})
    return bool(
        run(session, _SUCCEED, {"name": name, "lease": lease, "touched": touched, "now": clock.now()})
    )


def fail(session: Session, *, name: str, lease: UUID, error: Exception) -> bool:
    """Note of which kind a turn's failure was, without its values; whether it was still the lease's."""
    run(session, _UNHURRIED, {})
    given = {"name": name, "lease": lease, "error": type(error).__name__, "now": clock.now()}
    return bool(run(session, _FAIL, given))


def succeeded_at(session: Session, name: str) -> datetime | None:
    """When a job last went well, None where it never has."""
    return session.scalar(select(Heartbeat.succeeded_at).where(Heartbeat.name == name))


def health(session: Session, intervals: Mapping[str, timedelta]) -> Health:
    """Whether the jobs with these `intervals` run; one that is new has to, soon."""
    now = clock.now()
    went_well: dict[str, datetime | None] = dict(
        run(session, "SELECT name, succeeded_at FROM heartbeats", {})
    )
    late = [name for name, every in intervals.items() if _is_late(went_well.get(name), every, now)]
    return Health(bool(went_well), late)


def look(
    session: Session, actor: Actor, *, intervals: Mapping[str, timedelta], backlogs: Mapping[str, Backlog]
) -> list[Beat]:
    """How each of the jobs fares, in their order, in one query. Raises `AccessDenied`."""
    access.require(actor, Action.SEE_SYSTEM)
    now = clock.now()
    jobs = values(column("name", Text), name="jobs").data([(name,) for name in intervals])
    counts = [(jobs.c.name == name, count().scalar_subquery()) for name, count in backlogs.items()]
    waiting = case(*counts, else_=null()) if counts else null()
    rows = session.execute(
        select(jobs.c.name, Heartbeat, waiting)
        .select_from(jobs)
        .outerjoin(Heartbeat, Heartbeat.name == jobs.c.name)
        .execution_options(populate_existing=True)
    )
    found = {name: _beat(name, intervals[name], row, backlog, now) for name, row, backlog in rows}
    return [found[name] for name in intervals]


def _beat(name: str, every: timedelta, row: Heartbeat | None, backlog: int | None, now: datetime) -> Beat:
    if row is None:
        return Beat(name, State.OVERDUE, backlog=backlog)
    is_late = _is_late(row.succeeded_at, every, now)
    state = State.FAILING if row.failures else State.OVERDUE if is_late else State.IN_ORDER
    return Beat(
        name,
        state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        succeeded_at=row.succeeded_at,
        next_at=row.next_at,
        touched=row.touched,
        failures=row.failures,
        failed_at=row.failed_at,
        error=row.error,
        is_running=row.leased_until is not None and row.leased_until > now,
        backlog=backlog,
    )


def _is_late(succeeded_at: datetime | None, every: timedelta, now: datetime) -> bool:
    return succeeded_at is None or now - succeeded_at > LATE_AFTER_TURNS * every + GRACE
