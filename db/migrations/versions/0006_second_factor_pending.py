"""A new phone's secret waits beside the old one until a code has shown that it works."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN totp_pending TEXT")


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP totp_pending")
