"""Taking messages from the outbox: one at a time, by one process, for as long as its lease runs.

A claim is committed before anything is sent. Whoever dies after it leaves the message *sending*: an email is
then sent again, since a second copy does less harm than none; a text is looked for first (`core.deliveries`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID, uuid4

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.orm import Session

from core import calendars, clock, compositions, inbound_texts, message_truths, phone_states
from core.compositions import Composed, Later, Unreachable, Void
from core.i18n import speaking
from db.config import config
from db.models import Channel, MessageKind, Notification, NotificationStatus

MAIL_LEASE = timedelta(minutes=10)
TEXT_LEASE = timedelta(seconds=60)
MUST_LEAVE_WITHIN = timedelta(seconds=30)  # of the claim, so that it is known well before the lease ends
ATTEMPTS = 5
PUT_OFF = timedelta(minutes=5)
PENDING, SENDING = NotificationStatus.PENDING, NotificationStatus.SENDING
_WITH_CALENDAR = frozenset({MessageKind.BOOKED, MessageKind.MOVED, MessageKind.CANCELLED})
_WORTH_A_CALL = frozenset({MessageKind.MOVED, MessageKind.CANCELLED, MessageKind.CHOICE, MessageKind.OFFER})


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send as long as it has this `lease`; a text must leave by `must_leave_by`."""

    id: int
    lease: UUID
    channel: Channel
    sent_to: str
    subject: str
    body: str
    key: str
    attempted_at: datetime
    must_leave_by: datetime
    expires_at: datetime | None
    calendar: bytes | None


class Taken(Enum):
    SETTLED = "there was one, and nothing of it is to be sent now"
    NOTHING = "nothing is due"


class NotComposed(Exception):
    """A bug of ours: this message cannot be written. The others must not wait for it."""

    def __init__(self, message_id: int) -> None:
        super().__init__(f"message {message_id}")
        self.message_id = message_id


def put_off(session: Session, message_id: int) -> None:
    """Try a message that cannot be written again in a while: somebody may have mended it by then."""
    message = session.get(Notification, message_id, with_for_update=True)
    if message is not None:
        message.send_after, message.error = clock.now() + PUT_OFF, "cannot be written"


def give_up(session: Session) -> None:
    """End what comes too late or was lost for the fifth time, and blank its secrets.

    What somebody holds just now is left for later: a process frozen in its claim must not hold up the others.
    """
    now = clock.now()
    is_late = and_(
        Notification.expires_at <= now,
        or_(Notification.status == PENDING, Notification.channel == Channel.EMAIL),
    )
    is_lost = and_(
        Notification.channel == Channel.EMAIL,
        Notification.status == SENDING,
        Notification.send_after <= now,
        Notification.attempts >= ATTEMPTS,
    )
    ours = Notification.kind != MessageKind.ACCOUNT
    over = (
        select(Notification.id)
        .where(Notification.status.in_([PENDING, SENDING]), or_(is_late, is_lost))
        .with_for_update(skip_locked=True)
    )
    ended = session.execute(
        update(Notification)
        .where(Notification.id.in_(over))
        .values(
            status=case(
                (and_(ours, is_late), NotificationStatus.CANCELLED.value),
                else_=NotificationStatus.FAILED.value,
            ),
            error="not sent in time",
            lease=None,
            body=case((Notification.is_secret, ""), else_=Notification.body),
        )
        .returning(Notification.kind, Notification.key)
        .execution_options(synchronize_session=False)
    )
    for kind, key in ended:
        if kind is MessageKind.REPLY:
            inbound_texts.bring_back(session, key)


