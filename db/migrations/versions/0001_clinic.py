"""The clinic's first schema: people, provider hours, services, appointments and sign-ins."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = [
    """
    CREATE TABLE settings (
        id INTEGER NOT NULL,
        name TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        currency TEXT NOT NULL,
        phone TEXT NOT NULL,
        minimum_notice_minutes INTEGER NOT NULL,
        horizon_days INTEGER NOT NULL,
        cancellation_hours INTEGER NOT NULL,
        is_demo BOOLEAN NOT NULL,
        CONSTRAINT pk_settings PRIMARY KEY (id),
        CONSTRAINT ck_settings_one_row CHECK (id = 1),
        CONSTRAINT ck_settings_notice_not_negative CHECK (minimum_notice_minutes >= 0),
        CONSTRAINT ck_settings_horizon_bounded CHECK (horizon_days BETWEEN 1 AND 730),
        CONSTRAINT ck_settings_cancellation_not_negative CHECK (cancellation_hours >= 0),
        CONSTRAINT ck_settings_currency_iso4217 CHECK (currency ~ '^[A-Z]{3}$')
    )
    """,
    """
    CREATE TABLE locations (
        id SERIAL NOT NULL,
        name TEXT NOT NULL,
        address TEXT NOT NULL,
        CONSTRAINT pk_locations PRIMARY KEY (id),
        CONSTRAINT uq_locations_name UNIQUE (name)
    )
    """,
    """
    CREATE TABLE rooms (
        id SERIAL NOT NULL,
        location_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        CONSTRAINT pk_rooms PRIMARY KEY (id),
        CONSTRAINT uq_rooms_location_id_name UNIQUE (location_id, name),
        CONSTRAINT fk_rooms_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE users (
        id SERIAL NOT NULL,
        username TEXT NOT NULL,
        email TEXT,
        password_hash TEXT,
        role VARCHAR(20) NOT NULL,
        name TEXT NOT NULL,
        name_folded TEXT NOT NULL,
        phone TEXT,
        locale TEXT NOT NULL,
        is_active BOOLEAN NOT NULL,
        sms_consent_at TIMESTAMP WITH TIME ZONE,
        sms_consent_source TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT ck_users_username_folded CHECK (username = lower(username) AND username <> ''),
        CONSTRAINT ck_users_email_folded CHECK (email = lower(email)),
        CONSTRAINT ck_users_phone_e164 CHECK (phone ~ '^\\+[1-9][0-9]{1,14}$'),
        CONSTRAINT uq_users_username UNIQUE (username),
        CONSTRAINT uq_users_email UNIQUE (email),
        CONSTRAINT ck_users_role_known CHECK (role IN ('patient', 'doctor', 'staff', 'admin'))
    )
    """,
    """
    CREATE TABLE sign_ins (
        id SERIAL NOT NULL,
        user_id INTEGER NOT NULL,
        token_hash BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        address TEXT,
        CONSTRAINT pk_sign_ins PRIMARY KEY (id),
        CONSTRAINT fk_sign_ins_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT uq_sign_ins_token_hash UNIQUE (token_hash)
    )
    """,
    """
    CREATE TABLE sign_in_grants (
        browser_hash BYTEA NOT NULL,
        user_id INTEGER NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_sign_in_grants PRIMARY KEY (browser_hash),
        CONSTRAINT fk_sign_in_grants_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE specialties (
        id SERIAL NOT NULL,
        name TEXT NOT NULL,
        CONSTRAINT pk_specialties PRIMARY KEY (id),
        CONSTRAINT uq_specialties_name UNIQUE (name)
    )
    """,
    """
    CREATE TABLE doctors (
        id SERIAL NOT NULL,
        user_id INTEGER NOT NULL,
        bio TEXT NOT NULL,
        languages TEXT[] NOT NULL,
        is_accepting_patients BOOLEAN NOT NULL,
        is_active BOOLEAN NOT NULL,
        CONSTRAINT pk_doctors PRIMARY KEY (id),
        CONSTRAINT uq_doctors_user_id UNIQUE (user_id),
        CONSTRAINT fk_doctors_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE doctor_specialties (
        doctor_id INTEGER NOT NULL,
        specialty_id INTEGER NOT NULL,
        CONSTRAINT pk_doctor_specialties PRIMARY KEY (doctor_id, specialty_id),
        CONSTRAINT fk_doctor_specialties_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_doctor_specialties_specialty_id FOREIGN KEY(specialty_id) REFERENCES specialties (id)
    )
    """,
    """
    CREATE TABLE patients (
        id SERIAL NOT NULL,
        user_id INTEGER,
        guardian_id INTEGER,
        name TEXT NOT NULL,
        name_folded TEXT NOT NULL,
        birth_on DATE NOT NULL,
        sex VARCHAR(20) NOT NULL,
        phone TEXT,
        email TEXT,
        locale TEXT NOT NULL,
        allergies TEXT NOT NULL,
        medical_history TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        request_key UUID,
        CONSTRAINT pk_patients PRIMARY KEY (id),
        CONSTRAINT ck_patients_guardian_is_another CHECK (guardian_id <> id),
        CONSTRAINT ck_patients_phone_e164 CHECK (phone ~ '^\\+[1-9][0-9]{1,14}$'),
        CONSTRAINT uq_patients_user_id UNIQUE (user_id),
        CONSTRAINT uq_patients_request_key UNIQUE (request_key),
        CONSTRAINT fk_patients_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT fk_patients_guardian_id FOREIGN KEY(guardian_id) REFERENCES patients (id),
        CONSTRAINT ck_patients_sex_known CHECK (sex IN ('female', 'male', 'other', 'unknown'))
    )
    """,
    """
    CREATE TABLE services (
        id SERIAL NOT NULL,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        duration_minutes INTEGER NOT NULL,
        step_minutes INTEGER NOT NULL,
        buffer_before_minutes INTEGER NOT NULL,
        buffer_after_minutes INTEGER NOT NULL,
        minimum_notice_minutes INTEGER,
        horizon_days INTEGER,
        price_minor INTEGER NOT NULL,
        deposit_minor INTEGER NOT NULL,
        is_video BOOLEAN NOT NULL,
        is_active BOOLEAN NOT NULL,
        CONSTRAINT pk_services PRIMARY KEY (id),
        CONSTRAINT ck_services_duration_bounded CHECK (duration_minutes BETWEEN 1 AND 720),
        CONSTRAINT ck_services_step_bounded CHECK (step_minutes BETWEEN 1 AND 720),
        CONSTRAINT ck_services_buffer_before_bounded CHECK (buffer_before_minutes BETWEEN 0 AND 240),
        CONSTRAINT ck_services_buffer_after_bounded CHECK (buffer_after_minutes BETWEEN 0 AND 240),
        CONSTRAINT ck_services_price_not_negative CHECK (price_minor >= 0),
        CONSTRAINT ck_services_deposit_within_price CHECK (deposit_minor BETWEEN 0 AND price_minor),
        CONSTRAINT ck_services_notice_not_negative CHECK (minimum_notice_minutes >= 0),
        CONSTRAINT ck_services_horizon_bounded CHECK (horizon_days BETWEEN 1 AND 730),
        CONSTRAINT uq_services_name UNIQUE (name)
    )
    """,
    """
    CREATE TABLE doctor_services (
        doctor_id INTEGER NOT NULL,
        service_id INTEGER NOT NULL,
        price_minor INTEGER,
        CONSTRAINT pk_doctor_services PRIMARY KEY (doctor_id, service_id),
        CONSTRAINT ck_doctor_services_price_not_negative CHECK (price_minor >= 0),
        CONSTRAINT fk_doctor_services_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_doctor_services_service_id FOREIGN KEY(service_id) REFERENCES services (id)
    )
    """,
    """
    CREATE TABLE weekly_hours (
        id SERIAL NOT NULL,
        doctor_id INTEGER NOT NULL,
        location_id INTEGER NOT NULL,
        weekday INTEGER NOT NULL,
        opens_at TIME WITHOUT TIME ZONE NOT NULL,
        closes_at TIME WITHOUT TIME ZONE NOT NULL,
        valid_from_on DATE,
        valid_until_on DATE,
        CONSTRAINT pk_weekly_hours PRIMARY KEY (id),
        CONSTRAINT ck_weekly_hours_weekday_iso CHECK (weekday BETWEEN 1 AND 7),
        CONSTRAINT ck_weekly_hours_opens_before_closing CHECK (opens_at < closes_at),
        CONSTRAINT ck_weekly_hours_whole_minutes CHECK (extract(second from opens_at) = 0 AND extract(second from closes_at) = 0),
        CONSTRAINT ck_weekly_hours_valid_in_order CHECK (valid_from_on <= valid_until_on),
        CONSTRAINT ex_weekly_hours_no_overlap EXCLUDE USING gist (int4range(doctor_id, doctor_id, '[]') WITH =, int4range(weekday, weekday, '[]') WITH =, daterange(valid_from_on, valid_until_on, '[]') WITH &&, int4range((extract(epoch from opens_at) / 60)::int, (extract(epoch from closes_at) / 60)::int) WITH &&),
        CONSTRAINT fk_weekly_hours_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_weekly_hours_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE date_overrides (
        id SERIAL NOT NULL,
        doctor_id INTEGER NOT NULL,
        location_id INTEGER,
        on_date DATE NOT NULL,
        opens_at TIME WITHOUT TIME ZONE,
        closes_at TIME WITHOUT TIME ZONE,
        CONSTRAINT pk_date_overrides PRIMARY KEY (id),
        CONSTRAINT ck_date_overrides_opens_before_closing CHECK (opens_at < closes_at),
        CONSTRAINT ck_date_overrides_whole_minutes CHECK (extract(second from opens_at) = 0 AND extract(second from closes_at) = 0),
        CONSTRAINT ck_date_overrides_open_or_closed CHECK (num_nulls(opens_at, closes_at, location_id) IN (0, 3)),
        CONSTRAINT ex_date_overrides_no_overlap EXCLUDE USING gist (int4range(doctor_id, doctor_id, '[]') WITH =, daterange(on_date, on_date, '[]') WITH =, int4range((extract(epoch from opens_at) / 60)::int, (extract(epoch from closes_at) / 60)::int) WITH &&),
        CONSTRAINT fk_date_overrides_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_date_overrides_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE time_off (
        id SERIAL NOT NULL,
        doctor_id INTEGER NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        CONSTRAINT pk_time_off PRIMARY KEY (id),
        CONSTRAINT ck_time_off_starts_before_end CHECK (starts_at < ends_at),
        CONSTRAINT fk_time_off_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id)
    )
    """,
    """
    CREATE TABLE appointments (
        id SERIAL NOT NULL,
        patient_id INTEGER NOT NULL,
        doctor_id INTEGER NOT NULL,
        service_id INTEGER NOT NULL,
        location_id INTEGER NOT NULL,
        room_id INTEGER,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        blocked TSTZRANGE NOT NULL,
        status VARCHAR(20) NOT NULL,
        payment_status VARCHAR(20) DEFAULT 'unpaid' NOT NULL,
        price_minor INTEGER NOT NULL,
        hold_expires_at TIMESTAMP WITH TIME ZONE,
        source VARCHAR(20) NOT NULL,
        overbook_reason TEXT,
        version INTEGER DEFAULT '0' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_appointments PRIMARY KEY (id),
        CONSTRAINT ck_appointments_starts_before_end CHECK (starts_at < ends_at),
        CONSTRAINT ck_appointments_blocked_covers_visit CHECK (blocked @> tstzrange(starts_at, ends_at)),
        CONSTRAINT ck_appointments_blocked_at_most_a_day CHECK (upper(blocked) - lower(blocked) <= interval '24 hours'),
        CONSTRAINT ck_appointments_hold_while_pending CHECK ((status = 'pending') = (hold_expires_at IS NOT NULL)),
        CONSTRAINT ck_appointments_price_not_negative CHECK (price_minor >= 0),
        CONSTRAINT ck_appointments_overbook_reason_given CHECK (overbook_reason <> ''),
        CONSTRAINT ex_appointments_doctor_free EXCLUDE USING gist (int4range(doctor_id, doctor_id, '[]') WITH =, blocked WITH &&) WHERE (status IN ('pending', 'confirmed', 'arrived', 'in_room', 'completed') AND overbook_reason IS NULL),
        CONSTRAINT ex_appointments_patient_free EXCLUDE USING gist (int4range(patient_id, patient_id, '[]') WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN ('pending', 'confirmed', 'arrived', 'in_room', 'completed')),
        CONSTRAINT ex_appointments_room_free EXCLUDE USING gist (int4range(room_id, room_id, '[]') WITH =, blocked WITH &&) WHERE (status IN ('pending', 'confirmed', 'arrived', 'in_room', 'completed') AND room_id IS NOT NULL),
        CONSTRAINT fk_appointments_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_appointments_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_appointments_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_appointments_location_id FOREIGN KEY(location_id) REFERENCES locations (id),
        CONSTRAINT fk_appointments_room_id FOREIGN KEY(room_id) REFERENCES rooms (id),
        CONSTRAINT ck_appointments_appointmentstatus_known CHECK (status IN ('pending', 'confirmed', 'arrived', 'in_room', 'completed', 'expired', 'cancelled', 'no_show')),
        CONSTRAINT ck_appointments_paymentstatus_known CHECK (payment_status IN ('unpaid', 'paid', 'partly_refunded', 'refunded', 'waived')),
        CONSTRAINT ck_appointments_source_known CHECK (source IN ('portal', 'desk'))
    )
    """,
    """
    CREATE TABLE appointment_events (
        id BIGSERIAL NOT NULL,
        appointment_id INTEGER NOT NULL,
        kind VARCHAR(20) NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        by_user_id INTEGER,
        before JSONB,
        after JSONB,
        reason TEXT,
        request_key UUID,
        CONSTRAINT pk_appointment_events PRIMARY KEY (id),
        CONSTRAINT fk_appointment_events_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT ck_appointment_events_eventkind_known CHECK (kind IN ('booked', 'overbooked', 'moved', 'cancelled', 'expired')),
        CONSTRAINT fk_appointment_events_by_user_id FOREIGN KEY(by_user_id) REFERENCES users (id),
        CONSTRAINT uq_appointment_events_request_key UNIQUE (request_key)
    )
    """,
]

INDEXES = [
    "CREATE INDEX ix_sign_ins_user_id ON sign_ins (user_id)",
    "CREATE INDEX ix_doctor_specialties_specialty_id ON doctor_specialties (specialty_id)",
    "CREATE INDEX ix_patients_birth_on ON patients (birth_on)",
    "CREATE INDEX ix_patients_guardian_id ON patients (guardian_id)",
    "CREATE INDEX ix_patients_name_folded ON patients (name_folded text_pattern_ops)",
    "CREATE INDEX ix_patients_phone ON patients (phone)",
    "CREATE INDEX ix_doctor_services_service_id ON doctor_services (service_id)",
    "CREATE INDEX ix_weekly_hours_doctor_id_weekday ON weekly_hours (doctor_id, weekday)",
    "CREATE INDEX ix_date_overrides_doctor_id_on_date ON date_overrides (doctor_id, on_date)",
    "CREATE INDEX ix_time_off_doctor_id_ends_at ON time_off (doctor_id, ends_at)",
    "CREATE INDEX ix_appointments_doctor_blocked ON appointments (doctor_id, lower(blocked)) WHERE status IN ('pending', 'confirmed', 'arrived', 'in_room', 'completed')",
    "CREATE INDEX ix_appointments_doctor_id_starts_at ON appointments (doctor_id, starts_at)",
    "CREATE INDEX ix_appointments_hold_expires_at ON appointments (hold_expires_at) WHERE status = 'pending'",
    "CREATE INDEX ix_appointments_patient_id_starts_at ON appointments (patient_id, starts_at)",
    "CREATE INDEX ix_appointment_events_appointment_id ON appointment_events (appointment_id)",
]


def upgrade() -> None:
    for statement in [*TABLES, *INDEXES]:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "appointment_events",
        "appointments",
        "time_off",
        "date_overrides",
        "weekly_hours",
        "doctor_services",
        "services",
        "patients",
        "doctor_specialties",
        "doctors",
        "specialties",
        "sign_in_grants",
        "sign_ins",
        "users",
        "rooms",
        "locations",
        "settings",
    ):
        op.execute(f"DROP TABLE {table}")
