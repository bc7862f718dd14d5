"""The audit trail: only added to, sealed in its transaction, and found out when somebody meddles with it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core import audit
from core.access import Action
from core.errors import AccessDenied
from db.models import AuditEntry, AuditLink, Outcome
from db.session import new_engine, unit_of_work
from tests import cast
from tests.cast import NOW, time_is


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


def written(database: Engine, count: int = 5) -> None:
    """Some entries, each in a transaction of its own."""
    for number in range(count):
        with unit_of_work(database) as session:
            audit.record(session, None, Action.BOOK, kind="appointment", number=number, doctor_id=7)


def meddled(database: Engine, *statements: str) -> list[str]:
    """What is found after somebody who owns the database has had their way with it."""
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
        for statement in statements:
            connection.execute(text(statement))
    with unit_of_work(database) as session:
        return audit.faults(session)


def test_an_entry_says_who_did_what_to_whom_when_and_from_where(session: Session) -> None:
    people = cast.assemble(session)
    audit.record(
        session, people.guardian, Action.BOOK, kind="appointment", number=3, patient_id=people.child_id
    )
    audit.record(
        session, people.ada, Action.CANCEL, kind="appointment", number=4, patient_id=people.ada.patient_ids[0]
    )
    for_child, own = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert (for_child.user_id, for_child.role, for_child.action) == (
        people.guardian.user_id,
        "patient",
        "book",
    )
    assert (for_child.object_kind, for_child.object_id, for_child.patient_id) == (
        "appointment",
        3,
        people.child_id,
    )
    assert (for_child.at, for_child.outcome, for_child.for_another) == (NOW, Outcome.DONE, True)
    assert not own.for_another


def test_a_look_counts_once_in_ten_minutes(session: Session) -> None:
    people = cast.assemble(session)
    for minutes in (0, 5, 9, 11):
        with time_is(NOW + timedelta(minutes=minutes)):
            audit.record_read(session, people.roth, Action.SEE_RECORD, kind="record", number=9, patient_id=9)
            audit.record_read(session, people.weiss, Action.SEE_RECORD, kind="record", number=9, patient_id=9)
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == 4


def test_a_refusal_says_what_of_whose_was_refused(session: Session) -> None:
    people = cast.assemble(session)
    denied = AccessDenied(Action.CANCEL, patient_id=people.ben.patient_ids[0], doctor_id=people.dr_roth.id)
    audit.record_refusal(session, people.ada, denied)
    [entry] = session.scalars(select(AuditEntry))
    assert (entry.action, entry.outcome, entry.patient_id) == (
        "cancel",
        Outcome.REFUSED,
        people.ben.patient_ids[0],
    )
    assert entry.detail == {"doctor_id": people.dr_roth.id}


def test_what_is_rolled_back_leaves_no_entry(database: Engine) -> None:
    with Session(database) as session, session.begin() as change:
        audit.record(session, None, Action.BOOK, kind="appointment")
        change.rollback()
    with Session(database) as session:
        assert session.scalars(select(AuditEntry)).all() == []
        assert audit.faults(session) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET user_id = 1",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "UPDATE audit_links SET entry_id = 1",
        "DELETE FROM audit_links",
        "TRUNCATE audit_links",
    ],
)
def test_entries_are_neither_changed_nor_deleted(database: Engine, statement: str) -> None:
    written(database)
    with (
        pytest.raises(ProgrammingError, match="only ever added"),
        database.connect() as connection,
        connection.begin(),
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize("table", ["audit_entries", "audit_links"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_not_even_the_owner_of_the_tables_has_the_right_to(
    database: Engine, table: str, statement: str
) -> None:
    """A portal that migrates by itself owns its tables; it has taken these rights from itself."""
    change = statement.format(table, "entry_id = 1" if table == "audit_links" else "user_id = 1")
    with database.connect() as connection, connection.begin() as outer:
        connection.execute(text("CREATE ROLE clinic_owner"))
        connection.execute(text("GRANT CREATE ON SCHEMA public TO clinic_owner"))
        for each in ("audit_entries", "audit_links"):
            connection.execute(text(f"ALTER TABLE {each} OWNER TO clinic_owner"))
        connection.execute(text("SET LOCAL ROLE clinic_owner"))
        with pytest.raises(ProgrammingError, match="permission denied for table"):
            connection.execute(text(change))
        outer.rollback()


def test_a_trail_nobody_touched_has_no_faults(database: Engine) -> None:
    written(database)
    assert meddled(database) == []


@pytest.mark.parametrize(
    "change",
    ["user_id = 1", "action = 'cancel'", "at = at + interval '1 second'", "detail = '{\"doctor_id\": 8}'"],
)
def test_an_altered_entry_is_found(database: Engine, change: str) -> None:
    written(database)
    assert meddled(database, f"UPDATE audit_entries SET {change} WHERE id = 3") == ["entry 3: altered"]


def test_a_missing_entry_is_found_even_when_its_link_went_with_it(database: Engine) -> None:
    written(database)
    assert "entry 2: missing" in meddled(database, "DELETE FROM audit_entries WHERE id = 2")
    assert "entry 3: links missing before it" in meddled(
        database, "DELETE FROM audit_links WHERE entry_id = 2"
    )


def test_a_missing_end_is_found(database: Engine) -> None:
    written(database)
    [fault] = meddled(
        database, "DELETE FROM audit_entries WHERE id = 5", "DELETE FROM audit_links WHERE entry_id = 5"
    )
    assert fault.startswith("the end of chain")


def test_an_entry_slipped_in_past_the_triggers_is_found(database: Engine) -> None:
    written(database)
    assert meddled(
        database,
        "INSERT INTO audit_entries (at, action, outcome, object_kind, for_another)"
        " VALUES (now(), 'book', 'done', 'appointment', false)",
    ) == ["entry 6: not sealed"]


def test_many_at_once_are_sealed_without_gaps(database: Engine) -> None:
    def write(number: int) -> None:
        with unit_of_work(database) as session:
            audit.record(session, None, Action.BOOK, kind="appointment", number=number)
            audit.record(session, None, Action.MOVE, kind="appointment", number=number)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(300)))
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(AuditLink)) == 600
        assert audit.faults(session) == []


def test_the_hash_does_not_hang_on_the_session_s_settings(database: Engine, database_url: str) -> None:
    written(database)
    elsewhere = new_engine(database_url)
    with elsewhere.connect() as connection, Session(connection) as session:
        for setting in ("timezone = 'Asia/Tokyo'", "datestyle = 'German'", "extra_float_digits = 0"):
            session.execute(text(f"SET {setting}"))
        assert audit.faults(session) == []
    elsewhere.dispose()


def test_the_command_says_what_it_found_and_exits_accordingly(database: Engine) -> None:
    written(database)
    command = [sys.executable, "-m", "core.audit", "verify"]
    sound = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (sound.returncode, sound.stdout) == (0, "All 5 entries are as they were written.\n")
    meddled(database, "DELETE FROM audit_entries WHERE id = 2")
    broken = subprocess.run(command, capture_output=True, text=True, check=False)
    assert broken.returncode == 1
    assert "entry 2: missing" in broken.stderr
