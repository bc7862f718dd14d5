"""The jobs process: `python -m jobs` runs the table of jobs until SIGTERM or Ctrl-C.

A job that raises is logged by APScheduler, without the values of the error, and runs again at its next turn.
"""

# mypy: allow-untyped-calls
# APScheduler has no types.

import logging
import signal

from apscheduler.schedulers.background import BackgroundScheduler

from core import clock
from core.startup import require_ready
from core.traces import keep_values_out_of_logs
from db.session import engine, unit_of_work
from jobs.table import JOBS, Job

log = logging.getLogger("jobs")

STOPPING = {signal.SIGTERM, signal.SIGINT}


def run(job: Job) -> None:
    """Run `job` once, in a transaction of its own unless it opens several itself."""
    if job.opens_its_own:
        touched = job.work()
    else:
        with unit_of_work() as session:
            touched = job.work(session)
    if touched:
        log.info("%s: %d", job.name, touched)


def scheduler_of(jobs: tuple[Job, ...]) -> BackgroundScheduler:
    """A scheduler that runs each job now and then at its interval, never two of one at a time.

    A turn missed while the machine slept is made up for once.
    """
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    )
    for job in jobs:
        scheduler.add_job(
            run,
            "interval",
            args=[job],
            name=job.name,
            seconds=job.every.total_seconds(),
            next_run_time=clock.now(),
        )
    return scheduler


def main() -> None:
    """Wait for a signal instead of handling one: a job is never interrupted halfway, only waited for."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # before there are threads, which inherit it
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for talkative in ("apscheduler", "alembic", "stripe"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    keep_values_out_of_logs()
    require_ready()
    scheduler = scheduler_of(JOBS)
    scheduler.start()
    signal.sigwait(STOPPING)
    scheduler.shutdown()
    engine().dispose()


if __name__ == "__main__":
    main()
