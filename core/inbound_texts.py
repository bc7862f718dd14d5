"""Texts to us: asked for at the carrier, or brought to our door, and kept once each."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock, heartbeats, twilio_sms
from core.sms import Received, Sms
from db.models import InboundMessage, InboundState
from db.session import unit_of_work

JOB = "read texts"  # under which its turns are noted
OVERLAP = timedelta(hours=1)  # what arrives late at the carrier's list is still found
AT_FIRST = timedelta(days=1)  # older texts are none of this portal's
FURTHEST = timedelta(days=30)  # after so long without the jobs a text is no news
KEEP = timedelta(days=400)
LONGEST = 1600  # characters that Twilio carries


def read_new(sms: Sms | None = None) -> int:
    """Ask the carrier for texts to us, and keep those that are new; how many."""
    sms = sms or twilio_sms.configured()
    if sms is None:
        return 0
    with unit_of_work() as session:
        since = _since(session)
    received = sms.received(since=since)
    with unit_of_work() as session:
        return store(session, received)


def _since(session: Session) -> datetime:
    """From when on texts may be unread. The newest alone does not tell: it may have been brought to our door
    while nobody asked, and others not.
    """
    now = clock.now()
    newest = session.scalar(select(func.max(InboundMessage.received_at)))
    asked_at = heartbeats.succeeded_at(session, JOB)
    first = now - AT_FIRST
    read_until = min(now, newest or first, asked_at or first)
    return max(read_until - OVERLAP, now - FURTHEST)


def store(session: Session, received: Iterable[Received]) -> int:
    """Keep texts that are not kept yet; how many. They wait for `core.replies`."""
    rows = [
        {
            "provider_id": each.provider_id,
            "sender": each.sender,
            "body": each.body.replace("\0", "")[:LONGEST],
            "received_at": each.received_at,
            "state": InboundState.NEW,
        }
        for each in received
    ]
    if not rows:
        return 0
    written = insert(InboundMessage).values(rows).on_conflict_do_nothing(index_elements=["provider_id"])
    return len(session.execute(written.returning(InboundMessage.id)).all())


def bring_back(session: Session, answer_key: str | None) -> None:
    """Have the desk see a text again whose answer of ours, known by its key, did not arrive."""
    number = re.match(r"inbound:(\d+):", answer_key or "")
    if number is None:
        return
    session.execute(
        update(InboundMessage)
        .where(InboundMessage.id == int(number[1]), InboundMessage.sender != "")  # else it is erased
        .values(
            state=InboundState.AT_DESK, why="our answer did not arrive", settled_at=None, settled_by_id=None
        )
    )


def forget_old(session: Session) -> int:
    """Delete the texts of more than 400 days ago; how many."""
    old = delete(InboundMessage).where(InboundMessage.received_at <= clock.now() - KEEP)
    return len(session.execute(old.returning(InboundMessage.id)).all())
