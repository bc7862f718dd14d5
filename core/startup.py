"""What has to be true before any process of the portal serves or works."""

import sys

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from db.config import config
from db.migrate import alembic_config
from db.models import ClinicSettings
from db.session import engine, require_reachable, unit_of_work


def require_schema() -> None:
    """Leave with one sentence unless the database answers and has today's schema."""
    require_reachable()
    current, newest = _schemas()
    if current != newest:
        sys.exit(f"The database schema is {current or 'empty'}, not {newest}: run `python -m db.migrate`.")


def has_schema() -> bool:
    """Whether the database, which answers, has today's schema."""
    current, newest = _schemas()
    return current == newest


def _schemas() -> tuple[str | None, str | None]:
    """The schema of the database, and today's."""
    newest = ScriptDirectory.from_config(alembic_config(engine())).get_current_head()
    with engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), newest


def require_ready() -> None:
    """Leave with one sentence unless the database holds a clinic, and one that fits.

    A demo clinic is refused in production: its passwords are public.
    """
    require_schema()
    with unit_of_work() as session:
        clinic = session.get(ClinicSettings, 1)
    if clinic is None:
        sys.exit("The database holds no clinic yet: run `python -m core.setup`.")
    if clinic.is_demo and config().is_production:
        sys.exit("This is the demo clinic, whose passwords are public: CLINIC_ENV=production refuses it.")
