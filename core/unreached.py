"""People whom a message about a visit ahead did not reach: for the desk to call."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from core import access, agendas, audit, clock
from core.access import Action, Actor
from core.errors import NotFound
from core.inbox import SHOWN, AlreadyDealtWith
from db.models import Appointment, AppointmentStatus, MessageKind, Notification, NotificationStatus, Patient
from db.models.appointments import LIVE_STATUSES

NOT_REACHED = (NotificationStatus.FAILED, NotificationStatus.UNDELIVERED)


class Unreached(NamedTuple):
    """A message about a visit ahead that did not arrive."""

    message: Notification
    patient: Patient
    visit: Appointment


def count(session: Session, actor: Actor) -> int:
    """How many messages did not arrive and wait for the desk."""
    access.require(actor, Action.ANSWER_MESSAGES)
    about = Appointment.id == Notification.appointment_id
    lost = select(func.count()).select_from(Notification).join(Appointment, about)
    return session.scalar(lost.where(*_is_lost())) or 0


def _is_lost() -> list[ColumnElement[bool]]:
    """The conditions of a message about a visit ahead that did not arrive, by itself or with another.

    Of a visit that is off, only that it is so matters; an offer, until it is answered.
    """
    return [
        _has_failed(),
        Notification.kind != MessageKind.RECEIPT,
        Notification.settled_at.is_(None),
        Notification.time_version == Appointment.time_version,
        Appointment.starts_at > clock.now(),
        or_(Notification.kind == MessageKind.CANCELLED, Appointment.status.in_(LIVE_STATUSES)),
        or_(Notification.kind != MessageKind.OFFER, Appointment.status == AppointmentStatus.PENDING),
    ]


def _has_failed() -> ColumnElement[bool]:
    carrier = aliased(Notification)
    lost = carrier.status.in_(NOT_REACHED)
    carried = exists().where(carrier.id == Notification.carried_by_id, lost)
    return or_(Notification.status.in_(NOT_REACHED), carried)


def waiting(session: Session, actor: Actor) -> list[Unreached]:
    """Messages about visits ahead that did not arrive and that nobody has dealt with; twenty at most."""
    access.require(actor, Action.ANSWER_MESSAGES)
    rows = session.execute(
        select(Notification, Patient, Appointment)
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(*_is_lost())
        .order_by(Appointment.starts_at, Notification.id)
        .options(*agendas.WITH_PEOPLE)
        .limit(SHOWN)
    )
    return [Unreached(*row) for row in rows]


def settle(session: Session, actor: Actor, *, notification_id: int) -> None:
    """Note that the desk has reached the patient another way.

    Raises `AlreadyDealtWith`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.ANSWER_MESSAGES)
    message = session.scalar(
        select(Notification)
        .where(Notification.id == notification_id, _has_failed())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None:
        raise NotFound
    if message.settled_at is not None:
        raise AlreadyDealtWith
    message.settled_at, message.settled_by_id = clock.now(), actor.user_id
    audit.record(
        session,
        actor,
        Action.ANSWER_MESSAGES,
        kind="message",
        number=message.id,
        patient_id=message.patient_id,
    )
