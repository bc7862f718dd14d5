"""The demo clinic: believable, repeatable, and never loaded over a real one."""

import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.orm import Session

from core import ledger, passwords, waitlist_offers
from db.base import Base
from db.models import (
    Appointment,
    AppointmentStatus,
    EntryKind,
    LedgerEntry,
    Patient,
    PaymentStatus,
    TillClosing,
    User,
    folded,
)
from db.models.appointments import LIVE, LIVE_STATUSES
from db.seed import tables
from db.seed.__main__ import main
from db.seed.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD
from db.seed.loading import Plan, load
from tests import servers
from tests.cast import time_is

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 18, 10, 20, tzinfo=BERLIN).astimezone(UTC)  # a Wednesday, clocks change on the 29th
SMALL = Plan(doctors=4, patients=200, appointments=400)
SMALL_WORDS = ["--doctors", "4", "--patients", "200", "--appointments", "400"]

# For every visit, the hours that were in force on its day.
HOURS_OF_VISITS = """
WITH visit AS (
    SELECT a.*, s.step_minutes, local.starts, local.ends, local.starts::date AS on_date
    FROM appointments a JOIN services s ON s.id = a.service_id
    CROSS JOIN LATERAL (SELECT a.starts_at AT TIME ZONE 'Europe/Berlin' AS starts,
                               a.ends_at AT TIME ZONE 'Europe/Berlin' AS ends) AS local
), hours AS (
    SELECT v.id, x.location_id, x.opens_at, x.closes_at
    FROM visit v JOIN date_overrides x USING (doctor_id, on_date)
    UNION ALL
    SELECT v.id, w.location_id, w.opens_at, w.closes_at FROM visit v JOIN weekly_hours w USING (doctor_id)
    WHERE w.weekday = extract(isodow FROM v.on_date) AND v.on_date <= coalesce(w.valid_until_on, v.on_date)
      AND NOT EXISTS (SELECT FROM date_overrides x WHERE (x.doctor_id, x.on_date) = (v.doctor_id, v.on_date))
)
"""


@pytest.fixture(scope="module")
def clinic(server_url: str) -> Iterator[Connection]:
    """The demo clinic as `make run` loads it, as of NOW, in a database of its own."""
    with servers.fresh_database(server_url) as own:
        with own.begin() as connection:
            load(connection, Plan(), NOW)
        with own.connect() as connection:
            tables.analyze(connection)
            yield connection


def count(connection: Connection, statement: str, **values: Any) -> int:
    return connection.execute(text(statement), {"now": NOW} | values).scalar_one()


def everything(migrated: Engine, plan: Plan) -> dict[str, list[Any]]:
    """Every row that a plan gives as of NOW, but for the salted password."""
    with migrated.connect() as connection, connection.begin() as outer:
        load(connection, plan, NOW)
        rows = {}
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if column.name != "password_hash"]
            if table.autoincrement_column is not None:
                order = [table.autoincrement_column]
            else:
                order = list(table.primary_key)
            rows[table.name] = connection.execute(select(*columns).order_by(*order)).all()
        outer.rollback()
    return rows


def test_the_same_seed_gives_the_same_clinic(migrated: Engine) -> None:
    assert everything(migrated, SMALL) == everything(migrated, SMALL)


def test_another_seed_gives_another_clinic(migrated: Engine) -> None:
    other = Plan(seed=2, doctors=4, patients=200, appointments=400)
    assert everything(migrated, SMALL)["patients"] != everything(migrated, other)["patients"]


def test_a_large_clinic_has_exactly_the_visits_asked_for(migrated: Engine) -> None:
    with migrated.connect() as connection, connection.begin() as outer:
        counts = load(connection, Plan(doctors=30, patients=1200, appointments=3000), NOW)
        assert (counts.doctors, counts.appointments) == (30, 3000)
        assert count(connection, "SELECT count(*) FROM appointments") == 3000
        outer.rollback()


