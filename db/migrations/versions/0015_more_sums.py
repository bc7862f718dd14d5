"""Figures: visits by hour, lead and word of the patient, who came for the first time, and days ahead."""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = [
    "DELETE FROM summed_days",  # to be summed up again, by more than before
    "ALTER TABLE visit_days DROP COLUMN overbooked",
    """
    CREATE INDEX ix_appointments_completed ON appointments (patient_id, starts_at)
    INCLUDE (doctor_id, service_id, location_id) WHERE status = 'completed'
    """,
    """
    CREATE TABLE odds_days (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        on_date DATE NOT NULL,
        service_id INTEGER,
        location_id INTEGER,
        trait TEXT NOT NULL,
        value INTEGER NOT NULL,
        booked INTEGER NOT NULL,
        completed INTEGER NOT NULL,
        missed INTEGER NOT NULL,
        CONSTRAINT pk_odds_days PRIMARY KEY (id),
        CONSTRAINT ck_odds_days_parts_of_booked CHECK (completed + missed <= booked),
        CONSTRAINT ck_odds_days_trait_known CHECK (trait IN ('hour', 'lead', 'confirmed')),
        CONSTRAINT fk_odds_days_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_odds_days_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_odds_days_group ON odds_days (on_date, service_id, location_id, trait, value)
    NULLS NOT DISTINCT
    """,
    """
    CREATE INDEX ix_odds_days_service_id_location_id_on_date ON odds_days (service_id, location_id, on_date)
    """,
    """
    CREATE TABLE patient_days (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        on_date DATE NOT NULL,
        service_id INTEGER,
        location_id INTEGER,
        first_on DATE NOT NULL,
        first_ever INTEGER NOT NULL,
        first_in_month INTEGER NOT NULL,
        first_in_week INTEGER NOT NULL,
        first_in_day INTEGER NOT NULL,
        CONSTRAINT pk_patient_days PRIMARY KEY (id),
        CONSTRAINT fk_patient_days_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_patient_days_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_patient_days_group ON patient_days (on_date, service_id, location_id, first_on)
    NULLS NOT DISTINCT
    """,
    """
    CREATE INDEX ix_patient_days_service_id_location_id_on_date
    ON patient_days (service_id, location_id, on_date)
    """,
    "ALTER TABLE summed_days ADD COLUMN kind VARCHAR(20) NOT NULL",
    "ALTER TABLE summed_days ADD CONSTRAINT ck_summed_days_sumkind_known CHECK (kind IN ('visits', 'patients'))",
    "ALTER TABLE summed_days DROP CONSTRAINT pk_summed_days",
    "ALTER TABLE summed_days ADD CONSTRAINT pk_summed_days PRIMARY KEY (kind, on_date)",
    "ALTER TABLE changed_stretches ADD COLUMN kind VARCHAR(20) DEFAULT 'visits' NOT NULL",
    """
    ALTER TABLE changed_stretches ADD CONSTRAINT ck_changed_stretches_sumkind_known
    CHECK (kind IN ('visits', 'patients'))
    """,
    """
    CREATE OR REPLACE FUNCTION note_new_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(blocked)), max(upper(blocked)) FROM new_rows HAVING count(*) > 0;
        INSERT INTO changed_stretches (kind, begins_at)
        SELECT 'patients', min(starts_at) FROM new_rows WHERE status = 'completed' HAVING count(*) > 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION note_changed_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(span)), max(upper(span)) FROM (
            SELECT o.blocked AS was, n.blocked AS is_now FROM old_rows o JOIN new_rows n USING (id)
            WHERE (o.starts_at, o.ends_at, o.blocked, o.doctor_id, o.service_id, o.location_id, o.status,
                   o.price_minor, o.arrived_at, o.in_room_at, o.attending_at IS NULL)
                IS DISTINCT FROM
                  (n.starts_at, n.ends_at, n.blocked, n.doctor_id, n.service_id, n.location_id, n.status,
                   n.price_minor, n.arrived_at, n.in_room_at, n.attending_at IS NULL)
        ) AS changed CROSS JOIN LATERAL (VALUES (1, was), (2, is_now)) AS v (which, span)
        GROUP BY which;
        INSERT INTO changed_stretches (kind, begins_at)
        SELECT 'patients', min(least(o.starts_at, n.starts_at)) FROM old_rows o JOIN new_rows n USING (id)
        WHERE 'completed' IN (o.status, n.status)
            AND (o.status, o.starts_at, o.patient_id, o.service_id, o.location_id)
                IS DISTINCT FROM (n.status, n.starts_at, n.patient_id, n.service_id, n.location_id)
        HAVING count(*) > 0;
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT e.at, e.at FROM old_rows o JOIN new_rows n USING (id)
        JOIN ledger_entries e ON e.appointment_id = n.id
        WHERE (o.doctor_id, o.service_id, o.location_id)
            IS DISTINCT FROM (n.doctor_id, n.service_id, n.location_id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION note_clinic() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (kind) VALUES ('visits'), ('patients');
        RETURN NULL;
    END $$
    """,
]

DROPS = [
    "DROP INDEX ix_appointments_completed",
    """
    CREATE OR REPLACE FUNCTION note_new_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(blocked)), max(upper(blocked)) FROM new_rows HAVING count(*) > 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION note_changed_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(span)), max(upper(span)) FROM (
            SELECT o.blocked AS was, n.blocked AS is_now FROM old_rows o JOIN new_rows n USING (id)
            WHERE (o.starts_at, o.ends_at, o.blocked, o.doctor_id, o.service_id, o.location_id, o.status,
                   o.price_minor, o.arrived_at, o.in_room_at, o.overbook_reason)
                IS DISTINCT FROM
                  (n.starts_at, n.ends_at, n.blocked, n.doctor_id, n.service_id, n.location_id, n.status,
                   n.price_minor, n.arrived_at, n.in_room_at, n.overbook_reason)
        ) AS changed CROSS JOIN LATERAL (VALUES (1, was), (2, is_now)) AS v (which, span)
        GROUP BY which;
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT e.at, e.at FROM old_rows o JOIN new_rows n USING (id)
        JOIN ledger_entries e ON e.appointment_id = n.id
        WHERE (o.doctor_id, o.service_id, o.location_id)
            IS DISTINCT FROM (n.doctor_id, n.service_id, n.location_id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION note_clinic() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at) VALUES (NULL, NULL);
        RETURN NULL;
    END $$
    """,
    "DELETE FROM changed_stretches WHERE kind = 'patients'",
    "DELETE FROM summed_days",
    "ALTER TABLE changed_stretches DROP COLUMN kind",
    "ALTER TABLE summed_days DROP CONSTRAINT pk_summed_days",
    "ALTER TABLE summed_days DROP COLUMN kind",
    "ALTER TABLE summed_days ADD CONSTRAINT pk_summed_days PRIMARY KEY (on_date)",
    "DROP TABLE patient_days, odds_days",
    "DELETE FROM visit_days",
    "ALTER TABLE visit_days ADD COLUMN overbooked INTEGER NOT NULL",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROPS:
        op.execute(statement)
