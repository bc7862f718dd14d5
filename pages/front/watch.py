"""Watches over the open tabs of this process: one whose session is over leaves its page, untouched.

One query every two seconds asks about all of them, whatever ended a session and in whichever process.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from core import sign_ins
from core.traces import without_values
from db.session import NoAnswer, unit_of_work
from pages.front.traces import log

SWEEP_SECONDS = 2.0
ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 10.0  # without an answer from the database, before what is on the screens is taken away

Ended = asyncio.Future[None]

_open: dict[bytes, set[Ended]] = {}


@contextmanager
def open_tab(token: str | None) -> Iterator[Ended]:
    """Watch over a tab while it is open. What is yielded is done when its session has ended.

    A tab of nobody, without a token, has no session that could end.
    """
    ended: Ended = asyncio.get_running_loop().create_future()
    if token is None:
        yield ended
        return
    token_hash = sign_ins.hashed(token)
    _open.setdefault(token_hash, set()).add(ended)
    try:
        yield ended
    finally:
        _open[token_hash].discard(ended)
        if not _open[token_hash]:
            del _open[token_hash]


@asynccontextmanager
async def watching(_app: object) -> AsyncIterator[None]:
    """Watch for as long as the portal runs."""
    sweeping = asyncio.create_task(_sweep_for_ever())
    try:
        yield
    finally:
        sweeping.cancel()


async def _sweep_for_ever() -> None:
    answered_at, is_away = time.monotonic(), False
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        asked = set(_open)
        try:
            live = await asyncio.wait_for(asyncio.to_thread(_live, asked), ANSWER_SECONDS)
        except Exception as error:  # whatever it is: should the watch end, no tab would leave any more
            is_absence = isinstance(error, (*NoAnswer, TimeoutError))
            if not (is_away and is_absence):
                log.error("Open tabs cannot be checked: %s", without_values(error))
            is_away = True
            if time.monotonic() - answered_at > PATIENCE_SECONDS:
                _close(set(_open))
            continue
        if is_away:
            log.info("Open tabs are checked again.")
        answered_at, is_away = time.monotonic(), False
        _close(asked - live)


def _live(token_hashes: set[bytes]) -> set[bytes]:
    if not token_hashes:
        return set()
    with unit_of_work() as session:
        return sign_ins.live(session, token_hashes)


def _close(token_hashes: set[bytes]) -> None:
    for token_hash in token_hashes:
        for ended in _open.get(token_hash, ()):
            if not ended.done():
                ended.set_result(None)
