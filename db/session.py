"""The connection to PostgreSQL and the one place that commits."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Lock
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from db.config import config

IDLE_SECONDS = 1.0
_OPTIONS = "-c timezone=UTC -c jit=off -c idle_in_transaction_session_timeout=60s"
_asking = Lock()
NoAnswer = (OperationalError, InterfaceError, TimeoutError)  # what is raised while the database is away


class _Connection(psycopg.Connection[Any]):
    """A connection that keeps its prepared statements when a transaction is rolled back.

    psycopg drops them, since tables made in the transaction may be gone. We roll back refused bookings, not
    tables, and planning our slot statements costs more than running them.
    """

    def rollback(self) -> None:
        if self.pgconn.transaction_status == TransactionStatus.IDLE:
            return
        with self.lock:
            result = self.pgconn.exec_(b"ROLLBACK")
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(result.error_message.decode(errors="replace"))


def _note_idle(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _ask_after_idling(connection: _Connection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that has lain idle whether its server is still there; if not, it is replaced.

    SQLAlchemy's own ping asks every time, which costs a click as much as a statement does.
    """
    if time.monotonic() - record.info.get("idle_since", 0) < IDLE_SECONDS:
        return
    try:
        connection.execute("")
        connection.rollback()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


def run(
    session: Session, statement: str, parameters: Mapping[str, Any], *, binary: bool = False
) -> list[tuple[Any, ...]]:
    """Run a statement in the session's transaction on its own connection, past SQLAlchemy's layers.

    For the few statements behind every booking, where the layers cost more than the database. Parameters
    are psycopg's, `%(name)s`; what the session has not flushed yet is not seen. `binary` asks for results in
    binary, which is quicker for thousands of timestamps.
    """
    driver: _Connection = session.connection().connection.driver_connection  # type: ignore[assignment] # SQLAlchemy cannot know that our creator makes these
    return driver.execute(statement, parameters, binary=binary).fetchall()


def new_engine(url: str, pool_size: int = 10) -> Engine:
    """An engine whose sessions speak UTC, notice a restarted server, and give up on a dead one in 5 s.

    Who does nothing in a transaction for a minute loses it: a process that was frozen in one would keep
    others from what it has locked until it is woken.
    """
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    made = create_engine(
        url,
        hide_parameters=True,  # or errors would carry names and phones into the log
        creator=lambda: _Connection.connect(address, options=_OPTIONS, connect_timeout=5),
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=10,
    )
    event.listen(made, "checkin", _note_idle)
    event.listen(made, "checkout", _ask_after_idling)
    return made


@cache
def _engine() -> Engine:
    return new_engine(config().database_url)


def engine() -> Engine:
    """This process's engine, made from DATABASE_URL on first use: one, also when threads ask at once."""
    with _asking:
        return _engine()


def forget_engine() -> None:
    """Close this process's engine: whoever asks next gets a new one, from DATABASE_URL as it is then."""
    with _asking:
        if _engine.cache_info().currsize:
            _engine().dispose()
        _engine.cache_clear()


Transaction = Callable[[], AbstractContextManager[Session]]  # `unit_of_work`, or what stands in for it


@contextmanager
def unit_of_work(bind: Engine | None = None) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when anything is raised."""
    with Session(bind or engine(), expire_on_commit=False) as session, session.begin():
        yield session


def require_reachable() -> None:
    """Leave with one sentence and exit code 1 when the database does not answer. Asked once, no retry."""
    url = engine().url
    try:
        psycopg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False), connect_timeout=5
        ).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0].rpartition("failed: ")[2]
        where = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
        sys.exit(f"The database at {where} cannot be reached: {reason}")
