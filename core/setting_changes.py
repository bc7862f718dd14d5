"""The history of what administrators set up: what was changed, when, by whom, from what to what."""

from collections.abc import Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core import access, audit, clock
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import SettingChange, User


class Subject(StrEnum):
    """What can be set up."""

    CLINIC = "clinic"
    PRICES = "prices"
    SERVICE = "service"
    PLACE = "place"
    ROOM = "room"
    CLOSED_DAY = "closed day"
    DOCTOR = "doctor"
    SPECIALTY = "specialty"
    HOURS = "hours"
    LETTERHEAD = "letterhead"
    LETTER = "letter"
    MESSAGES = "messages"
    MESSAGE_TEXT = "message text"
    QUESTION = "question"
    PROFILE = "profile"


class ChangedMeanwhile(ClinicError):
    message = N_("Somebody else has changed this since you opened it. Please look at it again.")


class Line(NamedTuple):
    """One change. `before` is None for what is new; both hold only the fields that differ."""

    at: datetime
    by: str
    subject: Subject
    title: str
    before: dict[str, Any] | None
    after: dict[str, Any]


def record(
    session: Session,
    by: Actor,
    subject: Subject,
    number: int,
    title: str,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> bool:
    """Keep what of `after` differs from `before`, in the history and in the trail; whether anything does."""
    changed = note(session, by, subject, number, title, before=before, after=after)
    if changed:
        audit.record(
            session, by, Action.CHANGE_SETTINGS, kind=subject.value, number=number, changed=sorted(changed)
        )
    return bool(changed)


def note(
    session: Session,
    by: Actor,
    subject: Subject,
    number: int,
    title: str,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> dict[str, Any]:
    """The same in the history alone, for what is in the trail already; what differs."""
    known = before or {}
    changed = {name: value for name, value in after.items() if before is None or known.get(name) != value}
    if not changed:
        return {}
    session.add(
        SettingChange(
            at=clock.now(),
            by_user_id=by.user_id,
            subject=subject.value,
            number=number,
            title=title,
            before=None if before is None else {name: _plain(known.get(name)) for name in changed},
            after={name: _plain(value) for name, value in changed.items()},
        )
    )
    return changed


def entries(session: Session, actor: Actor, *, subject: Subject | None = None, limit: int = 50) -> list[Line]:
    """The latest changes, the last first. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    who = aliased(User)
    query = (
        select(SettingChange, who.name)
        .outerjoin(who, who.id == SettingChange.by_user_id)
        .order_by(SettingChange.at.desc(), SettingChange.id.desc())
        .limit(limit)
    )
    if subject is not None:
        query = query.where(SettingChange.subject == subject.value)
    return [
        Line(row.at, name or "", Subject(row.subject), row.title, row.before, row.after)
        for row, name in session.execute(query)
    ]


def replaced(before: bytes | None, after: bytes | None) -> tuple[str | None, str | None]:
    """What the history says of a picture: there is one, or none, or another one in its place."""
    if before is None or after is None or before == after:
        return "one" if before else None, "one" if after else None
    return "one", "another"


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return value
