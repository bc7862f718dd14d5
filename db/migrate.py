"""Bring the database to the newest schema: `python -m db.migrate [revision]`."""

import argparse
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from db.session import engine, require_reachable


def alembic_config(bind: Engine) -> Config:
    """Alembic's configuration for our migrations on `bind`, with nothing read from an ini file."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["engine"] = bind
    return configuration


def migrate(bind: Engine, revision: str = "head") -> None:
    """Upgrade the schema behind `bind` to `revision`. Two at once wait for each other."""
    command.upgrade(alembic_config(bind), revision)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m db.migrate", description=__doc__)
    parser.add_argument("revision", nargs="?", default="head", help="upgrade up to here (default: newest)")
    arguments = parser.parse_args()
    require_reachable()
    migrate(engine(), arguments.revision)


if __name__ == "__main__":
    main()
