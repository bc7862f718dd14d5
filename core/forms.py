"""Forms that are sent twice, by a double click or a lost answer: what they write is written once."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.appointment_errors import FormAlreadySent
from db.models import Payment, Refund, TillClosing, WaitlistEntry

_Row = TypeVar("_Row", Payment, Refund, TillClosing, WaitlistEntry)


def written(session: Session, kind: type[_Row], request_key: UUID | None, **by_it: object) -> _Row | None:
    """The row that the form with this key has written already, None where it has written none.

    Whoever sends a form holds what would let another write it at the same moment. Raises `FormAlreadySent`
    where the row is not as this form would write it, `by_it`: the key was another's, or for another visit.
    """
    if request_key is None:
        return None
    earlier = session.scalar(select(kind).where(kind.request_key == request_key))
    if earlier is not None and any(getattr(earlier, name) != value for name, value in by_it.items()):
        raise FormAlreadySent
    return earlier
