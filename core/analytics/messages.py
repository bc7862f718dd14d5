"""Messages to patients: what was sent, what arrived, what was answered, and what texts cost."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, distinct, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.analytics import steps
from core.analytics.scopes import Scope
from core.analytics.shapes import Row, Unit, figure
from core.i18n import N_
from db.models import Appointment, Channel, InboundMessage, MessageKind, Notification, NotificationStatus

KINDS = {
    MessageKind.ACCOUNT: N_("Codes and accounts"),
    MessageKind.BOOKED: N_("Confirmation"),
    MessageKind.MOVED: N_("Moved"),
    MessageKind.CANCELLED: N_("Called off"),
    MessageKind.REMINDER: N_("Reminder"),
    MessageKind.RUNNING_LATE: N_("Running late"),
    MessageKind.OFFER: N_("Offer from the waitlist"),
    MessageKind.PAYMENT_LINK: N_("Link to pay"),
    MessageKind.RECEIPT: N_("Receipt"),
    MessageKind.REPLY: N_("Reply"),
    MessageKind.CHOICE: N_("Choice of another time"),
}
CHANNELS = {Channel.SMS: N_("Text"), Channel.EMAIL: N_("Email")}
GONE_OUT = (NotificationStatus.SENT, NotificationStatus.DELIVERED, NotificationStatus.UNDELIVERED)
_LOST = (NotificationStatus.UNDELIVERED, NotificationStatus.FAILED)
_COUNTS = (
    (N_("Sent"), Unit.COUNT),
    (N_("Arrived"), Unit.COUNT),
    (N_("Did not arrive"), Unit.COUNT),
    (N_("Segments"), Unit.COUNT),
)
MEANING = N_(
    "Sent: texts and emails that left for Twilio or the mail server in the period. Arrived: texts of which"
    " the network said so; of emails nobody says it. Did not arrive: those that came back, or could not be"
    " sent at all. Segments: what texts are charged by. Messages are kept for 400 days, those with codes"
    " for 30; older ones are not counted any more. Where a doctor, service or place is chosen, only messages"
    " about visits there are counted, and texts received, which may be about anything, are not. No visits"
    " stand behind it, but messages."
)


@figure(
    N_("Messages over time"),
    MEANING,
    (N_("From"), Unit.STEP),
    *_COUNTS,
    (N_("Texts received"), Unit.COUNT),
)
def over_time(session: Session, scope: Scope) -> list[Row]:
    number = steps.number(session, scope, _at())
    sent = _counted(session, scope, number)
    received = None if scope.filters else _received(session, scope)
    return [
        (step, *sent.get(place, (0, 0, 0, 0)), None if received is None else received.get(step, 0))
        for place, step in enumerate(scope.steps(), start=1)
    ]


@figure(N_("Messages by what they are about"), MEANING, (N_("About"), Unit.WORD), *_COUNTS)
def by_kind(session: Session, scope: Scope) -> list[Row]:
    found = _counted(session, scope, Notification.kind)
    return [(KINDS[kind], *found[kind]) for kind in MessageKind if kind in found]


@figure(
    N_("Reminders that were answered"),
    N_(
        "Visits of which a reminder was sent in the period, and how many of their patients said afterwards"
        " that they come, by text or in any other way. A visit that was reminded twice counts once for each"
        " channel, so that there is no total."
    ),
    (N_("Reminded by"), Unit.WORD),
    (N_("Visits"), Unit.COUNT, False),
    (N_("Said they come"), Unit.COUNT, False),
    (N_("Share"), Unit.SHARE),
)
def answered(session: Session, scope: Scope) -> list[Row]:
    visit = func.count(distinct(Notification.appointment_id))
    rows = session.execute(
        select(Notification.channel, visit, visit.filter(Appointment.attending_at >= Notification.sent_at))
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .where(
            Notification.kind == MessageKind.REMINDER,
            Notification.status.in_(GONE_OUT),
            *steps.within(session, scope, Notification.sent_at),
            *_about(scope),
        )
        .group_by(Notification.channel)
    )
    found = {channel: (count, said) for channel, count, said in rows}
    return [
        (name, *found[channel], found[channel][1] / found[channel][0])
        for channel, name in CHANNELS.items()
        if channel in found
    ]


def _counted(session: Session, scope: Scope, by: Any) -> dict[Any, Sequence[int]]:
    """Messages of the scope, grouped: sent, arrived, not arrived, segments."""
    rows = session.execute(
        select(
            by,
            func.count().filter(Notification.status.in_(GONE_OUT)),
            func.count().filter(Notification.status == NotificationStatus.DELIVERED),
            func.count().filter(Notification.status.in_(_LOST)),
            func.coalesce(func.sum(Notification.segments).filter(Notification.channel == Channel.SMS), 0),
        )
        .where(
            Notification.status.in_([*GONE_OUT, *_LOST]),
            *steps.within(session, scope, _at()),
            *_about(scope),
        )
        .group_by(by)
    )
    return {group: counts for group, *counts in rows}


def _about(scope: Scope) -> list[ColumnElement[bool]]:
    """That a message is about a visit of the doctor, service or place that is chosen."""
    if not scope.filters:
        return []
    visit = aliased(Appointment)  # beside the one that a figure may have joined
    chosen = (getattr(visit, name) == wanted for name, wanted in scope.filters.items())
    return [exists().where(visit.id == Notification.appointment_id, *chosen)]


def _at() -> ColumnElement[Any]:
    """When a message was sent, or where that failed, last tried."""
    return func.coalesce(Notification.sent_at, Notification.attempted_at, Notification.created_at)


def _received(session: Session, scope: Scope) -> dict[date, int]:
    number = steps.number(session, scope, InboundMessage.received_at)
    rows = session.execute(
        select(number, func.count())
        .where(*steps.within(session, scope, InboundMessage.received_at))
        .group_by(number)
    )
    first = scope.steps()
    return {first[place - 1]: count for place, count in rows}
