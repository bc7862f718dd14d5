"""Files in the record: who adds them, of which kind, how many, and until when they are taken back."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from core import attachments, records
from core.access import Action, Actor
from core.attachments import (
    FileDamaged,
    FileEmpty,
    FileTooLarge,
    NotYourFile,
    RecordFull,
    TooLateToRemove,
)
from core.errors import AccessDenied, NotFound
from core.file_kinds import FileKind, WrongFileKind
from db.models import Appointment, AppointmentStatus, Attachment, AuditEntry, Patient
from db.session import unit_of_work
from tests import clinical, make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is

PDF = b"%PDF-1.7 and so on"
WHY = "Found unconscious in the waiting room"


def picture(form: str = "PNG") -> bytes:
    written = BytesIO()
    Image.new("RGB", (20, 10), "navy").save(written, form)
    return written.getvalue()


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth."""
    return clinical.arrived(session, cast.dr_roth, cast.checkup, session.get_one(Patient, ada_id(cast)))


def ada_id(cast: Cast) -> int:
    return cast.ada.patient_ids[0]


def add(session: Session, cast: Cast, actor: Actor | None = None, **more: Any) -> int:
    wanted = {"patient_id": ada_id(cast), "name": "Findings.pdf", "content": PDF} | more
    return attachments.add(session, actor or cast.ada, **wanted)


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (PDF, FileKind.PDF, "Findings.pdf"),
        (picture("PNG"), FileKind.PNG, "Findings.png"),
        (picture("JPEG"), FileKind.JPEG, "Findings.jpg"),
    ],
)
def test_a_patient_adds_a_file_and_both_sides_read_it(
    session: Session, cast: Cast, visit: Appointment, content: bytes, kind: FileKind, name: str
) -> None:
    number = add(session, cast, content=content, appointment_id=visit.id)
    session.expire_all()
    for actor in (cast.ada, cast.roth):
        [entry] = attachments.of_patient(session, actor, patient_id=ada_id(cast))
        assert (entry.attachment_id, entry.name, entry.kind) == (number, name, kind)
        assert (entry.size, entry.added_by, entry.added_at) == (len(content), "Ada Okafor", NOW)
        file = attachments.content(session, actor, attachment_id=number)
        assert (file.name, file.kind, file.content) == (name, kind, content)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", FileEmpty),
        (b"MZ\x90\x00 a program that is called .pdf", WrongFileKind),
        (b"<html>%PDF-1.7", WrongFileKind),
        (b"GIF89a", WrongFileKind),
        (b"\x89PNG\r\n\x1a\n and nothing more", FileDamaged),
        (picture("PNG")[:-30], FileDamaged),
        (b"\xff\xd8\xff\xe0", FileDamaged),
        (b"%PDF-" + b"x" * (10 * 1024 * 1024), FileTooLarge),
    ],
)
def test_what_is_no_such_file_is_refused_whatever_it_is_called(
    session: Session, cast: Cast, visit: Appointment, content: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        add(session, cast, content=content)
    assert attachments.of_patient(session, cast.ada, patient_id=ada_id(cast)) == []


def test_the_largest_file_fits(session: Session, cast: Cast) -> None:
    largest = b"%PDF-".ljust(attachments.LARGEST, b"x")
    number = add(session, cast, content=largest)
    assert session.get_one(Attachment, number).sha256 == hashlib.sha256(largest).digest()


def test_a_picture_that_would_fill_the_memory_is_not_unpacked(session: Session, cast: Cast) -> None:
    bomb = bytearray(picture("PNG"))
    bomb[16:24] = (60_000).to_bytes(4) * 2  # the width and height that its header tells
    with pytest.raises(FileDamaged):
        add(session, cast, content=bytes(bomb))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Scans\\letter.exe", "letter.pdf"),
        ("Röntgen 腕.PDF", "Röntgen 腕.pdf"),
        ("a\x00b\r\nc\u202egpj.pdf", "abcgpj.pdf"),
        ("", "file.pdf"),
        (".pdf", "pdf.pdf"),
        ("...", "file.pdf"),
        ("x" * 300, "x" * 196 + ".pdf"),
    ],
)
def test_a_name_is_a_name_and_tells_the_truth_about_the_kind(given: str, name: str) -> None:
    assert attachments.file_name(given, FileKind.PDF) == name


