"""Which visits were without hours when their hour came, so that they stay on the desk's list until settled."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = [
    """CREATE TABLE stranded_visits (
        appointment_id INTEGER NOT NULL,
        time_version INTEGER NOT NULL,
        causes TEXT[] NOT NULL,
        noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_stranded_visits PRIMARY KEY (appointment_id),
        CONSTRAINT fk_stranded_visits_appointment_id FOREIGN KEY(appointment_id)
            REFERENCES appointments (id),
        CONSTRAINT ck_stranded_visits_causes_given CHECK (cardinality(causes) > 0)
    )""",
    "CREATE INDEX ix_appointments_arrived ON appointments (starts_at) WHERE status = 'arrived'",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_appointments_arrived")
    op.execute("DROP TABLE stranded_visits")
