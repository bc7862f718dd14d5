"""Fills an empty, migrated database with a demo clinic."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from sqlalchemy import Connection, Table, text
from sqlalchemy.orm import Session

from db.base import Base
from db.seed import charts, clinics, ledgers, questionnaires, reminders, tables, waitlists
from db.seed.accounts import desk_accounts
from db.seed.calendars import ZONE, instant
from db.seed.diaries import diary
from db.seed.doctors import FIRST_DOCTOR_USER, Hiring
from db.seed.families import register_family
from db.seed.panels import Panels
from db.seed.patients import Registrations
from db.seed.takings import Takings
from db.seed.visits import Visit, Visits

_BATCH = 20_000


@dataclass(frozen=True)
class Plan:
    """How large a clinic to make. Without a number of appointments, what eighteen months bring."""

    seed: int = 1
    doctors: int = 12
    patients: int = 800
    appointments: int | None = None


@dataclass
class Counts:
    """What was loaded."""

    doctors: int = 0
    patients: int = 0
    appointments: int = 0
    events: int = 0


def load(connection: Connection, plan: Plan, now: datetime) -> Counts:
    """Fill the empty tables in the connection's transaction. The same plan and `now` give the same rows.

    Only the password's hash differs: bcrypt salts it.
    """
    connection.execute(
        text("SET LOCAL idle_in_transaction_session_timeout = 0")
    )  # a large one is long made up
    today = now.astimezone(ZONE).date()
    services, specialties = clinics.services(), clinics.specialties()
    hiring = Hiring(services, specialties, today)
    doctors_chance = Random(f"doctors {plan.seed}")
    for number in range(1, plan.doctors + 1):
        hiring.hire(number, doctors_chance)
    days = diary(hiring.practices, today, plan.appointments, Random(f"diaries {plan.seed}"))
    first_on = days[0][0].on
    since = instant(first_on, 0)

    registrations = Registrations(Random(f"patients {plan.seed}"), now, FIRST_DOCTOR_USER + plan.doctors)
    register_family(registrations, today, since - timedelta(days=1001))
    registrations.register_many(plan.patients, since)
    opened_at = since - timedelta(days=1002)
    accounts = [*desk_accounts(opened_at), *hiring.accounts(opened_at), *registrations.accounts]
    tables.align_sequences(connection)
    tables.copy_rows(connection, _table("users"), accounts)
    places = [clinics.settings(), *clinics.locations()]
    _add(connection, [*places, *services, *specialties, *hiring.records])
    tables.copy_rows(connection, _table("patients"), registrations.patients)
    tables.copy_rows(connection, _table("record_items"), registrations.items)
    panels = Panels(registrations.patients, plan.doctors, Random(f"panels {plan.seed}"))
    takings = Takings(now, Random(f"takings {plan.seed}"))
    chance = Random(f"visits {plan.seed}")
    visits = Visits(registrations.patients, panels, takings, first_on, now, chance)
    counts = Counts(doctors=plan.doctors, patients=len(registrations.patients))
    with ledgers.being_kept(connection, today):
        _copy_visits(connection, visits.of(days), counts)
    waitlists.join(connection, now)
    reminders.send(connection, now)
    charts.write(connection)
    questionnaires.ask(connection, now)
    tables.align_sequences(connection)
    return counts


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _add(connection: Connection, records: list[Base]) -> None:
    """Insert model objects table by table, an order the session knows only where there are relationships."""
    with Session(bind=connection, expire_on_commit=False) as session, session.begin():
        for table in Base.metadata.sorted_tables:
            session.add_all(record for record in records if record.__table__ is table)
            session.flush()


def _copy_visits(connection: Connection, visits: Iterator[Visit], counts: Counts) -> None:
    """Copy appointments and their events in batches, because a million of them at once fill the memory.

    The no-overlap constraints stay in place: with a million rows, dropping them and adding them back in
    the same transaction took 184 s against 190 s, since adding one checks every row as an insert does.
    """
    while batch := list(islice(visits, _BATCH)):
        events = [event for _, history, _ in batch for event in history]
        tables.copy_rows(connection, _table("appointments"), [appointment for appointment, _, _ in batch])
        tables.copy_rows(connection, _table("appointment_events"), events)
        ledgers.note(connection, (taking for _, _, takings in batch for taking in takings))
        counts.appointments += len(batch)
        counts.events += len(events)
