"""What one doctor offers at one instant, and the rules a bookable time meets, in the order they are asked."""

from collections.abc import Collection, Iterator
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from core import clinics, hours
from core.errors import ClinicError, NotFound
from core.i18n import N_, _, day_and_time, span
from core.wall_time import instant_reached
from db.models.appointments import LIVE
from db.models.services import SUITABLE_ROOM
from db.session import run


class Rule(StrEnum):
    """Why a time is not offered. The first that fails is the one that is told."""

    DOCTOR_INACTIVE = "doctor inactive"
    NOT_ACCEPTING = "not accepting patients"
    NOT_OFFERED = "service not offered"
    IN_PAST = "in the past"
    SHORT_NOTICE = "too short notice"
    BEYOND_HORIZON = "beyond the horizon"
    REPEATED_HOUR = "repeated hour"
    CLOSED = "closed that day"
    OUTSIDE_HOURS = "outside hours"
    OFF_STEP = "off the step"
    RUNS_OVER = "runs past closing"
    TIME_OFF = "time off"
    TAKEN = "taken"
    NO_ROOM = "no room"


OVERBOOKING_WAIVES = frozenset({Rule.OFF_STEP, Rule.RUNS_OVER, Rule.TAKEN})
DESK_WAIVES = frozenset({Rule.NOT_ACCEPTING, Rule.SHORT_NOTICE})

SENTENCES = {
    Rule.DOCTOR_INACTIVE: N_("This doctor no longer sees patients here."),
    Rule.NOT_ACCEPTING: N_("This doctor takes bookings through reception only."),
    Rule.NOT_OFFERED: N_("This doctor does not offer that service."),
    Rule.IN_PAST: N_("That time has passed."),
    Rule.SHORT_NOTICE: N_("That is too soon: please choose a time at least {notice} from now."),
    Rule.BEYOND_HORIZON: N_("That is too far ahead: visits can be booked up to {horizon} days ahead."),
    Rule.REPEATED_HOUR: N_("Clocks go back over that time: it can be booked only the first time round."),
    Rule.CLOSED: N_("The doctor does not work on that day: it is a holiday or the place is closed."),
    Rule.OUTSIDE_HOURS: N_("The doctor does not work at that time."),
    Rule.OFF_STEP: N_("Visits of this kind do not start at that minute."),
    Rule.RUNS_OVER: N_("The visit would not end before the doctor's hours do."),
    Rule.TIME_OFF: N_("The doctor is away at that time."),
    Rule.TAKEN: N_("That time is taken."),
    Rule.NO_ROOM: N_("No room is free at that time."),
}


class NotOffered(ClinicError):
    """A time that cannot be booked, with the rule it fails."""

    def __init__(self, rule: Rule, found: "Offer") -> None:
        super().__init__(notice=span(found.notice_minutes), horizon=found.horizon_days)
        self.rule = rule
        self.message = SENTENCES[rule]


class SlotTaken(ClinicError):
    """Somebody else has that time. `alternatives` are the nearest free ones, UTC, in order of time."""

    message = N_("That time has just been taken.")

    def __init__(self, alternatives: list[datetime], zone: tzinfo) -> None:
        super().__init__()
        self.alternatives = alternatives
        self.zone = zone

    def __str__(self) -> str:
        if not self.alternatives:
            return _("That time has just been taken, and this doctor has no other free time for it.")
        times = "; ".join(day_and_time(at, self.zone) for at in self.alternatives)
        return _("That time has just been taken. Still free nearby: {times}.").format(times=times)


class Offer(NamedTuple):
    """One doctor, one service, one instant: everything the rules look at, read in one statement.

    `hours` are the day's stretches as (opens, closes, location id) in wall time. `free_rooms` are those, as
    (id, location id), that a service which needs one could have then. Minutes and minor units.
    """

    is_active: bool
    is_accepting: bool
    is_offered: bool
    duration_minutes: int
    step_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    notice_minutes: int
    horizon_days: int
    is_off: bool
    is_taken: bool
    is_patient_known: bool
    is_patient_busy: bool
    is_closed: bool
    needs_room: bool
    free_rooms: list[tuple[int, int]]
    hours: list[tuple[time, time, int]]

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)

    def blocked(self, starts_at: datetime, length: timedelta | None = None) -> Range[datetime]:
        """The range that a visit at `starts_at` keeps the doctor and the room busy, buffers included.

        It takes as long as the service does, or the `length` that it has been given by hand.
        """
        return Range(
            starts_at - timedelta(minutes=self.buffer_before_minutes),
            starts_at + (length or self.duration) + timedelta(minutes=self.buffer_after_minutes),
        )

    def location_at(self, wall: time) -> int:
        """Where the doctor works at `wall`, the wall time of an offered visit."""
        return next(place for opens, closes, place in self.hours if opens <= wall < closes)

    def rooms_at(self, location_id: int) -> list[int]:
        """The rooms of that place that a visit could have, if its service needs one."""
        return [room_id for room_id, place in self.free_rooms if place == location_id]


_LIVE = LIVE.replace("status", "a.status")
_BLOCKED = """tstzrange(%(at)s - make_interval(mins => s.buffer_before_minutes),
                      %(at)s + make_interval(mins => s.duration_minutes + s.buffer_after_minutes))"""
