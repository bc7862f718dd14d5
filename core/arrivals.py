"""Who has come: marked at the desk or by the doctor, and taken back if it was wrong."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, appointment_events, clinics, clock, placements, signatures
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import Appointment, AppointmentEvent, AppointmentStatus, EventKind

CONFIRMED, ARRIVED, IN_ROOM, COMPLETED, NO_SHOW = (
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.IN_ROOM,
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
)
LEADS_TO = {
    EventKind.ARRIVED: ARRIVED,
    EventKind.IN_ROOM: IN_ROOM,
    EventKind.COMPLETED: COMPLETED,
    EventKind.NO_SHOW: NO_SHOW,
}
NOTED_IN = {
    EventKind.ARRIVED: "arrived_at",
    EventKind.IN_ROOM: "in_room_at",
    EventKind.COMPLETED: "completed_at",
}


class NotToday(ClinicError):
    message = N_("Patients can be marked as here on the day of their visit only.")


class NotStarted(ClinicError):
    message = N_("This visit has not begun yet.")


class MarkedMeanwhile(ClinicError):
    message = N_("This visit has been marked or changed in the meantime. Please look at it again.")


class NothingToUndo(ClinicError):
    message = N_("There is nothing to take back at this visit.")


class DoctorHasSigned(ClinicError):
    message = N_("The doctor has signed something at this visit: the patient was there.")


class TimeGivenAway(ClinicError):
    message = N_("Somebody else has this time by now, so the visit cannot be put back.")


class _Step(NamedTuple):
    kind: EventKind
    before: AppointmentStatus


def check_in(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Appointment:
    """Note that the patient has come, on the visit's own day.

    Raises `NotToday`, `MarkedMeanwhile`, `NotFound`, `AccessDenied`.
    """
    visit = _opened(session, actor, appointment_id)
    if _is_answered(session, actor, visit, request_key, EventKind.ARRIVED):
        return visit
    _require(visit, CONFIRMED)
    zone = clinics.zone(session)
    if visit.starts_at.astimezone(zone).date() != clock.now().astimezone(zone).date():
        raise NotToday
    return _take(session, actor, visit, EventKind.ARRIVED, request_key)


def call_in(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Appointment:
    """Note that the patient, who has arrived, is in the room with the doctor now.

    Raises `MarkedMeanwhile`, `NotFound`, `AccessDenied`.
    """
    visit = _opened(session, actor, appointment_id)
    if _is_answered(session, actor, visit, request_key, EventKind.IN_ROOM):
        return visit
    _require(visit, ARRIVED)
    return _take(session, actor, visit, EventKind.IN_ROOM, request_key)


def complete(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Appointment:
    """Note that the visit has taken place, once it has begun.

    Raises `NotStarted`, `MarkedMeanwhile`, `NotFound`, `AccessDenied`.
    """
    visit = _opened(session, actor, appointment_id)
    if _is_answered(session, actor, visit, request_key, EventKind.COMPLETED):
        return visit
    _require(visit, CONFIRMED, ARRIVED, IN_ROOM)
    _require_started(visit)
    return _take(session, actor, visit, EventKind.COMPLETED, request_key)


def mark_missed(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Appointment:
    """Note that the patient has not come, once the visit has begun. Money stays as it is.

    Raises `NotStarted`, `MarkedMeanwhile`, `NotFound`, `AccessDenied`.
    """
    visit = _opened(session, actor, appointment_id)
    if _is_answered(session, actor, visit, request_key, EventKind.NO_SHOW):
        return visit
    _require(visit, CONFIRMED)
    _require_started(visit)
    return _take(session, actor, visit, EventKind.NO_SHOW, request_key)


def undo(
    session: Session, actor: Actor, *, appointment_id: int, request_key: UUID | None = None
) -> Appointment:
    """Take back the last of these steps, if nothing else has happened to the visit since.

    One that was taken for missed gets its time back. Raises `NothingToUndo`, `TimeGivenAway`,
    `DoctorHasSigned`, `NotFound`, `AccessDenied`.
    """
    visit = _opened(session, actor, appointment_id)
    if _is_answered(session, actor, visit, request_key, EventKind.UNDONE):
        return visit
    step = _last_step(session, visit)
    if step is None:
        raise NothingToUndo
    before = {"status": visit.status.value}
    if step.kind is EventKind.ARRIVED and signatures.has_signed(session, visit.id):
        raise DoctorHasSigned
    if step.kind is not EventKind.NO_SHOW:
        visit.status = step.before
        setattr(visit, NOTED_IN[step.kind], None)
        visit.updated_at = clock.now()
    elif not placements.retake(session, visit):
        raise TimeGivenAway
    appointment_events.record(session, actor, visit, EventKind.UNDONE, before=before, request_key=request_key)
    return visit


def _opened(session: Session, actor: Actor, appointment_id: int) -> Appointment:
    visit = placements.locked(session, appointment_id)
    access.require(actor, Action.CHECK_IN, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    return visit


def _is_answered(
    session: Session, actor: Actor, visit: Appointment, request_key: UUID | None, kind: EventKind
) -> bool:
    """Whether the same click has done it already: two of one button come at once."""
    answered = appointment_events.answered(session, actor, request_key, kind, appointment_id=visit.id)
    return answered is not None


def _require(visit: Appointment, *statuses: AppointmentStatus) -> None:
    if visit.status not in statuses:
        raise MarkedMeanwhile


def _require_started(visit: Appointment) -> None:
    if visit.starts_at > clock.now():
        raise NotStarted


def _take(
    session: Session, actor: Actor, visit: Appointment, kind: EventKind, request_key: UUID | None
) -> Appointment:
    """Bring the visit to where an event of `kind` leads; a calendar has to know of a missed one only."""
    before = {"status": visit.status.value}
    visit.status = LEADS_TO[kind]
    if kind is EventKind.NO_SHOW:
        placements.touch(visit)
    else:
        visit.updated_at = clock.now()
        setattr(visit, NOTED_IN[kind], visit.updated_at)
    appointment_events.record(session, actor, visit, kind, before=before, request_key=request_key)
    return visit


def _last_step(session: Session, visit: Appointment) -> _Step | None:
    """The step that has led to where the visit stands: the last that was neither taken back nor followed.

    That the visit was made longer or shorter, as it may be while its patient is here, follows no step.
    """
    events = session.scalars(
        select(AppointmentEvent)
        .where(AppointmentEvent.appointment_id == visit.id)
        .order_by(AppointmentEvent.id)
    )
    steps: list[_Step] = []
    for event in events:
        if event.kind in LEADS_TO and event.before is not None:
            steps.append(_Step(event.kind, AppointmentStatus(event.before["status"])))
        elif event.kind is EventKind.UNDONE:
            del steps[-1:]
        elif not _is_of_length(event):
            steps.clear()
    last = steps[-1] if steps else None
    return last if last is not None and visit.status is LEADS_TO[last.kind] else None


def _is_of_length(event: AppointmentEvent) -> bool:
    """Whether the visit only ended at another time from then on."""
    before, after = event.before or {}, event.after or {}
    begins = [(each.get("starts_at"), each.get("doctor_id")) for each in (before, after)]
    return event.kind is EventKind.MOVED and bool(before and after) and begins[0] == begins[1]
