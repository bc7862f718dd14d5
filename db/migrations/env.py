"""How Alembic reaches the database. Migrations stand alone: none imports a model."""

from alembic import context
from sqlalchemy import text

from db.base import Base
from db.models import Appointment  # noqa: F401 - fills the metadata that `alembic check` compares
from db.session import engine

bind = context.config.attributes.get("engine") or engine()

MIGRATION_LOCK = 7_031_001  # any number of our own: held so that two processes starting together take turns

with bind.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.run_migrations()