_OFFER = f"""
SELECT d.is_active, d.is_accepting_patients, o.service_id IS NOT NULL AND s.is_active,
       s.duration_minutes, s.step_minutes, s.buffer_before_minutes, s.buffer_after_minutes,
       coalesce(s.minimum_notice_minutes, c.minimum_notice_minutes), coalesce(s.horizon_days, c.horizon_days),
       EXISTS (SELECT FROM time_off t WHERE t.doctor_id = d.id
               AND t.ends_at > %(at)s AND t.starts_at < %(at)s + make_interval(mins => s.duration_minutes)),
       EXISTS (SELECT FROM appointments a WHERE a.doctor_id = d.id AND {_LIVE}
               AND a.id IS DISTINCT FROM CAST(%(ignoring)s AS int)
               AND lower(a.blocked) > %(at)s - interval '30 hours'
               AND lower(a.blocked) <
                   %(at)s + make_interval(mins => s.duration_minutes + s.buffer_after_minutes)
               AND upper(a.blocked) > %(at)s - make_interval(mins => s.buffer_before_minutes)),
       EXISTS (SELECT FROM patients p WHERE p.id = CAST(%(patient_id)s AS int) AND p.erased_at IS NULL),
       EXISTS (SELECT FROM appointments a WHERE a.patient_id = CAST(%(patient_id)s AS int) AND {_LIVE}
               AND a.id IS DISTINCT FROM CAST(%(ignoring)s AS int)
               AND a.starts_at > %(at)s - interval '24 hours'
               AND a.starts_at < %(at)s + make_interval(mins => s.duration_minutes) AND a.ends_at > %(at)s),
       EXISTS ({hours.closing("d.id", "%(on_date)s")}), s.needs_room, rooms.id, rooms.location_id,
       hours.opens_at, hours.closes_at, hours.location_id
FROM doctors d CROSS JOIN services s CROSS JOIN settings c
LEFT JOIN doctor_services o ON o.doctor_id = d.id AND o.service_id = s.id
CROSS JOIN LATERAL (
    SELECT array_agg(h.opens_at) AS opens_at, array_agg(h.closes_at) AS closes_at,
           array_agg(h.location_id) AS location_id
    FROM ({hours.on_date("d.id", "%(on_date)s")}) AS h
) AS hours
CROSS JOIN LATERAL (
    SELECT array_agg(r.id ORDER BY r.name, r.id) AS id,
           array_agg(r.location_id ORDER BY r.name, r.id) AS location_id
    FROM rooms r WHERE s.needs_room AND {SUITABLE_ROOM} AND NOT EXISTS (
        SELECT FROM appointments a WHERE a.room_id = r.id AND {_LIVE} AND a.room_id IS NOT NULL
        AND a.id IS DISTINCT FROM CAST(%(ignoring)s AS int)
        AND lower(a.blocked) > %(at)s - interval '30 hours'
        AND lower(a.blocked) < %(at)s + interval '30 hours' AND a.blocked && {_BLOCKED})
) AS rooms
WHERE d.id = %(doctor_id)s AND s.id = %(service_id)s
"""


def offer(
    session: Session,
    *,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    patient_id: int | None = None,
    ignoring: int | None = None,
) -> Offer:
    """Read what `doctor_id` offers of `service_id` at `starts_at` (UTC), in one round trip.

    With `patient_id` it also says whether that patient is free. `ignoring` is an appointment that does not
    count as taking the time. Raises `NotFound`.
    """
    rows = run(
        session,
        _OFFER,
        {
            "doctor_id": doctor_id,
            "service_id": service_id,
            "at": starts_at,
            "on_date": starts_at.astimezone(clinics.zone(session)).date(),
            "patient_id": patient_id,
            "ignoring": ignoring,
        },
    )
    if not rows:
        raise NotFound
    [[*facts, rooms, places, opens, closes, locations]] = rows
    free_rooms = list(zip(rooms or [], places or [], strict=True))
    stretches = list(zip(opens or [], closes or [], locations or [], strict=True))
    return Offer._make([*facts, free_rooms, stretches])


def first_failing(
    found: Offer, at: datetime, zone: ZoneInfo, now: datetime, waived: Collection[Rule] = ()
) -> Rule | None:
    """The first rule, in the order of `Rule`, that `at` (UTC) fails and that is not waived."""
    return next((rule for rule in _failing(found, at, zone, now) if rule not in waived), None)


def _failing(found: Offer, at: datetime, zone: ZoneInfo, now: datetime) -> Iterator[Rule]:
    local = at.astimezone(zone)
    last_on = now.astimezone(zone).date() + timedelta(days=found.horizon_days)
    asked_first = {
        Rule.DOCTOR_INACTIVE: not found.is_active,
        Rule.NOT_ACCEPTING: not found.is_accepting,
        Rule.NOT_OFFERED: not found.is_offered,
        Rule.IN_PAST: at < now,
        Rule.SHORT_NOTICE: at < now + timedelta(minutes=found.notice_minutes),
        Rule.BEYOND_HORIZON: local.date() > last_on,
        Rule.REPEATED_HOUR: local.fold == 1,
    }
    yield from (rule for rule, fails in asked_first.items() if fails)
    stretch = next((each for each in found.hours if each[0] <= local.time() < each[1]), None)
    if stretch is None:
        yield Rule.CLOSED if found.is_closed else Rule.OUTSIDE_HOURS
        return
    opens, closes, place = stretch
    opens_at, closes_at = (datetime.combine(local.date(), wall) for wall in (opens, closes))
    if (local.replace(tzinfo=None) - opens_at) % timedelta(minutes=found.step_minutes):
        yield Rule.OFF_STEP
    if at + timedelta(minutes=found.duration_minutes) > instant_reached(zone, closes_at):
        yield Rule.RUNS_OVER
    if found.is_off:
        yield Rule.TIME_OFF
    if found.is_taken:
        yield Rule.TAKEN
    if found.needs_room and not found.rooms_at(place):
        yield Rule.NO_ROOM
