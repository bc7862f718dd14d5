"""Which times of the doctors' days are taken, before it is decided by whom."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from db.seed.absences import HISTORY_DAYS
from db.seed.calendars import Stretch, exists, instant
from db.seed.clinics import HORIZON_DAYS, Offer
from db.seed.doctors import Practice

_OLDEST_DAYS = 3650  # how far back a large clinic goes at most to reach its number of visits
_GIVEN_UP_SHARE = 0.045
_BREATHER_MINUTES = 15


class Slot(NamedTuple):
    """A time taken in one doctor's diary. A given-up one was cancelled, and then taken again by another."""

    on: date
    minute: int  # after local midnight
    practice: Practice
    offer: Offer
    location_id: int
    is_given_up: bool


Day = list[Slot]


@dataclass(frozen=True)
class Occupancy:
    """How full the diaries are, as a share of working time.

    A demo clinic has grown over its eighteen months, so that its charts have something to show; a large
    one made for measuring is busy all along. Both thin out toward the horizon.
    """

    is_growing: bool

    def share(self, days_ahead: int) -> float:
        if days_ahead >= 0:
            return 0.72 * math.exp(-days_ahead / 40)
        return 0.56 + 0.36 * max(days_ahead / HISTORY_DAYS, -1) if self.is_growing else 0.85


def diary(practices: list[Practice], today: date, wanted: int | None, rng: Random) -> list[Day]:
    """The days of all doctors, oldest first: eighteen months and up to the horizon.

    With `wanted`, exactly so many slots, as near to today as they fit.
    """
    occupancy = Occupancy(is_growing=wanted is None)
    oldest = HISTORY_DAYS if wanted is None else _OLDEST_DAYS
    # Two days short of the horizon, so that even the last visit could have been booked before now.
    nearest_first = sorted(range(-oldest, HORIZON_DAYS - 1), key=abs)
    days: dict[date, Day] = {}
    missing = wanted
    for days_ahead in nearest_first:
        on = today + timedelta(days=days_ahead)
        days[on] = list(_one_day(practices, on, days_ahead, occupancy, rng))[:missing]
        if missing is not None:
            missing -= len(days[on])
            if not missing:
                break
    return [days[on] for on in sorted(days) if days[on]]


def _one_day(
    practices: list[Practice], on: date, days_ahead: int, occupancy: Occupancy, rng: Random
) -> Iterator[Slot]:
    for practice in practices:
        share = min(occupancy.share(days_ahead) * practice.part.demand, 0.95)
        if practice.is_demo and days_ahead == 0:
            share = 0.85
        for stretch in practice.schedule.stretches(on):
            yield from _one_stretch(practice, on, stretch, share, rng)


def _one_stretch(practice: Practice, on: date, stretch: Stretch, share: float, rng: Random) -> Iterator[Slot]:
    """Walk through the stretch, taking or skipping one possible visit after the other.

    Visits lie on the grid of their service, begin and end inside the stretch with their buffers, and
    never overlap. After each step the walk goes on where the visit's buffer ends.
    """
    at = stretch.opens
    while at < stretch.closes:
        offer = rng.choices(practice.offers, practice.weights)[0]
        steps = -(-(at + offer.buffer_before - stretch.opens) // offer.step)
        minute = stretch.opens + steps * offer.step
        end = minute - offer.buffer_before + offer.blocks
        if end > stretch.closes:
            at += _BREATHER_MINUTES
            continue
        at = end
        if rng.random() < share and _is_possible(practice, on, minute, offer):
            location_id = stretch.location_id
            if rng.random() < _GIVEN_UP_SHARE:
                yield Slot(on, minute, practice, offer, location_id, is_given_up=True)
            yield Slot(on, minute, practice, offer, location_id, is_given_up=False)


def _is_possible(practice: Practice, on: date, minute: int, offer: Offer) -> bool:
    blocked_at = instant(on, minute) - timedelta(minutes=offer.buffer_before)
    until = blocked_at + timedelta(minutes=offer.blocks)
    return exists(on, minute) and not practice.schedule.is_away(blocked_at, until)
