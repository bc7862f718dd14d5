"""The way back in for the last administrator: `python -m core.rescue USERNAME`.

Turns off the second factor of an account whose phone and recovery codes are lost, or whose secret another
SECRET_KEY had encrypted. Whoever holds DATABASE_URL may: they could change the row by hand, without a trace.
"""

import argparse
import sys

from sqlalchemy.orm import Session

from core import accounts, audit, letters, second_factors
from core.errors import ClinicError, NotFound
from core.startup import require_schema
from db.models import User
from db.session import unit_of_work


def reset_second_factor(session: Session, *, username: str) -> User:
    """Turn the second factor of `username` off, tell its owner, and keep it in the trail. Raises `NotFound`.

    Asks no actor: there is nobody who could get in. The password is still asked for, and a new second factor
    where the clinic wants one.
    """
    user = accounts.named(session, username)
    if user is None:
        raise NotFound
    second_factors.turn_off(session, user)
    letters.notice(session, letters.SECOND_FACTOR_OFF, user)
    audit.record(session, None, audit.Event.SECOND_FACTOR_OFF, kind="user", number=user.id, by="rescue")
    return user


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m core.rescue", description="Turn off the second factor of a locked-out account."
    )
    parser.add_argument("username", help="the account's user name or email")
    wanted = parser.parse_args()
    require_schema()
    try:
        with unit_of_work() as session:
            user = reset_second_factor(session, username=wanted.username)
    except ClinicError:
        sys.exit("There is no such account.")
    sys.stdout.write(f"{user.username} can sign in with the password alone, and set up a phone again.\n")


if __name__ == "__main__":
    main()
