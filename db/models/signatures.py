"""What keeps signed documents as they were signed, whoever asks the database to change them."""

from sqlalchemy import DDL, event

from db.base import Base

# An erased patient's documents go with the rest of the record, once the years of keeping them are over:
# `core.erasures.anonymise` leaves this birth date, and only then.
KEEPING = (
    """
    CREATE FUNCTION is_anonymised(patient integer) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT EXISTS (
            SELECT FROM patients
            WHERE id = patient AND erased_at IS NOT NULL AND birth_on = DATE '1900-01-01')
    $$
    """,
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'what a doctor has signed is never changed'
        USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE FUNCTION keep_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT is_anonymised((SELECT patient_id FROM appointments WHERE id = OLD.appointment_id)) THEN
            RAISE EXCEPTION 'what a doctor has signed is never removed'
            USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END $$
    """,
    """
    CREATE FUNCTION keep_signed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.signed_at IS NOT NULL AND NOT is_anonymised(OLD.patient_id) THEN
            RAISE EXCEPTION 'what a doctor has signed is never removed'
            USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END $$
    """,
    # A withdrawn prescription says when, by whom and why, once; nothing else of a signed one changes.
    """
    CREATE FUNCTION keep_prescription() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.withdrawn_at IS NOT NULL OR (
            to_jsonb(OLD) - ARRAY['withdrawn_at', 'withdrawn_by_id', 'withdrawal_reason']
            IS DISTINCT FROM to_jsonb(NEW) - ARRAY['withdrawn_at', 'withdrawn_by_id', 'withdrawal_reason']
        ) THEN
            RAISE EXCEPTION 'what a doctor has signed is never changed'
            USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION keep_item() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        whole prescriptions;
    BEGIN
        FOR whole IN
            SELECT * FROM prescriptions
            WHERE id IN (OLD.prescription_id, NEW.prescription_id) ORDER BY id FOR SHARE
        LOOP
            IF whole.signed_at IS NOT NULL AND NOT (TG_OP = 'DELETE' AND is_anonymised(whole.patient_id)) THEN
                RAISE EXCEPTION 'what a doctor has signed is never changed'
                USING ERRCODE = 'insufficient_privilege';
            END IF;
        END LOOP;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END $$
    """,
    # What was on its way while a patient was erased does not arrive.
    """
    CREATE FUNCTION refuse_for_erased() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF is_anonymised(NEW.patient_id) THEN
            RAISE EXCEPTION 'this patient has been erased' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER patient_is_there BEFORE INSERT ON {table}
        FOR EACH ROW EXECUTE FUNCTION refuse_for_erased()
        """
        for table in ("record_items", "prescriptions", "letters", "attachments")
    ),
    """
    CREATE TRIGGER never_changed BEFORE UPDATE ON note_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER kept BEFORE DELETE ON note_versions FOR EACH ROW EXECUTE FUNCTION keep_note()
    """,
    """
    CREATE TRIGGER signed_stays BEFORE UPDATE ON prescriptions
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION keep_prescription()
    """,
    """
    CREATE TRIGGER kept BEFORE DELETE ON prescriptions FOR EACH ROW EXECUTE FUNCTION keep_signed()
    """,
    """
    CREATE TRIGGER signed_stays BEFORE INSERT OR UPDATE OR DELETE ON prescription_items
    FOR EACH ROW EXECUTE FUNCTION keep_item()
    """,
    """
    CREATE TRIGGER signed_stays BEFORE UPDATE ON letters
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER kept BEFORE DELETE ON letters FOR EACH ROW EXECUTE FUNCTION keep_signed()
    """,
    *(
        f"""
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
        for table in ("note_versions", "prescriptions", "prescription_items", "letters")
    ),
)
for _statement in KEEPING:
    event.listen(Base.metadata, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call] # SQLAlchemy's own
