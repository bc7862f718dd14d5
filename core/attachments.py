"""Files in a patient's record: added by the patient or a doctor, checked by content, read by who may."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import PurePath
from uuid import UUID

from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import access, audit, clock, treatments
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.file_kinds import FileKind, require_kind
from core.i18n import N_, megabytes
from core.texts import is_readable
from core.treatments import NEVER_A_VISIT
from db.models import Appointment, Attachment, User

LARGEST = 10 * 1024 * 1024  # bytes
MOST = 100  # files in a record at a time
NAME_LENGTH = 200
REMOVABLE = timedelta(hours=24)  # by whoever added it: a slip is noticed by then
ENDINGS = {FileKind.PDF: ".pdf", FileKind.PNG: ".png", FileKind.JPEG: ".jpg"}


class FileEmpty(ClinicError):
    message = N_("This file is empty.")


class FileTooLarge(ClinicError):
    message = N_("This file is too large: {largest} at most.")


class FileDamaged(ClinicError):
    message = N_("This picture cannot be opened: the file seems to be damaged.")


class RecordFull(ClinicError):
    message = N_("There are {count} files in this record already. Please give the others to the reception.")


class TooLateToRemove(ClinicError):
    message = N_("This file has been in the record for more than a day and stays there.")


class NotYourFile(ClinicError):
    message = N_("Only whoever added a file can take it back.")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as the record lists it. `removable_until` is set where the reader may still take it back."""

    attachment_id: int
    name: str
    kind: FileKind
    size: int
    appointment_id: int | None
    added_at: datetime
    added_by: str
    removable_until: datetime | None


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file as it is handed out."""

    name: str
    kind: FileKind
    content: bytes


def add(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    name: str,
    content: bytes,
    appointment_id: int | None = None,
    request_key: UUID | None = None,
) -> int:
    """Put a file into a record, for a visit of the patient's or for none; its number.

    What is in the record already, to the byte, is not added again. Raises `FileEmpty`, `FileTooLarge`,
    `WrongFileKind`, `FileDamaged`, `RecordFull`, `AccessDenied`, `NotFound`.
    """
    own = actor.doctor_id if treatments.has_visit(session, actor.doctor_id, patient_id) else None
    access.require(actor, Action.ADD_DOCUMENT, patient_id=patient_id, doctor_id=own)
    kind = _checked(content)
    _require_visit(session, patient_id, appointment_id)
    session.execute(text("SELECT pg_advisory_xact_lock(10, :number)"), {"number": patient_id})
    here = (Attachment.patient_id == patient_id, Attachment.removed_at.is_(None))
    digest = sha256(content).digest()
    known = session.scalar(select(Attachment.id).where(*here, Attachment.sha256 == digest).limit(1))
    if known is not None:
        return known
    if (session.scalar(select(func.count()).where(*here)) or 0) >= MOST:
        raise RecordFull(count=MOST)
    added = Attachment(
        patient_id=patient_id,
        appointment_id=appointment_id,
        name=file_name(name, kind),
        media_type=kind.value,
        size=len(content),
        sha256=digest,
        content=content,
        added_at=clock.now(),
        added_by_id=actor.user_id,
        request_key=request_key,
    )
    session.add(added)
    session.flush()
    _note(session, actor, added, "added")
    return added.id


def remove(session: Session, actor: Actor, *, attachment_id: int) -> None:
    """Take back a file that one added within the last day. Its content is deleted; safe to repeat.

    Raises `TooLateToRemove`, `NotYourFile`, `AccessDenied`, `NotFound`.
    """
    found = session.get(Attachment, attachment_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    own = actor.doctor_id if treatments.has_visit(session, actor.doctor_id, found.patient_id) else None
    access.require(actor, Action.ADD_DOCUMENT, patient_id=found.patient_id, doctor_id=own)
    if found.added_by_id != actor.user_id:
        raise NotYourFile
    if found.removed_at is not None:
        return
    if clock.now() > found.added_at + REMOVABLE:
        raise TooLateToRemove
    found.content, found.removed_at = None, clock.now()
    session.flush()
    _note(session, actor, found, "taken back")


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> list[FileEntry]:
    """The files of a record, the latest first, without their content. Raises `AccessDenied`, `NotFound`."""
    treatments.look(session, actor, patient_id=patient_id)
    rows = session.execute(
        select(Attachment, User.name)
        .join(User, User.id == Attachment.added_by_id)
        .where(Attachment.patient_id == patient_id, Attachment.removed_at.is_(None))
        .order_by(Attachment.added_at.desc(), Attachment.id.desc())
    )
    return [_listed(found, added_by, actor) for found, added_by in rows]


def content(session: Session, actor: Actor, *, attachment_id: int) -> FileContent:
    """A file of a record. The trail keeps who opened it. Raises `AccessDenied`, `NotFound`."""
    found = session.get(Attachment, attachment_id)
    if found is None:
        raise NotFound
    treatments.look(session, actor, patient_id=found.patient_id)
    held = session.scalar(select(Attachment.content).where(Attachment.id == attachment_id))
    if held is None:
        raise NotFound
    audit.record_read(
        session, actor, Action.SEE_RECORD, kind="file", number=found.id, patient_id=found.patient_id
    )
    return FileContent(found.name, FileKind(found.media_type), held)


def file_name(given: str, kind: FileKind) -> str:
    """What a file is called here: no folders, nothing unreadable, and the ending of what it really is."""
    last = given.replace("\\", "/").rpartition("/")[2]
    stem = " ".join("".join(each for each in PurePath(last).stem if is_readable(each)).split())
    return (
        stem[: NAME_LENGTH - len(ENDINGS[kind])].strip(". ") + ENDINGS[kind]
        if stem.strip(". ")
        else _nameless(kind)
    )


def _nameless(kind: FileKind) -> str:
    return f"file{ENDINGS[kind]}"


def _checked(content: bytes) -> FileKind:
    if not content:
        raise FileEmpty
    if len(content) > LARGEST:
        raise FileTooLarge(largest=megabytes(LARGEST))
    kind = require_kind(content, tuple(FileKind))
    if kind is not FileKind.PDF:
        _require_whole(content)
    return kind


def _require_whole(picture: bytes) -> None:
    """Pillow reads a picture's structure without unpacking it: a small file cannot fill the memory."""
    try:
        with Image.open(BytesIO(picture), formats=("PNG", "JPEG")) as opened:
            opened.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FileDamaged from error


def _require_visit(session: Session, patient_id: int, appointment_id: int | None) -> None:
    if appointment_id is None:
        return
    query = select(Appointment.id).where(
        Appointment.id == appointment_id,
        Appointment.patient_id == patient_id,
        Appointment.status.not_in(NEVER_A_VISIT),
    )
    if session.scalar(query) is None:
        raise NotFound


def _listed(found: Attachment, added_by: str, actor: Actor) -> FileEntry:
    until = found.added_at + REMOVABLE
    is_removable = found.added_by_id == actor.user_id and clock.now() <= until
    return FileEntry(
        attachment_id=found.id,
        name=found.name,
        kind=FileKind(found.media_type),
        size=found.size,
        appointment_id=found.appointment_id,
        added_at=found.added_at,
        added_by=added_by,
        removable_until=until if is_removable else None,
    )


def _note(session: Session, actor: Actor, found: Attachment, change: str) -> None:
    audit.record(
        session,
        actor,
        Action.ADD_DOCUMENT,
        kind="file",
        number=found.id,
        patient_id=found.patient_id,
        change=change,
    )
