"""Asking who is signed in, as every page run, click and frame does, against reading one row."""

from collections.abc import Callable

from sqlalchemy import select

from benchmarks.clinic import Clinic
from benchmarks.timing import Figure, in_turns, over, times_slower
from core import sign_ins
from db.models import User
from db.session import unit_of_work

REPEATS = 400
WATCHED = 500
TARGET_MS = 1.0


def measure(clinic: Clinic) -> list[Figure]:
    """The check of one session, as a ratio and in milliseconds, and the watch over many open tabs."""
    with unit_of_work() as session:
        user = session.scalars(select(User).where(User.username == "patient")).one()
        tokens = [sign_ins.start(session, user_id=user.id) for _ in range(WATCHED)]
    hashes = {sign_ins.hashed(token) for token in tokens}
    try:
        checked, watched, bare = in_turns(REPEATS, _check(tokens[0]), _watch(hashes), _bare(clinic, user.id))
    finally:
        with unit_of_work() as session:
            for token in tokens:
                sign_ins.end(session, token)
    return [
        times_slower("who is signed in", checked, bare),
        over("the same, in milliseconds more", checked, bare, at_most_ms=TARGET_MS),
        times_slower(f"which of {WATCHED} tabs are live", watched, bare),
    ]


def _check(token: str) -> Callable[[], object]:
    def check() -> None:
        with unit_of_work() as session:
            assert sign_ins.current_actor(session, token) is not None

    return check


def _watch(hashes: set[bytes]) -> Callable[[], object]:
    def watch() -> None:
        with unit_of_work() as session:
            assert sign_ins.live(session, hashes) == hashes

    return watch


def _bare(clinic: Clinic, user_id: int) -> Callable[[], object]:
    """One row by its key, in a transaction of its own, with nothing but psycopg."""
    connection = clinic.connect()

    def bare() -> None:
        connection.execute("SELECT * FROM users WHERE id = %s", [user_id]).fetchone()
        connection.commit()

    return bare
