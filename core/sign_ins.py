"""Who is signed in, kept on the server: a session lives as long as its row says, whatever a browser holds."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, ScalarSelect, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Integer

from core import accounts, audit, clock, passwords
from core.access import Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import (
    ClinicSettings,
    Doctor,
    Outcome,
    Patient,
    Role,
    SignIn,
    SignInAttempts,
    SignInGrant,
    User,
)

PATIENT_IDLE_MINUTES = 60  # where the clinic has no settings yet
STAFF_IDLE_MINUTES = 15
ABSOLUTE_LIMIT = timedelta(hours=12)
BROWSER_NAME_LENGTH = 300
KEEP_ENDED = timedelta(days=30)
KEEP_TRIES = timedelta(days=1)
_SEEN_STEP = timedelta(seconds=30)  # how stale `last_seen_at` may be: spares a write on every click


class WrongPassword(ClinicError):
    message = N_("That user name and password do not go together.")


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def check_password(session: Session, username: str, password: str) -> User:
    """The active account behind a user name or email and a password, or `WrongPassword`.

    As slow for names that nobody has as for those of accounts.
    """
    user = accounts.named(session, username)
    fits = passwords.matches(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        raise WrongPassword
    return user


def start(
    session: Session, *, user_id: int, address: str | None = None, browser_name: str | None = None
) -> str:
    """Open a session for `user_id` and return its token; only the token's hash is kept."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    opened = SignIn(
        user_id=user_id,
        token_hash=hashed(token),
        created_at=now,
        last_seen_at=now,
        expires_at=now + ABSOLUTE_LIMIT,
        address=address,
        browser=browser_name and browser_name[:BROWSER_NAME_LENGTH],
    )
    session.add(opened)
    session.flush()
    user = session.get_one(User, user_id)
    actor = Actor(user.id, user.role, user.name, sign_in_id=opened.id, address=address)
    audit.record(session, actor, audit.Event.SIGN_IN, kind="user", number=user_id, sign_in_id=opened.id)
    return token


def note_failure(
    session: Session,
    *,
    username: str,
    address: str | None,
    event: audit.Event = audit.Event.SIGN_IN_FAILED,
) -> None:
    """Write into the trail that somebody did not get in, and with which account if there is one."""
    user = accounts.named(session, username)
    audit.record(
        session,
        None,
        event,
        kind="user",
        number=user.id if user else None,
        outcome=Outcome.REFUSED,
        address=address,
    )


def current_actor(
    session: Session, token: str | None, *, is_active_use: bool = True, address: str | None = None
) -> Actor | None:
    """Who holds `token`, read afresh in one round trip; None when the session is over or the account is off.

    `is_active_use` is False for what a page does by itself: that does not keep a session alive. `address` is
    where the person is now; without it, where they signed in from.
    """
    if not token:
        return None
    now = clock.now()
    row = session.execute(_WHO, {"token_hash": hashed(token)}).one_or_none()
    if row is None or _is_over(row, now):
        return None
    if is_active_use and now - row.last_seen_at > _SEEN_STEP:
        session.execute(update(SignIn).where(SignIn.id == row.id).values(last_seen_at=now))
    return Actor(
        row.user_id,
        row.role,
        row.name,
        row.locale,
        tuple(row.patient_ids),
        row.doctor_id,
        sign_in_id=row.id,
        address=address or row.address,
    )


def live(session: Session, token_hashes: Collection[bytes]) -> set[bytes]:
    """Those of `token_hashes` whose session is not over, in one round trip. Never counts as use."""
    now = clock.now()
    rows = session.execute(
        select(SignIn.token_hash, SignIn.last_seen_at, SignIn.expires_at, _IDLE_MINUTES)
        .join(User, User.id == SignIn.user_id)
        .outerjoin(ClinicSettings, ClinicSettings.id == 1)
        .where(SignIn.token_hash.in_(token_hashes), SignIn.ended_at.is_(None), User.is_active)
    )
    return {row.token_hash for row in rows if not _is_over(row, now)}


def live_of(session: Session, *, user_id: int) -> list[SignIn]:
    """The sessions of an account that are not over, the one last used first."""
    now = clock.now()
    rows = session.execute(
        select(SignIn, SignIn.last_seen_at, SignIn.expires_at, _IDLE_MINUTES)
        .join(User, User.id == SignIn.user_id)
        .outerjoin(ClinicSettings, ClinicSettings.id == 1)
        .where(SignIn.user_id == user_id, SignIn.ended_at.is_(None))
        .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc())
    )
    return [row.SignIn for row in rows if not _is_over(row, now)]


def end_all(session: Session, *, user_id: int, reason: str, but: int | None = None) -> int:
    """End the sessions of an account, except number `but`; how many. Its caller writes the trail."""
    ended = session.execute(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.ended_at.is_(None), SignIn.id.is_distinct_from(but))
        .values(ended_at=clock.now(), end_reason=reason)
        .returning(SignIn.id)
    )
    return len(ended.all())


def _is_over(row: Row[Any], now: datetime) -> bool:
    """Whether a session that nobody ended has run out by itself."""
    is_idle: bool = now - row.last_seen_at >= timedelta(minutes=row.idle_minutes)
    return is_idle or now >= row.expires_at


_IDLE_MINUTES = case(
    (User.role == Role.PATIENT, func.coalesce(ClinicSettings.patient_idle_minutes, PATIENT_IDLE_MINUTES)),
    else_=func.coalesce(ClinicSettings.staff_idle_minutes, STAFF_IDLE_MINUTES),
).label("idle_minutes")


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
        SignIn.address,
        SignIn.user_id,
        _IDLE_MINUTES,
        User.role,
        User.name,
        User.locale,
        Doctor.id.label("doctor_id"),
        _own_patients().label("patient_ids"),
    )
    .join(User, User.id == SignIn.user_id)
    .outerjoin(Doctor, Doctor.user_id == User.id)
    .outerjoin(ClinicSettings, ClinicSettings.id == 1)
    .where(SignIn.token_hash == bindparam("token_hash"), SignIn.ended_at.is_(None), User.is_active)
)


def end(session: Session, token: str, *, reason: str = "signed out") -> None:
    """Sign out: the token is worth nothing from now on, in any browser."""
    ended = session.execute(
        update(SignIn)
        .where(SignIn.token_hash == hashed(token), SignIn.ended_at.is_(None))
        .values(ended_at=clock.now(), end_reason=reason)
        .returning(SignIn.id, SignIn.user_id, SignIn.address)
    ).one_or_none()
    if ended is not None:
        user = session.get_one(User, ended.user_id)
        actor = Actor(user.id, user.role, user.name, sign_in_id=ended.id, address=ended.address)
        audit.record(session, actor, audit.Event.SIGN_OUT, kind="user", number=user.id, sign_in_id=ended.id)


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
