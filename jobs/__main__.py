"""The jobs process: `python -m jobs` runs the table of jobs until SIGTERM or Ctrl-C.

Any number of these may run: each turn of a job is taken by one of them (`core.heartbeats`). A job that raises
is logged by APScheduler, without the values of the error, and runs again at its next turn.
"""

# mypy: allow-untyped-calls
# APScheduler has no types.

import logging
import signal
from datetime import timedelta
from threading import Event, Thread
from uuid import UUID, uuid4

from apscheduler.schedulers.background import BackgroundScheduler

from core import clock, heartbeats
from core.startup import require_ready
from core.traces import keep_values_out_of_logs
from db.session import engine, unit_of_work
from jobs.table import JOBS, Job

log = logging.getLogger("jobs")

LONGEST_TICK = timedelta(minutes=5)
ASIDE = timedelta(seconds=5)  # that a clock may differ, and between two looks at it
STOPPING = {signal.SIGTERM, signal.SIGINT}


def run(job: Job, lease: UUID) -> None:
    """Run `job` if this is its turn, in a transaction of its own unless it opens several itself.

    What went wrong is noted and raised: the scheduler logs it.
    """
    with unit_of_work() as session:
        if not heartbeats.take(session, name=job.name, every=job.every, length=job.lease, lease=lease):
            return
    try:
        touched = _done(job)
    except Exception as error:
        with unit_of_work() as session:
            heartbeats.fail(session, name=job.name, lease=lease, error=error)
        raise
    with unit_of_work() as session:
        heartbeats.succeed(session, name=job.name, lease=lease, touched=touched)
    if touched:
        log.info("%s: %d", job.name, touched)


def _done(job: Job) -> int:
    if job.opens_its_own:
        return job.work()
    with unit_of_work() as session:
        return job.work(session)


def _is_news(record: logging.LogRecord) -> bool:
    """That a turn lasts past the next is none: it is made up for, and *System* says which job is late."""
    return "maximum number of running instances" not in record.msg


def scheduler_of(jobs: tuple[Job, ...]) -> BackgroundScheduler:
    """A scheduler that asks for each job's turn now and then at its interval, never two of one at a time.

    A turn missed while the machine slept is made up for once. Those with long intervals are asked for every
    few minutes: their turns go by the database, not by when this process was started.
    """
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    )
    logging.getLogger("apscheduler.scheduler").addFilter(_is_news)
    lease = uuid4()
    for job in jobs:
        scheduler.add_job(
            run,
            "interval",
            args=[job, lease],
            name=job.name,
            seconds=min(job.every, LONGEST_TICK).total_seconds(),
            next_run_time=clock.now(),
        )
    return scheduler


def keep_up(scheduler: BackgroundScheduler) -> None:
    """Bring forward what is due later than its interval allows: the machine's clock was set back.

    The scheduler waits for a time of day, and else would run nothing until that comes round again.
    """
    now = clock.now()
    for job in scheduler.get_jobs():
        if job.next_run_time > now + job.trigger.interval + ASIDE:
            job.modify(next_run_time=now)


def _watch(scheduler: BackgroundScheduler, is_over: Event) -> None:
    while not is_over.wait(ASIDE.total_seconds()):
        keep_up(scheduler)


def main(jobs: tuple[Job, ...] = JOBS) -> None:
    """Wait for a signal instead of handling one: a job is never interrupted halfway, only waited for."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # before there are threads, which inherit it
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for talkative in ("apscheduler", "alembic", "stripe"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    keep_values_out_of_logs()
    require_ready()
    scheduler, is_over = scheduler_of(jobs), Event()
    watching = Thread(target=_watch, args=[scheduler, is_over], name="watch", daemon=True)
    scheduler.start()
    watching.start()
    signal.sigwait(STOPPING)
    is_over.set()
    watching.join()
    scheduler.shutdown()
    engine().dispose()


if __name__ == "__main__":
    main()
