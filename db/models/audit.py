"""Who did or read what: rows that are only ever added, each sealed to the one before it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DDL, BigInteger, ForeignKey, Identity, Index, LargeBinary, Text, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


class AuditEntry(Base):
    """One thing done, read or refused. Names, notes and numbers of people are not in it, only ids.

    `user_id` acted, from `address`; `for_another` says that a guardian did, for the dependant `patient_id`.
    There are no foreign keys: an entry outlives what it speaks of.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at", "at"),
        Index("ix_audit_entries_user_id_at", "user_id", "at"),
        Index("ix_audit_entries_patient_id_at", "patient_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None]
    role: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    outcome: Mapped[Outcome] = mapped_column(stored_as_text(Outcome))
    object_kind: Mapped[str] = mapped_column(Text)
    object_id: Mapped[int | None] = mapped_column(BigInteger)
    patient_id: Mapped[int | None]
    for_another: Mapped[bool]
    address: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class AuditChain(Base):
    """The end of one of the chains that entries are sealed into: how many links, and the last one's hash.

    There are several, so that transactions which commit together seldom wait for each other.
    """

    __tablename__ = "audit_chains"

    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    links: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditLink(Base):
    """An entry's place in its chain, and the hash over it and the link before."""

    __tablename__ = "audit_links"

    chain: Mapped[int] = mapped_column(ForeignKey("audit_chains.chain"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


SEALING = (
    # Every column of an entry, in text that no setting of a session changes, after the hash before it.
    """
    CREATE FUNCTION audit_hash(entry audit_entries, before bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
        SELECT sha256(before || convert_to(jsonb_build_array(
            entry.id, extract(epoch FROM entry.at), entry.user_id, entry.role, entry.action, entry.outcome,
            entry.object_kind, entry.object_id, entry.patient_id, entry.for_another, entry.address,
            entry.detail
        )::text, 'UTF8'))
    $$
    """,
    # At commit: takes a chain's next place. Waits for another commit only when every chain is being added to.
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
    # The owner of a table may take rights from itself: then the trigger is not all that stands in the way.
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries, audit_links FROM PUBLIC, CURRENT_USER",
)
for _statement in SEALING:
    event.listen(Base.metadata, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call] # SQLAlchemy's own
