"""The clinic's own language, and those that the portal offers."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = [
    "ALTER TABLE settings ADD COLUMN locale TEXT DEFAULT 'en' NOT NULL",
    "ALTER TABLE settings ADD COLUMN locales TEXT[] DEFAULT '{en,en_GB}' NOT NULL",
    "ALTER TABLE settings ADD CONSTRAINT ck_settings_own_language_offered CHECK (locale = ANY (locales))",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE settings DROP COLUMN locales")
    op.execute("ALTER TABLE settings DROP COLUMN locale")
