"""One look at the calendar for everybody who waits: what is free for whom, and which time comes first."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from core import availability, clinics, clock, waitlist_wishes
from core.quiet_hours import Quiet
from core.waitlist_wishes import LocalTimes
from db.models import (
    Appointment,
    Doctor,
    OfferState,
    Patient,
    Service,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
    doctor_specialties,
)
from db.models.appointments import LIVE_STATUSES

_DAY = timedelta(days=1)
_Span = tuple[datetime, datetime]
_Free = dict[tuple[int, int], dict[date, list[LocalTimes]]]


class Fitting(NamedTuple):
    """A time that may be offered to who waits (UTC)."""

    doctor_id: int
    starts_at: datetime


@dataclass(frozen=True)
class Calendar:
    """Who waits, the oldest first, and what is free, as one look has found it.

    `free` is by service and doctor, and there by day. `offered` is what an entry was offered before, `lasts`
    how long an offer does, `notice` the clinic's own. What is given away since is noted in `taken`, by
    doctor, and in `engaged`, by patient.
    """

    now: datetime
    zone: ZoneInfo
    lasts: timedelta
    notice: timedelta
    entries: list[WaitlistEntry]
    doctors_of: dict[int, list[int]]
    free: _Free
    offered: set[tuple[int, Fitting]]
    engaged: dict[int, list[_Span]]
    taken: dict[int, list[_Span]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def has_open_offer(entry_id: object) -> ColumnElement[bool]:
    """In a query: whether an entry (its number or its column) is being offered a time."""
    return exists().where(WaitlistOffer.entry_id == entry_id, WaitlistOffer.state == OfferState.OPEN)


def look(session: Session) -> Calendar:
    """What is free for whom: one search for each service that is waited for, however many wait."""
    clinic, zone, now = clinics.settings(session), clinics.zone(session), clock.now()
    entries = _entries(session, now)
    doctors_of = _doctors_of(session, entries)
    free: _Free = {}
    for service in {entry.service_id: entry.service for entry in entries}.values():
        wanting = [entry for entry in entries if entry.service_id == service.id]
        free |= _free(session, service, wanting, doctors_of, zone)
    return Calendar(
        now=now,
        zone=zone,
        lasts=timedelta(minutes=clinic.waitlist_offer_minutes),
        notice=timedelta(minutes=clinic.minimum_notice_minutes),
        entries=entries,
        doctors_of=doctors_of,
        free=free,
        offered=_offered(session, entries),
        engaged=_engaged(session, entries, now),
    )


def first_fitting(calendar: Calendar, entry: WaitlistEntry) -> Fitting | None:
    """The earliest free time that may be offered to an entry, None where there is none."""
    on, doctor_ids = max(entry.from_on, calendar.today), _doctors(entry, calendar.doctors_of)
    while on <= entry.until_on:
        if waitlist_wishes.is_day(entry, on):
            fitting = [
                Fitting(doctor_id, at.starts_at)
                for doctor_id in doctor_ids
                for at in calendar.free.get((entry.service_id, doctor_id), {}).get(on, [])
                if waitlist_wishes.is_time(entry, at)
                and _may_be_offered(calendar, entry, Fitting(doctor_id, at.starts_at))
            ]
            if fitting:
                return min(fitting, key=lambda each: each.starts_at)
        on += _DAY
    return None


def take(calendar: Calendar, entry: WaitlistEntry, fitting: Fitting) -> None:
    """Note that a time is an entry's now, buffers included."""
    blocked, visit = _spans(entry.service, fitting.starts_at)
    calendar.taken.setdefault(fitting.doctor_id, []).append(blocked)
    calendar.engaged.setdefault(entry.patient_id, []).append(visit)


def _may_be_offered(calendar: Calendar, entry: WaitlistEntry, fitting: Fitting) -> bool:
    """Whether a free time was not offered to the entry before, is the patient's to take, and not too near.

    Who answers at the last moment still has the notice of the service.
    """
    own_notice = entry.service.minimum_notice_minutes
    notice = calendar.notice if own_notice is None else timedelta(minutes=own_notice)
    if fitting.starts_at < calendar.now + calendar.lasts + notice or (entry.id, fitting) in calendar.offered:
        return False
    blocked, visit = _spans(entry.service, fitting.starts_at)
    return not (
        _overlap(visit, calendar.engaged.get(entry.patient_id, []))
        or _overlap(blocked, calendar.taken.get(fitting.doctor_id, []))
    )


