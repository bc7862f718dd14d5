"""Who can sign in to the demo clinic, and with what."""

import base64
import hashlib
from datetime import datetime
from functools import cache

import bcrypt

from db.models import Role, folded
from db.seed.rows import UserRow

ADMIN_USER, STAFF_USER = 1, 2

DEMO_PASSWORD = "demo-clinic-2026"  # noqa: S105 - shown to everybody, and production refuses a demo clinic

DEMO_ACCOUNTS = {
    "patient": "Katharina Lindner, with visits behind and ahead of her and two children",
    "doctor": "Dr. Amélie Laurent, general practitioner, with a full list today",
    "staff": "Jonas Petersen at the reception desk",
    "admin": "Sofia Marchetti, who runs the clinic",
}


@cache
def demo_password_hash() -> str:
    """The bcrypt hash that all demo accounts share, made once because bcrypt is slow on purpose.

    The password goes through SHA-256 and base64 first, as everywhere in this project: bcrypt itself
    looks at no more than 72 bytes and stops at a zero byte.
    """
    digest = base64.b64encode(hashlib.sha256(DEMO_PASSWORD.encode()).digest())
    return bcrypt.hashpw(digest, bcrypt.gensalt(12)).decode()


def staff_account(user_id: int, username: str, role: Role, name: str, since: datetime) -> UserRow:
    """The account of somebody who works here. Only the demo accounts have a password to sign in with."""
    return UserRow(
        id=user_id,
        username=username,
        email=f"{username}@example.org",
        password_hash=demo_password_hash() if username in DEMO_ACCOUNTS else None,
        role=role.value,
        name=name,
        name_folded=folded(name),
        phone=None,
        locale="en_GB",
        is_active=True,
        sms_consent_at=None,
        sms_consent_source=None,
        created_at=since,
        email_verified_at=since,
        phone_verified_at=None,
    )


def desk_accounts(since: datetime) -> list[UserRow]:
    return [
        staff_account(ADMIN_USER, "admin", Role.ADMIN, "Sofia Marchetti", since),
        staff_account(STAFF_USER, "staff", Role.STAFF, "Jonas Petersen", since),
    ]
