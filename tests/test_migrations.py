"""The migrations: they go up and down, stand alone, and make the schema the models describe."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, text

from core import payouts, tills
from db.base import Base
from db.migrate import alembic_config, migrate
from db.models import PaymentMethod
from db.session import unit_of_work
from tests import make, servers
from tests.cast import NOW, assemble, on, time_is

ROOT = Path(__file__).parent.parent
VERSIONS = sorted(ROOT.glob("db/migrations/versions/*.py"))

COLUMNS = """
    SELECT c.table_name, c.column_name, c.data_type, c.udt_name, c.character_maximum_length, c.is_nullable,
           c.is_identity, c.column_default, c.is_generated, c.generation_expression
    FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name <> 'alembic_version'
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid IS DISTINCT FROM to_regclass('alembic_version')
"""
INDEXES = """
    SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace AND indrelid IS DISTINCT FROM to_regclass('alembic_version')
"""
TRIGGERS = """
    SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""
FUNCTIONS = """
    SELECT pg_get_functiondef(oid), '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def schema_of(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in connection.execute(text(query))), key=repr)


def test_the_schema_goes_up_down_and_up_again(database: Engine) -> None:
    command.downgrade(alembic_config(database), "base")
    assert set(inspect(database).get_table_names()) == {"alembic_version"}
    migrate(database)
    assert set(inspect(database).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_migrating_a_migrated_database_changes_nothing(database: Engine) -> None:
    migrate(database)
    command.check(alembic_config(database))


@pytest.mark.parametrize("migration", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_imports_no_code_that_will_change(migration: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(migration.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not imported & {"core", "db", "jobs", "pages"}


@pytest.mark.parametrize(
    "query",
    [COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, FUNCTIONS],
    ids=["columns", "constraints", "indexes", "triggers", "functions"],
)
def test_the_models_describe_the_migrated_schema(server_url: str, migrated: Engine, query: str) -> None:
    with servers.fresh_database(server_url, template="template1") as modelled:
        Base.metadata.create_all(modelled)
        with modelled.connect() as described, migrated.connect() as actual:
            assert schema_of(described, query) == schema_of(actual, query)


def test_visits_that_are_ahead_keep_the_clinics_cancellation_window_and_money_may_go(
    database: Engine,
) -> None:
    with unit_of_work(database) as session, time_is(NOW):
        cast = assemble(session)
        make.clinic(session, cancellation_hours=48)
        visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
        paid = tills.take(
            session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=3000
        )
        payouts.pay_back(session, cast.desk, payment_id=paid.id, amount_minor=100, reason="Goodwill")
    command.downgrade(alembic_config(database), "0007")
    migrate(database)
    with database.connect() as connection:
        [hours] = connection.scalars(text("SELECT cancellation_hours FROM appointments"))
    assert hours == 48


def test_two_processes_may_migrate_at_once(server_url: str) -> None:
    """Whoever comes second waits for the lock, and then finds nothing left to do."""
    with servers.fresh_database(server_url, template="template1") as empty:
        environment = {**os.environ, "DATABASE_URL": empty.url.render_as_string(hide_password=False)}
        both = [
            subprocess.Popen([sys.executable, "-m", "db.migrate"], cwd=ROOT, env=environment)
            for _ in range(2)
        ]
        assert [process.wait(60) for process in both] == [0, 0]
        assert "appointments" in inspect(empty).get_table_names()


def test_an_interrupted_migration_leaves_nothing_behind(server_url: str) -> None:
    with servers.fresh_database(server_url, template="template1") as empty:
        with empty.begin() as connection:
            connection.execute(text("CREATE TABLE appointments (id int)"))
        with pytest.raises(Exception, match="already exists") as caught:
            migrate(empty)
        assert isinstance(caught.value.__cause__, psycopg.errors.DuplicateTable)
        assert inspect(empty).get_table_names() == ["appointments"]
