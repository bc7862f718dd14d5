"""A long history as a PDF, against a bare document of ReportLab's with as many paragraphs."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO

from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from benchmarks.clinic import Clinic
from benchmarks.timing import Figure, in_turns, times_slower
from core import history_reports
from core.access import Actor
from db.models import Appointment, AppointmentStatus, Doctor, Location, NoteVersion, Role, Service, Source
from db.session import engine

REPEATS = 5
VISITS = 300
TARGET = 3.0
_FIRST = datetime(1990, 1, 1, 9, tzinfo=UTC)  # before all that the clinic knows
_LENGTHS = {"reason": 10, "findings": 40, "assessment": 15, "plan": 25}  # words


def measure(clinic: Clinic) -> list[Figure]:
    """The report with what it asks the database, over the bare document."""
    chance = random.Random(7)
    vocabulary = [_word(chance) for _ in range(3000)]
    noted = [
        {part: " ".join(chance.choices(vocabulary, k=count)) for part, count in _LENGTHS.items()}
        for _ in range(VISITS)
    ]
    with _visited(clinic, noted) as (session, actor, patient_id):
        ours, bare = in_turns(
            REPEATS,
            lambda: history_reports.to_print(session, actor, patient_id=patient_id).as_pdf(),
            lambda: _bare(noted),
            warm_up=1,
        )
    return [times_slower(f"a history of {VISITS} visits", ours, bare, at_most=TARGET)]


def _word(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyzäöüéł", k=chance.randint(3, 11)))


def _bare(noted: list[dict[str, str]]) -> None:
    """Beside its four parts a visit has a heading, their names, who saw the patient, and who signed."""
    style = getSampleStyleSheet()["Normal"]
    around = ["Jan 1, 1990, 9:00 AM · Check-up", "Dr. Eva Roth · Completed", *_LENGTHS]
    around.append("Signed electronically by Dr. Eva Roth on Monday, January 1, 1990, 9:00 AM (GMT+01:00)")
    words = [each for parts in noted for each in (*around, *parts.values())]
    SimpleDocTemplate(BytesIO()).build([Paragraph(each, style) for each in words])


@contextmanager
def _visited(clinic: Clinic, noted: list[dict[str, str]]) -> Iterator[tuple[Session, Actor, int]]:
    """A patient of a doctor's with a signed note for each visit; all of it is gone afterwards."""
    patient_id, doctor_id = clinic.idle_patient_ids[0], clinic.doctor_ids[0]
    with engine().connect() as connection, connection.begin() as outer:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            doctor = session.get_one(Doctor, doctor_id)
            place = session.scalars(select(Location.id)).first()
            service = session.get_one(Service, clinic.service_id)
            for number, parts in enumerate(noted):
                begins = _FIRST + timedelta(days=number)
                visit = Appointment(
                    patient_id=patient_id,
                    doctor_id=doctor_id,
                    service_id=service.id,
                    location_id=place,
                    starts_at=begins,
                    ends_at=begins + timedelta(minutes=30),
                    blocked=Range(begins, begins + timedelta(minutes=30)),
                    status=AppointmentStatus.COMPLETED,
                    price_minor=0,
                    source=Source.DESK,
                )
                session.add(visit)
                session.flush()
                signed = {"doctor_id": doctor_id, "signed_at": begins, "number": 1}
                session.add(NoteVersion(appointment_id=visit.id, **signed, **parts))
            session.flush()
            yield session, Actor(doctor.user_id, Role.DOCTOR, "", doctor_id=doctor_id), patient_id
        outer.rollback()
