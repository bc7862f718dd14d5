"""Each page's script, against an empty Streamlit page.

Pages run from `Home.py` in Streamlit's own test runner, with somebody signed in. What counts is the script
run alone, from its start to its end on its own thread: neither the runner's setup nor the parsing of what it
drew, and scripts are compiled once, as in the server.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from unittest.mock import patch

from sqlalchemy import select
from streamlit.config import set_option
from streamlit.logger import set_log_level
from streamlit.runtime.context import ContextProxy
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from benchmarks.clinic import ROOT, Clinic
from benchmarks.timing import Figure, alternated, over
from core import sign_ins
from db.models import User
from db.session import engine, unit_of_work
from pages.front.cookies import session_cookie
from pages.ui import navigation

REPEATS = 25
TARGET_MS = 60.0
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Scene:
    """A page in a state: who is signed in, what the address says and what has been typed."""

    name: str
    username: str | None = None
    page: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


class Stopwatch(LocalScriptRunner):
    """A runner that notes how long its script ran."""

    last_run = 0.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._started = 0.0
        self._script_cache = COMPILED
        self.on_event.connect(self._note, weak=False)

    def _note(self, _sender: Any, event: ScriptRunnerEvent, **_rest: Any) -> None:
        if event is ScriptRunnerEvent.SCRIPT_STARTED:
            self._started = time.perf_counter()
        elif event is ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS:
            Stopwatch.last_run = time.perf_counter() - self._started


COMPILED = ScriptCache()


def measure(clinic: Clinic) -> list[Figure]:
    """Every page in a state that shows much, over the empty page."""
    speak_up_for_errors_only()
    engine().dispose()
    figures = []
    with (
        tempfile.NamedTemporaryFile("w", suffix=".py") as nothing,
        patch.multiple(app_test, LocalScriptRunner=Stopwatch, ScriptCache=lambda: COMPILED),
    ):
        empty = run_of_nothing(nothing.name)
        for scene in _scenes(clinic):
            ours, its = alternated(REPEATS, run_of(scene), empty)
            figures.append(over(scene.name, ours, its, at_most_ms=TARGET_MS))
    return figures


def speak_up_for_errors_only() -> None:
    """Or Streamlit says at every run that it misses a browser."""
    set_option("logger.level", "error")
    set_log_level("ERROR")


def _scenes(clinic: Clinic) -> list[Scene]:
    """What is measured. Doctors and patients are the demo accounts, which have full lists."""
    doctor_id = clinic.number(
        "SELECT d.id FROM doctors d JOIN users u ON u.id = user_id AND username = 'doctor'"
    )
    patient_id = clinic.number(
        "SELECT p.id FROM patients p JOIN users u ON u.id = user_id AND username = 'patient'"
    )
    return [
        Scene("sign in"),
        Scene("find a doctor", "patient", navigation.FIND_DOCTOR),
        Scene(
            "doctor with free times",
            "patient",
            navigation.DOCTOR,
            query={"doctor": str(doctor_id), "service": str(clinic.service_id)},
        ),
        Scene("my appointments", "patient", navigation.MY_APPOINTMENTS),
        Scene("today", "doctor", navigation.TODAY, state={"today_on": _busy_day(clinic, doctor_id)}),
        Scene("security", "patient", navigation.SECURITY),
        Scene("my record", "patient", navigation.MY_RECORD),
        Scene("who opened my record", "patient", navigation.RECORD_ACCESS),
        Scene(
            "a record",
            "doctor",
            navigation.PATIENT_RECORD,
            state={"record_patient": _patient_of(clinic, doctor_id)},
        ),
        Scene("users", "admin", navigation.USERS),
        Scene("audit trail", "admin", navigation.AUDIT_TRAIL),
        Scene(
            "book for a patient: name typed",
            "staff",
            navigation.BOOK_FOR_PATIENT,
            state={"people_text": "an mu"},
        ),
        Scene(
            "book for a patient: patient chosen",
            "staff",
            navigation.BOOK_FOR_PATIENT,
            state={"people_chosen": patient_id},
        ),
    ]


def _patient_of(clinic: Clinic, doctor_id: int) -> int:
    """The patient whom the doctor has seen most."""
    return clinic.number(
        f"SELECT patient_id FROM appointments WHERE doctor_id = {doctor_id} AND status = 'completed'"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )


def _busy_day(clinic: Clinic, doctor_id: int) -> date:
    """The doctor's fullest day of this week: today may be a Sunday."""
    with clinic.connect() as connection:
        row = connection.execute(
            "SELECT CAST(starts_at AS date) FROM appointments WHERE doctor_id = %s"
            " AND starts_at BETWEEN now() - interval '4 days' AND now() + interval '3 days'"
            " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
            [doctor_id],
        ).fetchone()
    assert row is not None, "the doctor has no visits this week"
    found: date = row[0]
    return found


def run_of(scene: Scene) -> Callable[[], float]:
    """One more run of the scene's page, in an open portal; how long its script took, in seconds."""
    page = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=_PATIENCE_SECONDS)
    cookies = {} if scene.username is None else {session_cookie(): _token(scene.username)}

    def stopwatch() -> float:
        with patch.multiple(ContextProxy, cookies=cookies, ip_address=None):
            page.run()
        assert not page.exception, f"{scene.name}: {page.exception}"
        return Stopwatch.last_run

    stopwatch()  # registers the pages to switch between
    for key, value in scene.state.items():
        page.session_state[key] = value
    page.query_params.update(scene.query)
    if scene.page is not None:
        page.switch_page(scene.page)
    return stopwatch


def run_of_nothing(script: str) -> Callable[[], float]:
    page = AppTest.from_file(script, default_timeout=_PATIENCE_SECONDS)

    def stopwatch() -> float:
        page.run()
        return Stopwatch.last_run

    return stopwatch


def _token(username: str) -> str:
    with unit_of_work() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        return sign_ins.start(session, user_id=user.id)