def test_the_same_file_sent_twice_is_there_once(session: Session, cast: Cast) -> None:
    assert add(session, cast) == add(session, cast, name="Another name.pdf")
    noted = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == Action.ADD_DOCUMENT.value))
    assert noted.all() == [{"change": "added"}]


def test_the_same_file_from_four_tabs_at_once_is_there_once(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)

        def press(_number: int) -> int:
            with unit_of_work(database) as session:
                return add(session, cast)

        assert len(set(at_once(4, press))) == 1
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(Attachment)) == 1


def test_a_record_holds_so_many_files(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST", 2)
    first = add(session, cast, content=PDF + b"1")
    add(session, cast, content=PDF + b"2")
    with pytest.raises(RecordFull):
        add(session, cast, content=PDF + b"3")
    attachments.remove(session, cast.ada, attachment_id=first)
    add(session, cast, content=PDF + b"3")


def test_who_added_a_file_takes_it_back_within_a_day(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    number = add(session, cast)
    [own] = attachments.of_patient(session, cast.ada, patient_id=ada_id(cast))
    [others] = attachments.of_patient(session, cast.roth, patient_id=ada_id(cast))
    assert (own.removable_until, others.removable_until) == (NOW + timedelta(hours=24), None)
    with pytest.raises(NotYourFile):
        attachments.remove(session, cast.roth, attachment_id=number)
    with time_is(NOW + timedelta(hours=24, seconds=1)), pytest.raises(TooLateToRemove):
        attachments.remove(session, cast.ada, attachment_id=number)
    for _ in range(2):
        attachments.remove(session, cast.ada, attachment_id=number)
    assert attachments.of_patient(session, cast.ada, patient_id=ada_id(cast)) == []
    with pytest.raises(NotFound):
        attachments.content(session, cast.ada, attachment_id=number)
    assert session.scalar(select(Attachment.content).where(Attachment.id == number)) is None


def test_a_file_is_for_a_visit_of_the_patients_own(session: Session, cast: Cast, visit: Appointment) -> None:
    bens = make.appointment(
        session,
        cast.dr_weiss,
        cast.checkup,
        on(3, 10),
        patient=session.get_one(Patient, cast.ben.patient_ids[0]),
    )
    for number in (bens.id, 0):
        with pytest.raises(NotFound):
            add(session, cast, appointment_id=number)
    visit.status = AppointmentStatus.CANCELLED
    session.flush()
    with pytest.raises(NotFound):
        add(session, cast, appointment_id=visit.id)


def test_files_are_for_the_patient_and_the_patients_doctors(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    number = add(session, cast)
    for actor in (cast.ben, cast.stranger, cast.weiss, cast.desk, cast.admin):
        for call in (
            lambda actor=actor: add(session, cast, actor),
            lambda actor=actor: attachments.content(session, actor, attachment_id=number),
            lambda actor=actor: attachments.remove(session, actor, attachment_id=number),
        ):
            with pytest.raises(AccessDenied):
                call()
    records.break_glass(session, cast.weiss, patient_id=ada_id(cast), reason=WHY)
    assert attachments.content(session, cast.weiss, attachment_id=number).content == PDF
    with pytest.raises(AccessDenied):
        add(session, cast, cast.weiss)


def test_each_file_that_was_opened_stands_in_the_trail(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    number = add(session, cast)
    attachments.content(session, cast.roth, attachment_id=number)
    seen = session.scalars(select(AuditEntry.object_id).where(AuditEntry.object_kind == "file")).all()
    assert seen == [number, number]


def test_a_row_of_a_file_comes_without_its_content(session: Session, cast: Cast) -> None:
    number = add(session, cast)
    session.expunge_all()
    with pytest.raises(InvalidRequestError):
        _ = session.get_one(Attachment, number).content
