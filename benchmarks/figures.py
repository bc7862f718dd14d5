"""Each dashboard as a script over an empty page, and beside it its figures alone, over years of visits.

Days are summed up, as the jobs keep them: those that are over, and those of a year ahead.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import psycopg
from sqlalchemy import select
from streamlit.testing.v1 import app_test

from benchmarks import pages
from benchmarks.clinic import Clinic
from benchmarks.pages import Scene
from benchmarks.timing import Figure, alternated, in_turns, over, times_slower
from core import clock, day_sums, day_tables, figures
from core.access import Actor
from core.analytics import addresses
from core.analytics.scopes import Scope
from db.models import Role, User
from db.session import engine, unit_of_work
from pages.ui import navigation

REPEATS = 5
WARM_UP = 2
TARGET_MS = 1000.0
_DAY = timedelta(days=1)
_YEARS = timedelta(days=730)
_PAGES = {
    "overview": navigation.OVERVIEW,
    "revenue": navigation.REVENUE,
    "utilisation": navigation.UTILISATION,
    "demand": navigation.DEMAND,
    "missed": navigation.MISSED,
    "patients": navigation.PATIENT_FIGURES,
    "messages": navigation.MESSAGE_FIGURES,
}


def measure(clinic: Clinic) -> list[Figure]:
    """Every dashboard over two years, all and narrowed, over the year ahead, and its figures alone."""
    pages.speak_up_for_errors_only()
    engine().dispose()
    day_sums.sum_up()
    with psycopg.connect(clinic.url, autocommit=True) as connection:
        connection.execute(f"VACUUM ANALYZE appointments, {', '.join(day_tables.TABLES)}")
    today = clock.now().date()
    whole = Scope(today - _YEARS, today)
    found = _scripts(
        {
            "two years": whole,
            "one doctor": replace(whole, doctor_id=clinic.doctor_ids[0]),
            "one service": replace(whole, service_id=clinic.service_id),
            "a year ahead": whole.over(today + _DAY, today + _DAY * 365),
        }
    )
    return [*found, *_alone(clinic, whole)]


def _scripts(scopes: dict[str, Scope]) -> list[Figure]:
    found = []
    with (
        tempfile.NamedTemporaryFile("w", suffix=".py") as nothing,
        patch.multiple(app_test, LocalScriptRunner=pages.Stopwatch, ScriptCache=lambda: pages.COMPILED),
    ):
        empty = pages.run_of_nothing(nothing.name)
        for name, page in _PAGES.items():
            for which, scope in scopes.items():
                scene = Scene(f"{name}, {which}", "admin", page, query=addresses.query(scope))
                ours, its = alternated(REPEATS, pages.run_of(scene), empty, warm_up=WARM_UP)
                found.append(over(scene.name, ours, its, at_most_ms=TARGET_MS))
    return found


def _alone(clinic: Clinic, scope: Scope) -> list[Figure]:
    """The figures of each dashboard, over the one statement that reads every visit of the scope once."""
    with unit_of_work() as session:
        admin = session.scalars(select(User).where(User.username == "admin")).one()
    actor = Actor(admin.id, Role.ADMIN, admin.name)
    with clinic.connect() as connection:

        def bare() -> None:
            connection.execute(
                "SELECT doctor_id, count(*), sum(price_minor) FROM appointments"
                " WHERE starts_at >= %s AND starts_at < %s GROUP BY 1",
                [scope.from_on, scope.until_on],
            ).fetchall()

        found = []
        for name in figures.DASHBOARDS:
            ours, its = in_turns(REPEATS, _reading(name, actor, scope), bare, warm_up=WARM_UP)
            found.append(times_slower(f"{name}: the figures alone, by the bare reading of visits", ours, its))
    return found


def _reading(name: str, actor: Actor, scope: Scope) -> Callable[[], None]:
    def read() -> None:
        with unit_of_work() as session:
            for figure in figures.DASHBOARDS[name]:
                figures.read(session, actor, key=figure.key, scope=scope)

    return read
