"""Where visits without hours could go: the nearest times with their doctor, and with others of the specialty.

For a whole list at once: no two visits are given the same time, and a visit that is soon is moved no sooner
than its patient can hear of it. One that has only lost its room may keep its time.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, availability, clinics, clock
from core.access import Action, Actor
from core.slots import ANYWHERE, Within
from db.models import Appointment, Doctor, DoctorService, Room, User, doctor_specialties
from db.models.appointments import LIVE_STATUSES
from db.session import run

TO_HEAR_OF_IT = timedelta(hours=2)
LOOKS_AHEAD = timedelta(days=28)  # after the last of the visits
SHOWN = 3


class Time(NamedTuple):
    """A free time (UTC) and whose."""

    doctor_id: int
    doctor: str
    starts_at: datetime


class Suggested(NamedTuple):
    """The nearest times for one visit, the nearest first: with its own doctor, and with others.

    In each of the two, what comes first is no other visit's first, nor where the other of the two is empty.
    """

    own: list[Time]
    others: list[Time]


Span = tuple[datetime, datetime]


def suggest(session: Session, actor: Actor, *, visits: Sequence[Appointment]) -> dict[int, Suggested]:
    """Times for visits that have to move, by visit. One statement for each kind of visit and place.

    Raises `AccessDenied`.
    """
    for visit in visits:
        access.require(actor, Action.SETTLE_VISIT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    if not visits:
        return {}
    colleagues = _colleagues(session, {visit.doctor_id for visit in visits})
    names = _names(session, {each for ids in colleagues.values() for each in ids} | set(colleagues))
    engaged = _engagements(session, {visit.patient_id for visit in visits})
    free = _free(session, visits, colleagues)
    staying = _can_stay(session, visits)
    as_own: list[tuple[int, Span]] = []
    as_others: list[tuple[int, Span]] = []
    found = {}
    for visit in sorted(visits, key=lambda each: (each.starts_at, each.id)):
        here = free[visit.service_id, visit.location_id]
        near = partial(_nearest, visit, here, engaged.get(visit.patient_id, []))
        mine, theirs = [visit.doctor_id], sorted(colleagues[visit.doctor_id])
        own, others = near(mine, as_own), near(theirs, as_others)
        if visit.id in staying:
            own = [(visit.doctor_id, visit.starts_at), *own][:SHOWN]
        elif not own or not others:  # what there is stands in for what there is not
            own, others = near(mine, as_own + as_others), near(theirs, as_own + as_others)
        as_own += [(who, _span(visit, at)) for who, at in (own or others)[:1]]
        as_others += [(who, _span(visit, at)) for who, at in (others or own)[:1]]
        lists = ([Time(who, names[who], at) for who, at in times] for times in (own, others))
        found[visit.id] = Suggested(*lists)
    return found


def _nearest(
    visit: Appointment,
    free: dict[int, list[datetime]],
    engaged: Sequence[tuple[int, Span]],
    doctor_ids: Sequence[int],
    given: Sequence[tuple[int, Span]],
) -> list[tuple[int, datetime]]:
    """The first of them is nobody else's first; the rest is only what is free now."""
    busy = [span for number, span in engaged if number != visit.id]
    suits = [
        (who, at)
        for who in doctor_ids
        for at in free.get(who, [])
        if (who, at) != (visit.doctor_id, visit.starts_at) and not _overlap(_span(visit, at), busy)
    ]
    suits.sort(key=lambda each: (abs(each[1] - visit.starts_at), each[1], each[0]))
    open_ones = _without(visit, suits, given)
    first = next(open_ones, None)
    if first is None:
        return []
    return [first, *(each for each in suits[: SHOWN + 1] if each != first)][:SHOWN]


def _without(
    visit: Appointment, suits: Sequence[tuple[int, datetime]], given: Sequence[tuple[int, Span]]
) -> Iterator[tuple[int, datetime]]:
    for who, at in suits:
        if not _overlap(_span(visit, at), [span for number, span in given if number == who]):
            yield who, at


def _span(visit: Appointment, at: datetime) -> Span:
    """What the visit would block, with its buffers as they are now."""
    lower, upper = visit.blocked.lower, visit.blocked.upper
    if lower is None or upper is None:
        return at, at + (visit.ends_at - visit.starts_at)
    return at - (visit.starts_at - lower), at + (upper - visit.starts_at)


