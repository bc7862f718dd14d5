"""Days of the clinic that are over, summed up once: what they come to, which are kept, and when no longer.

A day is summed up by the statements below, which also give the figures of the days that are not: one rule for
both. Whoever changes something that counts notes the instants in `changed_stretches` in the same transaction
(triggers in `db.models.notings`). The notes are taken away before a day is summed up again, so that a change
which is not in the sums yet has left its note.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from core import clinics, clock
from core.day_parts import first_of, instants
from core.day_statements import HOURS, MONEY, VISITS
from db.models import ChangedStretch, SummedDay
from db.session import run, unit_of_work

TABLES = {"visit_days": VISITS, "money_days": MONEY, "hour_days": HOURS}
_GROUPED = "on_date, doctor_id, service_id, location_id"
COLUMNS = {
    "visit_days": f"{_GROUPED}, booked, cancelled, completed, missed, overbooked, waited, waited_seconds,"
    " booked_minor, earned_minor, owed_minor, lost_minor",
    "money_days": f"{_GROUPED}, currency, invoiced_minor, received_online_minor, received_terminal_minor,"
    " received_cash_minor, refunded_online_minor, refunded_terminal_minor, refunded_cash_minor",
    "hour_days": "on_date, doctor_id, location_id, hour, offered_seconds, booked_seconds",
}
AT_ONCE = 31  # days in one transaction
_DAY = timedelta(days=1)
_LOCK = "SELECT pg_try_advisory_xact_lock(13, 0)"
_FORGET = """
    WITH gone AS (DELETE FROM {table} WHERE on_date = ANY(%(dates)s) RETURNING 1) SELECT count(*) FROM gone
"""
_KEEP = """
    WITH kept AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM ({statement}) AS found RETURNING 1)
    SELECT count(*) FROM kept
"""
_DIFFERING = """
    WITH kept AS (SELECT {columns} FROM {table} WHERE on_date = ANY(%(dates)s)), found AS ({statement})
    SELECT DISTINCT on_date FROM (
        (TABLE kept EXCEPT ALL SELECT {columns} FROM found)
        UNION ALL (SELECT {columns} FROM found EXCEPT ALL TABLE kept)
    ) AS differing
"""


class SumsDiffer(Exception):
    """Sums that were kept differ from what the visits come to: something changed them past the triggers."""


def unsummed(session: Session, from_on: date, until_on: date) -> list[date]:
    """The days of a period, both ends included, that are to be taken from the visits themselves."""
    kept = set(session.scalars(select(SummedDay.on_date).where(SummedDay.on_date.between(from_on, until_on))))
    kept -= _changed(session, kept)
    return [day for day in _days(from_on, until_on) if day not in kept]


def sum_up() -> int:
    """Sum up the days that are over and are not, or no longer are. Returns how many. Safe to run twice."""
    done = 0
    while summed := _some():
        done += summed
    return done


def require_equal() -> int:
    """Hold every kept sum against what the visits come to now. Returns how many days were compared.

    Days that differ are summed up again. Raises `SumsDiffer`, which says which they were.
    """
    with unit_of_work() as session:
        days = list(session.scalars(select(SummedDay.on_date).order_by(SummedDay.on_date)))
    wrong: set[date] = set()
    for first in range(0, len(days), AT_ONCE):
        with unit_of_work() as session:
            wrong |= _differing(session, days[first : first + AT_ONCE])
    if wrong:
        with unit_of_work() as session:
            session.execute(delete(SummedDay).where(SummedDay.on_date.in_(wrong)))
        sum_up()
        raise SumsDiffer(f"sums of {len(wrong)} days differed, the first {min(wrong)}, the last {max(wrong)}")
    return len(days)


def _some() -> int:
    """Sum up some days in one transaction, the latest first. None while another process does."""
    with unit_of_work() as session:
        if not clinics.is_founded(session) or not session.scalar(text(_LOCK)):
            return 0
        _take_notes(session)
        today = clock.now().astimezone(clinics.zone(session)).date()
        first_on = first_of(session)
        if first_on is None:
            return 0
        days = unsummed(session, first_on, today - _DAY)[-AT_ONCE:]
        if days:
            _sum(session, days)
        return len(days)


def _take_notes(session: Session) -> None:
    """What has changed is no longer summed up; the notes of it go."""
    kept = set(session.scalars(select(SummedDay.on_date)))
    noted = list(session.scalars(delete(ChangedStretch).returning(ChangedStretch)))
    stretches = [(each.begins_at, each.ends_at) for each in noted]
    if touched := _touched(session, kept, stretches):
        session.execute(delete(SummedDay).where(SummedDay.on_date.in_(touched)))


def _sum(session: Session, days: Sequence[date]) -> None:
    parameters = instants(clinics.zone(session), days)
    for table, statement in TABLES.items():
        run(session, _FORGET.format(table=table), parameters)
        run(session, _KEEP.format(table=table, columns=COLUMNS[table], statement=statement), parameters)
    now = clock.now()
    session.execute(insert(SummedDay), [{"on_date": day, "summed_at": now} for day in days])


def _differing(session: Session, days: Sequence[date]) -> set[date]:
    """The days whose kept sums differ although nobody has noted a change.

    Nobody takes notes meanwhile, so that what was changed while this looked is still noted afterwards.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(13, 0)"))
    parameters = instants(clinics.zone(session), days)
    found: set[date] = set()
    for table, statement in TABLES.items():
        query = _DIFFERING.format(columns=COLUMNS[table], table=table, statement=statement)
        found |= {on_date for (on_date,) in run(session, query, parameters)}
    return found - _changed(session, found)


def _changed(session: Session, among: set[date]) -> set[date]:
    """The days of these that a note touches which nobody has taken yet."""
    noted = session.execute(select(ChangedStretch.begins_at, ChangedStretch.ends_at).distinct())
    return _touched(session, among, noted)


def _touched(session: Session, among: set[date], stretches: Iterable[Any]) -> set[date]:
    zone = clinics.zone(session)
    spans = {
        (
            begins_at.astimezone(zone).date() if begins_at else date.min,
            ends_at.astimezone(zone).date() if ends_at else date.max,
        )
        for begins_at, ends_at in stretches
    }
    return {day for day in among if any(first <= day <= last for first, last in spans)}


def _days(from_on: date, until_on: date) -> list[date]:
    return [from_on + timedelta(days=number) for number in range((until_on - from_on).days + 1)]
