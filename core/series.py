"""Visits that come back every few weeks, planned and booked together."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, appointments, availability, clinics, clock, wall_time
from core.access import Action, Actor
from core.appointment_errors import PatientBusy
from core.errors import ClinicError
from core.i18n import N_, _, day_and_time
from core.offers import SENTENCES, NotOffered, Rule, SlotTaken
from core.wall_time import NonexistentTime
from db.models import Appointment, VisitSeries

MOST_VISITS = 26
MOST_WEEKS = 12  # between two of them


class SeriesTooLong(ClinicError):
    message = N_("A series has {least} to {most} visits, at most {weeks} weeks apart.")


class SeriesRefused(ClinicError):
    """One of the visits cannot be, so none of them is changed."""

    message = N_("Nothing has been changed, because of {when}: {why}")


class Planned(NamedTuple):
    """One visit of a series as it would be: `wanted` in the clinic's wall time, `starts_at` where it exists.

    Where `problem` says why it cannot be booked, `alternatives` are the nearest free times (UTC).
    """

    wanted: datetime
    starts_at: datetime | None
    problem: str
    alternatives: list[datetime]


def plan(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    every_weeks: int,
    visits: int,
) -> list[Planned]:
    """What a series from `starts_at` (aware) would be, at the same wall time each time. Saves nothing.

    Raises `SeriesTooLong`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.BOOK_SERIES, patient_id=patient_id)
    _require_bounded(visits, every_weeks)
    zone = clinics.zone(session)
    first = starts_at.astimezone(zone).replace(tzinfo=None)
    planned = []
    for number in range(visits):
        wall = first + timedelta(weeks=number * every_weeks)
        at = wall_time.first_instant(zone, wall)
        problem, free = str(NonexistentTime()), None
        if at is not None:
            problem, free = _problem(session, patient_id, doctor_id, service_id, at)
        if problem and free is None:
            free = availability.nearest(
                session,
                doctor_id=doctor_id,
                service_id=service_id,
                starts_at=at or wall_time.instant_reached(zone, wall),
                patient_id=patient_id,
                by_staff=True,
            )
        planned.append(Planned(wall, at, problem, free or []))
    return planned


def _problem(
    session: Session, patient_id: int, doctor_id: int, service_id: int, at: datetime
) -> tuple[str, list[datetime] | None]:
    """Why the time cannot be booked, "" if it can, and the alternatives where they are known already."""
    try:
        availability.require_offered(
            session,
            doctor_id=doctor_id,
            service_id=service_id,
            starts_at=at,
            patient_id=patient_id,
            by_staff=True,
        )
    except SlotTaken as taken:
        return _(SENTENCES[Rule.TAKEN]), taken.alternatives
    except (NotOffered, PatientBusy) as refusal:
        return str(refusal), None
    return "", []


def book(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    doctor_id: int,
    service_id: int,
    starts: Sequence[datetime],
    every_weeks: int,
    request_key: UUID | None = None,
) -> list[Appointment]:
    """Book a visit at each of `starts` (aware), all of them or none, and tell of them in one message.

    The form's `request_key` sent again returns what it has booked. Raises `SeriesRefused` with the first
    that cannot be, `SeriesTooLong`, `AccessDenied`.
    """
    access.require(actor, Action.BOOK_SERIES, patient_id=patient_id)
    _require_bounded(len(set(starts)), every_weeks)
    values = {"every_weeks": every_weeks, "created_at": clock.now(), "by_user_id": actor.user_id}
    series_id = session.scalar(
        insert(VisitSeries)
        .values(**values, request_key=request_key)
        .on_conflict_do_nothing(index_elements=["request_key"])
        .returning(VisitSeries.id)
    )
    if series_id is None:
        return _booked_before(session, actor, request_key)
    booked = []
    for at in sorted(set(starts)):
        try:
            visit = appointments.book(
                session,
                actor,
                patient_id=patient_id,
                doctor_id=doctor_id,
                service_id=service_id,
                starts_at=at,
            )
        except ClinicError as refusal:
            raise refused(session, at, refusal) from None
        visit.series_id = series_id
        booked.append(visit)
    session.flush()
    return booked


def _require_bounded(visits: int, every_weeks: int) -> None:
    least = 2
    if not (least <= visits <= MOST_VISITS and 1 <= every_weeks <= MOST_WEEKS):
        raise SeriesTooLong(least=least, most=MOST_VISITS, weeks=MOST_WEEKS)


def _booked_before(session: Session, actor: Actor, request_key: UUID | None) -> list[Appointment]:
    rows = session.scalars(
        select(Appointment)
        .join(VisitSeries, VisitSeries.id == Appointment.series_id)
        .where(VisitSeries.request_key == request_key, VisitSeries.by_user_id == actor.user_id)
        .order_by(Appointment.starts_at)
    )
    return list(rows)


def refused(session: Session, at: datetime, refusal: ClinicError) -> SeriesRefused:
    """What to raise when the visit at `at` (UTC) cannot be."""
    return SeriesRefused(when=day_and_time(at.astimezone(UTC), clinics.zone(session)), why=str(refusal))
