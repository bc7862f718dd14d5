"""A new phone's secret waits beside the old one until it works; messages with a code know how long it does."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = [
    "ALTER TABLE users ADD COLUMN totp_pending TEXT",
    "ALTER TABLE notifications ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE",
    "DROP INDEX ix_notifications_send_after",
    "CREATE INDEX ix_notifications_send_after ON notifications (send_after) WHERE status IN ('pending', 'sending')",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_notifications_send_after")
    op.execute("CREATE INDEX ix_notifications_send_after ON notifications (send_after) WHERE status = 'pending'")
    op.execute("ALTER TABLE notifications DROP expires_at")
    op.execute("ALTER TABLE users DROP totp_pending")
