"""How often a password or a code may be tried: counted in the database, before it is looked at.

Five tries for an account from one address are free, fifty from an address for whichever accounts, and fifty
for an account from wherever. After the last of them, and after each further one, the next has to wait: two
seconds, then twice as long each time, up to a quarter of an hour. A quarter of an hour without a try forgets
them all. So guesses are slow, wherever they come from and however many at once. What is refused at one
address does not count for the account: a stranger who tries again and again keeps nobody else out.
"""

from sqlalchemy import delete, or_, text, update
from sqlalchemy.orm import Session

from core import clock
from core.errors import ClinicError
from core.i18n import N_
from db.models import SignInAttempts

ACCOUNT_TRIES = 5
ADDRESS_TRIES = 50
EVERYWHERE_TRIES = 50
FORGET_MINUTES = 15
_LENGTH = 300
_UNKNOWN = "unknown"

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
    """Count a try to sign in; whether there were too many for the account, the address or the two together.

    To be committed whatever becomes of the try: many at once then count one by one. `what` tells tries at
    something else of `username` apart, such as a code; an address has a count of its own for each.
    """
    account, place = _account(what, username), _place(what, address)
    if _counted(session, f"{account}\n{address or _UNKNOWN}", ACCOUNT_TRIES):
        return True
    return _counted(session, place, ADDRESS_TRIES) or _counted(session, account, EVERYWHERE_TRIES)


def forgive(session: Session, *, username: str, what: str = "account") -> None:
    """Forget an account's tries once the right password or code was given."""
    account = _account(what, username)
    session.execute(
        delete(SignInAttempts).where(
            or_(
                SignInAttempts.key == account[:_LENGTH],
                SignInAttempts.key.startswith(f"{account}\n"[:_LENGTH], autoescape=True),
            )
        )
    )


def forgive_here(session: Session, *, username: str, address: str | None, what: str = "account") -> None:
    """Forget an account's tries, and this one of the address, be it an address that is not known.

    People who share an address, such as a clinic's, would otherwise use up its tries by signing in. That of
    whoever sits at the portal's own machine, or behind a proxy there that does not say for whom it asks, is
    not known.
    """
    forgive(session, username=username, what=what)
    here = SignInAttempts.key == _place(what, address)[:_LENGTH]
    session.execute(
        update(SignInAttempts).where(here, SignInAttempts.count > 1).values(count=SignInAttempts.count - 1)
    )


def _counted(session: Session, key: str, free: int) -> bool:
    values = {"key": key[:_LENGTH], "free": free, "forget": FORGET_MINUTES, "now": clock.now()}
    return bool(session.scalar(_COUNT, values))


def _account(what: str, username: str) -> str:
    return f"{what} {' '.join(username.replace(chr(0), '').split()).lower()}"


def _place(what: str, address: str | None) -> str:
    return f"{'address' if what == 'account' else f'{what} address'} {address or _UNKNOWN}"
