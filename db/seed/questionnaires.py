"""What the demo clinic asks before visits for two of its services, and what the mother has answered."""

from datetime import datetime

from sqlalchemy import Connection, text

from db.base import Base
from db.seed.chart_words import QUESTIONS
from db.seed.clinics import EVERYBODY_OFFERS
from db.seed.families import MOTHER

_COMING = """
    SELECT a.id, a.service_id, p.user_id, greatest(a.created_at, :now - interval '1 day') AS answered_at
    FROM appointments a JOIN patients p ON p.id = a.patient_id
    WHERE a.patient_id = :mother AND a.status = 'confirmed' AND a.starts_at > :now
    ORDER BY a.starts_at LIMIT 1
"""
_OFTEN = "SELECT id FROM services WHERE name = ANY(:names) ORDER BY id"


def ask(connection: Connection, now: datetime) -> None:
    """Ask before what she comes for next and before a consultation, or a follow-up where that is the same."""
    coming = connection.execute(text(_COMING), {"mother": MOTHER, "now": now}).one_or_none()
    often = connection.execute(text(_OFTEN), {"names": EVERYBODY_OFFERS}).scalars()
    services = list(dict.fromkeys([*([coming.service_id] if coming else []), *often]))[:2]
    questions, answers = (Base.metadata.tables[name] for name in ("intake_questions", "intake_answers"))
    for service_id in services:
        for position, (asked, kind, choices, is_required, answer) in enumerate(QUESTIONS, 1):
            row = {"service_id": service_id, "position": position, "question": asked, "kind": kind}
            added = connection.execute(
                questions.insert()
                .values(**row, choices=choices, is_required=is_required)
                .returning(questions.c.id)
            ).scalar_one()
            if coming is not None and coming.service_id == service_id:
                given = {"appointment_id": coming.id, "question_id": added, "answer": answer}
                by = {"answered_at": coming.answered_at, "answered_by_id": coming.user_id}
                connection.execute(answers.insert().values(**given, **by))
