"""Days of the clinic summed up once: what they come to, which are kept, and when no longer.

A day is summed up by the statements of `core.day_tables`, which also give the figures of the days that are
not: one rule for both. Whoever changes something that counts notes the instants in `changed_stretches` in the
same transaction (triggers in `db.models.notings`). The notes are taken away before a day is summed up again,
so that a change which is not in the sums yet has left its note.

Today is not summed up: it changes all the time. A year ahead is, so that what is offered there need not be
counted hour by hour each time; its sums count on the day itself until the first change. Of patients only
what is over is summed up, since nobody has come yet.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, text, tuple_
from sqlalchemy.orm import Session

from core import clinics, clock, day_tables
from core.day_parts import first_of
from db.models import ChangedStretch, SumKind, SummedDay
from db.session import run, unit_of_work

AHEAD = timedelta(days=366)
# Days in one transaction. Of patients all visits are looked at each time, so that many days are no more work.
AT_ONCE = {SumKind.VISITS: 31, SumKind.PATIENTS: 366}
_DAY = timedelta(days=1)
_LOCK = "SELECT pg_try_advisory_xact_lock(13, 0)"
_MEMORY = "SELECT set_config('work_mem', '64MB', true)"
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


def unsummed(session: Session, from_on: date, until_on: date, kind: SumKind = SumKind.VISITS) -> list[date]:
    """The days of a period, both ends included, that are to be taken from the visits themselves."""
    noted = _noted(session, kind)  # before what is kept: a note that is taken meanwhile leaves its days out
    kept = _kept(session, kind, SummedDay.on_date.between(from_on, until_on))
    kept -= _touched(session, kept, noted)
    return [day for day in _days(from_on, until_on) if day not in kept]


def sum_up() -> int:
    """Sum up the days that are not, or no longer are, each by both kinds. Returns how many.

    Safe to run twice.
    """
    done = 0
    for kind in SumKind:
        while summed := _some(kind):
            done += summed
    return done


def require_equal() -> int:
    """Hold every kept sum against what the visits come to now. Returns how many days were compared.

    Days that differ are summed up again. Raises `SumsDiffer`, which says which they were.
    """
    compared, wrong = 0, set()
    for kind in SumKind:
        with unit_of_work() as session:
            days = sorted(_kept(session, kind))
        for first in range(0, len(days), AT_ONCE[kind]):
            with unit_of_work() as session:
                wrong |= {(kind, day) for day in _differing(session, kind, days[first:][: AT_ONCE[kind]])}
        compared += len(days)
    if wrong:
        with unit_of_work() as session:
            _forget(session, wrong)
        sum_up()
        dates = {day for _kind, day in wrong}
        raise SumsDiffer(f"sums of {len(dates)} days differed, the first {min(dates)}, the last {max(dates)}")
    return compared


def _some(kind: SumKind) -> int:
    """Sum up some days in one transaction, the latest first. None while another process does."""
    with unit_of_work() as session:
        if not clinics.is_founded(session) or not session.scalar(text(_LOCK)):
            return 0
        _take_notes(session)
        first_on = first_of(session)
        if first_on is None:
            return 0
        today = clock.now().astimezone(clinics.zone(session)).date()
        last_on = today + AHEAD if kind is SumKind.VISITS else today
        kept = _kept(session, kind)  # also days noted since: those are for when that note is taken
        days = [day for day in _days(first_on, last_on) if day not in kept and day != today]
        days = days[-AT_ONCE[kind] :]
        if days:
            _sum(session, kind, days, first_on)
        return len(days)


def _take_notes(session: Session) -> None:
    """What has changed is no longer summed up; the notes of it go."""
    noted = list(session.scalars(delete(ChangedStretch).returning(ChangedStretch)))
    for kind in SumKind:
        stretches = [(each.begins_at, each.ends_at) for each in noted if each.kind is kind]
        touched = _touched(session, _kept(session, kind), stretches) if stretches else set()
        _forget(session, ((kind, day) for day in touched))


def _forget(session: Session, days: Iterable[tuple[SumKind, date]]) -> None:
    if days := list(days):
        session.execute(delete(SummedDay).where(tuple_(SummedDay.kind, SummedDay.on_date).in_(days)))


def _kept(session: Session, kind: SumKind, *conditions: ColumnElement[bool]) -> set[date]:
    return set(session.scalars(select(SummedDay.on_date).where(SummedDay.kind == kind, *conditions)))


def _sum(session: Session, kind: SumKind, days: Sequence[date], since: date) -> None:
    run(session, _MEMORY, {})
    for name, table in day_tables.of_kind(kind).items():
        parameters = table.takes(clinics.zone(session), days, since)
        run(session, _FORGET.format(table=name), parameters)
        run(session, _KEEP.format(table=name, columns=table.columns, statement=table.whole), parameters)
    now = clock.now()
    session.execute(insert(SummedDay), [{"kind": kind, "on_date": day, "summed_at": now} for day in days])


def _differing(session: Session, kind: SumKind, days: Sequence[date]) -> set[date]:
    """The days of these whose sums are kept and differ although nobody has noted a change.

    Nobody takes notes meanwhile, so that what was changed while this looked is still noted afterwards.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(13, 0)"))
    kept = _kept(session, kind, SummedDay.on_date.in_(days))  # some may have been given up since
    run(session, _MEMORY, {})
    zone, since = clinics.zone(session), first_of(session) or min(days)
    found: set[date] = set()
    for name, table in day_tables.of_kind(kind).items():
        query = _DIFFERING.format(columns=table.columns, table=name, statement=table.whole)
        found |= {on_date for (on_date,) in run(session, query, table.takes(zone, days, since))}
    found &= kept
    return found - _touched(session, found, _noted(session, kind))


def _noted(session: Session, kind: SumKind) -> Sequence[Any]:
    """The stretches of notes that nobody has taken yet."""
    noted = select(ChangedStretch.begins_at, ChangedStretch.ends_at).where(ChangedStretch.kind == kind)
    return session.execute(noted.distinct()).all()


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