def test_every_visit_lies_in_the_hours_and_on_their_grid(clinic: Connection) -> None:
    outside = f"""{HOURS_OF_VISITS}
        SELECT count(*) FROM visit v WHERE NOT EXISTS (
            SELECT FROM hours h WHERE h.id = v.id AND h.location_id = v.location_id
            AND h.opens_at <= v.starts::time AND v.ends::time <= h.closes_at
            AND mod(extract(epoch FROM v.starts::time - h.opens_at)::int, 60 * v.step_minutes) = 0)"""
    assert count(clinic, outside) == 0
    assert count(clinic, "SELECT count(*) FROM appointments") > 10_000


def test_nobody_is_seen_during_time_off(clinic: Connection) -> None:
    during = """SELECT count(*) FROM appointments a JOIN time_off t USING (doctor_id)
        WHERE a.blocked && tstzrange(t.starts_at, t.ends_at)"""
    assert count(clinic, during) == 0


def test_doctors_see_nobody_after_they_have_left(clinic: Connection) -> None:
    left = "SELECT count(*) FROM appointments a JOIN doctors d ON d.id = a.doctor_id WHERE NOT d.is_active"
    assert count(clinic, left) > 0
    assert count(clinic, f"{left} AND a.starts_at > :now") == 0


def test_a_visit_blocks_its_buffers_and_costs_what_the_doctor_asks(clinic: Connection) -> None:
    wrong = """SELECT count(*) FROM appointments a JOIN services s ON s.id = a.service_id
        JOIN doctor_services o ON (o.doctor_id, o.service_id) = (a.doctor_id, a.service_id)
        WHERE a.price_minor <> coalesce(o.price_minor, s.price_minor)
        OR a.ends_at - a.starts_at <> make_interval(mins => s.duration_minutes)
        OR lower(a.blocked) <> a.starts_at - make_interval(mins => s.buffer_before_minutes)
        OR upper(a.blocked) <> a.ends_at + make_interval(mins => s.buffer_after_minutes)"""
    offered = "SELECT count(*) FROM appointments JOIN doctor_services USING (doctor_id, service_id)"
    assert count(clinic, wrong) == 0
    assert count(clinic, offered) == count(clinic, "SELECT count(*) FROM appointments")


@pytest.mark.parametrize(
    "impossible",
    [
        "status = 'completed' AND ends_at > :now",
        "status = 'no_show' AND ends_at > :now",
        "status = 'confirmed' AND starts_at <= :now",
        "status = 'in_room' AND NOT (starts_at <= :now AND ends_at > :now)",
        "status = 'arrived' AND NOT starts_at - interval '1 hour' < :now",
        "status = 'pending'",
        "created_at > :now OR created_at >= starts_at OR updated_at > :now OR updated_at < created_at",
        "payment_status IN ('refunded', 'partly_refunded') AND status <> 'cancelled'",
        "status = 'no_show' AND payment_status <> 'unpaid'",
        "status = 'expired'",
        "due_minor > 0",
    ],
)
def test_no_visit_is_in_a_state_that_cannot_be(clinic: Connection, impossible: str) -> None:
    assert count(clinic, f"SELECT count(*) FROM appointments WHERE {impossible}") == 0


def test_most_past_visits_took_place(clinic: Connection) -> None:
    past = dict(
        clinic.execute(
            text(
                "SELECT status, count(*)::float / sum(count(*)) OVER () FROM appointments"
                " WHERE ends_at <= :now GROUP BY status"
            ),
            {"now": NOW},
        ).all()
    )
    assert past["completed"] > 0.8
    assert 0.03 < past["no_show"] < 0.08
    assert 0.06 < past["cancelled"] < 0.12


def test_nobody_comes_before_being_registered(clinic: Connection) -> None:
    early = """SELECT count(*) FROM appointments a JOIN patients p ON p.id = a.patient_id
        WHERE a.created_at < p.created_at"""
    assert count(clinic, early) == 0


def test_the_history_tells_every_change(clinic: Connection) -> None:
    histories = """SELECT count(*) FROM appointments a WHERE
        (SELECT array_agg(kind::text ORDER BY at, id) FROM appointment_events e WHERE e.appointment_id = a.id)
        IS DISTINCT FROM array_remove(ARRAY['booked',
            CASE WHEN version - (status IN ('cancelled', 'expired'))::int = 1 THEN 'moved' END,
            CASE WHEN status IN ('cancelled', 'expired') THEN status END], NULL)"""
    assert count(clinic, histories) == 0
    last_place = """SELECT count(*) FROM appointments a JOIN appointment_events e ON e.appointment_id = a.id
        WHERE e.kind IN ('moved', 'cancelled')
        AND ((e.after->>'starts_at')::timestamptz, (e.after->>'ends_at')::timestamptz)
            <> (a.starts_at, a.ends_at)"""
    assert count(clinic, last_place) == 0
    assert count(clinic, "SELECT count(*) FROM appointment_events WHERE kind = 'moved'") > 100


