"""Signing in and out, kept on the server: a password becomes a grant, a grant becomes a cookie, once.

The grant is bound to the browser that typed the password, so that no token travels in a URL and a
stolen link signs nobody in.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Integer

from core import clock, passwords
from core.access import Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import Doctor, Patient, Role, SignIn, SignInAttempts, SignInGrant, User

GRANT_LIFE = timedelta(seconds=30)
IDLE_LIMIT = {
    Role.PATIENT: timedelta(minutes=60),
    Role.DOCTOR: timedelta(minutes=15),
    Role.STAFF: timedelta(minutes=15),
    Role.ADMIN: timedelta(minutes=15),
}
ABSOLUTE_LIMIT = timedelta(hours=12)
KEEP_ENDED = timedelta(days=30)
KEEP_TRIES = timedelta(days=1)
_SEEN_STEP = timedelta(seconds=30)  # how stale `last_seen_at` may be: spares a write on every click


class WrongPassword(ClinicError):
    message = N_("That user name and password do not go together.")


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def check_password(session: Session, username: str, password: str) -> User:
    """The active account behind these, or `WrongPassword`, as slow for unknown names as for known ones."""
    name = username.strip().lower()
    user = session.scalar(select(User).where(User.username == name)) if "\0" not in name else None
    fits = passwords.matches(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        raise WrongPassword
    return user


def grant(session: Session, *, user_id: int, browser: str) -> None:
    """Let the browser that holds the secret `browser` start a session for `user_id` within 30 seconds."""
    row = {"user_id": user_id, "expires_at": clock.now() + GRANT_LIFE}
    session.execute(
        insert(SignInGrant)
        .values(browser_hash=hashed(browser), **row)
        .on_conflict_do_update(index_elements=[SignInGrant.browser_hash], set_=row)
    )


def redeem(session: Session, *, browser: str, address: str | None = None) -> str | None:
    """Exchange a browser's grant for a session token, once; None when there is none or it is late."""
    now = clock.now()
    found = session.execute(
        delete(SignInGrant)
        .where(SignInGrant.browser_hash == hashed(browser))
        .returning(SignInGrant.user_id, SignInGrant.expires_at)
    ).one_or_none()
    if found is None or found.expires_at <= now:
        return None
    return start(session, user_id=found.user_id, address=address)


def start(session: Session, *, user_id: int, address: str | None = None) -> str:
    """Open a session for `user_id` and return its token; only the token's hash is kept."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        SignIn(
            user_id=user_id,
            token_hash=hashed(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE_LIMIT,
            address=address,
        )
    )
    return token


def current_actor(session: Session, token: str | None, *, is_active_use: bool = True) -> Actor | None:
    """Who holds `token`, read afresh in one round trip; None when the session is over or the account is off.

    `is_active_use` is False for what a page does by itself: that does not keep a session alive.
    """
    if not token:
        return None
    now = clock.now()
    row = session.execute(_WHO, {"token_hash": hashed(token)}).one_or_none()
    if row is None or _is_over(row.role, row.last_seen_at, row.expires_at, now):
        return None
    if is_active_use and now - row.last_seen_at > _SEEN_STEP:
        session.execute(update(SignIn).where(SignIn.id == row.id).values(last_seen_at=now))
    return Actor(row.user_id, row.role, row.name, row.locale, tuple(row.patient_ids), row.doctor_id)


def live(session: Session, token_hashes: Collection[bytes]) -> set[bytes]:
    """Those of `token_hashes` whose session is not over, in one round trip. Never counts as use."""
    now = clock.now()
    rows = session.execute(
        select(SignIn.token_hash, User.role, SignIn.last_seen_at, SignIn.expires_at)
        .join(User, User.id == SignIn.user_id)
        .where(SignIn.token_hash.in_(token_hashes), SignIn.ended_at.is_(None), User.is_active)
    )
    return {
        token_hash
        for token_hash, role, last_seen_at, expires_at in rows
        if not _is_over(role, last_seen_at, expires_at, now)
    }


def _is_over(role: Role, last_seen_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a session that nobody ended has run out by itself."""
    return now >= expires_at or now - last_seen_at >= IDLE_LIMIT[role]


def _own_patients() -> ScalarSelect[list[int]]:
    """The numbers of a person's own patient row first, then of their dependants in order of age."""
    own = aliased(Patient)
    own_id = select(own.id).where(own.user_id == User.id).correlate(User).scalar_subquery()
    found = (
        select(Patient.id)
        .where(User.role == Role.PATIENT, or_(Patient.user_id == User.id, Patient.guardian_id == own_id))
        .order_by(Patient.user_id.is_distinct_from(User.id), Patient.birth_on, Patient.id)
        .correlate(User)
    )
    return select(func.array(found.scalar_subquery(), type_=ARRAY(Integer))).correlate(User).scalar_subquery()


_WHO = (
    select(
        SignIn.id,
        SignIn.last_seen_at,
        SignIn.expires_at,
        SignIn.user_id,
        User.role,
        User.name,
        User.locale,
        Doctor.id.label("doctor_id"),
        _own_patients().label("patient_ids"),
    )
    .join(User, User.id == SignIn.user_id)
    .outerjoin(Doctor, Doctor.user_id == User.id)
    .where(SignIn.token_hash == bindparam("token_hash"), SignIn.ended_at.is_(None), User.is_active)
)


def end(session: Session, token: str) -> None:
    """Sign out: the token is worth nothing from now on, in any browser."""
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == hashed(token), SignIn.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def forget_old(session: Session) -> int:
    """Delete grants that ran out, tries of yesterday and sessions over for 30 days; how many rows."""
    now = clock.now()
    grants = session.execute(
        delete(SignInGrant).where(SignInGrant.expires_at <= now).returning(SignInGrant.browser_hash)
    )
    over = or_(SignIn.ended_at <= now - KEEP_ENDED, SignIn.expires_at <= now - KEEP_ENDED)
    sessions = session.execute(delete(SignIn).where(over).returning(SignIn.id))
    tries = session.execute(
        delete(SignInAttempts)
        .where(SignInAttempts.updated_at <= now - KEEP_TRIES)
        .returning(SignInAttempts.key)
    )
    return len(grants.all()) + len(sessions.all()) + len(tries.all())
