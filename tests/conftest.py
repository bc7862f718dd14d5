"""Fixtures of all tests: a real PostgreSQL, and no way to reach any other."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db import embedded
from db.config import config
from db.session import engine
from tests import log_watch, servers

DATABASE_FIXTURES = {"server_url", "migrated", "session", "database", "database_url"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=["embedded", "system"],
        default="embedded",
        help="which PostgreSQL to run the tests on (default: the one that comes with the portal)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--postgres") == "system" and servers.system_binaries() is None:
        pytest.exit("There is no PostgreSQL on this system: install its server package.", returncode=4)
    log_watch.begin()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The run has failed when something personal was in a log, whichever test put it there."""
    if log_watch.found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if log_watch.found:
        terminalreporter.section("personal in the logs", red=True)
        for line in log_watch.found:
            terminalreporter.line(line)


def pytest_report_header(config: pytest.Config) -> str:
    return f"postgres: {config.getoption('--postgres')}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that needs the database, so that it can be run again on another server."""
    for item in items:
        if DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL of this run's own, with the migrated template on it."""
    is_system = request.config.getoption("--postgres") == "system"
    directory = Path(tempfile.mkdtemp(prefix="clinic-tests-"))
    try:
        with embedded.running(
            directory / "postgres",
            binaries=servers.system_binaries() if is_system else None,
            settings=servers.FAST,
        ) as url:
            servers.make_template(url)
            yield url
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def migrated(server_url: str) -> Iterator[Engine]:
    """The migrated database that tests share, each behind a transaction that is rolled back."""
    with servers.fresh_database(server_url) as shared:
        yield shared


@pytest.fixture
def session(migrated: Engine) -> Iterator[Session]:
    """A session whose every change is undone. `begin_nested` works in it, and so does its `rollback`."""
    with migrated.connect() as connection, connection.begin() as outer:
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


@pytest.fixture
def database(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A fresh migrated database, for races and for whatever commits by itself.

    It is also what DATABASE_URL names for the length of the test.
    """
    with servers.fresh_database(server_url) as own:
        monkeypatch.setenv("DATABASE_URL", own.url.render_as_string(hide_password=False))
        yield own
        engine().dispose()


@pytest.fixture
def database_url(database: Engine) -> str:
    """The URL of `database`."""
    return database.url.render_as_string(hide_password=False)


@pytest.fixture(autouse=True)
def _nothing_real(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point every test away from any real database and read the configuration afresh."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/no_such_clinic")
    for name in ("CLINIC_ENV", "PORT", "PUBLIC_URL", "SECRET_KEY", "CLINIC_VAR", "SMTP_URL", "MAIL_FROM"):
        monkeypatch.delenv(name, raising=False)
    config.cache_clear()
    engine.cache_clear()
    yield
    config.cache_clear()
    engine.cache_clear()