def test_the_terms_of_every_visit_are_those_of_the_policy(clinic: Connection) -> None:
    wrong = """SELECT count(*) FROM appointments a JOIN services s ON s.id = a.service_id, settings c
        WHERE a.payment_rule <> 'desk' OR a.refund_percent <> coalesce(s.refund_percent, c.refund_percent)
        OR a.cancellation_hours <> coalesce(s.cancellation_hours, c.cancellation_hours)
        OR a.late_fee_minor <> (a.price_minor * coalesce(s.late_fee_percent, c.late_fee_percent) + 50) / 100
        OR a.rule_cause <> CASE WHEN s.payment_rule IS NULL THEN 'clinic' ELSE 'service' END"""
    assert count(clinic, wrong) == 0
    assert count(clinic, "SELECT count(DISTINCT coalesce(payment_rule, 'as the clinic')) FROM services") == 3


def test_the_payment_status_of_every_visit_is_what_the_ledger_says(clinic: Connection) -> None:
    told = clinic.execute(
        text("""
            SELECT a.status, a.payment_status,
                   coalesce(sum(e.amount_minor) FILTER (WHERE kind IN ('invoice', 'credit')), 0) AS invoiced,
                   coalesce(-sum(e.amount_minor) FILTER (WHERE kind = 'payment'), 0) AS paid,
                   coalesce(sum(e.amount_minor) FILTER (WHERE kind = 'refund'), 0) AS refunded
            FROM appointments a LEFT JOIN ledger_entries e ON e.appointment_id = a.id GROUP BY a.id
        """)
    ).all()
    with Session(clinic) as session:
        shape = ledger.standing(session, 0)
    for visit in told:
        money = shape._replace(
            invoiced_minor=visit.invoiced, paid_minor=visit.paid, refunded_minor=visit.refunded
        )
        is_live = AppointmentStatus(visit.status) in LIVE_STATUSES
        before = PaymentStatus(visit.payment_status)
        assert ledger.status_of(money, is_live=is_live, before=before) is before, visit
    assert {visit.payment_status for visit in told} == {each.value for each in PaymentStatus}


def test_the_ledger_balances_and_its_numbers_have_no_gaps(clinic: Connection) -> None:
    unbalanced = """SELECT count(*) FROM (
        SELECT appointment_id, sum(amount_minor) FROM ledger_entries e JOIN appointments a
        ON a.id = appointment_id WHERE a.payment_status IN ('paid', 'refunded', 'partly_refunded')
        AND NOT EXISTS (SELECT FROM refunds r JOIN payments p ON p.id = r.payment_id
                        WHERE p.appointment_id = a.id AND r.state = 'pending')
        GROUP BY appointment_id HAVING sum(amount_minor) <> 0) AS each"""
    assert count(clinic, unbalanced) == 0
    gaps = """SELECT count(*) FROM (
        SELECT number - row_number() OVER (PARTITION BY series ORDER BY at, id) AS gap
        FROM ledger_entries) AS numbered
        WHERE gap <> 0"""
    assert count(clinic, gaps) == 0
    counted = """SELECT count(*) FROM document_counters c
        WHERE last_number = (SELECT max(number) FROM ledger_entries e WHERE e.series = c.series)"""
    assert count(clinic, counted) == 2
    future = "SELECT count(*) FROM ledger_entries WHERE at > :now"
    assert count(clinic, future) == 0


