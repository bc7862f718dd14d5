"""Messages about visits, answers to them, the waitlist, and the heartbeats of the jobs."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = [
    """
    ALTER TABLE settings
        ADD COLUMN text_name TEXT DEFAULT '' NOT NULL,
        ADD COLUMN reminder_minutes INTEGER[] DEFAULT '{2880,180}' NOT NULL,
        ADD COLUMN quiet_from TIME WITHOUT TIME ZONE DEFAULT '20:00' NOT NULL,
        ADD COLUMN quiet_until TIME WITHOUT TIME ZONE DEFAULT '08:00' NOT NULL,
        ADD COLUMN waitlist_offer_minutes INTEGER DEFAULT '60' NOT NULL,
        ADD CONSTRAINT ck_settings_reminders_few CHECK (cardinality(reminder_minutes) <= 5),
        ADD CONSTRAINT ck_settings_quiet_at_night CHECK (quiet_from > quiet_until),
        ADD CONSTRAINT ck_settings_waitlist_offer_bounded CHECK (waitlist_offer_minutes BETWEEN 5 AND 1440),
        ADD CONSTRAINT ck_settings_text_name_short CHECK (char_length(text_name) <= 30)
    """,
    """
    ALTER TABLE patients
        ADD COLUMN sms_consent_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN sms_consent_source TEXT,
        ADD COLUMN contact_by TEXT,
        ADD COLUMN wants_reminders BOOLEAN DEFAULT 'true' NOT NULL,
        ADD COLUMN time_zone TEXT,
        ADD CONSTRAINT ck_patients_contact_by_known CHECK (contact_by IN ('sms', 'email'))
    """,
    """
    ALTER TABLE appointments
        ADD COLUMN time_version INTEGER DEFAULT '0' NOT NULL,
        ADD COLUMN attending_at TIMESTAMP WITH TIME ZONE,
        DROP CONSTRAINT ck_appointments_source_known,
        ADD CONSTRAINT ck_appointments_source_known CHECK (source IN ('portal', 'desk', 'waitlist'))
    """,
    """
    ALTER TABLE appointment_events
        DROP CONSTRAINT ck_appointment_events_eventkind_known,
        ADD CONSTRAINT ck_appointment_events_eventkind_known CHECK (kind IN ('booked', 'overbooked', 'confirmed', 'moved', 'cancelled', 'expired', 'attending', 'arrived', 'completed', 'no_show', 'undone'))
    """,
    """
    ALTER TABLE notifications
        ADD COLUMN kind VARCHAR(20) DEFAULT 'account' NOT NULL,
        ADD COLUMN key TEXT,
        ADD COLUMN locale TEXT DEFAULT 'en' NOT NULL,
        ADD COLUMN details JSONB DEFAULT '{}' NOT NULL,
        ADD COLUMN patient_id INTEGER,
        ADD COLUMN appointment_id INTEGER,
        ADD COLUMN time_version INTEGER,
        ADD COLUMN carried_by_id INTEGER,
        ADD COLUMN lookups INTEGER DEFAULT '0' NOT NULL,
        ADD COLUMN lease UUID,
        ADD COLUMN attempted_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN provider_id TEXT,
        ADD COLUMN provider_status TEXT,
        ADD COLUMN check_after TIMESTAMP WITH TIME ZONE,
        ADD COLUMN segments INTEGER,
        ADD COLUMN error_code INTEGER,
        ADD COLUMN settled_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN settled_by_id INTEGER
    """,
    "UPDATE notifications SET lease = gen_random_uuid() WHERE status = 'sending'",
    """
    ALTER TABLE notifications
        ADD CONSTRAINT ck_notifications_lookups_not_negative CHECK (lookups >= 0),
        ADD CONSTRAINT ck_notifications_carried_by_another CHECK ((status = 'carried') = (carried_by_id IS NOT NULL)),
        ADD CONSTRAINT ck_notifications_version_of_a_visit CHECK ((appointment_id IS NULL) = (time_version IS NULL)),
        ADD CONSTRAINT ck_notifications_lease_while_sending CHECK ((status = 'sending') = (lease IS NOT NULL)),
        ADD CONSTRAINT ck_notifications_messagekind_known CHECK (kind IN ('account', 'booked', 'moved', 'cancelled', 'reminder', 'running_late', 'offer', 'payment_link', 'receipt', 'reply')),
        ADD CONSTRAINT uq_notifications_key UNIQUE (key),
        ADD CONSTRAINT fk_notifications_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        ADD CONSTRAINT fk_notifications_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        ADD CONSTRAINT fk_notifications_carried_by_id FOREIGN KEY(carried_by_id) REFERENCES notifications (id) ON DELETE CASCADE,
        DROP CONSTRAINT ck_notifications_notificationstatus_known,
        ADD CONSTRAINT ck_notifications_notificationstatus_known CHECK (status IN ('pending', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'cancelled', 'carried')),
        ADD CONSTRAINT uq_notifications_provider_id UNIQUE (provider_id),
        ADD CONSTRAINT fk_notifications_settled_by_id FOREIGN KEY(settled_by_id) REFERENCES users (id)
    """,
    """
    CREATE TABLE message_templates (
        id SERIAL NOT NULL,
        name TEXT NOT NULL,
        locale TEXT NOT NULL,
        text TEXT NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_by_id INTEGER,
        CONSTRAINT pk_message_templates PRIMARY KEY (id),
        CONSTRAINT uq_message_templates_name_locale UNIQUE (name, locale),
        CONSTRAINT fk_message_templates_changed_by_id FOREIGN KEY(changed_by_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE phone_states (
        phone TEXT NOT NULL,
        opted_out_at TIMESTAMP WITH TIME ZONE,
        opted_out_by TEXT,
        unreachable_at TIMESTAMP WITH TIME ZONE,
        unreachable_why TEXT,
        CONSTRAINT pk_phone_states PRIMARY KEY (phone)
    )
    """,
    """
    CREATE TABLE inbound_messages (
        id SERIAL NOT NULL,
        provider_id TEXT NOT NULL,
        sender TEXT NOT NULL,
        body TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        state VARCHAR(20) NOT NULL,
        answer VARCHAR(20),
        suggestion VARCHAR(20),
        why TEXT DEFAULT '' NOT NULL,
        patient_id INTEGER,
        appointment_id INTEGER,
        asked_until TIMESTAMP WITH TIME ZONE,
        settled_at TIMESTAMP WITH TIME ZONE,
        settled_by_id INTEGER,
        CONSTRAINT pk_inbound_messages PRIMARY KEY (id),
        CONSTRAINT ck_inbound_messages_settled_at_a_time CHECK ((state = 'settled') = (settled_at IS NOT NULL)),
        CONSTRAINT uq_inbound_messages_provider_id UNIQUE (provider_id),
        CONSTRAINT ck_inbound_messages_inboundstate_known CHECK (state IN ('new', 'done', 'at_desk', 'settled')),
        CONSTRAINT ck_inbound_messages_answer_known CHECK (answer IN ('confirm', 'move', 'cancel', 'accept', 'decline', 'stop', 'start', 'unclear')),
        CONSTRAINT ck_inbound_messages_suggestion_known CHECK (suggestion IN ('confirm', 'move', 'cancel', 'accept', 'decline', 'stop', 'start', 'unclear')),
        CONSTRAINT fk_inbound_messages_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_inbound_messages_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_inbound_messages_settled_by_id FOREIGN KEY(settled_by_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_inbound_messages_appointment_id ON inbound_messages (appointment_id)",
    """
    CREATE INDEX ix_inbound_messages_open ON inbound_messages (received_at) WHERE state IN ('new', 'at_desk')
    """,
    "CREATE INDEX ix_inbound_messages_patient_id ON inbound_messages (patient_id)",
    "CREATE INDEX ix_inbound_messages_sender ON inbound_messages (sender, received_at)",
    """
    CREATE TABLE heartbeats (
        name TEXT NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE,
        finished_at TIMESTAMP WITH TIME ZONE,
        succeeded_at TIMESTAMP WITH TIME ZONE,
        touched INTEGER DEFAULT '0' NOT NULL,
        failures INTEGER DEFAULT '0' NOT NULL,
        failed_at TIMESTAMP WITH TIME ZONE,
        error TEXT,
        lease UUID,
        leased_until TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_heartbeats PRIMARY KEY (name),
        CONSTRAINT ck_heartbeats_failures_not_negative CHECK (failures >= 0),
        CONSTRAINT ck_heartbeats_lease_whole CHECK ((lease IS NULL) = (leased_until IS NULL))
    )
    """,
    """
    CREATE TABLE waitlist_entries (
        id SERIAL NOT NULL,
        patient_id INTEGER NOT NULL,
        service_id INTEGER NOT NULL,
        doctor_id INTEGER,
        specialty_id INTEGER,
        from_on DATE NOT NULL,
        until_on DATE NOT NULL,
        weekdays SMALLINT[] NOT NULL,
        from_time TIME WITHOUT TIME ZONE NOT NULL,
        until_time TIME WITHOUT TIME ZONE NOT NULL,
        state VARCHAR(20) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        created_by_id INTEGER,
        ended_at TIMESTAMP WITH TIME ZONE,
        request_key UUID,
        CONSTRAINT pk_waitlist_entries PRIMARY KEY (id),
        CONSTRAINT ck_waitlist_entries_one_wish CHECK (num_nonnulls(doctor_id, specialty_id) = 1),
        CONSTRAINT ck_waitlist_entries_days_in_order CHECK (from_on <= until_on),
        CONSTRAINT ck_waitlist_entries_times_in_order CHECK (from_time < until_time),
        CONSTRAINT ck_waitlist_entries_some_day CHECK (cardinality(weekdays) > 0),
        CONSTRAINT ck_waitlist_entries_weekdays_iso CHECK (weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]),
        CONSTRAINT ck_waitlist_entries_ended_at_a_time CHECK ((state = 'waiting') = (ended_at IS NULL)),
        CONSTRAINT fk_waitlist_entries_patient_id FOREIGN KEY(patient_id) REFERENCES patients (id),
        CONSTRAINT fk_waitlist_entries_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_waitlist_entries_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT fk_waitlist_entries_specialty_id FOREIGN KEY(specialty_id) REFERENCES specialties (id),
        CONSTRAINT ck_waitlist_entries_waitliststate_known CHECK (state IN ('waiting', 'booked', 'withdrawn', 'lapsed')),
        CONSTRAINT fk_waitlist_entries_created_by_id FOREIGN KEY(created_by_id) REFERENCES users (id),
        CONSTRAINT uq_waitlist_entries_request_key UNIQUE (request_key)
    )
    """,
    "CREATE INDEX ix_waitlist_entries_patient_id ON waitlist_entries (patient_id)",
    """
    CREATE INDEX ix_waitlist_entries_waiting ON waitlist_entries (created_at, id) WHERE state = 'waiting'
    """,
    """
    CREATE TABLE waitlist_offers (
        id SERIAL NOT NULL,
        entry_id INTEGER NOT NULL,
        appointment_id INTEGER NOT NULL,
        state VARCHAR(20) NOT NULL,
        offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_waitlist_offers PRIMARY KEY (id),
        CONSTRAINT ck_waitlist_offers_ended_at_a_time CHECK ((state = 'open') = (ended_at IS NULL)),
        CONSTRAINT fk_waitlist_offers_entry_id FOREIGN KEY(entry_id) REFERENCES waitlist_entries (id),
        CONSTRAINT uq_waitlist_offers_appointment_id UNIQUE (appointment_id),
        CONSTRAINT fk_waitlist_offers_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT ck_waitlist_offers_offerstate_known CHECK (state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn'))
    )
    """,
    "CREATE INDEX ix_waitlist_offers_entry_id ON waitlist_offers (entry_id)",
    "CREATE UNIQUE INDEX uq_waitlist_offers_open ON waitlist_offers (entry_id) WHERE state = 'open'",
    "CREATE INDEX ix_users_phone ON users (phone)",
    "CREATE INDEX ix_appointments_confirmed ON appointments (starts_at) WHERE status = 'confirmed'",
    "CREATE INDEX ix_notifications_appointment_id ON notifications (appointment_id)",
    "CREATE INDEX ix_notifications_carried_by_id ON notifications (carried_by_id)",
    """
    CREATE INDEX ix_notifications_check_after ON notifications (check_after) WHERE status = 'sent' AND provider_id IS NOT NULL
    """,
    "CREATE INDEX ix_notifications_patient_id ON notifications (patient_id)",
    "CREATE INDEX ix_notifications_sent_to ON notifications (sent_to)",
]

REVERSED = [
    "DROP TABLE waitlist_offers",
    "DROP TABLE waitlist_entries",
    "DROP TABLE heartbeats",
    "DROP TABLE inbound_messages",
    "DROP TABLE phone_states",
    "DROP TABLE message_templates",
    "DROP INDEX ix_users_phone",
    "DROP INDEX ix_notifications_sent_to",
    "DROP INDEX ix_appointments_confirmed",
    "DELETE FROM notifications WHERE kind <> 'account'",
    "UPDATE notifications SET status = 'sent' WHERE status IN ('delivered', 'undelivered')",
    "UPDATE notifications SET status = 'failed' WHERE status = 'cancelled'",
    """
    DELETE FROM appointment_events WHERE kind IN ('attending', 'arrived', 'completed', 'no_show', 'undone')
    """,
    "UPDATE appointments SET source = 'portal' WHERE source = 'waitlist'",
    """
    ALTER TABLE notifications
        DROP CONSTRAINT ck_notifications_notificationstatus_known,
        ADD CONSTRAINT ck_notifications_notificationstatus_known CHECK (status IN ('pending', 'sending', 'sent', 'failed')),
        DROP COLUMN kind,
        DROP COLUMN key,
        DROP COLUMN locale,
        DROP COLUMN details,
        DROP COLUMN patient_id,
        DROP COLUMN appointment_id,
        DROP COLUMN time_version,
        DROP COLUMN carried_by_id,
        DROP COLUMN lookups,
        DROP COLUMN lease,
        DROP COLUMN attempted_at,
        DROP COLUMN provider_id,
        DROP COLUMN provider_status,
        DROP COLUMN check_after,
        DROP COLUMN segments,
        DROP COLUMN error_code,
        DROP COLUMN settled_at,
        DROP COLUMN settled_by_id
    """,
    """
    ALTER TABLE appointment_events
        DROP CONSTRAINT ck_appointment_events_eventkind_known,
        ADD CONSTRAINT ck_appointment_events_eventkind_known CHECK (kind IN ('booked', 'overbooked', 'confirmed', 'moved', 'cancelled', 'expired'))
    """,
    """
    ALTER TABLE appointments
        DROP CONSTRAINT ck_appointments_source_known,
        ADD CONSTRAINT ck_appointments_source_known CHECK (source IN ('portal', 'desk')),
        DROP COLUMN time_version,
        DROP COLUMN attending_at
    """,
    """
    ALTER TABLE patients
        DROP COLUMN sms_consent_at,
        DROP COLUMN sms_consent_source,
        DROP COLUMN contact_by,
        DROP COLUMN wants_reminders,
        DROP COLUMN time_zone
    """,
    """
    ALTER TABLE settings
        DROP COLUMN text_name,
        DROP COLUMN reminder_minutes,
        DROP COLUMN quiet_from,
        DROP COLUMN quiet_until,
        DROP COLUMN waitlist_offer_minutes
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in REVERSED:
        op.execute(statement)
