"""Who did or read what is written down, only ever added to, and sealed into chains."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = [
    """
    CREATE TABLE audit_entries (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        user_id INTEGER,
        role TEXT,
        action TEXT NOT NULL,
        outcome VARCHAR(20) NOT NULL,
        object_kind TEXT NOT NULL,
        object_id BIGINT,
        patient_id INTEGER,
        for_another BOOLEAN NOT NULL,
        address TEXT,
        detail JSONB,
        CONSTRAINT pk_audit_entries PRIMARY KEY (id),
        CONSTRAINT ck_audit_entries_outcome_known CHECK (outcome IN ('done', 'refused'))
    )
    """,
    "CREATE INDEX ix_audit_entries_at ON audit_entries (at)",
    "CREATE INDEX ix_audit_entries_patient_id_at ON audit_entries (patient_id, at)",
    "CREATE INDEX ix_audit_entries_user_id_at ON audit_entries (user_id, at)",
    """
    CREATE TABLE audit_chains (
        chain INTEGER NOT NULL,
        links BIGINT NOT NULL,
        last_hash BYTEA NOT NULL,
        CONSTRAINT pk_audit_chains PRIMARY KEY (chain)
    )
    """,
    """
    CREATE TABLE audit_links (
        chain INTEGER NOT NULL,
        number BIGINT NOT NULL,
        entry_id BIGINT NOT NULL,
        hash BYTEA NOT NULL,
        CONSTRAINT pk_audit_links PRIMARY KEY (chain, number),
        CONSTRAINT fk_audit_links_chain FOREIGN KEY(chain) REFERENCES audit_chains (chain),
        CONSTRAINT uq_audit_links_entry_id UNIQUE (entry_id)
    )
    """,
    """
    CREATE FUNCTION audit_hash(entry audit_entries, before bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
        SELECT sha256(before || convert_to(jsonb_build_array(
            entry.id, extract(epoch FROM entry.at), entry.user_id, entry.role, entry.action, entry.outcome,
            entry.object_kind, entry.object_id, entry.patient_id, entry.for_another, entry.address,
            entry.detail
        )::text, 'UTF8'))
    $$
    """,
    """
    CREATE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        end_of audit_chains;
        sealed bytea;
    BEGIN
        SELECT * INTO end_of FROM audit_chains WHERE chain = pg_backend_pid() % 32 FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            SELECT * INTO end_of FROM audit_chains ORDER BY chain FOR UPDATE SKIP LOCKED LIMIT 1;
        END IF;
        IF NOT FOUND THEN
            SELECT * INTO end_of FROM audit_chains WHERE chain = pg_backend_pid() % 32 FOR UPDATE;
        END IF;
        sealed := audit_hash(NEW, end_of.last_hash);
        INSERT INTO audit_links (chain, number, entry_id, hash)
        VALUES (end_of.chain, end_of.links + 1, NEW.id, sealed);
        UPDATE audit_chains SET links = end_of.links + 1, last_hash = sealed WHERE chain = end_of.chain;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER seal AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION audit_seal()
    """,
    """
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit entries are only ever added' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON audit_links
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_links
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
    """
    INSERT INTO audit_chains (chain, links, last_hash)
    SELECT n, 0, sha256(''::bytea) FROM generate_series(0, 31) AS n
    """,
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries, audit_links FROM PUBLIC, CURRENT_USER",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE audit_links, audit_chains, audit_entries CASCADE")
    op.execute("DROP FUNCTION audit_seal(), audit_refuse()")
