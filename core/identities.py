"""Signing in with Google or Facebook: who they say somebody is, and the account that this belongs to.

An account is found by the provider's own number of a person (OpenID Connect Core 1.0, section 5.7: `iss` and
`sub`), never by an email, which may be unverified or change hands. What a provider said counts for five
minutes and once, so that a cookie that keeps it is worth nothing later.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clock, profiles
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import SocialIdentity, User

FRESH = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(minutes=1)
_LENGTH = 255  # of `sub`, by OpenID Connect Core 1.0, section 2


class LinkedElsewhere(ClinicError):
    message = N_("That sign-in belongs to another account here already.")


class SaidTooLongAgo(ClinicError):
    message = N_("That took too long. Please go through the other site once more.")


class Identity(NamedTuple):
    """Somebody as a provider knows them, since when, and a name to recognise them by."""

    issuer: str
    subject: str
    issued_at: datetime
    shown_as: str


def from_claims(claims: Mapping[str, Any]) -> Identity | None:
    """The identity in an ID token's claims; None when they lack what one must have."""
    issuer, subject, issued = claims.get("iss"), claims.get("sub"), claims.get("iat")
    if not (isinstance(issuer, str) and isinstance(subject, str) and isinstance(issued, int | float)):
        return None
    if not issuer or not subject or len(subject) > _LENGTH or len(issuer) > _LENGTH:
        return None
    shown = claims.get("email") or claims.get("name") or ""
    return Identity(issuer, subject, datetime.fromtimestamp(issued, UTC), str(shown)[:_LENGTH])


def is_fresh(identity: Identity) -> bool:
    """Whether the provider said so within the last five minutes."""
    return -CLOCKS_DIFFER <= clock.now() - identity.issued_at <= FRESH


def spend(session: Session, identity: Identity) -> User | None:
    """The active account linked to a fresh identity, which cannot be used again; None when there is none."""
    if not is_fresh(identity):
        return None
    user_id = session.scalar(
        update(SocialIdentity)
        .where(
            SocialIdentity.issuer == identity.issuer,
            SocialIdentity.subject == identity.subject,
            or_(SocialIdentity.last_issued_at.is_(None), SocialIdentity.last_issued_at < identity.issued_at),
        )
        .values(last_issued_at=identity.issued_at)
        .returning(SocialIdentity.user_id)
    )
    return None if user_id is None else _active(session, user_id)


def is_known(session: Session, identity: Identity) -> bool:
    """Whether some account is linked to the identity."""
    return session.scalar(select(SocialIdentity.id).where(*_same(identity))) is not None


def link(session: Session, actor: Actor, *, identity: Identity, password: str) -> SocialIdentity:
    """Let the actor sign in with `identity` from now on; asks for the account's password again.

    `profiles.is_over` counts the try at it. Linking twice changes nothing. Raises `WrongCurrentPassword`,
    `SaidTooLongAgo`, `LinkedElsewhere`.
    """
    access.require(actor, Action.CHANGE_ACCOUNT, user_id=actor.user_id)
    user = session.get_one(User, actor.user_id)
    profiles.require_password(session, user, password)
    if not is_fresh(identity):
        raise SaidTooLongAgo
    linked: SocialIdentity | None = session.scalar(
        insert(SocialIdentity)
        .values(
            user_id=actor.user_id,
            issuer=identity.issuer,
            subject=identity.subject,
            shown_as=identity.shown_as,
            created_at=clock.now(),
            last_issued_at=identity.issued_at,
        )
        .on_conflict_do_nothing(index_elements=[SocialIdentity.issuer, SocialIdentity.subject])
        .returning(SocialIdentity)
    )
    if linked is None:
        linked = session.scalars(select(SocialIdentity).where(*_same(identity))).one()
        if linked.user_id != actor.user_id:
            raise LinkedElsewhere
        return linked
    audit.record(session, actor, audit.Event.IDENTITY_LINKED, kind="user", number=actor.user_id)
    return linked


def unlink(session: Session, actor: Actor, *, identity_id: int) -> None:
    """Take one of the actor's own other sign-ins away. Nothing happens where it is gone already."""
    access.require(actor, Action.CHANGE_ACCOUNT, user_id=actor.user_id)
    gone = session.scalar(
        delete(SocialIdentity)
        .where(SocialIdentity.id == identity_id, SocialIdentity.user_id == actor.user_id)
        .returning(SocialIdentity.id)
    )
    if gone is not None:
        audit.record(session, actor, audit.Event.IDENTITY_UNLINKED, kind="user", number=actor.user_id)


def own(session: Session, actor: Actor) -> list[SocialIdentity]:
    """The actor's other ways to sign in, the oldest first."""
    access.require(actor, Action.SEE_ACCOUNT, user_id=actor.user_id)
    rows = select(SocialIdentity).where(SocialIdentity.user_id == actor.user_id).order_by(SocialIdentity.id)
    return list(session.scalars(rows))


def _same(identity: Identity) -> tuple[Any, Any]:
    return SocialIdentity.issuer == identity.issuer, SocialIdentity.subject == identity.subject


def _active(session: Session, user_id: int) -> User | None:
    return session.scalar(select(User).where(User.id == user_id, User.is_active))
