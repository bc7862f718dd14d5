"""Jobs processes as the launcher starts them, ours or with a table of `tests.job_process`."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Jobs(NamedTuple):
    """A jobs process, and, once it has ended, what it has said, line by line."""

    process: subprocess.Popen[str]
    lines: list[str]


@contextmanager
def running_jobs(*table: str, exit_code: int = 0) -> Iterator[Jobs]:
    """A jobs process, ours or what `tests.job_process` makes of `table`; stopped by a signal at the end."""
    command = [sys.executable, "-m", *(["tests.job_process", *table] if table else ["jobs"])]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        running = Jobs(process, [])
        try:
            yield running
        except BaseException:
            process.kill()
            raise
        process.send_signal(signal.SIGTERM)
        running.lines.extend(process.communicate(timeout=10)[0].splitlines())
    assert process.returncode == exit_code, running.lines


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
