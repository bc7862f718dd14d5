"""A doctor's day as a whole: the visits in order of time, and the free and absent stretches between them."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, agendas, clinics, hours
from core.access import Action, Actor
from core.wall_time import instant_reached
from db.models import Appointment, TimeOff
from db.models.appointments import LIVE_STATUSES
from db.session import run


class Kind(StrEnum):
    VISIT = "visit"
    FREE = "free"
    AWAY = "away"


_HOURS = hours.on_date("%(doctor_id)s", "%(on_date)s")


class Entry(NamedTuple):
    """A stretch of the day, in UTC, with the visit that fills it or the reason for the absence."""

    kind: Kind
    starts_at: datetime
    ends_at: datetime
    visit: Appointment | None = None
    reason: str = ""


def timeline(session: Session, actor: Actor, *, doctor_id: int, on: date) -> list[Entry]:
    """The doctor's day in order of time: every visit, and the gaps that its working hours leave.

    Buffers and missed visits do not fill a gap: the desk may still use that time.
    """
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    visits = agendas.day(session, actor, doctor_id=doctor_id, on=on)
    entries = [Entry(Kind.VISIT, visit.starts_at, visit.ends_at, visit) for visit in visits]
    hours = working_hours(session, actor, doctor_id=doctor_id, on=on)
    away = _absences(session, doctor_id, hours)
    taken = [
        (each.starts_at, each.ends_at)
        for each in entries
        if each.visit and each.visit.status in LIVE_STATUSES
    ]
    taken += [(each.starts_at, each.ends_at) for each in away]
    free = [Entry(Kind.FREE, *gap) for opens, closes in hours for gap in _gaps(opens, closes, taken)]
    return sorted(entries + away + free, key=lambda entry: (entry.starts_at, entry.kind))


def working_hours(
    session: Session, actor: Actor, *, doctor_id: int, on: date
) -> list[tuple[datetime, datetime]]:
    """The stretches that the doctor works on a day of the clinic, as instants in UTC, in order."""
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    zone = clinics.zone(session)
    walls = run(session, _HOURS, {"doctor_id": doctor_id, "on_date": on})
    stretches = [(_instant(zone, on, opens), _instant(zone, on, closes)) for opens, closes, _place in walls]
    return sorted((opens, closes) for opens, closes in stretches if opens < closes)


def hours_between(
    session: Session, actor: Actor, *, doctor_id: int, from_on: date, until_on: date
) -> list[tuple[datetime, datetime]]:
    """The same for several days of the clinic, both ends included."""
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    each_day = (from_on + timedelta(days=number) for number in range((until_on - from_on).days + 1))
    return [
        stretch for on in each_day for stretch in working_hours(session, actor, doctor_id=doctor_id, on=on)
    ]


def away_between(
    session: Session, actor: Actor, *, doctor_id: int, from_on: date, until_on: date
) -> list[Entry]:
    """The doctor's absences that fall into these days of the clinic, whole, whatever the hours."""
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    zone = clinics.zone(session)
    begins, ends = _instant(zone, from_on, time()), _instant(zone, until_on + timedelta(days=1), time())
    rows = session.scalars(
        select(TimeOff)
        .where(TimeOff.doctor_id == doctor_id, TimeOff.ends_at > begins, TimeOff.starts_at < ends)
        .order_by(TimeOff.starts_at)
    )
    return [Entry(Kind.AWAY, off.starts_at, off.ends_at, reason=off.reason) for off in rows]


def _instant(zone: ZoneInfo, on: date, wall: time) -> datetime:
    return instant_reached(zone, datetime.combine(on, wall))


def _absences(session: Session, doctor_id: int, hours: list[tuple[datetime, datetime]]) -> list[Entry]:
    """Time off, cut to the hours it falls into."""
    if not hours:
        return []
    rows = session.scalars(
        select(TimeOff)
        .where(
            TimeOff.doctor_id == doctor_id, TimeOff.ends_at > hours[0][0], TimeOff.starts_at < hours[-1][1]
        )
        .order_by(TimeOff.starts_at)
    ).all()
    return [
        Entry(Kind.AWAY, max(opens, off.starts_at), min(closes, off.ends_at), reason=off.reason)
        for opens, closes in hours
        for off in rows
        if off.starts_at < closes and off.ends_at > opens
    ]


def _gaps(
    opens: datetime, closes: datetime, taken: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What is left of `opens` to `closes` between the taken stretches."""
    gaps = []
    at = opens
    for starts_at, ends_at in sorted(taken):
        if starts_at >= closes:
            break
        if starts_at > at:
            gaps.append((at, starts_at))
        at = max(at, ends_at)
    if at < closes:
        gaps.append((at, closes))
    return gaps