def test_payments_and_refunds_are_in_the_ledger_once_each(clinic: Connection) -> None:
    payments = """SELECT count(*) FROM payments p FULL JOIN
        (SELECT * FROM ledger_entries WHERE kind = 'payment') e ON e.payment_id = p.id
        WHERE p.amount_minor IS DISTINCT FROM -e.amount_minor OR p.method IS DISTINCT FROM e.method
        OR p.appointment_id IS DISTINCT FROM e.appointment_id OR p.paid_at IS DISTINCT FROM e.at
        OR p.taken_by_id IS DISTINCT FROM e.by_user_id"""
    refunds = """SELECT count(*) FROM refunds r FULL JOIN
        (SELECT * FROM ledger_entries WHERE kind = 'refund') e ON e.refund_id = r.id
        WHERE (r.state = 'pending') <> (e.id IS NULL) OR (r.amount_minor <> e.amount_minor)
        OR r.settled_at IS DISTINCT FROM e.at"""
    assert (count(clinic, payments), count(clinic, refunds)) == (0, 0)
    assert count(clinic, "SELECT count(*) FROM payments") > 8_000
    assert count(clinic, "SELECT count(*) FROM payments WHERE method = 'online'") == 0


def test_a_document_says_what_the_portal_would_write_on_it(clinic: Connection) -> None:
    with Session(clinic, join_transaction_mode="create_savepoint") as session:  # rolled back as it closes
        newest = select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)
        seeded = session.scalars(newest.where(LedgerEntry.kind == EntryKind.PAYMENT)).one()
        last = session.scalar(select(func.max(LedgerEntry.number)).where(LedgerEntry.series == "invoice"))
        visit = session.get_one(Appointment, seeded.appointment_id)
        ledger.owe(session, None, visit, visit.price_minor + 1)
        written = session.scalars(newest).one()
        assert written.number == (last or 0) + 1
        assert written.particulars.items() <= seeded.particulars.items()


@pytest.mark.parametrize(
    "open_thing",
    [
        "appointments WHERE payment_status = 'partly_paid'",
        "refunds WHERE state = 'pending' AND method <> 'online'",
        "appointments a WHERE status = 'cancelled' AND payment_status = 'unpaid' AND EXISTS ("
        "SELECT FROM ledger_entries e WHERE e.appointment_id = a.id AND kind = 'invoice')",
    ],
)
def test_the_desk_has_something_left_to_do(clinic: Connection, open_thing: str) -> None:
    assert count(clinic, f"SELECT count(*) FROM {open_thing}") > 0


def test_every_evening_the_till_was_closed_and_fits_the_one_before(clinic: Connection) -> None:
    closings = clinic.execute(select(TillClosing).order_by(TillClosing.id)).all()
    assert len(closings) > 300
    last_id, left = 0, closings[0].opening_minor
    for closing in closings:
        taken = clinic.execute(
            text("""
                SELECT coalesce(-sum(amount_minor) FILTER (WHERE method = 'cash'), 0),
                       coalesce(-sum(amount_minor) FILTER (WHERE method = 'terminal'), 0)
                FROM ledger_entries WHERE by_user_id = :user_id AND method IS NOT NULL
                AND id > :last_id AND id <= :up_to AND at <= :closed_at
            """),
            {
                "user_id": closing.user_id,
                "last_id": last_id,
                "up_to": closing.up_to_entry_id,
                "closed_at": closing.closed_at,
            },
        ).one()
        assert closing.opening_minor == left
        assert (closing.expected_minor - left, closing.terminal_minor) == tuple(taken)
        last_id, left = closing.up_to_entry_id, closing.left_minor
    assert 0 < sum(closing.note != "" for closing in closings) < len(closings) / 10


def test_the_demo_accounts_sign_in_and_nobody_else_does(clinic: Connection) -> None:
    found = clinic.execute(
        select(User.username, User.role, User.password_hash).where(User.password_hash.is_not(None))
    )
    accounts = {username: (role.value, password_hash) for username, role, password_hash in found}
    assert {username: role for username, (role, _) in accounts.items()} == {
        name: name for name in DEMO_ACCOUNTS
    }
    (shared,) = {password_hash for _, password_hash in accounts.values()}
    assert passwords.matches(DEMO_PASSWORD, shared)


