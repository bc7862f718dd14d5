"""A sign-in may wait for its second factor, and what another site said of somebody counts once."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE sign_in_grants ADD COLUMN awaits_second_factor BOOLEAN DEFAULT false NOT NULL")
    op.execute("ALTER TABLE social_identities ADD COLUMN last_issued_at TIMESTAMP WITH TIME ZONE")


def downgrade() -> None:
    op.execute("ALTER TABLE social_identities DROP last_issued_at")
    op.execute("ALTER TABLE sign_in_grants DROP awaits_second_factor")
