"""A new password for somebody who has forgotten theirs: a code to the verified address, then the password.

The screen says the same about every name. A second factor stays, and is still asked for at the next sign-in.
"""

from sqlalchemy.orm import Session

from core import accounts, audit, letters, one_time_codes, passwords, throttles
from core.one_time_codes import CodeRefused, TooManyCodes
from db.models import Channel, CodePurpose, User

_RESET = CodePurpose.RESET_PASSWORD
_LONGEST = 254


def ask(session: Session, *, name: str) -> None:
    """Send a code to whoever has the user name or email address `name`, if there is such an account.

    By email, or by text message to a verified phone where there is no verified address. Raises
    `CannotSendCodes` where the clinic cannot send anything to anybody.
    """
    letters.require_sendable(session, Channel.EMAIL)
    user = _account(session, name)
    sent_to = _reachable_at(user) if user else None
    # A name that is not known gets a code that nobody will hear of: that takes as long.
    nowhere, user_id = f"nobody {name[:_LONGEST]}".replace("\0", ""), user.id if user else None
    try:
        code = one_time_codes.issue(session, _RESET, sent_to=sent_to or nowhere, user_id=user_id)
    except TooManyCodes:
        return
    if user is None or sent_to is None:
        return
    letter = letters.RESET if sent_to == user.email else letters.RESET_BY_PHONE
    letters.code(session, letter, purpose=_RESET, to=sent_to, code=code, locale=user.locale)


def is_asking_over(session: Session, *, name: str, address: str | None) -> bool:
    """Count somebody who asks, in a transaction of its own before `ask`; whether that was too often."""
    return one_time_codes.is_asking_over(session, sent_to=name, address=address)


def is_over(session: Session, *, name: str, password: str, address: str | None) -> bool:
    """Count a try at `finish`, in a transaction of its own before it; whether there were too many.

    A password of a wrong length is refused first: it should not cost a try.
    """
    passwords.require_length(password)
    user = _account(session, name)
    sent_to = (_reachable_at(user) if user else None) or "nobody"
    return one_time_codes.is_over(session, _RESET, sent_to=sent_to, address=address, typed=name or "nobody")


def finish(session: Session, *, name: str, code: str, password: str) -> None:
    """Give the account a new password, and end its sessions. Raises `CodeRefused`, errors of `passwords`."""
    user = _account(session, name)
    sent_to = _reachable_at(user) if user else None
    if user is None or sent_to is None:
        raise CodeRefused
    one_time_codes.redeem(session, _RESET, sent_to=sent_to, code=code, user_id=user.id, typed=name)
    passwords.require_acceptable(password, about=(user.name, user.username, user.email))
    give_password(session, user, password)
    throttles.forgive(session, username=user.username)
    audit.record(session, None, audit.Event.PASSWORD_RESET, kind="user", number=user.id)


def give_password(session: Session, user: User, password: str) -> None:
    """Store a new password and tell its owner. The database ends sessions and grants; codes end here."""
    user.password_hash = passwords.hashed(password)
    session.flush()
    one_time_codes.void_all(session, user_id=user.id)
    letters.notice(session, letters.PASSWORD_CHANGED, user)


def _account(session: Session, name: str) -> User | None:
    user = accounts.named(session, name)
    return user if user is not None and user.is_active else None


def _reachable_at(user: User) -> str | None:
    if user.email and user.email_verified_at:
        return user.email
    return user.phone if user.phone_verified_at else None
