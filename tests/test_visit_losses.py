"""What is typed into a note while the portal is killed, or its database stopped: nothing of it is lost."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select

from core import clock
from db import embedded
from db.migrate import migrate
from db.models import SignIn
from db.session import new_engine, unit_of_work
from tests import browsers, portal, servers
from tests.browsers import settle
from tests.portal import Residents
from tests.test_launch import free_port
from tests.visits import SLOWLY, in_the_chair, kept, open_visit, wait_until_kept

pytestmark = [*browsers.NEEDED, pytest.mark.long]
PATIENCE = 60_000  # milliseconds: a portal has to start, and a browser to find it again


class Database:
    """A PostgreSQL of its own that is stopped and started again, and is found under the same address."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running = ExitStack()
        self._sockets = directory / "sockets"
        self.url = ""

    def start(self) -> None:
        settings = servers.FAST | {"synchronous_commit": "on"}  # a stop at once keeps what was committed
        url = self._running.enter_context(embedded.running(self._directory / "data", settings=settings))
        address, _sign, sockets = url.partition("?host=")
        self._sockets.symlink_to(sockets)
        self.url = f"{address.replace('postgresql:', 'postgresql+psycopg:')}?host={self._sockets}"

    def stop(self) -> None:
        """At once, as in a crash: what is still written out takes as long as the machine is busy."""
        said = self._directory / "data" / "postmaster.pid"
        if said.exists():
            psutil.Process(int(said.read_text().split()[0])).send_signal(signal.SIGQUIT)
        self._running.close()
        self._sockets.unlink(missing_ok=True)


@pytest.fixture
def own_database() -> Iterator[Database]:
    with servers.scratch("clinic-losses-") as directory:
        directory.chmod(0o755)
        database = Database(directory)
        database.start()
        yield database
        database.stop()


@contextmanager
def clinic_on(url: str) -> Iterator[Engine]:
    engine = new_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def killed(port: int) -> None:
    """Kill the portal at `port` with -9."""
    [number] = {
        each.pid for each in psutil.net_connections() if each.status == "LISTEN" and each.laddr.port == port
    }
    psutil.Process(number).send_signal(signal.SIGKILL)


def test_a_portal_killed_while_one_types_gets_all_of_it_once_it_runs_again(
    database: Engine, chromium: Browser, tmp_path: Path
) -> None:
    with unit_of_work(database) as session:
        people = portal.settle_in(session)
    visit_id = in_the_chair(database, people)
    port = free_port()
    with ExitStack() as first:
        address = first.enter_context(portal.running(database, tmp_path / "first", port=port))
        people_at = first.enter_context(browsers.of_people(chromium, address, database))
        page = people_at("roth")
        findings = open_visit(page, address, visit_id)
        findings.click()
        page.keyboard.type("Typed before. ", delay=SLOWLY)
        wait_until_kept(page, database, visit_id, "Typed before. ")
        page.keyboard.type("In the moment it is killed.", delay=SLOWLY / 4)
        killed(port)
        expect(page.get_by_text("Not saved yet").first).to_be_visible()
        words = "Typed before. In the moment it is killed."
        expect(findings).to_have_value(words)
        expect(findings).to_be_disabled()  # nobody can go on typing into the void
        assert kept(database, visit_id) == "Typed before. "
        with portal.running(database, tmp_path / "second", port=port):
            wait_until_kept(page, database, visit_id, words, seconds=60)
            settle(page)
            expect(findings).to_have_value(words)
            expect(page.get_by_text("Not saved yet").first).to_be_hidden(timeout=PATIENCE)
            expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_tab_left_open_over_a_restart_does_not_write_over_what_another_has_typed(
    database: Engine, chromium: Browser, tmp_path: Path
) -> None:
    with unit_of_work(database) as session:
        people = portal.settle_in(session)
    visit_id = in_the_chair(database, people)
    port = free_port()
    with ExitStack() as first:
        address = first.enter_context(portal.running(database, tmp_path / "first", port=port))
        page = first.enter_context(browsers.of_people(chromium, address, database))("roth")
        older = open_visit(page, address, visit_id)
        older.fill("Of the older tab")
        wait_until_kept(page, database, visit_id, "Of the older tab")
        other = page.context.new_page()
        newer = open_visit(other, address, visit_id)
        newer.fill("Of the newer tab")
        wait_until_kept(other, database, visit_id, "Of the newer tab")
        killed(port)
        with portal.running(database, tmp_path / "second", port=port):
            page.bring_to_front()
            expect(page.get_by_text("changed in another window")).to_be_visible(timeout=PATIENCE)
            expect(older).to_have_value("Of the older tab")
            assert kept(database, visit_id) == "Of the newer tab"


def test_a_database_stopped_while_one_types_gets_all_of_it_once_it_is_back(
    own_database: Database, chromium: Browser, tmp_path: Path
) -> None:
    with clinic_on(own_database.url) as clinic:
        migrate(clinic)
        with unit_of_work(clinic) as session:
            people: Residents = portal.settle_in(session)
        visit_id = in_the_chair(clinic, people)
        with (
            portal.running(clinic, tmp_path / "log") as address,
            browsers.of_people(chromium, address, clinic) as sign_in,
        ):
            page = sign_in("roth")
            findings = open_visit(page, address, visit_id)
            findings.click()
            page.keyboard.type("Before. ", delay=SLOWLY)
            wait_until_kept(page, clinic, visit_id, "Before. ")
            clinic.dispose()
            own_database.stop()
            page.keyboard.type("While it is away.", delay=SLOWLY / 4)
            expect(page.get_by_text("Not saved yet").first).to_be_visible(timeout=PATIENCE)
            page.wait_for_timeout(12_000)  # longer than open tabs are kept without an answer
            expect(findings).to_have_value("Before. While it is away.")
            own_database.start()
            wait_until_kept(page, clinic, visit_id, "Before. While it is away.", seconds=60)
            expect(findings).to_have_value("Before. While it is away.")
            expect(page.get_by_text("Not saved yet").first).to_be_hidden(timeout=PATIENCE)


def test_a_session_that_ends_while_one_types_leaves_the_draft_to_the_next(
    database: Engine, chromium: Browser, tmp_path: Path
) -> None:
    with unit_of_work(database) as session:
        people = portal.settle_in(session)
    visit_id = in_the_chair(database, people)
    with (
        portal.running(database, tmp_path / "log") as address,
        browsers.of_people(chromium, address, database) as sign_in,
    ):
        page = sign_in("roth")
        open_visit(page, address, visit_id).click()
        page.keyboard.type("Before it ended", delay=SLOWLY)
        wait_until_kept(page, database, visit_id, "Before it ended")
        with unit_of_work(database) as session:
            for each in session.scalars(select(SignIn)):
                each.ended_at = clock.now()
        expect(page.get_by_label("User name")).to_be_visible(timeout=PATIENCE)
        assert page.get_by_text("Before it ended").count() == 0
        browsers.keep(page.context, address, portal.signed_in(database, "roth"))
        expect(open_visit(page, address, visit_id)).to_have_value("Before it ended")
