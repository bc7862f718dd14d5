"""Sign-in attempts are counted, by account and by address, so that passwords cannot be guessed at leisure."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE sign_in_attempts (
            key TEXT NOT NULL,
            count INTEGER NOT NULL,
            is_refused BOOLEAN NOT NULL,
            locked_until TIMESTAMP WITH TIME ZONE,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_sign_in_attempts PRIMARY KEY (key),
            CONSTRAINT ck_sign_in_attempts_count_positive CHECK (count > 0)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE sign_in_attempts")
