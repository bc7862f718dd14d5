"""The PostgreSQL servers the tests can run on, and the databases made on them."""

import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
}


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
