"""Fixtures of all tests: a real PostgreSQL, and no way to reach any other."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import passwords, stripe_cards, twilio_sms
from core.i18n import use_locale
from db import embedded
from db.config import config
from db.session import forget_engine, unit_of_work
from tests import browsers, listeners, log_watch, payment_sandbox, phones, portal, servers
from tests.browsers import SignInAs
from tests.cast import time_is
from tests.listeners import Heard
from tests.payment_sandbox import PaymentSandbox
from tests.phones import Phones
from tests.portal import Residents

DATABASE_FIXTURES = {"server_url", "migrated", "session", "database", "database_url"}
SCREEN_FIXTURES = {"address", "noon_without_cookies"}
OUTSIDE_FIXTURES = {"running_sandbox"}
NEEDS = (("database", DATABASE_FIXTURES), ("screens", SCREEN_FIXTURES), ("outside", OUTSIDE_FIXTURES))


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
    """The run has failed when something personal was in a log, whichever test put it there.

    A worker of several tells the run what it has found.
    """
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["personal"] = log_watch.found
    if log_watch.found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker that has ended; one that crashed tells nothing, and fails the run by that."""
    log_watch.found.extend(getattr(node, "workeroutput", {}).get("personal", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if log_watch.found:
        terminalreporter.section("personal in the logs", red=True)
        for line in log_watch.found:
            terminalreporter.line(line)


def pytest_report_header(config: pytest.Config) -> str:
    return f"postgres: {config.getoption('--postgres')}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need, so that those of the database alone can run again on another server."""
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        for marker, fixtures in NEEDS:
            if fixtures & needed:
                item.add_marker(marker)


def pytest_collection_finish() -> None:
    """Set aside what was imported and collected: it stays, and no collection of garbage need look at it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL of this run's own, with the migrated template on it."""
    is_system = request.config.getoption("--postgres") == "system"
    with (
        servers.scratch("clinic-tests-") as directory,
        embedded.running(
            directory / "postgres",
            binaries=servers.system_binaries() if is_system else None,
            settings=servers.FAST,
        ) as url,
    ):
        servers.make_template(url)
        yield url


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
        forget_engine()


@pytest.fixture
def database_url(database: Engine) -> str:
    """The URL of `database`."""
    return database.url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def clinic(server_url: str) -> Iterator[Engine]:
    """The database of a module that has one portal run for all its tests."""
    with servers.fresh_database(server_url) as own:
        yield own


@pytest.fixture(scope="module")
def residents(clinic: Engine) -> Residents:
    """The people of `clinic`."""
    with unit_of_work(clinic) as session:
        return portal.settle_in(session)


@pytest.fixture(scope="module")
def unwanted() -> tuple[str, ...]:
    """What a module's portal must not log either: a module that knows more of it says so in its own."""
    return ()


@pytest.fixture(scope="module")
def address(
    clinic: Engine,
    residents: Residents,
    unwanted: tuple[str, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The portal of `clinic` as it runs, which logs neither errors nor what is personal."""
    log = tmp_path_factory.mktemp("portal") / "log"
    with portal.running(clinic, log) as url:
        yield url
    portal.require_quiet(log, unwanted)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers.CHROMIUM, args=browsers.QUIET)
        yield browser
        browser.close()


@pytest.fixture
def sign_in_as(chromium: Browser, address: str, clinic: Engine) -> Iterator[SignInAs]:
    """A browser of its own for each person, signed in."""
    with browsers.of_people(chromium, address, clinic) as sign_in:
        yield sign_in


@pytest.fixture
def sign_in_by_form(chromium: Browser, address: str) -> Iterator[SignInAs]:
    """The same for tests of the cookies that the form leads to."""
    with browsers.of_people(chromium, address) as sign_in:
        yield sign_in


@pytest.fixture
def noon_without_cookies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What AppTest needs in place of a browser, on a Monday at noon."""
    portal.without_browser(monkeypatch)
    use_locale("en_GB")  # AppTest formats choices in this thread
    with time_is(portal.NOON):
        yield
    use_locale("en")


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentSandbox]:
    """A sandbox of this run's own: take `sandbox` instead, which is an empty one."""
    with payment_sandbox.running(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: PaymentSandbox) -> PaymentSandbox:
    """Stripe's stand-in, in which nothing has happened yet and which sends no webhooks."""
    running_sandbox.set_webhooks(None)
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def phone(sandbox: PaymentSandbox, monkeypatch: pytest.MonkeyPatch) -> Phones:
    """The carrier's stand-in, which no text was sent to yet, as the one that is configured."""
    there = phones.emptied(sandbox)
    for name, value in there.environment().items():
        monkeypatch.setenv(name, value)
    for read in (config, twilio_sms.configured):
        read.cache_clear()
    return there


@pytest.fixture
def edge() -> Iterator[Heard]:
    """Something between us and the carrier of texts that answers as it likes."""
    with listeners.listening() as heard:
        yield heard


@pytest.fixture(autouse=True)
def _nothing_real(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point every test away from any real database, read the configuration afresh, and speak English."""
    use_locale("en")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/no_such_clinic")
    ours = {"CLINIC_ENV", "PORT", "PUBLIC_URL", "SECRET_KEY", "CLINIC_VAR", "SMTP_URL", "MAIL_FROM"}
    for name in ours | {name for name in os.environ if name.startswith(("STRIPE_", "TWILIO_", "SANDBOX_"))}:
        monkeypatch.delenv(name, raising=False)
    _forget_what_was_read()
    yield
    _forget_what_was_read()


@pytest.fixture(autouse=True)
def _quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a password take bcrypt as little work as it knows, and nobody's as little, unless it is tested.

    The rounds change nothing else. A process of its own keeps its own.
    """
    if "rounds" not in request.keywords:
        monkeypatch.setattr(passwords, "_ROUNDS", portal.FEWEST_ROUNDS)
        monkeypatch.setattr(passwords, "_NOBODYS", portal.password_hash())


def _forget_what_was_read() -> None:
    for read in (config, stripe_cards.configured, twilio_sms.configured):
        read.cache_clear()
    forget_engine()