def _overlap(span: Span, others: Collection[Span]) -> bool:
    return any(begins < span[1] and span[0] < ends for begins, ends in others)


def _free(
    session: Session, visits: Sequence[Appointment], colleagues: dict[int, set[int]]
) -> dict[tuple[int, int], dict[int, list[datetime]]]:
    """Free times by service and present place: those at that place, or where it has none, anywhere."""
    now, zone = clock.now(), clinics.zone(session)
    until_on = max(visit.starts_at for visit in visits).astimezone(zone).date() + LOOKS_AHEAD
    found = {}
    for service_id, location_id in {(visit.service_id, visit.location_id) for visit in visits}:
        whose = {
            each
            for visit in visits
            if (visit.service_id, visit.location_id) == (service_id, location_id)
            for each in (visit.doctor_id, *colleagues[visit.doctor_id])
        }
        here: dict[int, list[datetime]] = {}
        for within in (Within(location_id=location_id), ANYWHERE):
            without = sorted(whose - set(here))
            if without:
                here |= availability.free_slots(
                    session,
                    doctor_ids=without,
                    service_id=service_id,
                    from_on=now.astimezone(zone).date(),
                    until_on=until_on,
                    by_staff=True,
                    within=within,
                )
        found[service_id, location_id] = {
            who: [at for at in times if at >= now + TO_HEAR_OF_IT] for who, times in here.items()
        }
    return found


def _colleagues(session: Session, doctor_ids: set[int]) -> dict[int, set[int]]:
    """Who else practises one of a doctor's specialties and sees patients; who offers what is asked later."""
    rows = run(
        session,
        """
        SELECT DISTINCT mine.doctor_id, theirs.doctor_id FROM doctor_specialties mine
        JOIN doctor_specialties theirs USING (specialty_id)
        JOIN doctors d ON d.id = theirs.doctor_id AND d.is_active
        WHERE mine.doctor_id = ANY(%(doctor_ids)s) AND theirs.doctor_id <> mine.doctor_id
        """,
        {"doctor_ids": list(doctor_ids)},
    )
    found: dict[int, set[int]] = {each: set() for each in doctor_ids}
    for mine, theirs in rows:
        found[mine].add(theirs)
    return found


def may_take_over(session: Session, visit: Appointment, doctor_id: int) -> bool:
    """Whether a doctor practises a specialty of the visit's doctor, and offers its service."""
    offers = select(DoctorService).where(
        DoctorService.doctor_id == doctor_id, DoctorService.service_id == visit.service_id
    )
    mine = select(doctor_specialties.c.specialty_id).where(doctor_specialties.c.doctor_id == visit.doctor_id)
    shares = select(doctor_specialties.c.doctor_id).where(
        doctor_specialties.c.doctor_id == doctor_id, doctor_specialties.c.specialty_id.in_(mine)
    )
    return bool(session.scalar(select(offers.exists() & shares.exists())))


def _can_stay(session: Session, visits: Sequence[Appointment]) -> set[int]:
    """The visits whose room is out of use and for which there is another at the same time."""
    used = {visit.room_id for visit in visits if visit.room_id is not None}
    closed = set(session.scalars(select(Room.id).where(Room.id.in_(used), ~Room.is_active)))
    return {
        visit.id
        for visit in visits
        if visit.room_id in closed
        and availability.why_not(
            session,
            doctor_id=visit.doctor_id,
            service_id=visit.service_id,
            starts_at=visit.starts_at,
            by_staff=True,
            ignoring=visit.id,
        )
        is None
    }


def _names(session: Session, doctor_ids: set[int]) -> dict[int, str]:
    rows = session.execute(
        select(Doctor.id, User.name).join(User, User.id == Doctor.user_id).where(Doctor.id.in_(doctor_ids))
    )
    return {row[0]: row[1] for row in rows}


def _engagements(session: Session, patient_ids: set[int]) -> dict[int, list[tuple[int, Span]]]:
    """When these patients have live visits, each with its number."""
    rows = session.execute(
        select(Appointment.patient_id, Appointment.id, Appointment.starts_at, Appointment.ends_at).where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.status.in_(LIVE_STATUSES),
            Appointment.ends_at > clock.now(),
        )
    )
    found: dict[int, list[tuple[int, Span]]] = {}
    for patient_id, number, begins, ends in rows:
        found.setdefault(patient_id, []).append((number, (begins, ends)))
    return found
