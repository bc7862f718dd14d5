"""People: accounts, patients (with or without an account) and doctors."""

import unicodedata
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    event,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from db.base import Base, stored_as_text


class Role(StrEnum):
    PATIENT = "patient"
    DOCTOR = "doctor"
    STAFF = "staff"
    ADMIN = "admin"


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


def folded(name: str) -> str:
    """`name` as it is searched: no case, no accents. Scripts without either stay as they are."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


class User(Base):
    """An account. What it may do follows from `role`; who it is in the clinic from patients or doctors."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("username = lower(username) AND username <> ''", name="username_folded"),
        CheckConstraint("email = lower(email)", name="email_folded"),
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{1,14}$'", name="phone_e164"),
        Index("ix_users_phone", "phone"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    email: Mapped[str | None] = mapped_column(Text, unique=True)
    password_hash: Mapped[str | None] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(stored_as_text(Role))
    name: Mapped[str] = mapped_column(Text)
    name_folded: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text, default="en")
    is_active: Mapped[bool] = mapped_column(default=True)
    sms_consent_at: Mapped[datetime | None]
    sms_consent_source: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    email_verified_at: Mapped[datetime | None]
    phone_verified_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None] = mapped_column(Text)  # encrypted with SECRET_KEY
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(
        BigInteger
    )  # the step of the last code, which is spent
    erased_at: Mapped[datetime | None]
    totp_pending: Mapped[str | None] = mapped_column(Text)  # as totp_secret, until a code has confirmed it

    @validates("name")
    def _fold_name(self, _key: str, name: str) -> str:
        self.name_folded = folded(name)
        return name


# Whatever changes what a person may do ends their sessions, even a hand-typed UPDATE.
END_SESSIONS = (
    """
    CREATE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE sign_ins SET ended_at = now(), end_reason = 'account changed'
        WHERE user_id = NEW.id AND ended_at IS NULL;
        DELETE FROM sign_in_grants WHERE user_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER end_sessions AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.role, OLD.is_active, OLD.password_hash)
          IS DISTINCT FROM (NEW.role, NEW.is_active, NEW.password_hash))
    EXECUTE FUNCTION end_sessions()
    """,
)
for _statement in END_SESSIONS:
    event.listen(Base.metadata, "after_create", DDL(_statement))  # type: ignore[no-untyped-call] # SQLAlchemy's own


class Patient(Base):
    """Somebody the clinic treats. A walk-in or a child has no account; a child has a guardian."""

    __tablename__ = "patients"
    __table_args__ = (
        CheckConstraint("guardian_id <> id", name="guardian_is_another"),
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{1,14}$'", name="phone_e164"),
        CheckConstraint("contact_by IN ('sms', 'email')", name="contact_by_known"),
        Index("ix_patients_name_folded", "name_folded", postgresql_ops={"name_folded": "text_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("patients.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    name_folded: Mapped[str] = mapped_column(Text)
    birth_on: Mapped[date] = mapped_column(index=True)
    sex: Mapped[Sex] = mapped_column(stored_as_text(Sex), default=Sex.UNKNOWN)
    phone: Mapped[str | None] = mapped_column(Text, index=True)
    email: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text, default="en")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sms_consent_at: Mapped[datetime | None]  # of a patient without an account
    sms_consent_source: Mapped[str | None] = mapped_column(Text)
    contact_by: Mapped[str | None] = mapped_column(Text)  # sms or email; None: whichever there is
    wants_reminders: Mapped[bool] = mapped_column(default=True, server_default="true")
    time_zone: Mapped[str | None] = mapped_column(Text)  # IANA name; None: the clinic's
    request_key: Mapped[UUID | None] = mapped_column(unique=True)  # of the form that wrote the patient down
    erased_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship(lazy="raise")

    @validates("name")
    def _fold_name(self, _key: str, name: str) -> str:
        self.name_folded = folded(name)
        return name


doctor_specialties = Table(
    "doctor_specialties",
    Base.metadata,
    Column("doctor_id", ForeignKey("doctors.id"), primary_key=True),
    Column("specialty_id", ForeignKey("specialties.id"), primary_key=True, index=True),
)


class Specialty(Base):
    __tablename__ = "specialties"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)


class Doctor(Base):
    """A provider. Not accepting patients: only the desk books. Inactive: nobody does."""

    __tablename__ = "doctors"
    __table_args__ = (CheckConstraint("octet_length(photo) BETWEEN 1 AND 1048576", name="photo_bounded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    bio: Mapped[str] = mapped_column(Text, default="")
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # ISO 639-1 codes
    is_accepting_patients: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # PNG or JPEG

    user: Mapped[User] = relationship(lazy="raise")
    specialties: Mapped[list[Specialty]] = relationship(
        secondary=doctor_specialties, lazy="raise", order_by=Specialty.name
    )


class ProfileDraft(Base):
    """What a doctor has written of their own profile and nobody has published yet.

    `photo` None keeps the present one, unless `removes_photo`. It waits for an administrator once submitted.
    """

    __tablename__ = "profile_drafts"
    __table_args__ = (
        CheckConstraint("char_length(bio) <= 2000", name="bio_short"),
        CheckConstraint("octet_length(photo) BETWEEN 1 AND 1048576", name="photo_bounded"),
        CheckConstraint("char_length(remark) <= 500", name="remark_short"),
    )

    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"), primary_key=True, autoincrement=False)
    bio: Mapped[str] = mapped_column(Text)
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))  # ISO 639-1 codes
    photo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    removes_photo: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(Text, default="")  # of who sent it back
