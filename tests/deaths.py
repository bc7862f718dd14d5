"""Killing a process with -9, or freezing it, between two words to the database or to somebody outside.

The process is a fork of this one that kills itself before a line of the modules that speak: before the first
of all, and then before each that follows a word. Between two words nothing leaves the process, so that it
leaves the same behind wherever it dies.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from types import FrameType
from typing import Any

import psycopg

from db.session import engine

SAYING = {psycopg.Connection.wait.__code__, HTTPConnection.send.__code__}  # what every word passes through


def dies_after(words: int, work: Callable[[], object], speaking: Collection[str]) -> bool:
    """Do `work` in a process that is killed after so many words of the files `speaking`; whether it died."""
    child = os.fork()
    if child == 0:
        _live_until(signal.SIGKILL, words, work, speaking)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "it failed by itself"
    return False


@contextmanager
def frozen_after(words: int, work: Callable[[], object], speaking: Collection[str]) -> Iterator[bool]:
    """Do `work` in a process that freezes after so many words, and wakes and ends it when the block is over.

    Yields whether it froze.
    """
    child = os.fork()
    if child == 0:
        _live_until(signal.SIGSTOP, words, work, speaking)
    _pid, status = os.waitpid(child, os.WUNTRACED)
    is_frozen = os.WIFSTOPPED(status)
    try:
        yield is_frozen
    except BaseException:
        if is_frozen:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        raise
    if is_frozen:
        os.kill(child, signal.SIGCONT)
        _pid, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status)
    assert os.WEXITSTATUS(status) == 0, "it failed by itself"


def _live_until(
    end: signal.Signals, words: int, work: Callable[[], object], speaking: Collection[str]
) -> None:
    """In the child: never returns."""
    said, is_news = 0, True

    def watch(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal said, is_news
        if frame.f_code in SAYING:
            is_news = True
        if frame.f_code.co_filename not in speaking:
            return None
        if event == "line" and is_news:
            if said == words:
                os.kill(os.getpid(), end)
            said, is_news = said + 1, False
        return watch

    try:
        engine().dispose(close=False)  # its connections are the parent's
        sys.settrace(watch)
        work()
        sys.settrace(None)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
