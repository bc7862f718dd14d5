"""The tables as a whole: filled by COPY, emptied, counted on, and their sequences moved along."""

from collections.abc import Iterable
from typing import NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, text

from db.base import Base


def copy_rows(connection: Connection, table: Table, rows: Iterable[NamedTuple]) -> None:
    """Copy `rows`, which share one shape named after the columns, into `table`."""
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, first._fields))
    )
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - narrows the type; the engine allows no other
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write_row(first)
        for row in remaining:
            copy.write_row(row)


def align_sequences(connection: Connection) -> None:
    """Let every id sequence go on from the highest id there is: from 1 in an empty table."""
    for table in Base.metadata.sorted_tables:
        sequence = table.autoincrement_column is not None and connection.scalar(
            text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}
        )
        if sequence:
            connection.execute(
                text(f"SELECT setval(:sequence, (SELECT coalesce(max(id), 0) + 1 FROM {table.name}), false)"),  # noqa: S608 - names from our own models
                {"sequence": sequence},
            )


def exist(connection: Connection) -> bool:
    """Whether the database has been migrated."""
    return connection.scalar(text("SELECT to_regclass('settings') IS NOT NULL")) is True


def are_empty(connection: Connection) -> bool:
    """Whether nobody has set up a clinic here: no settings and no accounts."""
    found = connection.scalar(text("SELECT EXISTS (TABLE settings) OR EXISTS (TABLE users)"))
    return not found


def hold_a_demo(connection: Connection) -> bool:
    """Whether the clinic says of itself that it is a demo; a half-made one does not."""
    return connection.scalar(text("SELECT is_demo FROM settings")) is True


def empty(connection: Connection) -> None:
    """Delete every row of every table of ours. What guards the trail and signatures steps aside here."""
    trail = ("audit_entries", "audit_links")
    guarded = (*trail, "note_versions", "prescriptions", "prescription_items", "letters")
    for table in trail:
        connection.execute(text(f"GRANT TRUNCATE ON {table} TO CURRENT_USER"))
    for table in guarded:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied"))
    names = ", ".join(table.name for table in Base.metadata.sorted_tables if table.name != "audit_chains")
    connection.execute(text(f"TRUNCATE {names}"))
    connection.execute(text("UPDATE audit_chains SET links = 0, last_hash = sha256(CAST('' AS bytea))"))
    for table in guarded:
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER never_emptied"))
    for table in trail:
        connection.execute(text(f"REVOKE TRUNCATE ON {table} FROM CURRENT_USER"))


def analyze(connection: Connection) -> None:
    """Let the planner see the new rows; until then it takes every table for an empty one."""
    for table in Base.metadata.sorted_tables:
        connection.execute(text(f"ANALYZE {table.name}"))
