"""The desks: steps of a visit, series, rooms and places that close, holidays, feeds, profiles, strandings."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = [
    """
    CREATE TABLE closures (
        id SERIAL NOT NULL,
        on_date DATE NOT NULL,
        name TEXT NOT NULL,
        location_id INTEGER,
        CONSTRAINT pk_closures PRIMARY KEY (id),
        CONSTRAINT uq_closures_on_date_location_id UNIQUE NULLS NOT DISTINCT (on_date, location_id),
        CONSTRAINT ck_closures_name_short CHECK (char_length(name) BETWEEN 1 AND 100),
        CONSTRAINT fk_closures_location_id FOREIGN KEY(location_id) REFERENCES locations (id)
    )
    """,
    """
    CREATE TABLE setting_changes (
        id SERIAL NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        by_user_id INTEGER,
        subject TEXT NOT NULL,
        number INTEGER NOT NULL,
        title TEXT NOT NULL,
        before JSONB,
        after JSONB NOT NULL,
        CONSTRAINT pk_setting_changes PRIMARY KEY (id),
        CONSTRAINT fk_setting_changes_by_user_id FOREIGN KEY(by_user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE INDEX ix_setting_changes_subject_number ON setting_changes (subject, number)
    """,
    """
    CREATE TABLE visit_series (
        id SERIAL NOT NULL,
        every_weeks INTEGER NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        by_user_id INTEGER,
        request_key UUID,
        CONSTRAINT pk_visit_series PRIMARY KEY (id),
        CONSTRAINT ck_visit_series_interval_bounded CHECK (every_weeks BETWEEN 1 AND 52),
        CONSTRAINT fk_visit_series_by_user_id FOREIGN KEY(by_user_id) REFERENCES users (id),
        CONSTRAINT uq_visit_series_request_key UNIQUE (request_key)
    )
    """,
    """
    CREATE TABLE calendar_feeds (
        id SERIAL NOT NULL,
        doctor_id INTEGER NOT NULL,
        token_hash BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE,
        last_read_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_calendar_feeds PRIMARY KEY (id),
        CONSTRAINT fk_calendar_feeds_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id),
        CONSTRAINT uq_calendar_feeds_token_hash UNIQUE (token_hash)
    )
    """,
    """
    CREATE INDEX ix_calendar_feeds_doctor_id ON calendar_feeds (doctor_id)
    """,
    """
    CREATE TABLE profile_drafts (
        doctor_id INTEGER NOT NULL,
        bio TEXT NOT NULL,
        languages TEXT[] NOT NULL,
        photo BYTEA,
        removes_photo BOOLEAN NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        submitted_at TIMESTAMP WITH TIME ZONE,
        remark TEXT NOT NULL,
        CONSTRAINT pk_profile_drafts PRIMARY KEY (doctor_id),
        CONSTRAINT ck_profile_drafts_bio_short CHECK (char_length(bio) <= 2000),
        CONSTRAINT ck_profile_drafts_photo_bounded CHECK (octet_length(photo) BETWEEN 1 AND 1048576),
        CONSTRAINT ck_profile_drafts_remark_short CHECK (char_length(remark) <= 500),
        CONSTRAINT fk_profile_drafts_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id)
    )
    """,
    """
    CREATE TABLE service_rooms (
        service_id INTEGER NOT NULL,
        room_id INTEGER NOT NULL,
        CONSTRAINT pk_service_rooms PRIMARY KEY (service_id, room_id),
        CONSTRAINT fk_service_rooms_service_id FOREIGN KEY(service_id) REFERENCES services (id),
        CONSTRAINT fk_service_rooms_room_id FOREIGN KEY(room_id) REFERENCES rooms (id)
    )
    """,
    """
    CREATE INDEX ix_service_rooms_room_id ON service_rooms (room_id)
    """,
    """
    CREATE TABLE choice_links (
        id SERIAL NOT NULL,
        appointment_id INTEGER NOT NULL,
        time_version INTEGER NOT NULL,
        token_hash BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        by_user_id INTEGER,
        CONSTRAINT pk_choice_links PRIMARY KEY (id),
        CONSTRAINT fk_choice_links_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT uq_choice_links_token_hash UNIQUE (token_hash),
        CONSTRAINT fk_choice_links_by_user_id FOREIGN KEY(by_user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_choice_links_open ON choice_links (appointment_id) WHERE ended_at IS NULL
    """,
    """
    CREATE TABLE kept_visits (
        appointment_id INTEGER NOT NULL,
        time_version INTEGER NOT NULL,
        causes TEXT[] NOT NULL,
        reason TEXT NOT NULL,
        kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
        by_user_id INTEGER,
        CONSTRAINT pk_kept_visits PRIMARY KEY (appointment_id),
        CONSTRAINT ck_kept_visits_causes_given CHECK (cardinality(causes) > 0),
        CONSTRAINT fk_kept_visits_appointment_id FOREIGN KEY(appointment_id) REFERENCES appointments (id),
        CONSTRAINT fk_kept_visits_by_user_id FOREIGN KEY(by_user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE choice_times (
        link_id INTEGER NOT NULL,
        doctor_id INTEGER NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_choice_times PRIMARY KEY (link_id, doctor_id, starts_at),
        CONSTRAINT fk_choice_times_link_id FOREIGN KEY(link_id) REFERENCES choice_links (id),
        CONSTRAINT fk_choice_times_doctor_id FOREIGN KEY(doctor_id) REFERENCES doctors (id)
    )
    """,
    """
    ALTER TABLE appointments
        ADD COLUMN arrived_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN in_room_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN completed_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN series_id INTEGER,
        ADD CONSTRAINT fk_appointments_series_id FOREIGN KEY (series_id) REFERENCES visit_series (id)
    """,
    """
    CREATE INDEX ix_appointments_series_id ON appointments (series_id) WHERE series_id IS NOT NULL
    """,
    """
    CREATE INDEX ix_appointments_room_blocked ON appointments (room_id, lower(blocked))
    WHERE status IN ('pending', 'confirmed', 'arrived', 'in_room', 'completed') AND room_id IS NOT NULL
    """,
    # The last of a kind is the one that stands: what was taken back before does not count.
    """
    UPDATE appointments a SET arrived_at = e.at
    FROM (SELECT appointment_id, max(at) AS at FROM appointment_events WHERE kind = 'arrived'
          GROUP BY appointment_id) AS e
    WHERE e.appointment_id = a.id AND a.status IN ('arrived', 'in_room', 'completed')
    """,
    """
    UPDATE appointments a SET completed_at = e.at
    FROM (SELECT appointment_id, max(at) AS at FROM appointment_events WHERE kind = 'completed'
          GROUP BY appointment_id) AS e
    WHERE e.appointment_id = a.id AND a.status = 'completed'
    """,
    "ALTER TABLE appointment_events DROP CONSTRAINT ck_appointment_events_eventkind_known",
    """
    ALTER TABLE appointment_events ADD CONSTRAINT ck_appointment_events_eventkind_known CHECK (kind IN (
        'booked', 'overbooked', 'confirmed', 'moved', 'cancelled', 'expired', 'attending', 'arrived', 'in_room', 'completed', 'no_show', 'undone'))
    """,
    "ALTER TABLE notifications DROP CONSTRAINT ck_notifications_messagekind_known",
    """
    ALTER TABLE notifications ADD CONSTRAINT ck_notifications_messagekind_known CHECK (kind IN (
        'account', 'booked', 'moved', 'cancelled', 'reminder', 'running_late', 'offer', 'payment_link', 'receipt', 'reply', 'choice'))
    """,
    "ALTER TABLE locations ADD COLUMN is_active BOOLEAN DEFAULT 'true' NOT NULL",
    "ALTER TABLE rooms ADD COLUMN is_active BOOLEAN DEFAULT 'true' NOT NULL",
    "ALTER TABLE services ADD COLUMN needs_room BOOLEAN DEFAULT 'false' NOT NULL",
    """
    ALTER TABLE doctors
        ADD COLUMN photo BYTEA,
        ADD CONSTRAINT ck_doctors_photo_bounded CHECK (octet_length(photo) BETWEEN 1 AND 1048576)
    """,
]

BACK = [
    "ALTER TABLE doctors DROP COLUMN photo",
    "ALTER TABLE services DROP COLUMN needs_room",
    "ALTER TABLE rooms DROP COLUMN is_active",
    "ALTER TABLE locations DROP COLUMN is_active",
    "DELETE FROM notifications WHERE kind = 'choice'",
    "ALTER TABLE notifications DROP CONSTRAINT ck_notifications_messagekind_known",
    """
    ALTER TABLE notifications ADD CONSTRAINT ck_notifications_messagekind_known CHECK (kind IN (
        'account', 'booked', 'moved', 'cancelled', 'reminder', 'running_late', 'offer', 'payment_link', 'receipt', 'reply'))
    """,
    # There is no such step any more: who is in the room has arrived.
    "UPDATE appointments SET status = 'arrived' WHERE status = 'in_room'",
    "DELETE FROM appointment_events WHERE kind = 'in_room'",
    "ALTER TABLE appointment_events DROP CONSTRAINT ck_appointment_events_eventkind_known",
    """
    ALTER TABLE appointment_events ADD CONSTRAINT ck_appointment_events_eventkind_known CHECK (kind IN (
        'booked', 'overbooked', 'confirmed', 'moved', 'cancelled', 'expired', 'attending', 'arrived', 'completed', 'no_show', 'undone'))
    """,
    "ALTER TABLE appointments DROP COLUMN arrived_at, DROP COLUMN in_room_at, DROP COLUMN completed_at",
    "ALTER TABLE appointments DROP COLUMN series_id",
    "DROP INDEX ix_appointments_room_blocked",
    """
    DROP TABLE choice_times, choice_links, kept_visits, profile_drafts, calendar_feeds, service_rooms,
        setting_changes, closures, visit_series
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in BACK:
        op.execute(statement)
