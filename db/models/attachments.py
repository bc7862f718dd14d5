"""Files in the record, and what patients answer before a visit."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, stored_as_text


class Attachment(Base):
    """A file in a patient's record: PDF, PNG or JPEG, 10 MB at most. Its content comes only when asked for.

    One that was taken back keeps who gave it and when, and loses its content.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("media_type IN ('application/pdf', 'image/png', 'image/jpeg')", name="kind_known"),
        CheckConstraint("size BETWEEN 1 AND 10485760", name="size_bounded"),
        CheckConstraint("octet_length(content) = size", name="size_true"),
        CheckConstraint("(content IS NULL) = (removed_at IS NOT NULL)", name="content_until_removed"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name_short"),
        Index("ix_attachments_patient_id", "patient_id"),
        Index("ix_attachments_appointment_id", "appointment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]  # bytes
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    added_at: Mapped[datetime]
    added_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    removed_at: Mapped[datetime | None]
    request_key: Mapped[UUID | None] = mapped_column(unique=True)


class AnswerKind(StrEnum):
    TEXT = "text"
    YES_NO = "yes_no"
    CHOICE = "choice"


class IntakeQuestion(Base):
    """A question that patients are asked before a visit for a service.

    It is never reworded, or earlier answers would be to something else: it is retired, and another is asked.
    """

    __tablename__ = "intake_questions"
    __table_args__ = (
        CheckConstraint("char_length(question) BETWEEN 1 AND 500", name="question_short"),
        CheckConstraint("(kind = 'choice') = (cardinality(choices) > 0)", name="choices_to_choose"),
        CheckConstraint("cardinality(choices) <= 20", name="choices_few"),
        Index("ix_intake_questions_service_id", "service_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    question: Mapped[str] = mapped_column(Text)
    kind: Mapped[AnswerKind] = mapped_column(stored_as_text(AnswerKind))
    choices: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    is_required: Mapped[bool] = mapped_column(default=False, server_default="false")
    retired_at: Mapped[datetime | None]


class IntakeAnswer(Base):
    """What a patient answered before a visit. A yes-or-no answer is `yes` or `no`."""

    __tablename__ = "intake_answers"
    __table_args__ = (
        UniqueConstraint("appointment_id", "question_id"),
        CheckConstraint("char_length(answer) BETWEEN 1 AND 5000", name="answer_bounded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("intake_questions.id"))
    answer: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime]
    answered_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    question: Mapped[IntakeQuestion] = relationship(lazy="raise")
