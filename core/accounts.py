"""Which account a name or an address belongs to."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.models import User


def named(session: Session, name: str) -> User | None:
    """The account with this user name, else the one with this email, without regard to case."""
    wanted = name.strip().lower()
    if "\0" in wanted:
        return None
    return session.scalar(
        select(User)
        .where(or_(User.username == wanted, User.email == wanted))
        .order_by((User.username == wanted).desc())
        .limit(1)
    )


def is_taken(session: Session, address: str, *, but: int | None = None) -> bool:
    """Whether an account, other than number `but`, has this folded address as its email or user name."""
    has_it = or_(User.email == address, User.username == address)
    known = select(User.id).where(User.id.is_distinct_from(but), has_it).limit(1)
    return session.scalar(known) is not None
