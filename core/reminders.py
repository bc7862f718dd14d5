"""Reminders: an idempotent look at the visits ahead. What is due and of use goes into the outbox once.

Of several that are due at once, as after hours without the jobs process, only the last is of use. Who has
just been told of a visit is not told again at once. What would come at night comes in the morning or, where
that leaves too little time, on the evening before.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import announcements, clinics, clock
from core.quiet_hours import Quiet
from db.models import Appointment, ClinicSettings

SHORTEST = timedelta(minutes=45)  # before a visit; a later reminder finds nobody at home
AT_MOST_FRESH = timedelta(hours=12)  # after which one may be reminded of what one was told
MARGIN = timedelta(hours=24)  # an evening before is up to a night earlier than the offset says

_AHEAD = text("""
    SELECT a.id, a.starts_at, coalesce(told.time_zone, :zone), coalesce(e.at, a.created_at),
        coalesce(p.guardian_id, p.id),
        ARRAY(SELECT CAST(n.details ->> 'minutes' AS int) FROM notifications n
              WHERE n.appointment_id = a.id AND n.time_version = a.time_version AND n.kind = 'reminder')
    FROM appointments a
    JOIN patients p ON p.id = a.patient_id
    JOIN patients told ON told.id = coalesce(p.guardian_id, p.id)
    JOIN LATERAL (
        SELECT max(at) AS at FROM appointment_events
        WHERE appointment_id = a.id AND kind IN ('booked', 'overbooked', 'confirmed', 'moved')
    ) e ON true
    WHERE a.status = 'confirmed' AND a.starts_at > :now AND a.starts_at <= :until AND told.wants_reminders
    ORDER BY a.starts_at, a.id
""")


class Ahead(NamedTuple):
    """A confirmed visit: when, in which zone its patient is, since when they know, and who is told.

    `reminded` are the reminders (minutes before it) that there are already.
    """

    appointment_id: int
    starts_at: datetime
    zone: str
    known_at: datetime
    family_id: int
    reminded: list[int]


class Due(NamedTuple):
    """A reminder `minutes` before a visit, to be sent at `send_after` and of no use from `expires_at` on."""

    minutes: int
    send_after: datetime
    expires_at: datetime


def remind(session: Session) -> int:
    """Put the reminders that are due into the outbox; how many. Safe to repeat and to run twice at once.

    When one is due for somebody, so is that of the day's other visits: one text tells them all.
    """
    if not clinics.is_founded(session):
        return 0
    settings = clinics.settings(session)
    offsets = sorted(set(settings.reminder_minutes), reverse=True)
    if not offsets:
        return 0
    now = clock.now()
    until = now + timedelta(minutes=offsets[0]) + MARGIN
    rows = session.execute(_AHEAD, {"now": now, "until": until, "zone": settings.time_zone})
    visits = [Ahead._make(row) for row in rows]
    chosen = _with_their_days(visits, settings, offsets, now)
    appointments = _loaded(session, chosen)
    return sum(
        announcements.reminded(
            session, appointments[number], minutes=due.minutes, send_after=now, expires_at=due.expires_at
        )
        for number, due in chosen.items()
        if number in appointments
    )


def _with_their_days(
    visits: Iterable[Ahead], settings: ClinicSettings, offsets: list[int], now: datetime
) -> dict[int, Due]:
    """The reminders that are due now, by visit, with those of the same people's other visits that day."""
    zone = ZoneInfo(settings.time_zone)
    days: dict[tuple[int, object], list[Ahead]] = {}
    for visit in visits:
        days.setdefault((visit.family_id, visit.starts_at.astimezone(zone).date()), []).append(visit)
    chosen: dict[int, Due] = {}
    for together in days.values():
        found = [(visit, due_now(visit, settings, offsets, now)) for visit in together]
        first = next((due for visit, due in found if due and due.minutes not in visit.reminded), None)
        for visit, due in found:
            own = due or (first and _along(visit, first, settings, offsets, now))
            if own is not None and own.minutes not in visit.reminded:
                chosen[visit.appointment_id] = own
    return chosen


def due_now(visit: Ahead, settings: ClinicSettings, offsets: list[int], now: datetime) -> Due | None:
    """The reminder of a visit that is to be sent now, None where none is: the last whose time has come."""
    return next(
        (due for due in reversed(plan(visit, settings, offsets)) if due.send_after <= now < due.expires_at),
        None,
    )


def plan(visit: Ahead, settings: ClinicSettings, offsets: list[int]) -> list[Due]:
    """The reminders of a visit in order of time, at `offsets` (minutes, the longest first) before it.

    Each is of use until the next is due. Left out is what would come right after the visit was told.
    """
    quiet = Quiet(settings.quiet_from, settings.quiet_until, ZoneInfo(visit.zone))
    starts_at = visit.starts_at.astimezone(UTC)  # in a zone, two days may have 47 or 49 hours
    times = [(minutes, _moment(starts_at, minutes, quiet)) for minutes in offsets]
    planned = []
    for place, (minutes, at) in enumerate(times):
        following = [later for _minutes, later in times[place + 1 :]]
        ends = min([*following, starts_at - min(SHORTEST, timedelta(minutes=minutes) / 2)])
        fresh_for = min(timedelta(minutes=minutes) / 4, AT_MOST_FRESH)
        if at < ends and at >= visit.known_at + fresh_for:
            planned.append(Due(minutes, at, ends))
    return planned


def _moment(starts_at: datetime, minutes: int, quiet: Quiet) -> datetime:
    wanted = starts_at - timedelta(minutes=minutes)
    if not quiet.holds(wanted):
        return wanted
    morning = quiet.over_at(wanted)
    has_time = morning <= starts_at - timedelta(minutes=minutes) / 2
    return morning if has_time else quiet.evening_before(wanted)


def _along(
    visit: Ahead, first: Due, settings: ClinicSettings, offsets: list[int], now: datetime
) -> Due | None:
    """The same reminder of a later visit that day, if it is still to come."""
    return next(
        (
            due
            for due in plan(visit, settings, offsets)
            if due.minutes == first.minutes and due.send_after > now
        ),
        None,
    )


def _loaded(session: Session, chosen: dict[int, Due]) -> dict[int, Appointment]:
    if not chosen:
        return {}
    rows = session.scalars(select(Appointment).where(Appointment.id.in_(chosen)))
    return {row.id: row for row in rows}
