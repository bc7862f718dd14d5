"""The PostgreSQL servers the tests can run on, and the databases made on them."""

import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from db.migrate import migrate
from db.session import new_engine

TEMPLATE = "migrated"

# Nothing here outlives the run, so nothing has to survive a power cut.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "max_wal_size": "128MB",  # it may lie in memory
}
MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has a name of its own
ROOMY = 2 << 30  # bytes: two servers and what they hold use less than half of it


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A directory for databases, gone at the end: in memory where there is room.

    ext4 keeps off the inodes of what was deleted in the last minutes and looks at each before it makes a
    file. A database is a thousand files, and each test that wants one deletes it: there it took ten times
    as long after a while.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOMY
    is_memory = has_room and psutil.virtual_memory().available > ROOMY
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if is_memory else None))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def system_binaries() -> Path | None:
    """The bin directory of the newest PostgreSQL installed by the system's packages, if there is one."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(told.stdout.strip()))
    servers = [place for place in found if (place / "initdb").exists()]
    return max(servers, key=lambda place: int((re.findall(r"\d+", str(place)) or [0])[-1]), default=None)


def url_of(server_url: str, database: str) -> str:
    """The URL of another database on the same server."""
    return (
        make_url(server_url).set(drivername="postgresql+psycopg", database=database).render_as_string(False)
    )


def make_template(server_url: str) -> None:
    """Make the migrated database that the others are copied from."""
    with _maintenance(server_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    engine = new_engine(url_of(server_url, TEMPLATE))
    try:
        migrate(engine)
    finally:
        engine.dispose()


@contextmanager
def fresh_database(server_url: str, template: str = TEMPLATE) -> Iterator[Engine]:
    """A database of one's own: 60 connections at once, gone at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with _maintenance(server_url) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    engine = new_engine(url_of(server_url, name), pool_size=60)
    try:
        yield engine
    finally:
        engine.dispose()
        with _maintenance(server_url) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _maintenance(server_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server_url, dbname="postgres", autocommit=True) as connection:
        yield connection
