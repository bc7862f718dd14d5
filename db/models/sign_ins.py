"""Who is signed in and who tries to be, kept on the server."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class SignIn(Base):
    """One signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    browser: Mapped[str | None] = mapped_column(Text)  # as it calls itself, for the person's own list


class SignInGrant(Base):
    """A password just accepted, to be exchanged once for a cookie by the browser that typed it.

    While it awaits the second factor it is worth nothing but the right to give one.
    """

    __tablename__ = "sign_in_grants"

    browser_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    awaits_second_factor: Mapped[bool] = mapped_column(default=False, server_default="false")


class SignInAttempts(Base):
    """How often an account or an address has tried to sign in lately, and until when it has to wait.

    `is_refused` says whether the last try came too soon.
    """

    __tablename__ = "sign_in_attempts"
    __table_args__ = (CheckConstraint("count > 0", name="count_positive"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int]
    is_refused: Mapped[bool]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]
