"""What was sent to whom about a visit, and how it fared."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from core import access, audit
from core.access import Action, Actor
from core.errors import NotFound
from db.models import (
    Appointment,
    Channel,
    InboundMessage,
    MessageKind,
    Notification,
    NotificationStatus,
)

SHOWN = 100


class Line(NamedTuple):
    """A message, sent or waiting, or a text that came (`kind` is None). Another may have carried it."""

    at: datetime
    kind: MessageKind | None
    channel: Channel
    address: str
    body: str
    status: NotificationStatus | None
    error: str | None
    error_code: int | None
    segments: int | None
    appointment_id: int | None
    was_carried: bool = False


def of_visit(session: Session, actor: Actor, *, appointment_id: int) -> list[Line]:
    """Everything about one visit, the latest first. Raises `NotFound`, `AccessDenied`."""
    visit = session.get(Appointment, appointment_id)
    if visit is None:
        raise NotFound
    access.require(actor, Action.SEE_MESSAGES, patient_id=visit.patient_id)
    _note(session, actor, visit.patient_id)
    sent = _sent(session, Notification.appointment_id == appointment_id)
    came = _came(session, InboundMessage.appointment_id == appointment_id)
    return _latest_first(sent, came)


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> list[Line]:
    """Everything to and from a patient about visits, the latest hundred first. Raises `AccessDenied`."""
    access.require(actor, Action.SEE_MESSAGES, patient_id=patient_id)
    _note(session, actor, patient_id)
    sent = _sent(session, Notification.patient_id == patient_id)
    return _latest_first(sent, _came(session, InboundMessage.patient_id == patient_id))


def _note(session: Session, actor: Actor, patient_id: int) -> None:
    audit.record_read(
        session, actor, Action.SEE_MESSAGES, kind="patient", number=patient_id, patient_id=patient_id
    )


def _latest_first(sent: Sequence[Line], came: Sequence[Line]) -> list[Line]:
    return sorted([*sent, *came], key=lambda line: line.at, reverse=True)[:SHOWN]


def _sent(session: Session, fits: ColumnElement[bool]) -> list[Line]:
    carrier = aliased(Notification)
    rows = session.execute(
        select(Notification, carrier)
        .outerjoin(carrier, carrier.id == Notification.carried_by_id)
        .where(fits, Notification.is_secret.is_(False))
        .order_by(Notification.id.desc())
        .limit(SHOWN)
    )
    return [_line(message, carried_by or message) for message, carried_by in rows]


def _line(message: Notification, sent: Notification) -> Line:
    return Line(
        at=sent.sent_at or sent.attempted_at or message.send_after,
        kind=message.kind,
        channel=sent.channel,
        address=sent.sent_to,
        body=sent.body,
        status=sent.status,
        error=sent.error,
        error_code=sent.error_code,
        segments=sent.segments,
        appointment_id=message.appointment_id,
        was_carried=sent is not message,
    )


def _came(session: Session, fits: ColumnElement[bool]) -> list[Line]:
    rows = session.scalars(
        select(InboundMessage).where(fits).order_by(InboundMessage.received_at.desc()).limit(SHOWN)
    )
    return [
        Line(
            at=text.received_at,
            kind=None,
            channel=Channel.SMS,
            address=text.sender,
            body=text.body,
            status=None,
            error=None,
            error_code=None,
            segments=None,
            appointment_id=text.appointment_id,
        )
        for text in rows
    ]
