"""How texts fared, as the carrier tells it: asked for, or told at our door. A status never goes back."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, inbound_texts, phone_states, turns, twilio_sms
from core.sms import Progress, Sms, SmsRefused, is_final, rank
from db.models import MessageKind, Notification, NotificationStatus
from db.session import unit_of_work

BATCH = 100
LEASE = timedelta(seconds=60)
FOLLOWED_FOR = timedelta(hours=72)  # after that "sent" was the last word, as with carriers that give none
# Numbers that take no texts: unknown (30005), a landline (30006). twilio.com/docs/api/errors
_DEAD_NUMBER = frozenset({30005, 30006})
_OPTED_OUT = 21610
_ARRIVED = frozenset({"delivered", "read"})


class _Sent(NamedTuple):
    provider_id: str
    sent_at: datetime


def follow(sms: Sms | None = None) -> int:
    """Ask how each text fared whose time it is; how many. Several processes share them."""
    sms = sms or twilio_sms.configured()
    if sms is None:
        return 0
    carrier = sms
    with unit_of_work() as session:
        due = _claimed(session)
    turns.each(due, lambda each: _ask(carrier, each))
    return len(due)


def _claimed(session: Session) -> list[_Sent]:
    now = clock.now()
    rows = session.scalars(
        select(Notification)
        .where(
            Notification.status == NotificationStatus.SENT,
            Notification.provider_id.is_not(None),
            Notification.check_after <= now,
        )
        .order_by(Notification.check_after, Notification.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    due = []
    for message in rows:
        sent_at = message.sent_at or message.created_at
        age = now - sent_at
        message.check_after = None if age > FOLLOWED_FOR else now + max(LEASE, age / 2)
        due.append(_Sent(message.provider_id or "", sent_at))
    return due


def _ask(sms: Sms, sent: _Sent) -> None:
    try:
        progress = sms.fetch(sent.provider_id)
    except SmsRefused:  # it is no longer known there
        with unit_of_work() as session:
            if message := _by_id(session, sent.provider_id):
                message.check_after = None
        return
    with unit_of_work() as session:
        note(session, progress)


def note(session: Session, progress: Progress) -> bool:
    """Enter what the carrier says of a text, unless it is old news; whether there is such a text."""
    message = _by_id(session, progress.provider_id)
    if message is None:
        return False
    if message.segments is None or progress.segments:
        message.segments = progress.segments or message.segments
    if rank(progress.status) <= rank(message.provider_status or ""):
        return True
    message.provider_status = progress.status
    if is_final(progress.status):
        _finish(session, message, progress)
    return True


def _finish(session: Session, message: Notification, progress: Progress) -> None:
    message.check_after, message.error_code = None, progress.error_code
    if progress.status in _ARRIVED:
        message.status = NotificationStatus.DELIVERED
        return
    message.status, message.error = NotificationStatus.UNDELIVERED, progress.status
    if message.kind is MessageKind.REPLY:
        inbound_texts.bring_back(session, message.key)
    if progress.error_code in _DEAD_NUMBER:
        phone_states.note_unreachable(session, message.sent_to, f"error {progress.error_code}")
    elif progress.error_code == _OPTED_OUT:
        phone_states.stop(session, message.sent_to, by="the carrier", patient_id=message.patient_id)


def _by_id(session: Session, provider_id: str) -> Notification | None:
    return session.scalar(
        select(Notification)
        .where(Notification.provider_id == provider_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