def take(session: Session, *, can_mail: bool, can_text: bool) -> Claim | Taken:
    """The next message that is due, now *sending*, or what became of it."""
    now = clock.now()
    ready = [channel for channel, can in ((Channel.EMAIL, can_mail), (Channel.SMS, can_text)) if can]
    is_due = or_(
        Notification.status == PENDING,
        and_(Notification.status == SENDING, Notification.channel == Channel.EMAIL),
    )
    message = session.scalar(
        select(Notification)
        .where(
            is_due,
            Notification.send_after <= now,
            or_(Notification.kind != MessageKind.ACCOUNT, Notification.channel.in_(ready)),
        )
        .order_by(Notification.send_after, Notification.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if message is None:
        return Taken.NOTHING
    if message.kind is MessageKind.ACCOUNT:
        return _account_message(session, message)
    if message.attempts:
        release_carried(session, message.id)  # by an attempt that came to nothing
    try:
        found = compositions.compose(session, message)
    except Exception as error:  # whatever it is, it is told on, as about this one message
        raise NotComposed(message.id) from error
    if isinstance(found, Composed):
        return _composed(session, message, found)
    _set_aside(message, found)
    return Taken.SETTLED


def _account_message(session: Session, message: Notification) -> Claim | Taken:
    state = phone_states.of(session, message.sent_to) if message.channel is Channel.SMS else None
    if state is not None and state.opted_out_at is not None:
        message.status, message.error, message.body = NotificationStatus.FAILED, "opted out", ""
        return Taken.SETTLED
    return _claim(message, None)


def _set_aside(message: Notification, found: Void | Unreachable | Later) -> None:
    if isinstance(found, Later):
        message.status, message.lease, message.send_after = PENDING, None, found.at
        return
    was_refused = message.error_code is not None
    is_for_desk = isinstance(found, Unreachable) and (was_refused or message.kind in _WORTH_A_CALL)
    message.status = NotificationStatus.FAILED if is_for_desk else NotificationStatus.CANCELLED
    message.lease, message.error = None, found.why


def _composed(session: Session, message: Notification, found: Composed) -> Claim | Taken:
    state = phone_states.of(session, found.sent_to) if found.channel is Channel.SMS else None
    if state is not None and state.opted_out_at is not None:  # they texted us, and then wanted no more
        _set_aside(message, Void("opted out"))
        return Taken.SETTLED
    message.subject, message.body = " ".join(found.written.subject.split()), found.written.body
    told = {visit.id: message_truths.told_of(visit) for visit in found.visits}
    for each in [message, *found.carried]:
        each.channel, each.sent_to, each.locale = found.channel, found.sent_to, found.locale
        if each.appointment_id in told:
            each.details = each.details | told[each.appointment_id]
    for each in found.carried:
        each.status, each.carried_by_id = NotificationStatus.CARRIED, message.id
        each.attempted_at = clock.now()
    calendar = None
    if found.channel is Channel.EMAIL and message.kind in _WITH_CALENDAR:
        with speaking(found.locale):
            calendar = calendars.of_visits(session, found.visits, public_url=config().public_url)
    return _claim(message, calendar)


def _claim(message: Notification, calendar: bytes | None) -> Claim:
    now = clock.now()
    message.status, message.lease = SENDING, uuid4()
    message.send_after = now + (TEXT_LEASE if message.channel is Channel.SMS else MAIL_LEASE)
    message.attempts, message.attempted_at, message.lookups = message.attempts + 1, now, 0
    return Claim(
        id=message.id,
        lease=message.lease,
        channel=message.channel,
        sent_to=message.sent_to,
        subject=message.subject,
        body=message.body,
        key=f"notification-{message.id}-{int(message.created_at.timestamp())}",
        attempted_at=now,
        must_leave_by=now + MUST_LEAVE_WITHIN,
        expires_at=message.expires_at,
        calendar=calendar,
    )


def release_carried(session: Session, message_id: int) -> None:
    """Let those that a message carried wait for themselves again: it was not sent."""
    session.execute(
        update(Notification)
        .where(Notification.carried_by_id == message_id)
        .values(status=PENDING, carried_by_id=None)
        .execution_options(synchronize_session="fetch")
    )
