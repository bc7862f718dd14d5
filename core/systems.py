"""What the clinic runs on: its database, and whether it reaches people and the card processor for real."""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import access, notifications
from core.access import Action, Actor
from db.config import config
from db.session import run


class Way(StrEnum):
    REAL = "real"
    SIMULATED = "simulated"
    OFF = "off"


class Ways(NamedTuple):
    """How texts, emails and payments by card go out from here."""

    texts: Way
    emails: Way
    cards: Way


class Database(NamedTuple):
    version: str
    size_bytes: int


def ways(session: Session, actor: Actor) -> Ways:
    """How things go out, as this process is configured; the jobs process is told by the same variables."""
    access.require(actor, Action.SEE_SYSTEM)
    settings = config()
    has_mailbox = notifications.has_mailbox(session)
    return Ways(
        texts=_way(is_on=settings.sends_texts, is_simulated=settings.texts_are_simulated),
        emails=_way(is_on=has_mailbox or settings.smtp_url is not None, is_simulated=has_mailbox),
        cards=_way(is_on=settings.takes_cards_online, is_simulated=settings.is_sandbox),
    )


def _way(*, is_on: bool, is_simulated: bool) -> Way:
    if not is_on:
        return Way.OFF
    return Way.SIMULATED if is_simulated else Way.REAL


def database(session: Session, actor: Actor) -> Database:
    """The database's version and size on its disk."""
    access.require(actor, Action.SEE_SYSTEM)
    [(version, size)] = run(
        session, "SELECT current_setting('server_version'), pg_database_size(current_database())", {}
    )
    return Database(version.partition(" ")[0], size)
