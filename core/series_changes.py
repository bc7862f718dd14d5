"""A visit of a series and those after it: moved and called off together."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import (
    access,
    appointment_events,
    appointments,
    clinics,
    clock,
    moves,
    placements,
    series,
    wall_time,
)
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.moves import CHANGEABLE
from core.wall_time import NonexistentTime
from db.models import Appointment, EventKind


class NoSeries(ClinicError):
    message = N_("This visit belongs to no series, or none of it is ahead.")


def following(session: Session, actor: Actor, *, appointment_id: int) -> list[Appointment]:
    """A visit and those after it in its series that can still be changed, in order; none without a series."""
    visit = _visit(session, appointment_id)
    access.require(actor, Action.SEE_APPOINTMENT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    return _following(session, visit)


def reschedule(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    starts_at: datetime,
    request_key: UUID | None = None,
) -> list[Appointment]:
    """Move a visit to `starts_at` (aware) and those after it by as many days, to the same wall time.

    All or none; the cancellation window is waived, as only the desk does this. Raises `SeriesRefused`,
    `NoSeries`, `AccessDenied`.
    """
    visit = _visit(session, appointment_id)
    access.require(actor, Action.BOOK_SERIES, patient_id=visit.patient_id)
    _take_turns(session, visit)
    if appointment_events.answered(session, actor, request_key, EventKind.MOVED, appointment_id=visit.id):
        return _following(session, visit)
    moving = _following(session, visit, for_change=True)
    if not moving:
        raise NoSeries
    zone = clinics.zone(session)
    before, after = (at.astimezone(zone).replace(tzinfo=None) for at in (visit.starts_at, starts_at))
    is_later = after > before
    for each in sorted(moving, key=lambda one: one.starts_at, reverse=is_later):  # out of each other's way
        on = each.starts_at.astimezone(zone).date() + (after.date() - before.date())
        key = request_key if each.id == visit.id else None
        _move(session, actor, each, datetime.combine(on, after.time()), zone, key)
    return sorted(moving, key=lambda one: one.starts_at)


def _move(
    session: Session,
    actor: Actor,
    visit: Appointment,
    wall: datetime,
    zone: ZoneInfo,
    request_key: UUID | None,
) -> None:
    at = wall_time.first_instant(zone, wall)
    try:
        if at is None:
            raise NonexistentTime
        appointments.reschedule(
            session,
            actor,
            appointment_id=visit.id,
            starts_at=at,
            waive_policy=True,
            request_key=request_key,
        )
    except ClinicError as refusal:
        raise series.refused(session, at or wall_time.instant_reached(zone, wall), refusal) from None


def cancel(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    reason: str,
    waive_policy: bool = False,
    request_key: UUID | None = None,
) -> list[Appointment]:
    """Call a visit off and those after it in its series; money as `appointments.cancel` has it.

    Raises `NoSeries`, `SeriesRefused`, `ReasonMissing`, `AccessDenied`.
    """
    visit = _visit(session, appointment_id)
    access.require(actor, Action.BOOK_SERIES, patient_id=visit.patient_id)
    why = appointment_events.required_reason(reason)
    _take_turns(session, visit)
    if appointment_events.answered(session, actor, request_key, EventKind.CANCELLED, appointment_id=visit.id):
        return []
    ending = _following(session, visit, for_change=True)
    if not ending:
        raise NoSeries
    for each in ending:
        try:
            appointments.cancel(
                session,
                actor,
                appointment_id=each.id,
                reason=why,
                waive_policy=waive_policy,
                request_key=request_key if each.id == visit.id else None,
            )
        except ClinicError as refusal:
            raise series.refused(session, each.starts_at, refusal) from None
    return ending


def _visit(session: Session, appointment_id: int) -> Appointment:
    visit = session.get(Appointment, appointment_id)
    if visit is None:
        raise NotFound
    return visit


def _take_turns(session: Session, visit: Appointment) -> None:
    """Wait for whoever else moves or calls off visits of the series, then see the visit as they have left it.

    What comes after it, and how far it is to move, goes by where it stands.
    """
    doctor_ids = {each.doctor_id for each in _following(session, visit)} | {visit.doctor_id}
    moves.take_turns(session, doctor_ids=doctor_ids, patient_id=visit.patient_id)
    placements.locked(session, visit.id)


def _following(session: Session, visit: Appointment, *, for_change: bool = False) -> list[Appointment]:
    """Locked in one order, so that two who change a series wait for each other."""
    if visit.series_id is None:
        return []
    query = (
        select(Appointment)
        .where(
            Appointment.series_id == visit.series_id,
            Appointment.starts_at >= visit.starts_at,
            Appointment.starts_at > clock.now(),
            Appointment.status.in_(CHANGEABLE),
        )
        .order_by(Appointment.id)
    )
    if for_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    return sorted(session.scalars(query), key=lambda each: each.starts_at)
