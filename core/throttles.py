"""How often a password or a code may be tried: counted in the database, before it is looked at.

Five tries for an account and fifty for an address are free. After the last of them, and after each further
one, the next has to wait: two seconds, then twice as long each time, up to a quarter of an hour. A quarter of
an hour without a try forgets them all. So guesses are slow, wherever they come from and however many at once,
and nobody is locked out for ever.
"""

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from core import clock
from core.errors import ClinicError
from core.i18n import N_
from db.models import SignInAttempts

ACCOUNT_TRIES = 5
ADDRESS_TRIES = 50
FORGET_MINUTES = 15

_STALE = "greatest(t.updated_at, t.locked_until) <= :now - make_interval(mins => :forget)"
_COUNT = text(f"""
    INSERT INTO sign_in_attempts AS t (key, count, is_refused, updated_at) VALUES (:key, 1, false, :now)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN {_STALE} THEN 1 WHEN t.locked_until > :now THEN t.count ELSE t.count + 1 END,
        locked_until = CASE
            WHEN t.locked_until > :now THEN t.locked_until
            WHEN {_STALE} OR t.count + 1 < :free THEN NULL
            ELSE :now + least(make_interval(mins => :forget),
                              make_interval(secs => power(2, least(t.count + 2 - :free, 12)))) END,
        is_refused = coalesce(t.locked_until > :now, false),
        updated_at = :now
    RETURNING is_refused
""")


class TooManyTries(ClinicError):
    message = N_("Too many tries. Please wait a few minutes and try again.")


def is_over(session: Session, *, username: str, address: str | None, what: str = "account") -> bool:
    """Count a try to sign in; whether the account or the address has had too many.

    To be committed whatever becomes of the try: many at once then count one by one. `what` tells tries at
    something else of `username` apart, such as a code; an address has a count of its own for each.
    """
    place = "address" if what == "account" else f"{what} address"
    over = [
        session.scalar(_COUNT, {"key": key[:300], "free": free, "forget": FORGET_MINUTES, "now": clock.now()})
        for key, free in (
            (_key(what, username), ACCOUNT_TRIES),
            (f"{place} {address or 'unknown'}", ADDRESS_TRIES),
        )
    ]
    return any(over)


def forgive(session: Session, *, username: str, what: str = "account") -> None:
    """Forget an account's tries once the right password or code was given."""
    session.execute(delete(SignInAttempts).where(SignInAttempts.key == _key(what, username)[:300]))


def _key(what: str, username: str) -> str:
    return f"{what} {username.strip().lower().replace(chr(0), '')}"
