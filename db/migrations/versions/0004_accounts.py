"""Accounts of their own: codes, invites, second factors, other identities, and messages that carry codes."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = [
    """
    ALTER TABLE users
        ADD COLUMN email_verified_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN phone_verified_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN totp_secret TEXT,
        ADD COLUMN totp_confirmed_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN totp_last_step BIGINT,
        ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE
    """,
    "ALTER TABLE patients ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE sign_ins ADD COLUMN end_reason TEXT, ADD COLUMN browser TEXT",
    """
    ALTER TABLE settings
        ADD COLUMN staff_idle_minutes INTEGER DEFAULT 15 NOT NULL,
        ADD COLUMN patient_idle_minutes INTEGER DEFAULT 60 NOT NULL,
        ADD COLUMN requires_second_factor BOOLEAN DEFAULT true NOT NULL,
        ADD COLUMN record_retention_years INTEGER DEFAULT 10 NOT NULL,
        ADD CONSTRAINT ck_settings_staff_idle_bounded CHECK (staff_idle_minutes BETWEEN 1 AND 720),
        ADD CONSTRAINT ck_settings_patient_idle_bounded CHECK (patient_idle_minutes BETWEEN 1 AND 720),
        ADD CONSTRAINT ck_settings_retention_bounded CHECK (record_retention_years BETWEEN 0 AND 100)
    """,
    "UPDATE settings SET requires_second_factor = NOT is_demo",
    """
    CREATE TABLE one_time_codes (
        id SERIAL NOT NULL,
        purpose VARCHAR(20) NOT NULL,
        user_id INTEGER,
        sent_to TEXT NOT NULL,
        code_hash BYTEA NOT NULL,
        payload JSONB,
        tries INTEGER NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_one_time_codes PRIMARY KEY (id),
        CONSTRAINT ck_one_time_codes_tries_not_negative CHECK (tries >= 0),
        CONSTRAINT ck_one_time_codes_codepurpose_known CHECK (purpose IN ('register', 'verify_email', 'verify_phone', 'reset_password')),
        CONSTRAINT fk_one_time_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_one_time_codes_purpose_sent_to ON one_time_codes (purpose, sent_to)",
    "CREATE INDEX ix_one_time_codes_user_id ON one_time_codes (user_id)",
    """
    CREATE TABLE invites (
        id SERIAL NOT NULL,
        email TEXT NOT NULL,
        role VARCHAR(20) NOT NULL,
        name TEXT NOT NULL,
        code_hash BYTEA NOT NULL,
        tries INTEGER NOT NULL,
        invited_by_id INTEGER NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        accepted_at TIMESTAMP WITH TIME ZONE,
        withdrawn_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_invites PRIMARY KEY (id),
        CONSTRAINT ck_invites_email_folded CHECK (email = lower(email)),
        CONSTRAINT ck_invites_role_known CHECK (role IN ('patient', 'doctor', 'staff', 'admin')),
        CONSTRAINT fk_invites_invited_by_id FOREIGN KEY(invited_by_id) REFERENCES users (id)
    )
    """,
    "CREATE UNIQUE INDEX uq_invites_open_email ON invites (email) WHERE accepted_at IS NULL AND withdrawn_at IS NULL",
    """
    CREATE TABLE recovery_codes (
        id SERIAL NOT NULL,
        user_id INTEGER NOT NULL,
        code_hash BYTEA NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (id),
        CONSTRAINT uq_recovery_codes_user_id_code_hash UNIQUE (user_id, code_hash),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE social_identities (
        id SERIAL NOT NULL,
        user_id INTEGER NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        shown_as TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_social_identities PRIMARY KEY (id),
        CONSTRAINT uq_social_identities_issuer_subject UNIQUE (issuer, subject),
        CONSTRAINT fk_social_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_social_identities_user_id ON social_identities (user_id)",
    """
    CREATE TABLE notifications (
        id SERIAL NOT NULL,
        channel VARCHAR(20) NOT NULL,
        sent_to TEXT NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        is_secret BOOLEAN NOT NULL,
        status VARCHAR(20) NOT NULL,
        attempts INTEGER NOT NULL,
        send_after TIMESTAMP WITH TIME ZONE NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE,
        error TEXT,
        CONSTRAINT pk_notifications PRIMARY KEY (id),
        CONSTRAINT ck_notifications_attempts_not_negative CHECK (attempts >= 0),
        CONSTRAINT ck_notifications_channel_known CHECK (channel IN ('email', 'sms')),
        CONSTRAINT ck_notifications_notificationstatus_known CHECK (status IN ('pending', 'sending', 'sent', 'failed'))
    )
    """,
    "CREATE INDEX ix_notifications_send_after ON notifications (send_after) WHERE status = 'pending'",
    """
    CREATE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE sign_ins SET ended_at = now(), end_reason = 'account changed'
        WHERE user_id = NEW.id AND ended_at IS NULL;
        DELETE FROM sign_in_grants WHERE user_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER end_sessions AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.role, OLD.is_active, OLD.password_hash)
          IS DISTINCT FROM (NEW.role, NEW.is_active, NEW.password_hash))
    EXECUTE FUNCTION end_sessions()
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER end_sessions ON users")
    op.execute("DROP FUNCTION end_sessions()")
    op.execute("DROP TABLE notifications, social_identities, recovery_codes, invites, one_time_codes")
    op.execute("ALTER TABLE settings DROP staff_idle_minutes, DROP patient_idle_minutes, DROP requires_second_factor, DROP record_retention_years")
    op.execute("ALTER TABLE sign_ins DROP end_reason, DROP browser")
    op.execute("ALTER TABLE patients DROP erased_at")
    op.execute("ALTER TABLE users DROP email_verified_at, DROP phone_verified_at, DROP totp_secret, DROP totp_confirmed_at, DROP totp_last_step, DROP erased_at")
