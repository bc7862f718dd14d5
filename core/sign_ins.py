"""Signing in and out, kept on the server: a password becomes a grant, a grant becomes a cookie, once.

The grant is bound to the browser that typed the password, so that no token travels in a URL and a
stolen link signs nobody in.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

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


def _hash(token: str) -> bytes:
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
        .values(browser_hash=_hash(browser), **row)
        .on_conflict_do_update(index_elements=[SignInGrant.browser_hash], set_=row)
    )


def redeem(session: Session, *, browser: str, address: str | None = None) -> str | None:
    """Exchange a browser's grant for a session token, once; None when there is none or it is late."""
    now = clock.now()
    found = session.execute(
        delete(SignInGrant)
        .where(SignInGrant.browser_hash == _hash(browser))
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
            token_hash=_hash(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE_LIMIT,
            address=address,
        )
    )
    return token


def current_actor(session: Session, token: str | None, *, is_active_use: bool = True) -> Actor | None:
    """Who holds `token`, read afresh; None when the session is over or idled out, or the account is off.

    `is_active_use` is False for what a page does by itself: that does not keep a session alive.
    """
    if not token:
        return None
    now = clock.now()
    row = session.execute(
        select(SignIn, User, Doctor.id)
        .join(User, User.id == SignIn.user_id)
        .outerjoin(Doctor, Doctor.user_id == User.id)
        .where(SignIn.token_hash == _hash(token), SignIn.ended_at.is_(None), User.is_active)
    ).one_or_none()
    if row is None:
        return None
    sign_in, user, doctor_id = row
    if now >= sign_in.expires_at or now - sign_in.last_seen_at >= IDLE_LIMIT[user.role]:
        return None
    if is_active_use and now - sign_in.last_seen_at > _SEEN_STEP:
        session.execute(update(SignIn).where(SignIn.id == sign_in.id).values(last_seen_at=now))
    patient_ids = _own_patients(session, user.id) if user.role is Role.PATIENT else ()
    return Actor(user.id, user.role, user.name, user.locale, patient_ids, doctor_id)


def _own_patients(session: Session, user_id: int) -> tuple[int, ...]:
    """The person's own patient row first, then their dependants' in order of age."""
    own = select(Patient.id).where(Patient.user_id == user_id).scalar_subquery()
    rows = session.execute(
        select(Patient.id)
        .where(or_(Patient.user_id == user_id, Patient.guardian_id == own))
        .order_by(Patient.user_id.is_distinct_from(user_id), Patient.birth_on, Patient.id)
    )
    return tuple(rows.scalars())


def end(session: Session, token: str) -> None:
    """Sign out: the token is worth nothing from now on, in any browser."""
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == _hash(token), SignIn.ended_at.is_(None))
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
