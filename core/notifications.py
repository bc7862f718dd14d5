"""Messages to people: written with the change that causes them, sent by the jobs process afterwards.

An email is claimed, the claim committed, the email sent, and the outcome recorded. A process that dies in
between leaves it *sending*; after ten minutes it is tried again, five times at most, since a second copy of
an email does less harm than none. Text messages have no gateway yet: they wait.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.orm import Session

from core import clinics, clock, mailers
from core.mailers import Mailer, MailFailed
from db.config import config
from db.models import Channel, Notification, NotificationStatus
from db.session import unit_of_work

LEASE = timedelta(minutes=10)
ATTEMPTS = 5
RETRY_MINUTES = (1, 5, 15, 60)
BATCH = 50  # so that one run of the job ends
KEEP = timedelta(days=30)
MAILBOX_SHOWN = 20


def enqueue_email(
    session: Session,
    *,
    to: str,
    subject: str,
    body: str,
    is_secret: bool = False,
    expires_at: datetime | None = None,
) -> None:
    """Have an email sent once this transaction commits, unless `expires_at` comes first.

    `is_secret` when it carries a code: then its body does not stay in the database.
    """
    _enqueue(session, Channel.EMAIL, to, " ".join(subject.split()), body, is_secret, expires_at)


def enqueue_sms(
    session: Session, *, to: str, body: str, is_secret: bool = False, expires_at: datetime | None = None
) -> None:
    """Have a text message sent once there is a gateway for them. `to` is E.164."""
    _enqueue(session, Channel.SMS, to, "", body, is_secret, expires_at)


def _enqueue(
    session: Session,
    channel: Channel,
    to: str,
    subject: str,
    body: str,
    is_secret: bool,
    expires_at: datetime | None,
) -> None:
    now = clock.now()
    session.add(
        Notification(
            channel=channel,
            sent_to=to,
            subject=subject,
            body=body,
            is_secret=is_secret,
            send_after=now,
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()


def can_send(session: Session, channel: Channel) -> bool:
    """Whether messages of this kind reach people here; in the demo they reach its mailbox."""
    return has_mailbox(session) or (channel is Channel.EMAIL and config().smtp_url is not None)


def has_mailbox(session: Session) -> bool:
    """Whether messages stay in the demo mailbox, which everybody can read: never in production."""
    is_demo = clinics.settings(session).is_demo and not config().is_production
    return is_demo and config().smtp_url is None


def mailbox(session: Session) -> list[Notification]:
    """The last messages of a demo clinic, newest first; none at a real one."""
    if not has_mailbox(session):
        return []
    newest = select(Notification).order_by(Notification.id.desc()).limit(MAILBOX_SHOWN)
    return list(session.scalars(newest))


def send_waiting(
    mailer: Mailer | None = None,
    transaction: Callable[[], AbstractContextManager[Session]] = unit_of_work,
) -> int:
    """Send the emails that are due, one by one; how many were tried. Safe to repeat and to run twice.

    It works between transactions, each from `transaction`: none is open while the mail server is spoken to.
    """
    mailer = mailer or mailers.configured()
    with transaction() as session:
        _give_up(session)
    tried = 0
    while mailer is not None and tried < BATCH:
        with transaction() as session:
            message = _claimed(session)
        if message is None:
            break
        tried += 1
        failure: MailFailed | None = None
        try:
            mailer.send(
                to=message.sent_to,
                subject=message.subject,
                body=message.body,
                key=f"notification-{message.id}-{int(message.created_at.timestamp())}",
            )
        except MailFailed as error:
            failure = error
        with transaction() as session:
            _record(session, message.id, failure)
    return tried


def _claimed(session: Session) -> Notification | None:
    """The next email that is due, now *sending*: nobody else takes it before its lease is over."""
    now = clock.now()
    due = (
        select(Notification)
        .where(
            Notification.channel == Channel.EMAIL,
            Notification.status.in_([NotificationStatus.PENDING, NotificationStatus.SENDING]),
            Notification.send_after <= now,
            Notification.attempts < ATTEMPTS,
        )
        .order_by(Notification.send_after, Notification.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    message = session.scalar(due)
    if message is not None:
        message.status, message.send_after = NotificationStatus.SENDING, now + LEASE
        message.attempts, message.lease = message.attempts + 1, uuid4()
    return message


def _record(session: Session, message_id: int, failure: MailFailed | None) -> None:
    message, now = session.get(Notification, message_id), clock.now()
    if message is None:
        return  # its addressee has been erased meanwhile
    message.lease = None
    if failure is None:
        message.status, message.sent_at, message.error = NotificationStatus.SENT, now, None
    else:
        is_over = failure.is_final or message.attempts >= ATTEMPTS
        message.status = NotificationStatus.FAILED if is_over else NotificationStatus.PENDING
        message.error = str(failure)
        message.send_after = now + timedelta(minutes=RETRY_MINUTES[min(message.attempts, 4) - 1])
    if message.is_secret and message.status is not NotificationStatus.PENDING:
        message.body = ""


def _give_up(session: Session) -> None:
    """Mark as failed what is no use any more or was lost for the fifth time, and blank its secrets."""
    now = clock.now()
    is_lost = (Notification.status == NotificationStatus.SENDING) & (Notification.send_after <= now)
    is_open = Notification.status.in_([NotificationStatus.PENDING, NotificationStatus.SENDING])
    session.execute(
        update(Notification)
        .where(is_open, or_(Notification.expires_at <= now, is_lost & (Notification.attempts >= ATTEMPTS)))
        .values(
            status=NotificationStatus.FAILED,
            error="not sent in time",
            lease=None,
            body=case((Notification.is_secret, ""), else_=Notification.body),
        )
        .execution_options(synchronize_session=False)
    )


def forget_old(session: Session) -> int:
    """Delete messages of more than 30 days ago; how many."""
    old = delete(Notification).where(Notification.created_at <= clock.now() - KEEP).returning(Notification.id)
    return len(session.execute(old).all())
