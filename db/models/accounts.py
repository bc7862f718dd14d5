"""What an account can do besides its password: codes, invites, second factors, other identities."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, stored_as_text
from db.models.people import Role


class CodePurpose(StrEnum):
    REGISTER = "register"
    VERIFY_EMAIL = "verify_email"
    VERIFY_PHONE = "verify_phone"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password


class OneTimeCode(Base):
    """A code that was sent to `sent_to` and works once, for one purpose, for a while. Only its hash is kept.

    `payload` is what the code is to bring about, such as a registration's form.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (
        Index("ix_one_time_codes_purpose_sent_to", "purpose", "sent_to"),
        CheckConstraint("tries >= 0", name="tries_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[CodePurpose] = mapped_column(stored_as_text(CodePurpose))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    sent_to: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invite(Base):
    """An admin asks one address to open an account with one role. It never touches an account there is."""

    __tablename__ = "invites"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_folded"),
        Index(
            "uq_invites_open_email",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(stored_as_text(Role))
    name: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Stands in for the second factor once, when the phone with the app is lost. Only its hash is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]


class SocialIdentity(Base):
    """Somebody as Google or Facebook knows them: `issuer` and `subject`, never the email (OIDC Core 5.7).

    What they said of the person at `last_issued_at` has been used, and nothing older counts again.
    """

    __tablename__ = "social_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    shown_as: Mapped[str] = mapped_column(
        Text, default=""
    )  # the email or name it came with, to recognise it by
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_issued_at: Mapped[datetime | None]
