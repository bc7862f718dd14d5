"""The one engine of a process."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db import session
from db.session import engine, forget_engine, new_engine, unit_of_work


def test_threads_that_ask_at_once_share_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Engine] = []

    def slowly(url: str) -> Engine:
        time.sleep(0.05)
        made.append(new_engine(url))
        return made[-1]

    monkeypatch.setattr(session, "new_engine", slowly)
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: engine(), range(8)))
    assert [len(made), {id(each) for each in given}] == [1, {id(made[0])}]


def test_a_forgotten_engine_is_closed_and_followed_by_a_new_one(database: Engine) -> None:
    first = engine()
    with unit_of_work() as asking:
        assert asking.scalar(text("SELECT 1")) == 1
    assert first.pool.checkedin() == 1  # type: ignore[attr-defined] # of QueuePool
    forget_engine()
    assert first.pool.checkedin() == 0  # type: ignore[attr-defined]
    assert engine() is not first


def test_a_process_frozen_in_a_transaction_lets_others_on_after_a_minute(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_OPTIONS", session._OPTIONS.replace("=60s", "=200ms"))
    hurried = new_engine(database.url.render_as_string(hide_password=False))
    try:
        with Session(hurried) as frozen, Session(database) as other:
            frozen.execute(text("LOCK TABLE rooms"))
            other.execute(text("SET LOCAL lock_timeout = '20s'"))
            other.execute(text("LOCK TABLE rooms"))
            with pytest.raises(DBAPIError, match="idle-in-transaction"):
                frozen.execute(text("SELECT 1"))
            frozen.rollback()
            assert frozen.scalar(text("SELECT 1")) == 1
    finally:
        hurried.dispose()
