"""A jobs process of its own for tests: `python -m tests.job_process <table>` runs one of the tables here.

Each job writes a row of `turns`, with the process that it ran in, into the database of the test.
"""

import os
import sys
import time
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.session import unit_of_work
from jobs.__main__ import main
from jobs.table import Job

MADE = "CREATE TABLE turns (job text, process int, at timestamptz DEFAULT clock_timestamp())"
EVERY, LEASE = timedelta(seconds=0.5), timedelta(seconds=4)


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


TABLES = {
    "count": (Job("count", "Counts", count, EVERY, opens_its_own=True, lease=LEASE),),
    "linger": (Job("linger", "Lingers", linger, EVERY, opens_its_own=True, lease=LEASE),),
    "fail": (Job("fail", "Fails", fail, EVERY, lease=LEASE),),
}

if __name__ == "__main__":
    main(TABLES[sys.argv[1]])
