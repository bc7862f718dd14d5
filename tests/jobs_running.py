"""Jobs processes as the launcher starts them, ours or with a table of `tests.job_process`."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from tests import prepared


class Jobs(NamedTuple):
    """A jobs process, and, once it has ended, what it has said, line by line."""

    process: psutil.Process
    lines: list[str]


@contextmanager
def running_jobs(*table: str, exit_code: int = 0, **variables: str) -> Iterator[Jobs]:
    """A jobs process, ours or what `tests.job_process` makes of `table`; stopped by a signal at the end.

    `variables` are of its environment.
    """
    command = ["tests.job_process", *table] if table else ["jobs"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with prepared.running(*command, environment=os.environ | variables, log=log) as process:
            running = Jobs(psutil.Process(process.pid), [])
            yield running
        running.lines.extend(log.read_text().splitlines())
    assert process.exitcode == exit_code, running.lines


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
