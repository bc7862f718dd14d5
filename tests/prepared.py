"""Processes forked from one that has imported the portal already: importing takes longer than all the rest.

Otherwise each is what `python -m` would start: a process of its own, with an environment of its own.
"""

import os
import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType

import pytest

# What `streamlit run server.py` imports before it serves; what is missing here is only imported later.
IMPORTED = [
    "pandas.io.formats.style",
    "streamlit.web.cli",
    "streamlit.web.bootstrap",
    "streamlit.starlette",
    "core.startup",
    "core.traces",
    "pages.front.guard",
    "pages.front.routes",
    "pages.front.serving",
    "pages.front.typing",
    "pages.front.watch",
    "jobs.table",
]
PATIENCE_SECONDS = 10


@cache
def _context() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


@contextmanager
def running(module: str, *arguments: str, environment: Mapping[str, str], log: Path) -> Iterator[BaseProcess]:
    """Run `python -m module arguments...`, told to end when the block does; what it says goes to `log`."""
    command = [module, *arguments]
    process = _context().Process(target=_run, args=(command, dict(environment), str(log)), daemon=True)
    log.touch()
    with _without_main():
        process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(PATIENCE_SECONDS)
        is_stuck = process.exitcode is None
        process.kill()
        process.join()
        assert not is_stuck, f"{module} does not end"


@contextmanager
def _without_main() -> Iterator[None]:
    """Let a child not run `__main__` again as its own: once AppTest has tried a page, that is Home.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        yield


def _run(command: Sequence[str], environment: Mapping[str, str], log: str) -> None:
    out = os.open(log, os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
    for said in (1, 2):
        os.dup2(out, said)
    os.close(out)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
