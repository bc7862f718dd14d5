"""Figures: what past days came to, what has changed of them since, and searches that found nothing."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = [
    """
    CREATE TABLE visit_days (
        on_date DATE NOT NULL,
        doctor_id INTEGER NOT NULL,
        service_id INTEGER NOT NULL,
        location_id INTEGER NOT NULL,
        booked INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        completed INTEGER NOT NULL,
        missed INTEGER NOT NULL,
        overbooked INTEGER NOT NULL,
        waited INTEGER NOT NULL,
        waited_seconds BIGINT NOT NULL,
        lead_seconds BIGINT NOT NULL,
        booked_minor BIGINT NOT NULL,
        earned_minor BIGINT NOT NULL,
        owed_minor BIGINT NOT NULL,
        lost_minor BIGINT NOT NULL,
        CONSTRAINT pk_visit_days PRIMARY KEY (on_date, doctor_id, service_id, location_id),
        CONSTRAINT ck_visit_days_parts_of_booked CHECK (completed + missed <= booked),
        CONSTRAINT fk_visit_days_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_visit_days_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_visit_days_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE money_days (
        on_date DATE NOT NULL,
        doctor_id INTEGER NOT NULL,
        service_id INTEGER NOT NULL,
        location_id INTEGER NOT NULL,
        currency TEXT NOT NULL,
        invoiced_minor BIGINT NOT NULL,
        received_online_minor BIGINT NOT NULL,
        received_terminal_minor BIGINT NOT NULL,
        received_cash_minor BIGINT NOT NULL,
        refunded_online_minor BIGINT NOT NULL,
        refunded_terminal_minor BIGINT NOT NULL,
        refunded_cash_minor BIGINT NOT NULL,
        CONSTRAINT pk_money_days PRIMARY KEY (on_date, doctor_id, service_id, location_id, currency),
        CONSTRAINT fk_money_days_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_money_days_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_money_days_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE hour_days (
        on_date DATE NOT NULL,
        doctor_id INTEGER NOT NULL,
        location_id INTEGER NOT NULL,
        hour INTEGER NOT NULL,
        offered_seconds INTEGER NOT NULL,
        booked_seconds INTEGER NOT NULL,
        CONSTRAINT pk_hour_days PRIMARY KEY (on_date, doctor_id, location_id, hour),
        CONSTRAINT ck_hour_days_hour_of_day CHECK (hour BETWEEN 0 AND 23),
        CONSTRAINT fk_hour_days_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_hour_days_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE summed_days (
        on_date DATE NOT NULL,
        summed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_summed_days PRIMARY KEY (on_date)
    )
    """,
    """
    CREATE TABLE changed_stretches (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        begins_at TIMESTAMP WITH TIME ZONE,
        ends_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_changed_stretches PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE empty_searches (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        service_id INTEGER NOT NULL,
        specialty_id INTEGER,
        location_id INTEGER,
        CONSTRAINT pk_empty_searches PRIMARY KEY (id),
        CONSTRAINT fk_empty_searches_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_empty_searches_specialty_id FOREIGN KEY(specialty_id) REFERENCES specialties (id),
        CONSTRAINT fk_empty_searches_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE INDEX ix_empty_searches_at ON empty_searches (at)
    """,
    """
    CREATE FUNCTION note_new_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(blocked)), max(upper(blocked)) FROM new_rows HAVING count(*) > 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_new AFTER INSERT ON appointments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_visits()
    """,
    """
    CREATE FUNCTION note_changed_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(span)), max(upper(span)) FROM (
            SELECT o.blocked AS was, n.blocked AS is_now FROM old_rows o JOIN new_rows n USING (id)
            WHERE (o.starts_at, o.ends_at, o.blocked, o.doctor_id, o.service_id, o.location_id, o.status,
                   o.price_minor, o.created_at, o.arrived_at, o.in_room_at, o.overbook_reason)
                IS DISTINCT FROM
                  (n.starts_at, n.ends_at, n.blocked, n.doctor_id, n.service_id, n.location_id, n.status,
                   n.price_minor, n.created_at, n.arrived_at, n.in_room_at, n.overbook_reason)
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
    CREATE TRIGGER note_changed AFTER UPDATE ON appointments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_visits()
    """,
    """
    CREATE FUNCTION note_new_entries() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(at), max(at) FROM new_rows HAVING count(*) > 0
        UNION
        SELECT min(a.starts_at), max(a.starts_at)
        FROM new_rows e JOIN appointments a ON a.id = e.appointment_id HAVING count(*) > 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_new AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_entries()
    """,
    """
    CREATE FUNCTION note_time_off() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            INSERT INTO changed_stretches (begins_at, ends_at) VALUES (OLD.starts_at, OLD.ends_at);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO changed_stretches (begins_at, ends_at) VALUES (NEW.starts_at, NEW.ends_at);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_changed AFTER INSERT OR UPDATE OR DELETE ON time_off
    FOR EACH ROW EXECUTE FUNCTION note_time_off()
    """,
    """
    CREATE FUNCTION note_dates(from_on date, until_on date) RETURNS void LANGUAGE sql AS $$
        INSERT INTO changed_stretches (begins_at, ends_at) VALUES (
            CAST(nullif(greatest(from_on, DATE '1000-01-01'), DATE '1000-01-01') - 1 AS timestamp)
                AT TIME ZONE 'UTC',
            CAST(nullif(least(until_on, DATE '9000-01-01'), DATE '9000-01-01') + 2 AS timestamp)
                AT TIME ZONE 'UTC')
    $$
    """,
    """
    CREATE FUNCTION note_date() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            PERFORM note_dates(OLD.on_date, OLD.on_date);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM note_dates(NEW.on_date, NEW.on_date);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_changed AFTER INSERT OR UPDATE OR DELETE ON date_overrides
    FOR EACH ROW EXECUTE FUNCTION note_date()
    """,
    """
    CREATE TRIGGER note_changed AFTER INSERT OR UPDATE OR DELETE ON closures
    FOR EACH ROW EXECUTE FUNCTION note_date()
    """,
    """
    CREATE FUNCTION note_weekly_hours() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF to_jsonb(NEW) - 'valid_until_on' = to_jsonb(OLD) - 'valid_until_on' THEN
                PERFORM note_dates(least(OLD.valid_until_on, NEW.valid_until_on), NULL);
                RETURN NULL;
            END IF;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            PERFORM note_dates(OLD.valid_from_on, OLD.valid_until_on);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM note_dates(NEW.valid_from_on, NEW.valid_until_on);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_changed AFTER INSERT OR UPDATE OR DELETE ON weekly_hours
    FOR EACH ROW EXECUTE FUNCTION note_weekly_hours()
    """,
    """
    CREATE FUNCTION note_clinic() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at) VALUES (NULL, NULL);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_clinic AFTER UPDATE OF time_zone, currency ON settings FOR EACH ROW
    WHEN ((OLD.time_zone, OLD.currency) IS DISTINCT FROM (NEW.time_zone, NEW.currency))
    EXECUTE FUNCTION note_clinic()
    """,
]

DROPS = [
    "DROP TRIGGER note_clinic ON settings",
    "DROP TRIGGER note_changed ON weekly_hours",
    "DROP TRIGGER note_changed ON closures",
    "DROP TRIGGER note_changed ON date_overrides",
    "DROP TRIGGER note_changed ON time_off",
    "DROP TRIGGER note_new ON ledger_entries",
    "DROP TRIGGER note_changed ON appointments",
    "DROP TRIGGER note_new ON appointments",
    "DROP FUNCTION note_clinic()",
    "DROP FUNCTION note_weekly_hours()",
    "DROP FUNCTION note_date()",
    "DROP FUNCTION note_dates(date, date)",
    "DROP FUNCTION note_time_off()",
    "DROP FUNCTION note_new_entries()",
    "DROP FUNCTION note_changed_visits()",
    "DROP FUNCTION note_new_visits()",
    "DROP TABLE empty_searches, changed_stretches, summed_days, hour_days, money_days, visit_days",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROPS:
        op.execute(statement)
