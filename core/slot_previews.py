"""A week of a doctor as patients could book it: every time, and the rule against those that are not free."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, clinics, clock, offers, wall_time
from core.access import Action, Actor
from core.i18n import _, span
from core.offers import SENTENCES, Offer, Rule
from db.models import Appointment, TimeOff
from db.models.appointments import LIVE_STATUSES

DAYS = 7
_OPENS, _CLOSES = time(8), time(18)  # what is shown at least
_SHORTEST_STEP = 15  # minutes; a finer grid could not be read


class Wanted(NamedTuple):
    """What to look at: a doctor, a service, and the first of seven days."""

    doctor_id: int
    service_id: int
    from_on: date


class Cell(NamedTuple):
    """A moment of the grid. `why` is "" where a visit may begin then."""

    on: date
    wall: time
    rule: Rule | None
    why: str


class Preview(NamedTuple):
    """The cells of a week, by day and then by time, and how many of them are free."""

    cells: list[Cell]
    free: int


def week(session: Session, actor: Actor, *, wanted: Wanted) -> Preview:
    """What patients could book of a service in a week, and why not the rest. Raises `NotFound`."""
    access.require(actor, Action.SET_HOURS, doctor_id=wanted.doctor_id)
    session.flush()
    zone, now = clinics.zone(session), clock.now()
    days = [wanted.from_on + timedelta(days=each) for each in range(DAYS)]
    of_day = {on: _offer(session, wanted, _first(zone, on, time())) for on in days}
    busy = _busy(session, wanted, zone)
    cells = [
        _cell(session, wanted, of_day[on], on, wall, zone, now, busy)
        for on in days
        for wall in _walls(list(of_day.values()), of_day[on])
    ]
    return Preview(cells, sum(each.rule is None for each in cells))


def _offer(session: Session, wanted: Wanted, at: datetime) -> Offer:
    return offers.offer(
        session, doctor_id=wanted.doctor_id, service_id=wanted.service_id, starts_at=at.astimezone(UTC)
    )


def _first(zone: ZoneInfo, on: date, wall: time) -> datetime:
    return wall_time.instant_reached(zone, datetime.combine(on, wall))


def _walls(all_days: list[Offer], day: Offer) -> list[time]:
    """The rows of the grid: the steps from each opening on, and between them those of the whole week."""
    step = max(day.step_minutes, _SHORTEST_STEP)
    hours = [each for found in all_days for each in found.hours]
    opens = min([_OPENS, *(each[0] for each in hours)])
    closes = max([_CLOSES, *(each[1] for each in hours)])
    first, last = _minutes(opens), _minutes(closes)
    grid = set(range(first, last, step))
    for begins, ends, _place in day.hours:
        grid = {each for each in grid if not _minutes(begins) <= each < _minutes(ends)}
        grid |= set(range(_minutes(begins), _minutes(ends), step))
    return [time(each // 60, each % 60) for each in sorted(grid)]


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


class _Busy(NamedTuple):
    """When the doctor is away, and what visits with their buffers block; in UTC."""

    away: list[tuple[datetime, datetime]]
    taken: list[tuple[datetime, datetime]]


def _busy(session: Session, wanted: Wanted, zone: ZoneInfo) -> _Busy:
    begins = _first(zone, wanted.from_on, time()) - timedelta(days=1)
    ends = _first(zone, wanted.from_on + timedelta(days=DAYS + 1), time())
    away = session.execute(
        select(TimeOff.starts_at, TimeOff.ends_at).where(
            TimeOff.doctor_id == wanted.doctor_id, TimeOff.ends_at > begins, TimeOff.starts_at < ends
        )
    )
    blocked = session.scalars(
        select(Appointment.blocked).where(
            Appointment.doctor_id == wanted.doctor_id,
            Appointment.starts_at > begins - timedelta(days=1),
            Appointment.starts_at < ends,
            Appointment.status.in_(LIVE_STATUSES),
        )
    )
    return _Busy(
        [(row[0], row[1]) for row in away],
        [(each.lower, each.upper) for each in blocked if each.lower and each.upper],
    )


def _cell(
    session: Session,
    wanted: Wanted,
    day: Offer,
    on: date,
    wall: time,
    zone: ZoneInfo,
    now: datetime,
    busy: _Busy,
) -> Cell:
    at = wall_time.first_instant(zone, datetime.combine(on, wall))
    if at is None:
        return Cell(on, wall, Rule.REPEATED_HOUR, str(wall_time.NonexistentTime()))
    if day.needs_room:
        found = _offer(session, wanted, at)  # which rooms are free differs from minute to minute
    else:
        blocked: Any = day.blocked(at)
        ends_at = at + day.duration
        found = day._replace(
            is_off=any(begins < ends_at and at < ends for begins, ends in busy.away),
            is_taken=any(begins < blocked.upper and blocked.lower < ends for begins, ends in busy.taken),
        )
    rule = offers.first_failing(found, at, zone, now)
    return Cell(on, wall, rule, _sentence(rule, found) if rule else "")


def _sentence(rule: Rule, found: Offer) -> str:
    return _(SENTENCES[rule]).format(notice=span(found.notice_minutes), horizon=found.horizon_days)
