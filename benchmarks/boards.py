"""The desk's board on a full day: what a refresh costs as a script, and thirty of them open at once."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from statistics import median, quantiles
from typing import Any, ClassVar
from unittest.mock import patch
from urllib.error import URLError
from urllib.request import urlopen

import websockets
from sqlalchemy import select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import app_test

from benchmarks import full_days, pages
from benchmarks.clinic import ROOT, Clinic
from benchmarks.pages import Scene
from benchmarks.timing import Figure, Times, alternated, in_turns, over, times_slower
from core import boards, clinics, clock, sign_ins
from core.access import Actor
from db.models import Role, User
from db.session import engine, unit_of_work
from pages.front.cookies import session_cookie

REPEATS = 25
REFRESH_MS = 50.0
OPEN_BOARDS, ROUNDS, EVERY_SECONDS = 30, 6, 5.0
SLOWEST_SECONDS = 1.0


class _Refresh(pages.Stopwatch):
    """A runner that runs the fragment alone which follows the day, once the page has been drawn.

    What that asks to be drawn anew counts with it.
    """

    is_asked: ClassVar[bool] = False
    _goes_on = False

    def _note(self, sender: Any, event: ScriptRunnerEvent, **rest: Any) -> None:
        if event is ScriptRunnerEvent.SCRIPT_STARTED and self._goes_on:
            self._goes_on = False
            return
        self._goes_on = self._goes_on or event is ScriptRunnerEvent.SCRIPT_STOPPED_FOR_RERUN
        is_done = event is ScriptRunnerEvent.FRAGMENT_STOPPED_WITH_SUCCESS
        super()._note(sender, ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS if is_done else event, **rest)

    def request_rerun(self, rerun_data: Any) -> bool:
        found = [*self._fragment_storage._fragments]
        if _Refresh.is_asked and found:
            self._requests = ScriptRequests()  # else the whole page, which a runner begins with, counts
            rerun_data = replace(rerun_data, fragment_id=found[-1])
        return super().request_rerun(rerun_data)


def measure(clinic: Clinic) -> list[Figure]:
    """The reads alone, the refresh as a script over an empty page, and thirty boards over websockets."""
    with full_days.full_day(clinic) as url:
        return [*_reads(), *_scripts(), _at_once(url)]


def _reads() -> list[Figure]:
    with unit_of_work() as session:
        desk = session.scalars(select(User).where(User.username == "rita")).one()
        today = clock.now().astimezone(clinics.zone(session)).date()
    actor = Actor(desk.id, Role.STAFF, desk.name)

    def asked() -> None:
        with unit_of_work() as session:
            boards.fingerprint(session, actor, on=today)

    def read() -> None:
        with unit_of_work() as session:
            assert len(boards.rows(session, actor, on=today)) == full_days.DOCTORS * full_days.VISITS_EACH

    def bare() -> None:
        with unit_of_work() as session:
            session.scalars(select(User).where(User.id == desk.id)).one()

    looked, drawn, its = in_turns(REPEATS * 4, asked, read, bare)
    return [
        times_slower("whether anything has changed, over one bare row", looked, its),
        times_slower("all 600 visits, over one bare row", drawn, its),
    ]


def _scripts() -> list[Figure]:
    pages.speak_up_for_errors_only()
    engine().dispose()
    with (
        tempfile.NamedTemporaryFile("w", suffix=".py") as nothing,
        patch.multiple(app_test, LocalScriptRunner=_Refresh, ScriptCache=lambda: pages.COMPILED),
    ):
        whole, empty = pages.run_of(Scene("board", "rita")), pages.run_of_nothing(nothing.name)
        page, its = alternated(REPEATS, whole, empty)
        quiet, after = alternated(REPEATS, _looking(whole), _looking(whole, full_days.touch))
    return [
        over("the page as it is opened", page, its, at_most_ms=pages.TARGET_MS),
        over("a refresh where nothing has changed", quiet, [0.0] * REPEATS, at_most_ms=REFRESH_MS),
        over("a refresh after a change", after, [0.0] * REPEATS, at_most_ms=REFRESH_MS),
    ]


def _looking(whole: Callable[[], float], before: Callable[[], None] = lambda: None) -> Callable[[], float]:
    """A look at what has become of the day, and what is drawn anew where `before` has changed something."""

    def stopwatch() -> float:
        before()
        _Refresh.is_asked = True
        try:
            return whole()
        finally:
            _Refresh.is_asked = False

    return stopwatch


def _at_once(url: str) -> Figure:
    """How long a refresh takes, from asking to drawn, where thirty boards ask every five seconds."""
    with unit_of_work() as session:
        desk = session.scalars(select(User).where(User.username == "rita")).one()
        tokens = [sign_ins.start(session, user_id=desk.id) for _each in range(OPEN_BOARDS)]
    with _portal(url) as address:
        took = asyncio.run(_thirty(address, tokens))
    slowest = quantiles(took, n=20)[-1]
    return Figure(
        f"{OPEN_BOARDS} boards at once: a refresh",
        f"{median(took) * 1000:.0f} ms",
        f"{min(took) * 1000:.0f} ms",
        f"{slowest * 1000:.0f} ms",
        f"≤ {SLOWEST_SECONDS:g} s",
        slowest <= SLOWEST_SECONDS,
    )


async def _thirty(address: str, tokens: list[str]) -> Times:
    async with AsyncExitStack() as stack:
        opened = []
        for token in tokens:
            opened.append(await _open(stack, address, token))
        rounds = await asyncio.gather(
            *(_follow(tab, number / OPEN_BOARDS * EVERY_SECONDS) for number, tab in enumerate(opened))
        )
    return [took for each in rounds for took in each]


async def _open(stack: AsyncExitStack, address: str, token: str) -> tuple[Any, str]:
    """A tab with the board, and the number of the fragment that it is told to run every few seconds."""
    tab = await stack.enter_async_context(
        websockets.connect(
            address.replace("http:", "ws:") + "/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit"), websockets.Subprotocol("x")],
            additional_headers={"Cookie": f"{session_cookie()}={token}", "Origin": address},
            max_size=None,
            compression=None,
            proxy=None,
        )
    )
    received = await _run(tab)
    [fragment] = [each.auto_rerun.fragment_id for each in received if each.WhichOneof("type") == "auto_rerun"]
    return tab, fragment


async def _run(tab: Any, fragment: str = "") -> list[ForwardMsg]:
    message = BackMsg()
    message.rerun_script.SetInParent()
    message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = fragment, bool(fragment)
    await tab.send(message.SerializeToString())
    received: list[ForwardMsg] = []
    while not received or not _is_drawn(received[-1]):
        received.append(ForwardMsg.FromString(await asyncio.wait_for(tab.recv(), 60)))
    return received


def _is_drawn(message: ForwardMsg) -> bool:
    """Whether a run has ended after which none follows at once."""
    is_end = message.WhichOneof("type") == "script_finished"
    return is_end and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


async def _follow(tab: tuple[Any, str], wait_seconds: float) -> Times:
    socket, fragment = tab
    await asyncio.sleep(wait_seconds)
    took = []
    for number in range(ROUNDS):
        if not wait_seconds and number % 2:
            await asyncio.to_thread(full_days.touch)
        started = time.perf_counter()
        await _run(socket, fragment)
        took.append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, EVERY_SECONDS - took[-1]))
    return took


@contextmanager
def _portal(url: str) -> Iterator[str]:
    """One portal process as it is run, on a free port."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    places = ["--server.port", str(port), "--server.address", "localhost", "--server.headless", "true"]
    environment = os.environ | {"DATABASE_URL": url, "PUBLIC_URL": address}
    command = [sys.executable, "-m", "streamlit", "run", "server.py", *places]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **quiet) as portal:
        try:
            _wait_for(address)
            yield address
        finally:
            portal.terminate()


def _wait_for(address: str) -> None:
    for _try in range(300):
        try:
            with urlopen(f"{address}/_stcore/health", timeout=2):  # noqa: S310 - our own portal
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise TimeoutError(address)
