"""What stands in a record: the smallest of each kind, written through the services."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from core import (
    attachments,
    doctor_letters,
    letter_drafts,
    notes,
    prescription_drafts,
    prescriptions,
    record_items,
)
from core.access import Actor
from core.note_fields import FIELDS
from db.models import (
    AnswerKind,
    Appointment,
    AppointmentStatus,
    Attachment,
    Doctor,
    IntakeAnswer,
    IntakeQuestion,
    ItemKind,
    Letter,
    LetterKind,
    NoteDraft,
    NoteRelease,
    NoteVersion,
    Patient,
    Prescription,
    PrescriptionItem,
    Service,
)
from tests import make
from tests.cast import NOW, on

TYPED = {"reason": "Cough for a week", "plan": "Tea and rest", "systolic": "120", "diastolic": "80"}
ITEM = {"drug": "Ibuprofen", "strength": "400 mg", "dose": "1 tablet", "frequency": "3 times a day"}


def fields(**typed: str) -> dict[str, str]:
    """All fields of a note, empty but for those given."""
    return dict.fromkeys(FIELDS, "") | typed


def add_file(session: Session, patient_id: int, user_id: int) -> None:
    """A file in the record, past the services and without a visit."""
    session.add(
        Attachment(
            patient_id=patient_id,
            name="Migraine diary.pdf",
            media_type="application/pdf",
            size=8,
            sha256=b"x",
            content=b"%PDF-1.7",
            added_at=NOW,
            added_by_id=user_id,
        )
    )
    session.flush()


def add_papers(session: Session, visit: Appointment, user_id: int) -> None:
    """Whatever a visit leaves, past the services: a note that was released and another that is typed, an
    answer, a letter and a prescription, signed when the visit began.
    """
    at, of_visit = visit.starts_at, {"appointment_id": visit.id, "doctor_id": visit.doctor_id}
    of_patient = {**of_visit, "patient_id": visit.patient_id, "created_at": at}
    question = IntakeQuestion(
        service_id=visit.service_id, position=1, question="What brings you here?", kind=AnswerKind.TEXT
    )
    prescription = Prescription(
        **of_patient, items=[PrescriptionItem(position=1, drug="Tea against Migraine")]
    )
    referral = {"kind": LetterKind.REFERRAL, "body": "Migraine: please see", "saved_at": at, "signed_at": at}
    given = {"answer": "Migraine", "answered_at": at, "answered_by_id": user_id}
    session.add_all(
        [
            NoteVersion(**of_visit, number=1, reason="Migraine, again", signed_at=at),
            NoteRelease(appointment_id=visit.id, released_at=at, released_by_id=user_id),
            NoteDraft(**of_visit, fields={"plan": "Migraine?"}, saved_at=at),
            IntakeAnswer(appointment_id=visit.id, question=question, **given),
            Letter(**of_patient, **referral),
            prescription,
        ]
    )
    session.flush()
    prescription.signed_at = at
    session.flush()


def arrived(
    session: Session, doctor: Doctor, service: Service, patient: Patient, **changes: Any
) -> Appointment:
    """A visit whose patient is there."""
    wanted = {"status": AppointmentStatus.ARRIVED, "patient": patient} | changes
    return make.appointment(session, doctor, service, wanted.pop("starts_at", on(1, 9)), **wanted)


@dataclass(frozen=True)
class Clinical:
    """Numbers of a visit with a signed note and a new draft, and of what else stands in the record."""

    visit_id: int
    item_id: int
    prescription_id: int
    draft_id: int
    letter_draft_id: int
    letter_id: int
    attachment_id: int
    question_id: int


def written(
    session: Session, doctor: Actor, visit: Appointment, words: str, *, released: bool = True
) -> Clinical:
    """Something of every kind in the record of a visit's patient, all of it with `words`."""
    patient_id = visit.patient_id
    record_items.add(session, doctor, patient_id=patient_id, kind=ItemKind.ALLERGY, name=words)
    noted = {"appointment_id": visit.id, "fields": fields(reason=words)}
    notes.sign(session, doctor, revision=0, **noted)
    if released:
        notes.release(session, doctor, appointment_id=visit.id)
    item = ITEM | {"drug": "Tea", "instructions": words}
    first = prescription_drafts.save(session, doctor, appointment_id=visit.id, items=[item], revision=0)
    signed = prescriptions.sign(session, doctor, prescription_id=first.id, revision=first.revision)
    draft = prescription_drafts.save(session, doctor, appointment_id=visit.id, items=[item], revision=0)
    [listed] = [each for each in record_items.listed(session, patient_id) if each.name == words]
    letters = [
        letter_drafts.begin(
            session, doctor, appointment_id=visit.id, kind=LetterKind.REFERRAL, request_key=uuid4()
        )
        for _ in range(2)
    ]
    doctor_letters.sign(session, doctor, letter_id=letters[0].id, revision=0)
    file_id = attachments.add(
        session, doctor, patient_id=patient_id, name=words, content=b"%PDF-" + words.encode()
    )
    question = IntakeQuestion(
        service_id=visit.service_id, position=visit.id, question=f"Question {visit.id}", kind=AnswerKind.TEXT
    )
    session.add(question)
    session.flush()
    given = {"answer": words, "answered_at": NOW, "answered_by_id": doctor.user_id}
    session.add(IntakeAnswer(appointment_id=visit.id, question_id=question.id, **given))
    session.flush()
    return Clinical(
        visit.id, listed.item_id, signed.id, draft.id, letters[1].id, letters[0].id, file_id, question.id
    )
