"""From a password to a cookie: what a browser has been granted, and the steps that are left.

A grant is bound to the browser that typed the password, so that no token travels in a URL and a stolen link
signs nobody in. While it awaits the second factor it can only be completed; then it is exchanged, once.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clinics, clock, second_factors, sign_ins
from db.models import SignInGrant, User

LIFE = timedelta(seconds=30)
SECOND_FACTOR_LIFE = timedelta(minutes=10)  # to find the phone, or to set up an app for the first time


def grant(session: Session, *, user_id: int, browser: str, awaits_second_factor: bool = False) -> None:
    """Let the browser that holds the secret `browser` start a session for `user_id` within 30 seconds.

    With `awaits_second_factor`, once `complete` was called within ten minutes.
    """
    life = SECOND_FACTOR_LIFE if awaits_second_factor else LIFE
    row = {
        "user_id": user_id,
        "expires_at": clock.now() + life,
        "awaits_second_factor": awaits_second_factor,
    }
    session.execute(
        insert(SignInGrant)
        .values(browser_hash=sign_ins.hashed(browser), **row)
        .on_conflict_do_update(index_elements=[SignInGrant.browser_hash], set_=row)
    )


def offer(session: Session, user: User, *, browser: str) -> bool:
    """Let a browser go on as `user`: first to the second factor, where the user has or needs one.

    False when the account has changed since `user` was read, while its password was being checked: then
    nothing is granted. The account is locked meanwhile, so that no change slips in before the grant.
    """
    seen = user.password_hash
    now = _locked(session, user.id)
    if now is None or now.password_hash != seen:
        return False
    awaits = second_factors.has(now) or second_factors.is_required(clinics.settings(session), now.role)
    grant(session, user_id=now.id, browser=browser, awaits_second_factor=awaits)
    return True


def waiting(session: Session, *, browser: str) -> User | None:
    """The active account whose second factor this browser still has to give, if there is one."""
    return session.scalar(
        select(User)
        .join(SignInGrant, SignInGrant.user_id == User.id)
        .where(_awaiting(browser), User.is_active)
    )


def complete(session: Session, *, browser: str, user_id: int, life: timedelta = LIFE) -> bool:
    """Note that `user_id` gave the second factor: the grant can be exchanged for as long as `life`.

    False when there is no such grant any more: somebody else has signed in with the browser meanwhile.
    """
    completed = session.scalar(
        update(SignInGrant)
        .where(_awaiting(browser), SignInGrant.user_id == user_id)
        .values(awaits_second_factor=False, expires_at=clock.now() + life)
        .returning(SignInGrant.user_id)
    )
    return completed is not None


def withdraw(session: Session, *, browser: str) -> None:
    """Forget what the browser has been granted: somebody else wants to sign in."""
    session.execute(delete(SignInGrant).where(SignInGrant.browser_hash == sign_ins.hashed(browser)))


def redeem(
    session: Session, *, browser: str, address: str | None = None, browser_name: str | None = None
) -> str | None:
    """Exchange a browser's grant for a session token, once; None when there is none, or it is not ready.

    `address` and `browser_name` (as the browser calls itself) are kept for the person's own list of sessions.
    """
    held = SignInGrant.browser_hash == sign_ins.hashed(browser)
    user_id = session.scalar(select(SignInGrant.user_id).where(held))
    # The account first: a change of it, which ends grants and sessions, waits for us or was there before.
    if user_id is None or _locked(session, user_id) is None:
        return None
    redeemed = session.scalar(
        delete(SignInGrant)
        .where(
            held,
            SignInGrant.user_id == user_id,
            SignInGrant.expires_at > clock.now(),
            SignInGrant.awaits_second_factor.is_(False),
        )
        .returning(SignInGrant.user_id)
    )
    if redeemed is None:
        return None
    return sign_ins.start(session, user_id=user_id, address=address, browser_name=browser_name)


def _locked(session: Session, user_id: int) -> User | None:
    """The active account, held against changes of it until the transaction ends."""
    return session.scalar(
        select(User)
        .where(User.id == user_id, User.is_active)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )


def _awaiting(browser: str) -> ColumnElement[bool]:
    return and_(
        SignInGrant.browser_hash == sign_ins.hashed(browser),
        SignInGrant.awaits_second_factor,
        SignInGrant.expires_at > clock.now(),
    )
