"""What services, places, rooms and specialties are called, and what is said of them, as it is checked."""

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.names import NameLeftOut, NameTooLong, NameUnreadable
from core.set_up_errors import NameTaken
from core.texts import are_readable, is_readable, several_lines

NAME_LENGTH = 100
TEXT_LENGTH = 1000


def required(name: str, length: int = NAME_LENGTH) -> str:
    """`name` on one line. Raises `NameLeftOut`, `NameTooLong`, `NameUnreadable`."""
    given = " ".join(name.split())
    if not given:
        raise NameLeftOut
    if len(given) > length:
        raise NameTooLong(length=length)
    if not is_readable(given):
        raise NameUnreadable
    return given


def lines(text: str, length: int = TEXT_LENGTH) -> str:
    """A text of several lines, maybe none. Raises `NameTooLong`, `NameUnreadable`."""
    given = several_lines(text)
    if len(given) > length:
        raise NameTooLong(length=length)
    if not are_readable(given):
        raise NameUnreadable
    return given


def require_free(
    session: Session,
    column: InstrumentedAttribute[str],
    name: str,
    but: int | None,
    **where: int,
) -> None:
    """Raise `NameTaken` where another row than `but` has the name, in whatever case."""
    table = column.class_
    taken = select(table.id).where(func.lower(column) == name.lower(), table.id.is_distinct_from(but))
    if session.scalar(taken.filter_by(**where).limit(1)) is not None:
        raise NameTaken
