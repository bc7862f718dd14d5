"""What became of a visit: its state, when and how it was booked."""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from db.models import AppointmentStatus, Source
from db.seed.calendars import ZONE, instant
from db.seed.clinics import HORIZON_DAYS
from db.seed.diaries import Slot

_EARLY = timedelta(minutes=25)  # people arrive a little before their time
_DESK_OPENS, _DESK_CLOSES = 8 * 60, 18 * 60
_SUNDAY = 7
_MINUTE = timedelta(minutes=1)
_CAME = (AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM, AppointmentStatus.COMPLETED)
_SAY_SO = dict.fromkeys((*_CAME, AppointmentStatus.CONFIRMED), 0.55) | {AppointmentStatus.NO_SHOW: 0.12}


def status_of(
    slot: Slot, starts_at: datetime, ends_at: datetime, now: datetime, rng: Random
) -> AppointmentStatus:
    """A state that is possible at `now`: nothing is over that has not ended, nobody late is still awaited."""
    if slot.is_given_up:
        return AppointmentStatus.CANCELLED
    chance = rng.random()
    if ends_at <= now:
        if chance < 0.06:
            return AppointmentStatus.NO_SHOW
        return AppointmentStatus.CANCELLED if chance < 0.11 else AppointmentStatus.COMPLETED
    if starts_at <= now:
        return AppointmentStatus.IN_ROOM
    if starts_at <= now + _EARLY:
        return AppointmentStatus.ARRIVED if chance < 0.7 else AppointmentStatus.CONFIRMED
    return AppointmentStatus.CANCELLED if chance < 0.03 else AppointmentStatus.CONFIRMED


class Steps(NamedTuple):
    """When the patient said they come, came, was called in and left: what the visit has got to."""

    attending_at: datetime | None = None
    arrived_at: datetime | None = None
    in_room_at: datetime | None = None
    completed_at: datetime | None = None


def steps_of(
    status: AppointmentStatus,
    booked_at: datetime,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    rng: Random,
) -> Steps:
    """The steps of a visit in this state: who comes has mostly said so, who does not hardly ever."""
    said, early, late, quick = rng.random(), rng.randrange(2, 20), rng.randrange(-3, 18), rng.uniform(0.7, 1)
    answered_at = starts_at - timedelta(hours=48) + timedelta(minutes=7 * early)
    share = _SAY_SO.get(status, 0)
    attending_at = answered_at if said < share and booked_at < answered_at <= now else None
    if status not in _CAME:
        return Steps(attending_at)
    arrived_at = min(starts_at - early * _MINUTE, now - early * _MINUTE)
    if status is AppointmentStatus.ARRIVED:
        return Steps(attending_at, arrived_at)
    in_room_at = min(max(starts_at + late * _MINUTE, arrived_at + _MINUTE), now)
    if status is AppointmentStatus.IN_ROOM:
        return Steps(attending_at, arrived_at, in_room_at)
    return Steps(attending_at, arrived_at, in_room_at, min(in_room_at + (ends_at - starts_at) * quick, now))


def booked_at(
    source: Source, starts_at: datetime, now: datetime, registered_at: datetime, rng: Random
) -> datetime:
    """When the visit was booked: online at any hour and two hours ahead, at the desk while it is open."""
    latest = min(starts_at, now)
    most_days = HORIZON_DAYS - (starts_at - latest) / timedelta(days=1)
    days = min(rng.expovariate(1 / 9), most_days - 1)
    if source is Source.PORTAL:
        booked = latest - timedelta(hours=2, days=days)
    else:
        booked = _at_the_desk(latest, int(days), rng)
    return max(booked.replace(microsecond=0), registered_at + timedelta(minutes=10))


def _at_the_desk(latest: datetime, days: int, rng: Random) -> datetime:
    """A moment in the desk's hours about `days` before `latest`, and not on a Sunday."""
    on = latest.astimezone(ZONE).date() - timedelta(days=days)
    minute = rng.randrange(_DESK_OPENS, _DESK_CLOSES)
    while on.isoweekday() == _SUNDAY or instant(on, minute) > latest - timedelta(minutes=30):
        on -= timedelta(days=1)
    return instant(on, minute) + timedelta(seconds=rng.randrange(60))


def next_at_the_desk(after: datetime, days: int, rng: Random) -> datetime:
    """A moment in the desk's hours `days` after another, or one more where that is a Sunday."""
    on = after.astimezone(ZONE).date() + timedelta(days=days)
    if on.isoweekday() == _SUNDAY:
        on += timedelta(days=1)
    return instant(on, rng.randrange(_DESK_OPENS, _DESK_CLOSES)) + timedelta(seconds=rng.randrange(60))
