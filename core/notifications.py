"""The outbox: messages to people, written with the change that causes them, sent by the jobs process later.

Those about visits are written by `core.announcements`; `core.claims` and `core.deliveries` send them all.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import clinics, clock
from db.config import config
from db.models import Channel, MessageKind, Notification

KEEP = timedelta(days=30)
KEEP_ABOUT_VISITS = timedelta(days=400)  # a year and a month of reports
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
    """Have a text message sent once this transaction commits. `to` is E.164."""
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
    if has_mailbox(session):
        return True
    return config().smtp_url is not None if channel is Channel.EMAIL else config().sends_texts


def has_mailbox(session: Session) -> bool:
    """Whether messages stay in the demo mailbox, which everybody can read: never in production."""
    is_demo = clinics.settings(session).is_demo and not config().is_production
    return is_demo and config().smtp_url is None


def mailbox(session: Session) -> list[Notification]:
    """The last messages of a demo clinic, newest first; none at a real one.

    What is not written yet, and only known to be due, is not among them.
    """
    if not has_mailbox(session):
        return []
    newest = select(Notification).where(Notification.sent_to != "").order_by(Notification.id.desc())
    return list(session.scalars(newest.limit(MAILBOX_SHOWN)))


def forget_old(session: Session) -> int:
    """Delete messages of more than 30 days ago, those about visits after 400; how many."""
    now = clock.now()
    is_account = Notification.kind == MessageKind.ACCOUNT
    is_old = (is_account & (Notification.created_at <= now - KEEP)) | (
        Notification.created_at <= now - KEEP_ABOUT_VISITS
    )
    return len(session.execute(delete(Notification).where(is_old).returning(Notification.id)).all())
