"""Who has come: marked at the desk or by the doctor, taken back if it was wrong, and noted at day's end."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import access, appointment_events, clinics, clock, placements, signatures, wall_time
from core.access import Action, Actor
from core.audit import Event
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
LEADS_TO = {EventKind.ARRIVED: ARRIVED, EventKind.COMPLETED: COMPLETED, EventKind.NO_SHOW: NO_SHOW}
LOOKS_BACK_DAYS = 7

# A day counts where somebody has marked on it that one of its visits has come.
_NOTE_MISSED = text("""
    WITH days AS (
        SELECT * FROM unnest(CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[])) AS d (begins, ends)
    ), used AS (
        SELECT * FROM days WHERE EXISTS (
            SELECT FROM appointments a JOIN appointment_events e ON e.appointment_id = a.id
            WHERE a.doctor_id = ANY (ARRAY(SELECT id FROM doctors))
            AND a.starts_at >= days.begins AND a.starts_at < days.ends
            AND e.kind IN ('arrived', 'completed') AND e.by_user_id IS NOT NULL
            AND e.at >= days.begins AND e.at < days.ends)
    ), due AS (
        SELECT a.id FROM used JOIN appointments a ON a.starts_at >= used.begins AND a.starts_at < used.ends
        WHERE a.status = 'confirmed' AND a.ends_at <= :now AND NOT EXISTS (
            SELECT FROM appointment_events e
            WHERE e.appointment_id = a.id AND e.kind = 'undone' AND e.at >= used.ends)
        FOR UPDATE OF a SKIP LOCKED
    ), missed AS (
        UPDATE appointments a SET status = 'no_show', version = version + 1, updated_at = :now
        FROM due WHERE a.id = due.id
        RETURNING a.id, a.patient_id
    ), events AS (
        INSERT INTO appointment_events (appointment_id, kind, at, before)
        SELECT id, 'no_show', :now, '{"status": "confirmed"}' FROM missed
    )
    INSERT INTO audit_entries (at, action, outcome, object_kind, object_id, patient_id, for_another)
    SELECT :now, :action, 'done', 'appointment', id, patient_id, false FROM missed RETURNING id
""")


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
    elif not placements.retake(session, visit):
        raise TimeGivenAway
    appointment_events.record(session, actor, visit, EventKind.UNDONE, before=before, request_key=request_key)
    return visit


def note_missed(session: Session) -> int:
    """Mark visits that are still confirmed when their day is over as missed; how many.

    Days are the clinic's, also those on which clocks change, and the last seven. Only those count on which
    somebody has marked a visit of the day as here or done: where nobody uses these marks, nobody has missed
    anything. Of a visit put back after its day a person has decided: it stays. Safe to run twice at once.
    """
    if not clinics.is_founded(session):
        return 0
    now, zone = clock.now(), clinics.zone(session)
    today = now.astimezone(zone).date()
    midnights = [
        wall_time.instant_reached(zone, datetime.combine(today - timedelta(days=back), datetime.min.time()))
        for back in range(LOOKS_BACK_DAYS + 1)
    ]
    marked = session.execute(
        _NOTE_MISSED,
        {"begins": midnights[1:], "ends": midnights[:-1], "now": now, "action": Event.NO_SHOW.value},
    )
    return len(marked.all())


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
    appointment_events.record(session, actor, visit, kind, before=before, request_key=request_key)
    return visit


def _last_step(session: Session, visit: Appointment) -> _Step | None:
    """The step that has led to where the visit stands: the last that was neither taken back nor followed."""
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
        else:
            steps.clear()
    last = steps[-1] if steps else None
    return last if last is not None and visit.status is LEADS_TO[last.kind] else None
