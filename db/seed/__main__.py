"""Load a demo clinic into a migrated, empty database.

The clinic has a past of eighteen months, a list for today and a half-full diary ahead. With --appointments
it becomes a large one to measure with. A demo clinic is never loaded over anything else, nor in production.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from sqlalchemy import Connection, text

from db.config import config
from db.seed import tables
from db.seed.loading import Plan, load
from db.session import engine, require_reachable

SEED_LOCK = 7_031_002  # held so that of two processes starting together only one loads
_PATIENTS = 800
_MOST_PATIENTS = 100_000


def main(words: Sequence[str] | None = None) -> None:
    """Load as the command line says; leave with one sentence where that must not be."""
    arguments = _parser().parse_args(words)
    if config().is_production:
        sys.exit("CLINIC_ENV is production: a demo clinic is not loaded there.")
    require_reachable()
    started = time.perf_counter()
    with engine().begin() as connection:
        is_free = _make_room(connection, arguments)
        if is_free:
            now = connection.execute(text("SELECT now()")).scalar_one()
            counts = load(connection, _plan(arguments), now)
    if not is_free:
        sys.stdout.write("The database already has a clinic; nothing was loaded.\n")
        return
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        tables.analyze(connection)
    seconds = time.perf_counter() - started
    sys.stdout.write(
        f"Loaded {counts.doctors:,} doctors, {counts.patients:,} patients,"
        f" {counts.appointments:,} appointments and {counts.events:,} events in {seconds:.1f} s.\n"
    )


def _make_room(connection: Connection, arguments: argparse.Namespace) -> bool:
    """Whether the tables are empty now and may be filled; false when there is nothing to do."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SEED_LOCK})
    if not tables.exist(connection):
        sys.exit("The database has no tables yet: run `python -m db.migrate` first.")
    if tables.are_empty(connection):
        return True
    if arguments.if_empty:
        return False
    if not arguments.reset:
        sys.exit(
            "The database already has a clinic; use --reset to replace a demo, or --if-empty to keep it."
        )
    if not tables.hold_a_demo(connection):
        sys.exit("The clinic in this database is not a demo, so it is not emptied.")
    tables.empty(connection)
    return True


def _plan(arguments: argparse.Namespace) -> Plan:
    """The plan asked for. A large clinic has a patient for ten visits, unless told otherwise."""
    patients = arguments.patients
    if patients is None:
        patients = min(max((arguments.appointments or 0) // 10, _PATIENTS), _MOST_PATIENTS)
    return Plan(arguments.seed, arguments.doctors, patients, arguments.appointments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m db.seed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--if-empty", action="store_true", help="do nothing when there is a clinic already")
    existing.add_argument(
        "--reset", action="store_true", help="delete everything first; only from a demo clinic"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another number makes another clinic (default: 1)"
    )
    parser.add_argument(
        "--doctors", type=_count, default=12, metavar="N", help="how many doctors (default: 12)"
    )
    parser.add_argument(
        "--patients",
        type=_count,
        metavar="N",
        help=f"how many patients (default: {_PATIENTS}, or one for every ten appointments asked for)",
    )
    parser.add_argument(
        "--appointments",
        type=_count,
        metavar="N",
        help="exactly so many, as far back as that takes (default: what eighteen months bring)",
    )
    return parser


def _count(word: str) -> int:
    """A whole number of at least one, for argparse."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    main()
