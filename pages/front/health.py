"""Whether the clinic is well, for whoever watches over it: the portal, its database and the jobs process.

The answer holds nothing personal, and is looked up once in a few seconds however often it is asked for.
"""

import asyncio
import time
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import heartbeats
from db.session import NoAnswer, unit_of_work
from jobs.table import JOBS

KEPT_SECONDS = 2.0
ANSWER_SECONDS = 3.0  # probes wait for some five
_STARTED = time.monotonic()


class Answer(NamedTuple):
    """What is wrong, in one line, or nothing; and when that was looked up."""

    trouble: str
    at: float


class Health:
    """The last answer, looked up anew by one request at a time while the others wait for it."""

    def __init__(self) -> None:
        self._last = Answer("", -KEPT_SECONDS)
        self._turn = asyncio.Lock()

    async def trouble(self) -> str:
        """What is wrong now, or a moment ago."""
        async with self._turn:
            if time.monotonic() - self._last.at >= KEPT_SECONDS:
                self._last = Answer(await _looked(), time.monotonic())
        return self._last.trouble


async def _looked() -> str:
    try:
        return await asyncio.wait_for(asyncio.to_thread(look), ANSWER_SECONDS)
    except (*NoAnswer, TimeoutError):
        return "the database does not answer"


def look() -> str:
    """What is wrong, empty when nothing is. Jobs have a moment to start, together with the portal."""
    with unit_of_work() as session:
        found = heartbeats.health(session, {job.name: job.every for job in JOBS})
    if time.monotonic() - _STARTED <= heartbeats.GRACE.total_seconds():
        return ""
    if not found.has_ever_run:
        return "the jobs process has never run"
    return f"the jobs process is overdue: {', '.join(found.overdue)}" if found.overdue else ""


_health = Health()


async def healthz(_request: Request) -> Response:
    """200 when all is well; 503, and one line that says what is not, when something is."""
    trouble = await _health.trouble()
    return PlainTextResponse(trouble or "ok", 503 if trouble else 200)