def test_the_demo_patient_has_a_chart_to_read(clinic: Connection) -> None:
    hers = "JOIN appointments a ON a.id = appointment_id WHERE a.patient_id = 1"
    for table, rows in {"note_versions": 3, "note_releases": 2, "intake_answers": 3}.items():
        assert count(clinic, f"SELECT count(*) FROM {table} {hers}") == rows, table
    for found, rows in {
        "prescriptions": 3,
        "prescriptions p JOIN prescriptions o ON o.id = p.repeats_id AND o.signed_at < p.signed_at": 1,
        "prescriptions WHERE withdrawn_at IS NOT NULL": 1,
        "letters": 2,
        "attachments WHERE patient_id = 1": 1,
        "(SELECT DISTINCT service_id FROM intake_questions) s": 2,
    }.items():
        assert count(clinic, f"SELECT count(*) FROM {found}") == rows, found


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler's pdftotext")
def test_what_she_brought_along_is_a_whole_pdf(clinic: Connection) -> None:
    content = clinic.execute(text("SELECT content FROM attachments")).scalar_one()
    read = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
    assert b"Ferritin" in read.stdout
    assert read.stderr == b"", "poppler says so when it has to mend something"


def test_a_modest_number_of_the_others_visits_has_a_note_in_the_past(clinic: Connection) -> None:
    others = "note_versions n JOIN appointments a ON a.id = appointment_id WHERE a.patient_id > 3"
    assert count(clinic, f"SELECT count(*) FROM {others}") == 600
    assert count(clinic, f"SELECT count(*) FROM {others} AND n.signed_at > :now") == 0
    assert count(clinic, f"SELECT count(*) FROM {others} AND n.doctor_id <> a.doctor_id") == 0
    released = count(clinic, "SELECT count(*) FROM note_releases")
    assert 200 < released < 400


def test_the_demo_patient_has_children_and_visits_behind_and_ahead(clinic: Connection) -> None:
    mother = count(
        clinic, "SELECT p.id FROM patients p JOIN users u ON u.id = user_id WHERE username = 'patient'"
    )
    hers = f"SELECT count(*) FROM appointments WHERE patient_id = {mother} AND status"
    assert (
        count(clinic, f"SELECT count(*) FROM patients WHERE guardian_id = {mother} AND user_id IS NULL") == 2
    )
    assert count(clinic, f"{hers} = 'completed'") >= 5
    assert count(clinic, f"{hers} = 'confirmed' AND starts_at > :now") >= 2
    assert count(clinic, f"{hers} = 'cancelled'") == 1


def test_children_have_a_guardian_old_enough_and_no_account(clinic: Connection) -> None:
    children = "SELECT count(*) FROM patients c JOIN patients g ON g.id = c.guardian_id"
    assert 40 < count(clinic, children) < 100
    assert count(clinic, f"{children} WHERE c.user_id IS NOT NULL") == 0
    assert count(clinic, f"{children} WHERE c.birth_on < g.birth_on + interval '18 years'") == 0
    assert count(clinic, f"{children} WHERE c.birth_on < :now - interval '18 years'") == 0


def test_patients_write_their_names_in_many_scripts(clinic: Connection) -> None:
    patients = clinic.execute(select(Patient.name, Patient.name_folded)).all()
    scripts = {unicodedata.name(name[0]).split()[0] for name, _ in patients}
    assert scripts >= {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "CJK", "HANGUL"}
    assert all(name_folded == folded(name) for name, name_folded in patients)


@pytest.mark.parametrize("days", range(7))
def test_the_demo_doctor_sees_patients_today_whatever_the_weekday(migrated: Engine, days: int) -> None:
    now = NOW + timedelta(days=days)
    assert_full_list(migrated, now)


def test_the_demo_doctor_sees_patients_on_a_public_holiday(migrated: Engine) -> None:
    assert_full_list(migrated, datetime(2026, 12, 25, 11, 0, tzinfo=BERLIN))


def assert_full_list(migrated: Engine, now: datetime) -> None:
    """Assert that the demo doctor has a full list on the day of `now`, partly behind and partly ahead."""
    with migrated.connect() as connection, connection.begin() as outer:
        load(connection, Plan(doctors=1, patients=80, appointments=60), now)
        todays = f"""SELECT count(*) FROM appointments a JOIN doctors d ON d.id = a.doctor_id
            JOIN users u ON u.id = d.user_id WHERE u.username = 'doctor' AND {LIVE}
            AND (starts_at AT TIME ZONE 'Europe/Berlin')::date = (:now AT TIME ZONE 'Europe/Berlin')::date"""
        assert count(connection, todays, now=now) >= 6
        assert count(connection, f"{todays} AND status <> 'confirmed'", now=now) >= 1
        assert count(connection, f"{todays} AND status = 'confirmed'", now=now) >= 1
        outer.rollback()


