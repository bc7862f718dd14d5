"""A doctor's calendar changed by hand: a visit is put at another time, or made longer or shorter."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from core import access, appointment_events, appointments, clinics, clock, days, moves, placements
from core.access import Action, Actor
from core.appointment_errors import NoLongerChangeable, PatientBusy, RoomTaken, TryAgain, VisitChanged
from core.errors import AccessDenied, ClinicError, NotFound
from core.i18n import N_, _, day_and_time, span
from core.offers import SlotTaken
from core.wall_time import require_instant
from db.models import Appointment, AppointmentStatus, EventKind, TimeOff

STRETCHABLE = frozenset({AppointmentStatus.CONFIRMED, AppointmentStatus.ARRIVED, AppointmentStatus.IN_ROOM})
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(minutes=720)  # the longest that a service may be
_IN_THE_WAY: dict[str | None, type[ClinicError]] = {
    "ex_appointments_patient_free": PatientBusy,
    placements.ROOM_FREE: RoomTaken,
    None: TryAgain,
}


class WrongLength(ClinicError):
    message = N_("A visit lasts from {shortest} to {longest}, and ends after now.")


class NextVisitTooSoon(ClinicError):
    message = N_("The doctor's next visit, or the time to prepare for it, begins before then.")


class PastClosing(ClinicError):
    message = N_("The visit would not end before the doctor's hours do.")


class AwayThen(ClinicError):
    message = N_("The doctor is away at that time.")


class Expected(NamedTuple):
    """When a visit would end, or why it cannot be changed like that."""

    ends_at: datetime
    refusal: str = ""


def expected(
    session: Session,
    actor: Actor,
    change: Callable[..., Appointment],
    *,
    appointment_id: int,
    **arguments: Any,
) -> Expected:
    """What `move` or `stretch` with these arguments would come to now. It is made and taken back again.

    Raises `AccessDenied`, `NotFound`.
    """
    visit = _visit(session, appointment_id)
    access.require(actor, Action.SEE_DAY, doctor_id=visit.doctor_id)
    present = visit.ends_at
    nested = session.begin_nested()
    try:
        return Expected(change(session, actor, appointment_id=appointment_id, **arguments).ends_at)
    except AccessDenied:
        raise
    except SlotTaken as taken:
        return Expected(present, _somebody_elses(taken))
    except ClinicError as refusal:
        return Expected(present, str(refusal))
    finally:
        nested.rollback()


def _somebody_elses(taken: SlotTaken) -> str:
    """The same without "just": here nobody has been slower than anybody yet."""
    if not taken.alternatives:
        return _("There is another visit then, and the doctor has no other free time for this one.")
    times = "; ".join(day_and_time(at, taken.zone) for at in taken.alternatives)
    return _("There is another visit then. Still free nearby: {times}.").format(times=times)


def move(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    starts_at: datetime,
    version: int,
    request_key: UUID | None = None,
) -> Appointment:
    """Put the visit that was shown as `version` at `starts_at` (aware), if possible for as long as it lasts.

    The patient gets the message of a move. Whoever works at the clinic is not bound by the cancellation
    window. Raises `VisitChanged` and what `appointments.reschedule` raises.
    """
    visit = _visit(session, appointment_id)
    access.require(actor, Action.SEE_DAY, doctor_id=visit.doctor_id)  # patients move theirs elsewhere
    access.require(actor, Action.MOVE, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    if not _lock_as_shown(session, actor, visit, version, request_key):
        return visit
    return appointments.reschedule(
        session,
        actor,
        appointment_id=appointment_id,
        starts_at=starts_at,
        waive_policy=actor.is_desk,
        request_key=request_key,
    )


def stretch(
    session: Session,
    actor: Actor,
    *,
    appointment_id: int,
    ends_at: datetime,
    version: int,
    request_key: UUID | None = None,
) -> Appointment:
    """Let the visit that was shown as `version` end at `ends_at` (aware): later, or earlier. Its price stays.

    A longer one stays within the doctor's hours and before the next visit. The patient, who comes at the same
    time as before, is told nothing. Raises `NextVisitTooSoon`, `PastClosing`, `AwayThen`, `PatientBusy`,
    `RoomTaken`, `WrongLength`, `VisitChanged`, `NoLongerChangeable`, `NotFound`, `AccessDenied`.
    """
    visit = _visit(session, appointment_id)
    access.require(actor, Action.SEE_DAY, doctor_id=visit.doctor_id)  # how long it takes is not the patient's
    access.require(actor, Action.MOVE, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    if not _lock_as_shown(session, actor, visit, version, request_key):
        return visit
    at, now = require_instant(ends_at), clock.now()
    if visit.status not in STRETCHABLE or visit.ends_at <= now:
        raise NoLongerChangeable
    if at <= now or not SHORTEST <= at - visit.starts_at <= LONGEST:
        raise WrongLength(shortest=span(SHORTEST.seconds // 60), longest=span(LONGEST.seconds // 60))
    if at == visit.ends_at:
        return visit
    if at > visit.ends_at:
        _require_at_work(session, actor, visit, at)
    before = appointment_events.place_in_time(visit)
    _write(session, visit, at)
    appointment_events.record(session, actor, visit, EventKind.MOVED, before=before, request_key=request_key)
    return visit


def _visit(session: Session, appointment_id: int) -> Appointment:
    visit = session.get(Appointment, appointment_id)
    if visit is None:
        raise NotFound
    return visit


def _lock_as_shown(
    session: Session, actor: Actor, visit: Appointment, version: int, request_key: UUID | None
) -> bool:
    """Hold the visit against other changes; False where this very form has been done before."""
    moves.take_turns(session, doctor_ids=[visit.doctor_id], patient_id=visit.patient_id)
    placements.locked(session, visit.id)
    if appointment_events.answered(session, actor, request_key, EventKind.MOVED, appointment_id=visit.id):
        return False
    if visit.version != version:
        raise VisitChanged
    return True


def _require_at_work(session: Session, actor: Actor, visit: Appointment, ends_at: datetime) -> None:
    """Raise `PastClosing` or `AwayThen` unless the doctor works until then."""
    on = visit.starts_at.astimezone(clinics.zone(session)).date()
    hours = days.working_hours(session, actor, doctor_id=visit.doctor_id, on=on)
    if not any(opens <= visit.starts_at and ends_at <= closes for opens, closes in hours):
        raise PastClosing
    away = exists().where(
        TimeOff.doctor_id == visit.doctor_id, TimeOff.starts_at < ends_at, TimeOff.ends_at > visit.ends_at
    )
    if session.scalar(select(away)):
        raise AwayThen


def _write(session: Session, visit: Appointment, ends_at: datetime) -> None:
    """The end, and with it the buffer after it. The constraints say who is in the way."""
    blocked: Range[datetime] = visit.blocked
    assert blocked.upper is not None  # noqa: S101 - every visit has an end
    try:
        with session.begin_nested():
            visit.blocked = Range(blocked.lower, ends_at + (blocked.upper - visit.ends_at))
            visit.ends_at = ends_at
            placements.touch(visit)
            session.flush()
    except (IntegrityError, OperationalError) as error:
        raise _IN_THE_WAY.get(placements.refused_constraint(error), NextVisitTooSoon) from None
