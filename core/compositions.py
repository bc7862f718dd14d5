"""A message as it is sent: who gets it, when, and which others it carries along."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from core import clinics, clock, message_texts, message_truths, recipients
from core.agendas import WITH_PEOPLE
from core.message_texts import Written
from core.recipients import Recipient
from db.models import (
    Appointment,
    Channel,
    MessageKind,
    Notification,
    NotificationStatus,
    Patient,
)

_JOINED = frozenset({*message_truths.TELLING, MessageKind.CANCELLED, MessageKind.RUNNING_LATE})
_SUITS = {MessageKind.RECEIPT: Channel.EMAIL}
_AT_ANY_HOUR = frozenset({MessageKind.REPLY, MessageKind.OFFER})
TO_ACT = timedelta(hours=2)  # what somebody needs to take in that a visit is off, or at another time


class Void(NamedTuple):
    """There is nothing to send: what it would tell is no longer so."""

    why: str


class Unreachable(NamedTuple):
    """Nothing reaches the person; `why` is for the desk."""

    why: str


class Later(NamedTuple):
    """It is night where the person is: not before `at` (UTC)."""

    at: datetime


class Composed(NamedTuple):
    """The message, and those of the same day that it carries along."""

    channel: Channel
    sent_to: str
    locale: str
    written: Written
    visits: list[Appointment]
    carried: list[Notification]


def compose(session: Session, message: Notification) -> Composed | Void | Unreachable | Later:
    """What to send for `message`, which is locked; the others it carries are locked too.

    The visit is held against changes until the claim is committed: what is sent was true then.
    """
    if message.kind is MessageKind.REPLY:
        written = message_texts.reply(session, message)
        to, locale = message.details["to"], message.details["locale"]
        return Composed(Channel.SMS, to, locale, written, [], [])
    visit = _visit(session, message.appointment_id)
    if visit is None or not message_truths.is_of_its_time(message, visit):
        return Void("the visit has moved")
    if why := message_truths.untrue(session, message, visit):
        return Void(why)
    told = recipients.of(session, visit.patient_id, rather=_SUITS.get(message.kind))
    if told is None or told.channel is None:
        return Unreachable("no such person" if told is None else told.why)
    if message.kind is MessageKind.REMINDER and not told.wants_reminders:
        return Void("no reminders are wanted")
    if later := _later(session, message, told):
        return Later(later)
    others = _others(session, message, visit, told) if message.kind in _JOINED else []
    its_visits = {each.id: each for each in [visit, *(its for _other, its in others)]}
    visits = sorted(its_visits.values(), key=lambda each: each.starts_at)
    written = message_texts.write(
        session, message, visits, told, news=message_truths.news(session, message, visit)
    )
    return Composed(told.channel, told.sent_to, told.locale, written, visits, [each for each, _its in others])


def _visit(session: Session, appointment_id: int | None) -> Appointment | None:
    return session.scalar(
        select(Appointment)
        .where(Appointment.id == appointment_id)
        .options(*WITH_PEOPLE)
        .with_for_update(read=True, of=Appointment)
        .execution_options(populate_existing=True)
    )


def _later(session: Session, message: Notification, told: Recipient) -> datetime | None:
    """When the night is over, unless that would be too late for what is no reminder."""
    if message.kind in _AT_ANY_HOUR or message.details.get("is_answer"):
        return None
    now, quiet = clock.now(), told.quiet(clinics.settings(session))
    if not quiet.holds(now):
        return None
    morning = quiet.over_at(now)
    is_too_late = message.expires_at is not None and morning > message.expires_at - TO_ACT
    return None if is_too_late and message.kind is not MessageKind.REMINDER else morning


def _others(
    session: Session, message: Notification, visit: Appointment, told: Recipient
) -> list[tuple[Notification, Appointment]]:
    """Waiting messages of the same kind which one text tells as well: of that day, or of the same series."""
    zone, patient = clinics.zone(session), aliased(Patient)
    on = visit.starts_at.astimezone(zone).date()
    same_day = func.date(func.timezone(zone.key, Appointment.starts_at)) == on
    is_together = same_day
    if visit.series_id is not None and message.kind is not MessageKind.REMINDER:
        is_together = or_(same_day, Appointment.series_id == visit.series_id)
    family = or_(patient.id == told.family_id, patient.guardian_id == told.family_id)
    rows = session.scalars(
        select(Notification)
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .join(patient, patient.id == Appointment.patient_id)
        .where(
            Notification.kind == message.kind,
            Notification.status == NotificationStatus.PENDING,
            Notification.id != message.id,
            Notification.time_version == Appointment.time_version,
            Notification.details["minutes"].astext.is_not_distinct_from(_minutes(message)),
            is_together,
            family,
        )
        .order_by(Notification.id)
        .with_for_update(skip_locked=True, of=Notification)
    ).all()
    locked = [(other, _visit(session, other.appointment_id)) for other in rows]
    return [
        (other, its)
        for other, its in locked
        if its is not None
        and other.time_version == its.time_version
        and not message_truths.untrue(session, other, its)
        and message_truths.news(session, other, its) == message_truths.news(session, message, visit)
    ]


def _minutes(message: Notification) -> str | None:
    minutes = message.details.get("minutes")
    return None if minutes is None else str(minutes)