def test_the_portal_can_go_on_numbering(clinic: Connection) -> None:
    for name in (
        "users",
        "patients",
        "doctors",
        "rooms",
        "weekly_hours",
        "appointments",
        "appointment_events",
        "payments",
        "refunds",
        "ledger_entries",
        "till_closings",
    ):
        following = count(clinic, f"SELECT nextval(pg_get_serial_sequence('{name}', 'id'))")
        assert following > count(clinic, f"SELECT max(id) FROM {name}")


def test_a_second_run_adds_nothing(database: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    main([*SMALL_WORDS])
    main([*SMALL_WORDS, "--if-empty"])
    assert "nothing was loaded" in capsys.readouterr().out
    with database.connect() as connection:
        assert count(connection, "SELECT count(*) FROM appointments") == 400


def test_a_clinic_is_not_loaded_over_another(database: Engine) -> None:
    main([*SMALL_WORDS])
    with pytest.raises(SystemExit, match="already has a clinic"):
        main([*SMALL_WORDS])


def test_a_demo_clinic_is_replaced(database: Engine) -> None:
    main([*SMALL_WORDS])
    main([*SMALL_WORDS, "--reset", "--seed", "2"])
    with database.connect() as connection:
        assert count(connection, "SELECT count(*) FROM appointments") == 400


def test_a_real_clinic_is_never_emptied(database: Engine) -> None:
    main([*SMALL_WORDS])
    with database.begin() as connection:
        connection.execute(text("UPDATE settings SET is_demo = false"))
    with pytest.raises(SystemExit, match="not a demo"):
        main([*SMALL_WORDS, "--reset"])
    with database.connect() as connection:
        assert count(connection, "SELECT count(*) FROM appointments") == 400


def test_no_demo_in_production(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "a secret key of this very clinic only")
    with pytest.raises(SystemExit, match="CLINIC_ENV is production"):
        main([])


def test_a_database_without_tables_is_sent_to_the_migrations(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("DROP TABLE settings"))
    with pytest.raises(SystemExit, match=r"db\.migrate"):
        main([])


def test_three_people_wait_each_for_a_time_that_somebody_else_has(clinic: Connection) -> None:
    wishes = """SELECT count(*) FROM waitlist_entries e JOIN appointments a
        ON (a.doctor_id, a.service_id) = (e.doctor_id, e.service_id) AND a.status = 'confirmed'
        AND a.patient_id <> e.patient_id
        AND a.starts_at = (e.from_on + e.from_time) AT TIME ZONE 'Europe/Berlin'
        AND a.ends_at = (e.until_on + e.until_time) AT TIME ZONE 'Europe/Berlin'"""
    assert count(clinic, wishes) == 3
    assert count(clinic, "SELECT count(DISTINCT patient_id) FROM waitlist_entries") == 3
    family = "SELECT count(*) FROM waitlist_entries e JOIN patients p ON p.id = e.patient_id WHERE p.id = 1"
    assert count(clinic, family) == 1, "whoever signs in as the patient waits too"


def test_the_waitlist_offers_nothing_until_one_of_those_times_is_free(clinic: Connection) -> None:
    def scan() -> int:
        @contextmanager
        def nested() -> Iterator[Session]:
            mode = {"join_transaction_mode": "create_savepoint", "expire_on_commit": False}
            with Session(clinic, **mode) as session, session.begin():
                yield session

        return waitlist_offers.offer_freed(nested)

    with clinic.begin_nested() as nested, time_is(NOW):
        assert scan() == 0
        freed = """UPDATE appointments SET status = 'cancelled' WHERE id = (
            SELECT id FROM appointments WHERE patient_id = 1 AND status = 'confirmed' AND starts_at > :now
            ORDER BY starts_at LIMIT 1)"""
        clinic.execute(text(freed), {"now": NOW + timedelta(days=1)})
        assert scan() == 1
        nested.rollback()
