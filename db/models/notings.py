"""What notes that a day which may be summed up has changed: triggers, in the transaction that changes it."""

from sqlalchemy import DDL, event

from db.base import Base

NOTING = (
    # One row a statement, so that loading a million visits notes one. A visit takes time of every day that it
    # reaches into, with its buffers. Who has come is new or not on any day after it.
    """
    CREATE FUNCTION note_new_visits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (begins_at, ends_at)
        SELECT min(lower(blocked)), max(upper(blocked)) FROM new_rows HAVING count(*) > 0;
        INSERT INTO changed_stretches (kind, begins_at)
        SELECT 'patients', min(starts_at) FROM new_rows WHERE status = 'completed' HAVING count(*) > 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_new AFTER INSERT ON appointments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_visits()
    """,
    # A visit that goes to another doctor takes its money along, on the days on which that was written down.
    """
    CREATE FUNCTION note_changed_visits() RETURNS trigger LANGUAGE plpgsql AS $$
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
    CREATE TRIGGER note_changed AFTER UPDATE ON appointments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_visits()
    """,
    # What is invoiced or paid counts on its own day, and for what the visit has earned on the visit's.
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
    # A date of the clinic's lies between these instants whatever its zone is. One at the ends of the calendar
    # counts as none: Python has no instants beyond it.
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
    # Hours that end earlier or later change nothing before the earlier of both ends.
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
    # In another zone every day begins at another instant; what is earned is in the clinic's currency.
    """
    CREATE FUNCTION note_clinic() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changed_stretches (kind) VALUES ('visits'), ('patients');
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_clinic AFTER UPDATE OF time_zone, currency ON settings FOR EACH ROW
    WHEN ((OLD.time_zone, OLD.currency) IS DISTINCT FROM (NEW.time_zone, NEW.currency))
    EXECUTE FUNCTION note_clinic()
    """,
)
for _statement in NOTING:
    event.listen(Base.metadata, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call] # SQLAlchemy's own
