"""What became of a message that was claimed, entered in the outbox."""

import logging
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import claims, clock, inbound_texts, phone_states
from core.claims import ATTEMPTS, Claim
from core.sms import Accepted, Refusal
from db.models import Channel, MessageKind, Notification, NotificationStatus

log = logging.getLogger(__name__)

RETRY_MINUTES = (1, 5, 15, 60)
FIRST_REPORT = timedelta(seconds=10)  # after which its delivery is asked for
OURS_TO_MEND = frozenset({Refusal.CONFIGURATION, Refusal.CREDENTIALS})
_OF_THE_NUMBER = frozenset({Refusal.BAD_NUMBER, Refusal.NOT_MOBILE})


class Outcome(NamedTuple):
    """What became of a claim. Where `retry_after` is None it is over."""

    status: NotificationStatus
    error: str | None = None
    code: int | None = None
    retry_after: timedelta | None = None
    accepted: Accepted | None = None


def record(session: Session, claim: Claim, outcome: Outcome) -> None:
    """Enter what became of a claim, if it is still ours; what the carrier has taken counts in any case."""
    message = session.scalar(
        select(Notification)
        .where(Notification.id == claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None:
        return  # its addressee has been erased meanwhile
    if outcome.accepted is not None:
        adopt(session, message, outcome.accepted)
    elif message.lease == claim.lease and outcome.status is not NotificationStatus.SENDING:
        _enter(session, message, outcome)


def adopt(session: Session, message: Notification, accepted: Accepted) -> None:
    """The carrier has this message: whoever held it, it is not to be sent again."""
    if message.provider_id is not None:
        if message.provider_id != accepted.provider_id:
            log.error("message %d was taken by the carrier twice", message.id)
        return
    now = clock.now()
    message.status, message.sent_at, message.lease = NotificationStatus.SENT, now, None
    message.provider_id, message.provider_status = accepted.provider_id, accepted.status
    message.segments, message.check_after = accepted.segments, now + FIRST_REPORT
    message.error = message.error_code = None
    blank_secret(message)


def _enter(session: Session, message: Notification, outcome: Outcome) -> None:
    now = clock.now()
    message.lease, message.error, message.error_code = None, outcome.error, outcome.code
    is_used_up = outcome.status is NotificationStatus.PENDING and message.attempts >= ATTEMPTS
    has_time = message.channel is Channel.SMS and message.kind is not MessageKind.ACCOUNT
    if outcome.status is NotificationStatus.SENT:
        message.status, message.sent_at = NotificationStatus.SENT, now
    elif outcome.status is NotificationStatus.PENDING and (has_time or not is_used_up):
        wait = timedelta(minutes=RETRY_MINUTES[min(message.attempts, len(RETRY_MINUTES)) - 1])
        message.status = NotificationStatus.PENDING
        message.send_after = now + max(wait, outcome.retry_after or timedelta())
        claims.release_carried(session, message.id)
    else:
        _fail(session, message, outcome)
    blank_secret(message)


def _fail(session: Session, message: Notification, outcome: Outcome) -> None:
    """Note that a message cannot be sent so; one about a visit is tried another way, if there is one."""
    message.status = NotificationStatus.FAILED
    if message.kind is MessageKind.REPLY:
        inbound_texts.bring_back(session, message.key)
    learned = _learn(session, message, outcome)
    if learned and message.kind not in {MessageKind.ACCOUNT, MessageKind.REPLY}:
        message.status, message.send_after = NotificationStatus.PENDING, clock.now()
        claims.release_carried(session, message.id)


def _learn(session: Session, message: Notification, outcome: Outcome) -> bool:
    """Keep what a refusal says of the number: no other text goes there. Whether it said anything."""
    if message.channel is not Channel.SMS:
        return False
    if outcome.error == Refusal.OPTED_OUT:
        phone_states.stop(session, message.sent_to, by="the carrier", patient_id=message.patient_id)
        return True
    if outcome.error in {reason.value for reason in _OF_THE_NUMBER}:
        phone_states.note_unreachable(session, message.sent_to, outcome.error)
        return True
    return False


def blank_secret(message: Notification) -> None:
    """Forget the code in a message that is not sent again."""
    is_over = message.status not in {NotificationStatus.PENDING, NotificationStatus.SENDING}
    if message.is_secret and is_over:
        message.body = ""
