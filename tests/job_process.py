"""A jobs process of its own for tests: `python -m tests.job_process <table>` runs one of the tables here.

Each job writes a row of `turns`, with the process that it ran in, into the database of the test. And
`python -m tests.job_process hurried <right_at>` runs the clinic's own table, with a clock that hurries:
leases keep their length, and nobody waits a minute for one to end. In `busy` the clock is right. In both
the jobs that come round every few seconds come round each second, for nobody waits for them either.
"""

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clock
from db.session import unit_of_work
from jobs.__main__ import main
from jobs.table import JOBS, OFTEN, Job

MADE = "CREATE TABLE turns (job text, process int, at timestamptz DEFAULT clock_timestamp())"
EVERY, LEASE = timedelta(seconds=0.5), timedelta(seconds=4)
EACH_SECOND = timedelta(seconds=1)
HASTE = 20  # of our seconds in one


def hurried(right_at: float) -> datetime:
    """The time by a clock that is slow, and hurries to be right at `right_at` (Unix seconds).

    It is never fast, or the scheduler, which goes by the machine's, would wait for what this one shows.
    """
    return datetime.fromtimestamp(right_at - HASTE * (right_at - time.time()), UTC)


def note(name: str) -> None:
    with unit_of_work() as session:
        session.execute(
            text("INSERT INTO turns VALUES (:job, :process)"), {"job": name, "process": os.getpid()}
        )


def count() -> int:
    note("count")
    return 1


def linger() -> int:
    """Begin, and then be busy for as long as anybody may stop or kill us in it."""
    note("linger")
    time.sleep(1)
    note("lingered")
    return 7


def fail(session: Session) -> int:
    """Fail as long as the table `broken` holds a row, and quote it as databases do."""
    if session.scalar(text("SELECT count(*) FROM broken")):
        raise RuntimeError("Ada Okafor is ill")
    return 0


BUSY = tuple(replace(job, every=EACH_SECOND) if job.every <= OFTEN else job for job in JOBS)
TABLES = {
    "busy": BUSY,
    "count": (Job("count", "Counts", count, EVERY, opens_its_own=True, lease=LEASE),),
    "linger": (Job("linger", "Lingers", linger, EVERY, opens_its_own=True, lease=LEASE),),
    "fail": (Job("fail", "Fails", fail, EVERY, lease=LEASE),),
}


def main_hurried(right_at: float) -> None:
    clock.now = lambda: hurried(right_at)
    main(BUSY)


if __name__ == "__main__":
    if sys.argv[1] == "hurried":
        main_hurried(float(sys.argv[2]))
    else:
        main(TABLES[sys.argv[1]])
