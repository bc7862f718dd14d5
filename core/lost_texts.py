"""Texts that were left *sending*: looked for at the carrier, and sent again only when they are not there."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import claims, clock, inbound_texts, outcomes
from core.claims import ATTEMPTS, TEXT_LEASE
from core.sms import Accepted, Sms, SmsBusy, SmsFailed, SmsUnreachable
from db.models import Channel, MessageKind, Notification, NotificationStatus
from db.session import Transaction

LOOKS = 2  # before a text that was left sending may be sent again, a lease apart
CLOCKS_DIFFER = timedelta(minutes=1)
BATCH = 50


class _Lost(NamedTuple):
    id: int
    lease: UUID
    sent_to: str
    body: str
    attempted_at: datetime


def look(sms: Sms, transaction: Transaction) -> None:
    """Look once for each text whose lease is over. One that the carrier cannot be asked about waits."""
    for _number in range(BATCH):
        with transaction() as session:
            lost = _claimed(session)
        if lost is None:
            return
        try:
            found = sms.find(to=lost.sent_to, body=lost.body, since=lost.attempted_at - CLOCKS_DIFFER)
        except (SmsBusy, SmsUnreachable):
            return  # for the others too; each is looked for again when its lease ends
        except SmsFailed:
            continue
        with transaction() as session:
            _enter(session, lost, found)


def _claimed(session: Session) -> _Lost | None:
    now = clock.now()
    message = session.scalar(
        select(Notification)
        .where(
            Notification.channel == Channel.SMS,
            Notification.status == NotificationStatus.SENDING,
            Notification.send_after <= now,
        )
        .order_by(Notification.send_after, Notification.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if message is None:
        return None
    message.lease, message.send_after = uuid4(), now + TEXT_LEASE
    attempted_at = message.attempted_at or message.created_at
    return _Lost(message.id, message.lease, message.sent_to, message.body, attempted_at)


def _enter(session: Session, lost: _Lost, found: list[Accepted]) -> None:
    message = session.scalar(
        select(Notification)
        .where(Notification.id == lost.id, Notification.lease == lost.lease)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None:
        return  # whoever sent it has come back, or its addressee has been erased
    ids = [each.provider_id for each in found]
    others = set(session.scalars(select(Notification.provider_id).where(Notification.provider_id.in_(ids))))
    own = [each for each in found if each.provider_id not in others]
    if own:
        outcomes.adopt(session, message, own[0])
        return
    message.lookups += 1
    if message.lookups >= LOOKS:
        is_over = message.attempts >= ATTEMPTS
        message.lease, message.lookups, message.send_after = None, 0, clock.now()
        message.status = NotificationStatus.FAILED if is_over else NotificationStatus.PENDING
        message.error = "never arrived at the carrier" if is_over else None
        if is_over and message.kind is MessageKind.REPLY:
            inbound_texts.bring_back(session, message.key)
        claims.release_carried(session, message.id)
        outcomes.blank_secret(message)
