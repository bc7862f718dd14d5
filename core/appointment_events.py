"""What happened to a visit: one row a change, with its entry in the audit trail, and the answer to a form
that was sent twice.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, clock
from core.access import Action, Actor
from core.appointment_errors import FormAlreadySent, ReasonMissing, ReasonTooLong, ReasonUnreadable
from core.audit import Event
from core.texts import is_readable
from db.models import Appointment, AppointmentEvent, EventKind
from db.session import run

REASON_LENGTH = 500
ACTIONS: dict[EventKind, StrEnum] = {
    EventKind.BOOKED: Action.BOOK,
    EventKind.OVERBOOKED: Action.OVERBOOK,
    EventKind.CONFIRMED: Event.HOLD_CONFIRMED,
    EventKind.MOVED: Action.MOVE,
    EventKind.CANCELLED: Action.CANCEL,
    EventKind.EXPIRED: Event.HOLD_EXPIRED,
    EventKind.ATTENDING: Event.ATTENDING,
    EventKind.ARRIVED: Action.CHECK_IN,
    EventKind.IN_ROOM: Action.CHECK_IN,
    EventKind.COMPLETED: Action.CHECK_IN,
    EventKind.NO_SHOW: Event.NO_SHOW,
    EventKind.UNDONE: Event.STEP_UNDONE,
}

_INSERT = """
    INSERT INTO appointment_events (appointment_id, kind, at, by_user_id, before, after, reason, request_key)
    VALUES (%(appointment_id)s, %(kind)s, %(at)s, %(by_user_id)s, %(before)s, %(after)s,
            %(reason)s, %(request_key)s)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
"""


def answered(
    session: Session,
    actor: Actor,
    request_key: UUID | None,
    *kinds: EventKind,
    appointment_id: int | None = None,
) -> Appointment | None:
    """The visit to which the form with this key has already done one of `kinds` for this person, if it has.

    With `appointment_id`, only that visit: a key used for one must not answer for another.
    """
    if request_key is None:
        return None
    query = (
        select(Appointment)
        .join(AppointmentEvent, AppointmentEvent.appointment_id == Appointment.id)
        .where(
            AppointmentEvent.request_key == request_key,
            AppointmentEvent.by_user_id == actor.user_id,
            AppointmentEvent.kind.in_(kinds),
        )
    )
    if appointment_id is not None:
        query = query.where(Appointment.id == appointment_id)
    return session.scalar(query)


def record(
    session: Session,
    actor: Actor | None,
    appointment: Appointment,
    kind: EventKind,
    *,
    before: dict[str, Any] | None = None,
    reason: str | None = None,
    action: StrEnum | None = None,
    request_key: UUID | None = None,
) -> None:
    """Add an event in its change's transaction, and the trail's entry after it.

    The entry is about `action`, or what the kind is called there. Raises `FormAlreadySent` when the key was
    used before.
    """
    session.flush()  # the change first, then its event
    values = {
        "appointment_id": appointment.id,
        "kind": kind,
        "at": clock.now(),
        "by_user_id": actor and actor.user_id,
        "before": before and Jsonb(before),
        "after": Jsonb(place_in_time(appointment)),
        "reason": reason,
        "request_key": request_key,
    }
    if not run(session, _INSERT, values):
        raise FormAlreadySent
    audit.record(
        session,
        actor,
        action or ACTIONS[kind],
        kind="appointment",
        number=appointment.id,
        patient_id=appointment.patient_id,
        doctor_id=appointment.doctor_id,
    )


def place_in_time(appointment: Appointment) -> dict[str, Any]:
    """What a move changes, as events keep it: start and end in UTC, and the doctor."""
    return {
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "doctor_id": appointment.doctor_id,
    }


def required_reason(reason: str) -> str:
    """`reason` without surrounding blanks. Raises `ReasonMissing`, `ReasonTooLong` or `ReasonUnreadable`."""
    given = reason.strip()
    if not is_readable(given):
        raise ReasonUnreadable
    if not given:
        raise ReasonMissing
    if len(given) > REASON_LENGTH:
        raise ReasonTooLong(length=REASON_LENGTH)
    return given
