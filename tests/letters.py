"""Reading the outbox in tests: what somebody was sent, and the code in it."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Notification

_CODE = re.compile(r"\b(?:\d{6}|[A-Z2-9]{4}(?:-[A-Z2-9]{4}){1,2})\b")


def letters_to(session: Session, address: str) -> list[Notification]:
    """Everything sent to an address or number, oldest first."""
    sent = select(Notification).where(Notification.sent_to == address).order_by(Notification.id)
    return list(session.scalars(sent.execution_options(populate_existing=True)))


def code_to(session: Session, address: str) -> str:
    """The code in the last message to an address or number that holds one."""
    found = [match for each in letters_to(session, address) if (match := _CODE.search(each.body))]
    return found[-1].group()