def _spans(service: Service, starts_at: datetime) -> tuple[_Span, _Span]:
    """What a visit takes of the doctor, and what of the patient."""
    ends_at = starts_at + timedelta(minutes=service.duration_minutes)
    before, after = service.buffer_before_minutes, service.buffer_after_minutes
    blocked = (starts_at - timedelta(minutes=before), ends_at + timedelta(minutes=after))
    return blocked, (starts_at, ends_at)


def _overlap(span: _Span, others: list[_Span]) -> bool:
    return any(span[0] < ends_at and starts_at < span[1] for starts_at, ends_at in others)


def _entries(session: Session, now: datetime) -> list[WaitlistEntry]:
    """Who waits, is not being offered anything, and is awake: whoever is told of it, in their own zone."""
    clinic, zone, told = clinics.settings(session), clinics.zone(session), aliased(Patient)
    rows = session.execute(
        select(WaitlistEntry, told.time_zone)
        .join(WaitlistEntry.patient)
        .join(told, told.id == func.coalesce(Patient.guardian_id, Patient.id))
        .where(
            WaitlistEntry.state == WaitlistState.WAITING,
            WaitlistEntry.until_on >= now.astimezone(zone).date(),
            Patient.erased_at.is_(None),
            ~has_open_offer(WaitlistEntry.id),
        )
        .options(joinedload(WaitlistEntry.service))
        .order_by(WaitlistEntry.created_at, WaitlistEntry.id)
    )
    return [
        entry
        for entry, own in rows
        if not Quiet(clinic.quiet_from, clinic.quiet_until, ZoneInfo(own) if own else zone).holds(now)
    ]


def _doctors_of(session: Session, entries: list[WaitlistEntry]) -> dict[int, list[int]]:
    """The active doctors of each specialty that is wished for."""
    wanted = {entry.specialty_id for entry in entries if entry.specialty_id is not None}
    columns = doctor_specialties.c
    rows = session.execute(
        select(columns.specialty_id, columns.doctor_id)
        .join(Doctor, Doctor.id == columns.doctor_id)
        .where(columns.specialty_id.in_(wanted), Doctor.is_active)
        .order_by(columns.doctor_id)
    )
    found: dict[int, list[int]] = {}
    for specialty_id, doctor_id in rows:
        found.setdefault(specialty_id, []).append(doctor_id)
    return found


def _doctors(entry: WaitlistEntry, doctors_of: dict[int, list[int]]) -> list[int]:
    if entry.specialty_id is not None:
        return doctors_of.get(entry.specialty_id, [])
    return [] if entry.doctor_id is None else [entry.doctor_id]


def _free(
    session: Session,
    service: Service,
    wanting: list[WaitlistEntry],
    doctors_of: dict[int, list[int]],
    zone: ZoneInfo,
) -> _Free:
    """The free times of all doctors from whom a service is wanted, over all days that are wished for."""
    today = clock.now().astimezone(zone).date()
    times = availability.free_slots(
        session,
        doctor_ids=sorted({each for entry in wanting for each in _doctors(entry, doctors_of)}),
        service_id=service.id,
        from_on=max(min(entry.from_on for entry in wanting), today),
        until_on=max(entry.until_on for entry in wanting),
    )
    duration = timedelta(minutes=service.duration_minutes)
    return {
        (service.id, doctor_id): waitlist_wishes.by_day(starts, duration, zone)
        for doctor_id, starts in times.items()
    }


def _offered(session: Session, entries: list[WaitlistEntry]) -> set[tuple[int, Fitting]]:
    """What entries that wait were offered before, and declined or let go."""
    rows = session.execute(
        select(WaitlistOffer.entry_id, Appointment.doctor_id, Appointment.starts_at)
        .join(WaitlistOffer.appointment)
        .where(WaitlistOffer.entry_id.in_([entry.id for entry in entries]))
    )
    return {(entry_id, Fitting(doctor_id, starts_at)) for entry_id, doctor_id, starts_at in rows}


def _engaged(session: Session, entries: list[WaitlistEntry], now: datetime) -> dict[int, list[_Span]]:
    """When who waits has visits already."""
    rows = session.execute(
        select(Appointment.patient_id, Appointment.starts_at, Appointment.ends_at).where(
            Appointment.patient_id.in_({entry.patient_id for entry in entries}),
            Appointment.status.in_(LIVE_STATUSES),
            Appointment.ends_at > now,
        )
    )
    found: dict[int, list[_Span]] = {}
    for patient_id, starts_at, ends_at in rows:
        found.setdefault(patient_id, []).append((starts_at, ends_at))
    return found
