"""The whole clinic from one command: `python -m jobs.launch`, which is what `make run` calls.

Starts the embedded database when DATABASE_URL is not set, brings the schema up to date, loads the demo
clinic into an empty database outside production, and starts the portal and the jobs process. Ctrl-C,
SIGTERM or a closed terminal stops them in the opposite order, and so does the end of any of them.

Every child has a session of its own, so that only the launcher hears the terminal, and a signal only sets
a flag: nothing here is ever interrupted halfway, so nothing is left behind by a second Ctrl-C. When the
launcher itself is killed with -9, Linux ends the children (elsewhere the portal and the jobs stay, and the
next start says that the port is busy).
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from core.startup import has_schema, require_ready
from db import embedded
from db.config import config
from db.data_directories import ServerRefused
from db.models import ClinicSettings
from db.seed import tables
from db.seed.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD
from db.session import engine, require_reachable, unit_of_work
from jobs import sandboxes

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 8  # for open requests and running jobs, before a child is killed

Child = subprocess.Popen[bytes]


class StopRequest:
    """Whether somebody has asked the clinic to stop. Polled, since a handler must not take locks."""

    asked = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        self.asked = True


def children_of(port: int) -> dict[str, list[str]]:
    """The processes that make up a running clinic, beside its database."""
    portal = ["streamlit", "run", "server.py", "--server.port", str(port), "--server.headless", "true"]
    if not config().is_production:  # the demo's passwords are in the README: for this machine only
        portal += ["--server.address", "localhost"]
    return {
        "portal": [*portal, "--logger.hideWelcomeMessage", "true"],
        "jobs process": ["jobs"],
    }


def start(module: list[str]) -> Child:
    """Start `python -m module...` as a child that ends with us."""
    return subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *module],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=embedded.dying_with_us(signal.SIGKILL),  # noqa: PLW1509 - the launcher has no threads
    )


def finish(children: list[Child]) -> None:
    """Ask all to stop, wait a moment, and kill what is left."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def run(stop: StopRequest, *module: str) -> None:
    """Run `python -m module...` to its end, and leave with its exit code when it fails: it has said why.

    Once somebody has asked to stop, nothing more is begun.
    """
    if stop.asked:
        return
    child = start(list(module))
    while child.poll() is None and not stop.asked:
        time.sleep(0.02)
    finish([child])
    if not stop.asked and child.returncode != 0:
        sys.exit(abs(child.returncode))


@contextmanager
def database(directory: Path) -> Iterator[Path | None]:
    """Have a database for the block: the one DATABASE_URL names, else our own.

    Yields the directory of our own.
    """
    own = nullcontext() if os.environ.get("DATABASE_URL") else embedded.running(directory)
    with own as url:
        if url is not None:
            os.environ["DATABASE_URL"] = url
        yield None if url is None else directory


def require_free(port: int, *, variable: str, host: str = "") -> None:
    """Leave with one sentence, which says what to set, when nobody could listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(f"Port {port} cannot be used: {error.strerror}. Set {variable} to another one.")


def answers(port: int) -> bool:
    """Whether the portal is up."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def welcome() -> None:
    """Say where the clinic is and, if it is a demo, how to get in."""
    lines = [f"The clinic is open at {config().public_url}"]
    with unit_of_work() as session:
        clinic = session.get(ClinicSettings, 1)
    if clinic is not None and clinic.is_demo:
        width = max(len(username) for username in DEMO_ACCOUNTS)
        lines.append(f"Sign in with the password {DEMO_PASSWORD} as")
        lines += [f"  {username:<{width}}  {who}" for username, who in DEMO_ACCOUNTS.items()]
    if config().is_sandbox:
        lines.append(f"Payments are simulated, no money moves: {config().stripe_api_base}")
    if config().texts_are_simulated:
        lines.append(f"Texts are simulated, read and answer them here: {config().twilio_api_base}/phones")
    lines.append("Press Ctrl-C to stop it.")
    sys.stdout.write("\n" + "\n".join(lines) + "\n\n")
    sys.stdout.flush()


def ended(children: dict[str, Child], own_database: Path | None) -> str | None:
    """Which part of the clinic has ended by itself, as a sentence."""
    for name, child in children.items():
        if child.poll() is not None:
            return f"The {name} ended by itself (exit code {child.returncode}); all is stopped."
    if own_database is not None and embedded.url_of_running(own_database) is None:
        return "The database ended by itself; all is stopped."
    return None


def serve(stop: StopRequest, own_database: Path | None, stand_in: list[str] | None) -> None:
    """Run the portal and the jobs until somebody asks to stop, or a part ends, which is exit code 1.

    `stand_in` is the module that stands in for the card processor or the carrier, where there is none.
    """
    modules = ({"sandbox": stand_in} if stand_in else {}) | children_of(config().port)
    children = {name: start(module) for name, module in modules.items()}
    failure = None
    is_welcomed = False
    try:
        while not stop.asked and failure is None:
            if not is_welcomed and answers(config().port):
                welcome()
                is_welcomed = True
            time.sleep(0.1)
            failure = ended(children, own_database)
    finally:
        engine().dispose()
        finish(list(children.values()))
    if failure is not None:
        sys.exit(failure)


def prepare(stop: StopRequest) -> None:
    """Bring the schema up to date, and load a demo where no clinic is: no process begins to find it done."""
    if not has_schema():
        run(stop, "db.migrate")
    if not config().is_production and not has_clinic():
        run(stop, "db.seed", "--if-empty")


def has_clinic() -> bool:
    """Whether somebody has set up a clinic here. Only a stop leaves us without tables."""
    with engine().connect() as connection:
        return tables.exist(connection) and not tables.are_empty(connection)


def launch(directory: Path, stop: StopRequest) -> None:
    """Run the clinic until it is asked to stop."""
    with database(directory) as own_database:
        if os.environ.get("PORT") and not os.environ.get("PUBLIC_URL"):
            os.environ["PUBLIC_URL"] = f"http://localhost:{os.environ['PORT']}"
        require_free(config().port, variable="PORT")
        stand_in = None
        if sandboxes.is_wanted():
            require_free(sandboxes.port(), variable="SANDBOX_PORT", host=sandboxes.HOST)
            stand_in = sandboxes.ours(directory.parent / "sandbox")
        require_reachable()
        prepare(stop)
        if not stop.asked:
            require_ready()
            serve(stop, own_database, stand_in)


def reset_demo(directory: Path, stop: StopRequest) -> None:
    """Replace the demo clinic by a fresh one, also while it runs. Whatever is not a demo is left alone."""
    running = None if os.environ.get("DATABASE_URL") else embedded.url_of_running(directory)
    if running is not None:
        os.environ["DATABASE_URL"] = running
    with database(directory):
        require_reachable()
        run(stop, "db.migrate")
        run(stop, "db.seed", "--reset")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m jobs.launch", description="Run the whole clinic.")
    parser.add_argument("--reset-demo", action="store_true", help="make a fresh demo clinic instead")
    arguments = parser.parse_args()
    stop = StopRequest()
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup make run` has it
        signal.signal(signal.SIGHUP, stop)
    directory = Path(os.environ.get("CLINIC_VAR") or ROOT / "var") / "postgres"
    try:
        (reset_demo if arguments.reset_demo else launch)(directory, stop)
    except ServerRefused as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
