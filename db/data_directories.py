"""The directory with the data of a PostgreSQL: made, claimed by one process, and whose it is."""

import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped] # it comes without types

ACCOUNT = "clinic-postgres"  # PostgreSQL refuses to run as root, so root starts it as this system account
PATIENCE_SECONDS = 60  # a start may have to recover from a crash, a stop to write everything to disk


class ServerRefused(Exception):
    """The server could not be had; the message is one sentence for the person at the terminal."""


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
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


def account_of(directory: Path) -> pwd.struct_passwd | None:
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


def let_others_in(directory: Path, binaries: Path) -> None:
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


def server_on(directory: Path) -> psutil.Process | None:
    """The PostgreSQL that runs on `directory`; its pid file may be stale and name somebody else's process."""
    try:
        process = psutil.Process(int((directory / "postmaster.pid").read_text().splitlines()[0]))
        if process.name() == "postgres" and Path(process.cwd()) == directory:
            return process
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        pass
    return None


def end_leftover(directory: Path) -> None:
    """Stop the server of a launcher that was killed, and clear its pid file. Only the claim's holder may."""
    try:
        leftover = server_on(directory)
        if leftover is not None:
            leftover.send_signal(signal.SIGINT)
            leftover.wait(PATIENCE_SECONDS)
        (directory / "postmaster.pid").unlink(missing_ok=True)
    except psutil.TimeoutExpired:
        raise ServerRefused(f"An earlier PostgreSQL on {directory} does not stop.") from None
    except PermissionError:
        raise ServerRefused(f"The clinic in {directory} belongs to another user.") from None


def initialise(directory: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
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
        **as_account(account),
    )
    if outcome.returncode != 0:
        raise ServerRefused(f"{Path(command[0]).name} failed: {' '.join(outcome.stderr.split())}")
    return outcome.stdout


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
