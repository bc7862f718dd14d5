"""What the database must hold but whoever copies it must not read: encrypted, or hashed with a key.

Both keys come from SECRET_KEY, which is not in the database. A new SECRET_KEY makes all of it worthless.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core import clock
from db.config import config

_KEY_BYTES = 32


@cache
def _key(secret: str, purpose: bytes) -> bytes:
    """A key for one purpose only (HKDF, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(secret.encode())


def _derived(purpose: bytes) -> bytes:
    return _key(config().secret_key.get_secret_value(), purpose)


def _fernet() -> Fernet:
    return Fernet(urlsafe_b64encode(_derived(b"encryption")))


def encrypted(text: str) -> str:
    """`text` for the database, with the time at which it was put there."""
    return _fernet().encrypt_at_time(text.encode(), int(clock.now().timestamp())).decode()


def decrypted(kept: str) -> str:
    """What `encrypted` was given. Raises `InvalidToken` when SECRET_KEY is another one by now."""
    return _fernet().decrypt(kept.encode()).decode()


def decrypted_if_fresh(kept: str, *, longest: timedelta) -> str | None:
    """What `encrypted` was given; None when that is more than `longest` ago, or under another SECRET_KEY."""
    try:
        written_at = _fernet().extract_timestamp(kept.encode())
    except InvalidToken:
        return None
    if clock.now().timestamp() - written_at > longest.total_seconds():
        return None
    return decrypted(kept)


def keyed_hash(*parts: str) -> bytes:
    """A hash that cannot be searched without the key, as that of a six-digit code otherwise could."""
    return hmac.digest(_derived(b"hashes"), "\0".join(parts).encode(), "sha256")
