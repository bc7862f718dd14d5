"""Passwords: which are good enough, and their hashes, bcrypt over SHA-256 so that every character counts.

bcrypt itself reads 72 bytes and stops at a NUL; the digest is neither longer nor holds one.
"""

import base64
import hashlib
import re
from collections.abc import Iterable

import bcrypt
from zxcvbn import zxcvbn

from core.errors import ClinicError
from core.i18n import N_

LENGTHS = range(12, 129)
_GUESSES_LOG10 = 10  # fewer guesses than this and a stolen hash is soon undone, even with bcrypt
_READ = 40  # characters that zxcvbn is given: with more of the worst kind it takes seconds
_ROUNDS = 12
# A hash of as many rounds, ready made: else the first name that nobody has would take twice as long.
_NOBODYS = "$2b$12$//joHFofqnUdGc9CI2vpoeNOE5iTTVJveW6PcC.yXyaOM1FtirlAq"
_OURS = ("clinic", "portal", "patient", "doctor", "hospital", "password")


class PasswordLength(ClinicError):
    message = N_("Please choose a password of {least} to {most} characters.")


class PasswordCommon(ClinicError):
    message = N_("That password is easy to guess. A few words that do not belong together make a good one.")


class WrongCurrentPassword(ClinicError):
    message = N_("That is not your current password.")


def require_acceptable(password: str, *, about: Iterable[str | None] = ()) -> None:
    """Refuse a password too short, too long or too easy to guess by somebody who knows `about` its owner.

    There are no rules of composition, and it counts as typed (OWASP ASVS 5.0, 6.2). Raises `PasswordLength`,
    `PasswordCommon`.
    """
    require_length(password)
    known = [each.lower() for each in about if each]
    parts = [part for each in known for part in re.split(r"[\W_]+", each) if len(part) > 1]
    rating = zxcvbn(password[:_READ], user_inputs=[*known, *parts, *_OURS])  # type: ignore[no-untyped-call] # it has no types
    if rating["guesses_log10"] < _GUESSES_LOG10:
        raise PasswordCommon


def require_length(password: str) -> None:
    """Refuse a password too short or too long: what is cheap to ask of anybody. Raises `PasswordLength`."""
    if len(password) not in LENGTHS:
        raise PasswordLength(least=LENGTHS.start, most=LENGTHS.stop - 1)


def require_current(password: str, password_hash: str | None) -> None:
    """Refuse unless `password` is the hashed one: asked again before an account changes hands."""
    if not matches(password, password_hash):
        raise WrongCurrentPassword


def digest(password: str) -> bytes:
    """What bcrypt is given in the password's place: 44 letters."""
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def hashed(password: str) -> str:
    """A salted hash of `password`, about a quarter of a second's work."""
    return bcrypt.hashpw(digest(password), bcrypt.gensalt(_ROUNDS)).decode()


def matches(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the hashed one. As slow for an account without a password, or for none at all."""
    fits = bcrypt.checkpw(digest(password), (password_hash or _NOBODYS).encode())
    return fits and password_hash is not None
