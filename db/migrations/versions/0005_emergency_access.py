"""A doctor may open a record without a visit, with a reason that an administrator looks at."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = [
    """
    CREATE TABLE emergency_accesses (
        id SERIAL NOT NULL,
        doctor_id INTEGER NOT NULL,
        patient_id INTEGER NOT NULL,
        reason TEXT NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reviewed_at TIMESTAMP WITH TIME ZONE,
        reviewed_by_id INTEGER,
        CONSTRAINT pk_emergency_accesses PRIMARY KEY (id),
        CONSTRAINT ck_emergency_accesses_reason_given CHECK (reason <> ''),
        CONSTRAINT ck_emergency_accesses_expires_later CHECK (expires_at > opened_at),
        CONSTRAINT fk_emergency_accesses_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_emergency_accesses_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_emergency_accesses_reviewed_by_id FOREIGN KEY(reviewed_by_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_emergency_accesses_doctor_id_patient_id ON emergency_accesses (doctor_id, patient_id)",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE emergency_accesses")
