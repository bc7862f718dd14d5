"""The record: lists, notes, prescriptions, letters, files, questions before a visit; and the letterhead."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = [
    """
    CREATE TABLE intake_questions (
        id SERIAL NOT NULL,
        service_id INTEGER NOT NULL,
        position SMALLINT NOT NULL,
        question TEXT NOT NULL,
        kind VARCHAR(20) NOT NULL,
        choices TEXT[] DEFAULT '{}' NOT NULL,
        is_required BOOLEAN DEFAULT 'false' NOT NULL,
        retired_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_intake_questions PRIMARY KEY (id),
        CONSTRAINT ck_intake_questions_question_short CHECK (char_length(question) BETWEEN 1 AND 500),
        CONSTRAINT ck_intake_questions_choices_to_choose CHECK ((kind = 'choice') = (cardinality(choices) > 0)),
        CONSTRAINT ck_intake_questions_choices_few CHECK (cardinality(choices) <= 20),
        CONSTRAINT fk_intake_questions_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT ck_intake_questions_answerkind_known CHECK (kind IN ('text', 'yes_no', 'choice'))
    )
    """,
    """
    CREATE INDEX ix_intake_questions_service_id ON intake_questions (service_id)
    """,
    """
    CREATE TABLE letter_templates (
        id SERIAL NOT NULL,
        kind VARCHAR(20) NOT NULL,
        locale TEXT NOT NULL,
        text TEXT NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_by_id INTEGER,
        CONSTRAINT pk_letter_templates PRIMARY KEY (id),
        CONSTRAINT uq_letter_templates_kind_locale UNIQUE (kind, locale),
        CONSTRAINT ck_letter_templates_text_bounded CHECK (char_length(text) BETWEEN 1 AND 20000),
        CONSTRAINT ck_letter_templates_letterkind_known CHECK (kind IN ('referral', 'sick_note')),
        CONSTRAINT fk_letter_templates_changed_by_id FOREIGN KEY(changed_by_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE record_items (
        id SERIAL NOT NULL,
        patient_id INTEGER NOT NULL,
        kind VARCHAR(20) NOT NULL,
        name TEXT NOT NULL,
        details TEXT DEFAULT '' NOT NULL,
        severity VARCHAR(20),
        since_on DATE,
        noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        noted_by_id INTEGER,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by_id INTEGER,
        ending VARCHAR(20),
        request_key UUID,
        CONSTRAINT pk_record_items PRIMARY KEY (id),
        CONSTRAINT ck_record_items_name_short CHECK (char_length(name) BETWEEN 1 AND 200),
        CONSTRAINT ck_record_items_details_bounded CHECK (char_length(details) <= 20000),
        CONSTRAINT ck_record_items_severity_of_allergies CHECK (severity IS NULL OR kind = 'allergy'),
        CONSTRAINT ck_record_items_ended_for_a_reason CHECK ((ended_at IS NULL) = (ending IS NULL)),
        CONSTRAINT fk_record_items_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT ck_record_items_itemkind_known CHECK (kind IN ('problem', 'allergy', 'medication', 'history', 'vaccination')),
        CONSTRAINT ck_record_items_severity_known CHECK (severity IN ('mild', 'moderate', 'severe')),
        CONSTRAINT fk_record_items_noted_by_id FOREIGN KEY(noted_by_id) REFERENCES users (id),
        CONSTRAINT fk_record_items_ended_by_id FOREIGN KEY(ended_by_id) REFERENCES users (id),
        CONSTRAINT ck_record_items_ending_known CHECK (ending IN ('over', 'mistake')),
        CONSTRAINT uq_record_items_request_key UNIQUE (request_key)
    )
    """,
    """
    CREATE INDEX ix_record_items_patient_id ON record_items (patient_id)
    """,
    """
    CREATE TABLE attachments (
        id SERIAL NOT NULL,
        patient_id INTEGER NOT NULL,
        appointment_id INTEGER,
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 BYTEA NOT NULL,
        content BYTEA,
        added_at TIMESTAMP WITH TIME ZONE NOT NULL,
        added_by_id INTEGER NOT NULL,
        removed_at TIMESTAMP WITH TIME ZONE,
        request_key UUID,
        CONSTRAINT pk_attachments PRIMARY KEY (id),
        CONSTRAINT ck_attachments_kind_known CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg')),
        CONSTRAINT ck_attachments_size_bounded CHECK (size BETWEEN 1 AND 10485760),
        CONSTRAINT ck_attachments_size_true CHECK (octet_length(content) = size),
        CONSTRAINT ck_attachments_content_until_removed CHECK ((content IS NULL) = (removed_at IS NOT NULL)),
        CONSTRAINT ck_attachments_name_short CHECK (char_length(name) BETWEEN 1 AND 200),
        CONSTRAINT fk_attachments_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_attachments_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_attachments_added_by_id FOREIGN KEY(added_by_id) REFERENCES users (id),
        CONSTRAINT uq_attachments_request_key UNIQUE (request_key)
    )
    """,
    """
    CREATE INDEX ix_attachments_appointment_id ON attachments (appointment_id)
    """,
    """
    CREATE INDEX ix_attachments_patient_id ON attachments (patient_id)
    """,
    """
    CREATE TABLE intake_answers (
        id SERIAL NOT NULL,
        appointment_id INTEGER NOT NULL,
        question_id INTEGER NOT NULL,
        answer TEXT NOT NULL,
        answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        answered_by_id INTEGER NOT NULL,
        CONSTRAINT pk_intake_answers PRIMARY KEY (id),
        CONSTRAINT uq_intake_answers_appointment_id_question_id UNIQUE (appointment_id, question_id),
        CONSTRAINT ck_intake_answers_answer_bounded CHECK (char_length(answer) BETWEEN 1 AND 5000),
        CONSTRAINT fk_intake_answers_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_intake_answers_question_id FOREIGN KEY(question_id) REFERENCES intake_questions (id),
        CONSTRAINT fk_intake_answers_answered_by_id FOREIGN KEY(answered_by_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE letters (
        id SERIAL NOT NULL,
        patient_id INTEGER NOT NULL,
        doctor_id INTEGER NOT NULL,
        appointment_id INTEGER,
        kind VARCHAR(20) NOT NULL,
        addressee TEXT DEFAULT '' NOT NULL,
        body TEXT DEFAULT '' NOT NULL,
        absent_from DATE,
        absent_until DATE,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        revision INTEGER NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE,
        request_key UUID,
        CONSTRAINT pk_letters PRIMARY KEY (id),
        CONSTRAINT ck_letters_absence_in_order CHECK (signed_at IS NULL OR absent_until >= absent_from),
        CONSTRAINT ck_letters_last_day_of_sick_notes CHECK (absent_until IS NULL OR kind = 'sick_note'),
        CONSTRAINT ck_letters_absence_of_sick_notes CHECK (absent_from IS NULL OR kind = 'sick_note'),
        CONSTRAINT ck_letters_sick_note_dated CHECK (signed_at IS NULL OR kind <> 'sick_note' OR num_nulls(absent_from, absent_until) = 0),
        CONSTRAINT ck_letters_signed_not_empty CHECK (signed_at IS NULL OR body <> ''),
        CONSTRAINT ck_letters_addressee_short CHECK (char_length(addressee) <= 500),
        CONSTRAINT ck_letters_body_bounded CHECK (char_length(body) <= 20000),
        CONSTRAINT fk_letters_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_letters_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_letters_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT ck_letters_letterkind_known CHECK (kind IN ('referral', 'sick_note')),
        CONSTRAINT uq_letters_request_key UNIQUE (request_key)
    )
    """,
    """
    CREATE INDEX ix_letters_appointment_id ON letters (appointment_id)
    """,
    """
    CREATE INDEX ix_letters_patient_id ON letters (patient_id)
    """,
    """
    CREATE TABLE note_drafts (
        appointment_id INTEGER NOT NULL,
        doctor_id INTEGER NOT NULL,
        fields JSONB NOT NULL,
        revision INTEGER NOT NULL,
        saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_note_drafts PRIMARY KEY (appointment_id, doctor_id),
        CONSTRAINT ck_note_drafts_fields_by_name CHECK (jsonb_typeof(fields) = 'object'),
        CONSTRAINT ck_note_drafts_fields_bounded CHECK (octet_length(fields::text) <= 1000000),
        CONSTRAINT fk_note_drafts_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_note_drafts_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id)
    )
    """,
    """
    CREATE INDEX ix_note_drafts_doctor_id ON note_drafts (doctor_id)
    """,
    """
    CREATE TABLE note_releases (
        appointment_id INTEGER NOT NULL,
        released_at TIMESTAMP WITH TIME ZONE NOT NULL,
        released_by_id INTEGER NOT NULL,
        CONSTRAINT pk_note_releases PRIMARY KEY (appointment_id),
        CONSTRAINT fk_note_releases_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_note_releases_released_by_id FOREIGN KEY(released_by_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE note_versions (
        appointment_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        doctor_id INTEGER NOT NULL,
        reason TEXT NOT NULL,
        findings TEXT NOT NULL,
        assessment TEXT NOT NULL,
        plan TEXT NOT NULL,
        weight_grams INTEGER,
        height_mm INTEGER,
        systolic_mmhg INTEGER,
        diastolic_mmhg INTEGER,
        pulse_bpm INTEGER,
        temperature_decidegrees INTEGER,
        spo2_percent INTEGER,
        amendment TEXT NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_note_versions PRIMARY KEY (appointment_id, number),
        CONSTRAINT ck_note_versions_counted_from_one CHECK (number >= 1),
        CONSTRAINT ck_note_versions_amended_for_a_reason CHECK ((number = 1) = (amendment = '')),
        CONSTRAINT ck_note_versions_amendment_short CHECK (char_length(amendment) <= 500),
        CONSTRAINT ck_note_versions_not_empty CHECK (concat(reason, findings, assessment, plan) <> ''),
        CONSTRAINT ck_note_versions_reason_bounded CHECK (char_length(reason) <= 20000),
        CONSTRAINT ck_note_versions_findings_bounded CHECK (char_length(findings) <= 20000),
        CONSTRAINT ck_note_versions_assessment_bounded CHECK (char_length(assessment) <= 20000),
        CONSTRAINT ck_note_versions_plan_bounded CHECK (char_length(plan) <= 20000),
        CONSTRAINT ck_note_versions_weight_plausible CHECK (weight_grams BETWEEN 200 AND 700000),
        CONSTRAINT ck_note_versions_height_plausible CHECK (height_mm BETWEEN 200 AND 2800),
        CONSTRAINT ck_note_versions_systolic_plausible CHECK (systolic_mmhg BETWEEN 30 AND 350),
        CONSTRAINT ck_note_versions_diastolic_plausible CHECK (diastolic_mmhg BETWEEN 10 AND 250),
        CONSTRAINT ck_note_versions_pressures_in_order CHECK (systolic_mmhg > diastolic_mmhg),
        CONSTRAINT ck_note_versions_pressures_both CHECK ((systolic_mmhg IS NULL) = (diastolic_mmhg IS NULL)),
        CONSTRAINT ck_note_versions_pulse_plausible CHECK (pulse_bpm BETWEEN 10 AND 350),
        CONSTRAINT ck_note_versions_temperature_plausible CHECK (temperature_decidegrees BETWEEN 200 AND 460),
        CONSTRAINT ck_note_versions_spo2_plausible CHECK (spo2_percent BETWEEN 10 AND 100),
        CONSTRAINT fk_note_versions_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_note_versions_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id)
    )
    """,
    """
    CREATE TABLE prescriptions (
        id SERIAL NOT NULL,
        patient_id INTEGER NOT NULL,
        doctor_id INTEGER NOT NULL,
        appointment_id INTEGER,
        repeats_id INTEGER,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        revision INTEGER NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE,
        withdrawn_at TIMESTAMP WITH TIME ZONE,
        withdrawn_by_id INTEGER,
        withdrawal_reason TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_prescriptions PRIMARY KEY (id),
        CONSTRAINT ck_prescriptions_withdrawn_once_signed CHECK (withdrawn_at IS NULL OR signed_at IS NOT NULL),
        CONSTRAINT ck_prescriptions_withdrawn_for_a_reason CHECK ((withdrawn_at IS NULL) = (withdrawal_reason = '')),
        CONSTRAINT ck_prescriptions_withdrawal_reason_short CHECK (char_length(withdrawal_reason) <= 500),
        CONSTRAINT fk_prescriptions_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_prescriptions_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_prescriptions_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_prescriptions_repeats_id FOREIGN KEY(repeats_id) REFERENCES prescriptions (id),
        CONSTRAINT fk_prescriptions_withdrawn_by_id FOREIGN KEY(withdrawn_by_id) REFERENCES users (id)
    )
    """,
    """
    CREATE INDEX ix_prescriptions_appointment_id ON prescriptions (appointment_id)
    """,
    """
    CREATE INDEX ix_prescriptions_patient_id ON prescriptions (patient_id)
    """,
    """
    CREATE UNIQUE INDEX uq_prescriptions_draft ON prescriptions (patient_id, doctor_id) WHERE signed_at IS NULL
    """,
    """
    CREATE TABLE prescription_items (
        id SERIAL NOT NULL,
        prescription_id INTEGER NOT NULL,
        position SMALLINT NOT NULL,
        drug TEXT NOT NULL,
        strength TEXT NOT NULL,
        form TEXT NOT NULL,
        dose TEXT NOT NULL,
        frequency TEXT NOT NULL,
        duration TEXT NOT NULL,
        quantity TEXT NOT NULL,
        instructions TEXT NOT NULL,
        CONSTRAINT pk_prescription_items PRIMARY KEY (id),
        CONSTRAINT uq_prescription_items_prescription_id_position UNIQUE (prescription_id, position) DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT ck_prescription_items_few CHECK (position BETWEEN 1 AND 20),
        CONSTRAINT ck_prescription_items_drug_short CHECK (char_length(drug) <= 200),
        CONSTRAINT ck_prescription_items_strength_short CHECK (char_length(strength) <= 200),
        CONSTRAINT ck_prescription_items_form_short CHECK (char_length(form) <= 200),
        CONSTRAINT ck_prescription_items_dose_short CHECK (char_length(dose) <= 200),
        CONSTRAINT ck_prescription_items_frequency_short CHECK (char_length(frequency) <= 200),
        CONSTRAINT ck_prescription_items_duration_short CHECK (char_length(duration) <= 200),
        CONSTRAINT ck_prescription_items_quantity_short CHECK (char_length(quantity) <= 200),
        CONSTRAINT ck_prescription_items_instructions_bounded CHECK (char_length(instructions) <= 1000),
        CONSTRAINT fk_prescription_items_prescription_id FOREIGN KEY(prescription_id) REFERENCES prescriptions (id) ON DELETE CASCADE
    )
    """,
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
    """
    CREATE FUNCTION refuse_for_erased() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF is_anonymised(NEW.patient_id) THEN
            RAISE EXCEPTION 'this patient has been erased' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER patient_is_there BEFORE INSERT ON record_items
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased()
    """,
    """
    CREATE TRIGGER patient_is_there BEFORE INSERT ON prescriptions
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased()
    """,
    """
    CREATE TRIGGER patient_is_there BEFORE INSERT ON letters
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased()
    """,
    """
    CREATE TRIGGER patient_is_there BEFORE INSERT ON attachments
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased()
    """,
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
    """
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON note_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON prescriptions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON prescription_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON letters
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    INSERT INTO record_items (patient_id, kind, name, details, noted_at)
    SELECT id, 'allergy', left(allergies, 200), CASE WHEN char_length(allergies) > 200 THEN left(allergies, 20000) ELSE '' END, created_at
    FROM patients WHERE allergies <> ''
    """,
    """
    INSERT INTO record_items (patient_id, kind, name, details, noted_at)
    SELECT id, 'history', left(medical_history, 200),
           CASE WHEN char_length(medical_history) > 200 THEN left(medical_history, 20000) ELSE '' END, created_at
    FROM patients WHERE medical_history <> ''
    """,
    """
    ALTER TABLE patients DROP COLUMN allergies, DROP COLUMN medical_history
    """,
    """
    ALTER TABLE settings
        ADD COLUMN address TEXT DEFAULT '' NOT NULL,
        ADD COLUMN paper VARCHAR(20) DEFAULT 'a4' NOT NULL,
        ADD COLUMN logo BYTEA,
        ADD CONSTRAINT ck_settings_paper_known CHECK (paper IN ('a4', 'letter')),
        ADD CONSTRAINT ck_settings_address_short CHECK (char_length(address) <= 500),
        ADD CONSTRAINT ck_settings_logo_bounded CHECK (octet_length(logo) BETWEEN 1 AND 1048576)
    """,
]

# The lists were two texts before.
BACK = [
    """
    ALTER TABLE patients
        ADD COLUMN allergies TEXT DEFAULT '' NOT NULL,
        ADD COLUMN medical_history TEXT DEFAULT '' NOT NULL
    """,
    """
    UPDATE patients SET
        allergies = coalesce((
            SELECT string_agg(concat_ws(': ', name, nullif(details, '')), E'\\n' ORDER BY id) FROM record_items
            WHERE patient_id = patients.id AND kind = 'allergy' AND ended_at IS NULL), ''),
        medical_history = coalesce((
            SELECT string_agg(concat_ws(': ', name, nullif(details, '')), E'\\n' ORDER BY id) FROM record_items
            WHERE patient_id = patients.id AND kind IN ('problem', 'history') AND ended_at IS NULL), '')
    """,
    "ALTER TABLE patients ALTER COLUMN allergies DROP DEFAULT, ALTER COLUMN medical_history DROP DEFAULT",
    "ALTER TABLE settings DROP COLUMN address, DROP COLUMN paper, DROP COLUMN logo",
    """
    DROP TABLE intake_answers, intake_questions, attachments, letter_templates, letters, prescription_items,
        prescriptions, note_releases, note_versions, note_drafts, record_items
    """,
    """
    DROP FUNCTION is_anonymised(integer), refuse_change(), keep_note(), keep_signed(), keep_prescription(),
        keep_item(), refuse_for_erased()
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in BACK:
        op.execute(statement)
