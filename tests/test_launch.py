"""`make run`: the whole clinic starts from nothing, stops without a trace, and finds its data again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from db import embedded
from db.config import config
from jobs import sandboxes
from tests import servers

ROOT = Path(__file__).parent.parent


class Launcher:
    """A launcher on a free port with a directory of its own, and what it has said so far."""

    def __init__(self, var: Path, *, port: int | None = None, **environment: str) -> None:
        self.port = port or free_port()
        self.said = var / f"said-{time.monotonic_ns()}"
        self.sandbox_port = free_port()
        surroundings = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        surroundings |= {"SANDBOX_PORT": str(self.sandbox_port)}
        with self.said.open("wb") as out:
            self.process = psutil.Popen(
                [sys.executable, "-m", "jobs.launch"],
                cwd=ROOT,
                env={**surroundings, "PORT": str(self.port), "CLINIC_VAR": str(var), **environment},
                stdout=out,
                stderr=out,
            )

    def wait_until_open(self) -> None:
        self.wait_until_said("The clinic is open at")

    def wait_until_said(self, words: str) -> None:
        deadline = time.monotonic() + 60
        while words not in self.said.read_text():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        """The child that runs `word`, wherever the portal itself may lie."""
        return next(
            child
            for child in self.process.children()
            if word in {Path(part).name for part in child.cmdline()}
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def all_gone(processes: list[psutil.Process], within_seconds: float = 10) -> bool:
    return not psutil.wait_procs(processes, timeout=within_seconds)[1]


@pytest.fixture(scope="module")
def seeded() -> Iterator[Path]:
    """A directory with a clinic in it that was started from nothing, renamed and stopped without a trace.

    It can be reached by the server's own account, and is deep and with a space, as a checkout may be.
    """
    with servers.scratch("clinic-launch-") as top:
        deep = top / "a checkout" / ("deep" * 25)
        deep.mkdir(parents=True)
        first = Launcher(deep)
        first.wait_until_open()
        assert f"http://localhost:{first.port}" in first.said.read_text()
        assert "Sign in" in first.said.read_text()
        with psycopg.connect(url_of(deep)) as connection:
            connection.execute("UPDATE settings SET name = 'The same clinic'")
        children = first.children()
        assert first.stop() == 0
        assert all_gone(children, within_seconds=0)
        yield deep


def url_of(var: Path) -> str:
    url = embedded.url_of_running(var / "postgres")
    assert url is not None
    return url


@pytest.fixture(scope="class")
def opened(seeded: Path) -> Iterator[Launcher]:
    launcher = Launcher(seeded)
    launcher.wait_until_open()
    yield launcher
    assert launcher.stop(signal.SIGTERM) == 0


class TestAClinicThatIsOpen:
    """What can be looked at without stopping it: it is started once for all."""

    def test_what_was_started_from_nothing_finds_its_data_again(self, seeded: Path, opened: Launcher) -> None:
        with psycopg.connect(url_of(seeded)) as connection:
            assert connection.execute("SELECT name FROM settings").fetchone() == ("The same clinic",)

    def test_a_second_launcher_on_the_same_data_says_so(self, seeded: Path, opened: Launcher) -> None:
        second = Launcher(seeded)
        assert second.process.wait(30) == 1
        assert second.said.read_text() == (
            f"The clinic in {seeded}/postgres is already running. Stop that one first.\n"
        )

    def test_payments_and_texts_are_simulated_and_the_welcome_says_where(self, opened: Launcher) -> None:
        address = f"http://127.0.0.1:{opened.sandbox_port}"
        said, stand_in = opened.said.read_text(), opened.child("sandbox").cmdline()
        assert f"Payments are simulated, no money moves: {address}\n" in said
        assert f"Texts are simulated, read and answer them here: {address}/phones\n" in said
        environments = [opened.child(part).environ() for part in ("streamlit", "jobs")]
        for environment in environments:
            assert environment["STRIPE_API_BASE"] == environment["TWILIO_API_BASE"] == address
            assert environment["STRIPE_WEBHOOK_SECRET"] in stand_in
            assert {environment[f"TWILIO_{name}"] for name in ("ACCOUNT_SID", "AUTH_TOKEN")} <= set(stand_in)
        assert f"http://localhost:{opened.port}/webhooks/twilio/status" in stand_in
        assert httpx.get(f"{address}/phones").is_success
        answer = httpx.get(
            f"{address}/v1/events",
            headers={"Authorization": f"Bearer {environments[0]['STRIPE_SECRET_KEY']}"},
        )
        assert answer.json()["data"] == []


def test_a_second_ctrl_c_leaves_no_orphans(seeded: Path) -> None:
    launcher = Launcher(seeded)
    launcher.wait_until_open()
    children = launcher.children()
    for _ in range(5):
        launcher.process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert launcher.process.wait(30) == 0
    assert all_gone(children, within_seconds=0)


def test_ctrl_c_while_it_starts_leaves_no_orphans(seeded: Path) -> None:
    launcher = Launcher(seeded)
    while not launcher.children():
        time.sleep(0.01)
    children = launcher.children()
    assert launcher.stop() == 0
    assert all_gone(children, within_seconds=0)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("streamlit", "The portal ended"),
        ("sandbox", "The sandbox ended"),
        ("jobs", "The jobs process ended"),
        ("postgres", "The database ended"),
    ],
)
def test_when_one_part_dies_the_rest_stops_and_it_is_named(seeded: Path, part: str, words: str) -> None:
    launcher = Launcher(seeded)
    launcher.wait_until_open()
    children = launcher.children()
    launcher.child(part).kill()
    assert launcher.process.wait(30) == 1
    assert words in launcher.said.read_text().splitlines()[-1]
    assert "launch.py" not in launcher.said.read_text()  # a job may fail loudly, the launcher may not
    assert all_gone(children)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_killed_launcher_takes_its_children_along_and_the_next_one_starts(seeded: Path) -> None:
    launcher = Launcher(seeded)
    launcher.wait_until_open()
    children = launcher.children()
    launcher.process.kill()
    launcher.process.wait(10)
    again = Launcher(seeded, port=launcher.port)
    assert all_gone(children)
    again.wait_until_open()
    assert again.stop() == 0


def test_a_busy_port_is_one_sentence(seeded: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("", 0))
        busy.listen()
        port = busy.getsockname()[1]
        launcher = Launcher(seeded, port=port)
        assert launcher.process.wait(30) == 1
    said = launcher.said.read_text()
    assert said == f"Port {port} cannot be used: Address already in use. Set PORT to another one.\n"
    assert embedded.url_of_running(seeded / "postgres") is None


def test_with_accounts_of_ones_own_there_is_no_sandbox(seeded: Path) -> None:
    carrier = {
        "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
        "TWILIO_AUTH_TOKEN": "mine",
        "TWILIO_FROM": "+14155550100",
        "TWILIO_API_BASE": "http://127.0.0.1:1",
    }
    cards = {"STRIPE_SECRET_KEY": "sk_test_mine", "STRIPE_API_BASE": "http://127.0.0.1:1"}
    launcher = Launcher(seeded, **cards, **carrier)
    launcher.wait_until_open()
    assert launcher.child("streamlit").environ()["STRIPE_SECRET_KEY"] == "sk_test_mine"
    assert not any("sandbox" in child.cmdline() for child in launcher.process.children())
    assert launcher.stop() == 0


def test_a_busy_port_of_the_sandbox_is_one_sentence(seeded: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        launcher = Launcher(seeded, SANDBOX_PORT=str(port))
        assert launcher.process.wait(30) == 1
    said = launcher.said.read_text()
    assert said == f"Port {port} cannot be used: Address already in use. Set SANDBOX_PORT to another one.\n"
    assert embedded.url_of_running(seeded / "postgres") is None


@pytest.mark.parametrize(("port", "beside"), [("8501", 8601), ("65500", 65400)])
def test_the_sandbox_listens_beside_the_portal_unless_told(
    monkeypatch: pytest.MonkeyPatch, port: str, beside: int
) -> None:
    monkeypatch.setenv("PORT", port)
    assert sandboxes.port() == beside


def test_production_never_has_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sandboxes.is_wanted()
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "a secret key of this very clinic only")
    config.cache_clear()
    assert not sandboxes.is_wanted()


@pytest.mark.parametrize(
    ("real", "simulated"),
    [
        ({"STRIPE_SECRET_KEY": "sk_test_mine"}, "TWILIO_API_BASE"),
        (
            {
                "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
                "TWILIO_AUTH_TOKEN": "mine",
                "TWILIO_FROM": "+14155550100",
            },
            "STRIPE_API_BASE",
        ),
    ],
)
def test_the_sandbox_stands_in_only_for_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real: dict[str, str], simulated: str
) -> None:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
    monkeypatch.setattr(os, "environ", surroundings | real)
    assert sandboxes.is_wanted()
    module = sandboxes.ours(tmp_path)
    set_by_it = {name for name in os.environ if name.endswith("_API_BASE")}
    assert set_by_it == {simulated}
    assert real.items() <= os.environ.items()
    texts, cards = "--texts-account" in module, "--webhook-url" in module
    assert (texts, cards) == (simulated == "TWILIO_API_BASE", simulated == "STRIPE_API_BASE")
    assert config().texts_are_simulated is texts
    assert config().is_sandbox is cards
    assert not sandboxes.is_wanted()


def test_an_unreachable_database_is_one_sentence_at_once(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path, DATABASE_URL="postgresql://someone:hunter2@127.0.0.1:1/clinic")
    assert launcher.process.wait(30) == 1
    said = launcher.said.read_text()
    assert said.startswith("The database at postgresql://someone")
    assert said.endswith("@127.0.0.1:1/clinic cannot be reached: Connection refused\n")
    assert "hunter2" not in said
    assert len(said.splitlines()) == 1


def test_a_pid_file_that_names_a_strangers_process_does_not_harm_it(seeded: Path) -> None:
    """After a crash of the machine, the number in the pid file may be anybody's."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    lines = [str(stranger.pid), str(seeded / "postgres"), "1", "5432", "/tmp", "", "1 1", "ready"]  # noqa: S108
    (seeded / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    try:
        with embedded.running(seeded / "postgres") as url, psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM settings").fetchone() == (1,)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
