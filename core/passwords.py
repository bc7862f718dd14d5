"""Password hashes: bcrypt over SHA-256, so that every character of a long password counts.

bcrypt itself reads 72 bytes and stops at a NUL; the digest is neither longer nor holds one.
"""

import base64
import hashlib
from functools import cache

import bcrypt


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def hashed(password: str) -> str:
    """A salted hash of `password`, about a quarter of a second's work."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(12)).decode()


@cache
def _nobody() -> str:
    return hashed("nobody has this password")


def matches(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the hashed one. As slow for an account without a password, or for none at all."""
    fits = bcrypt.checkpw(_digest(password), (password_hash or _nobody()).encode())
    return fits and password_hash is not None
