"""What doctors have written: the demo mother's chart in full, and notes for a few visits of the others."""

import json
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from db.base import Base
from db.seed.calendars import ZONE
from db.seed.chart_words import (
    AMENDED,
    ATTACHED,
    NOTES,
    REFERRAL,
    SICK_NOTE,
    SUMATRIPTAN,
    TRIED,
    WRITTEN,
)
from db.seed.families import MOTHER

_NOTES_OF_OTHERS = 600  # the newest: a large clinic is measured, not read
_HER_VISITS = """
    SELECT a.id, a.doctor_id, d.user_id, u.name AS doctor, a.starts_at, a.ends_at
    FROM appointments a JOIN doctors d ON d.id = a.doctor_id JOIN users u ON u.id = d.user_id
    JOIN doctor_specialties ds ON ds.doctor_id = d.id JOIN specialties s ON s.id = ds.specialty_id
    WHERE a.patient_id = :mother AND a.status = 'completed' AND s.name = 'General practice'
    ORDER BY a.starts_at DESC LIMIT 2
"""
_OTHERS_NOTES = """
    WITH visit AS (
        SELECT id, doctor_id, ends_at, mod(id, :words) AS place FROM appointments
        WHERE status = 'completed' AND patient_id > 3 AND mod(id, 7) = 0 ORDER BY id DESC LIMIT :most
    ), written AS (
        INSERT INTO note_versions (appointment_id, number, doctor_id, reason, findings, assessment, plan,
                                   amendment, weight_grams, height_mm, systolic_mmhg, diastolic_mmhg,
                                   pulse_bpm, signed_at)
        SELECT id, 1, doctor_id, told->>'reason', told->>'findings', told->>'assessment', told->>'plan', '',
               55000 + mod(id, 43) * 1000, 1580 + mod(id, 31) * 10, 112 + mod(id, 37), 68 + mod(id, 19),
               58 + mod(id, 29), ends_at
        FROM visit CROSS JOIN LATERAL (SELECT CAST(:notes AS jsonb)->place AS told) AS words
        RETURNING appointment_id, doctor_id, signed_at
    )
    INSERT INTO note_releases (appointment_id, released_at, released_by_id)
    SELECT appointment_id, signed_at, d.user_id FROM written JOIN doctors d ON d.id = doctor_id
    WHERE mod(appointment_id, 2) = 0
"""


def write(connection: Connection) -> None:
    """Fill the records of the loaded clinic; the mother's as far as she has been there."""
    words = {"notes": json.dumps(NOTES), "words": len(NOTES), "most": _NOTES_OF_OTHERS}
    connection.execute(text(_OTHERS_NOTES), words)
    visits = connection.execute(text(_HER_VISITS), {"mother": MOTHER}).mappings().all()
    if len(visits) == 2:
        latest, earlier = (dict(each) for each in visits)
        _notes(connection, latest, earlier)
        _prescriptions(connection, latest, earlier)
        _letters(connection, latest)
        _attach(connection, latest)


def _notes(connection: Connection, latest: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Both signed and released; the latest was amended when the laboratory called."""
    signed = [(earlier, 1, WRITTEN[0]), (latest, 1, WRITTEN[1]), (latest, 2, WRITTEN[1] | AMENDED)]
    rows = [
        {
            "appointment_id": visit["id"],
            "number": number,
            "doctor_id": visit["doctor_id"],
            "amendment": "",
            "signed_at": visit["ends_at"] + (number - 1) * timedelta(days=1, hours=2),
            **said,
        }
        for visit, number, said in signed
    ]
    for row in rows:  # not all have the same columns
        _insert(connection, "note_versions", row)
    for visit in (earlier, latest):
        released = {"released_at": visit["ends_at"], "released_by_id": visit["user_id"]}
        _insert(connection, "note_releases", {"appointment_id": visit["id"], **released})


def _prescriptions(connection: Connection, latest: dict[str, Any], earlier: dict[str, Any]) -> None:
    """One, the same again at the visit after, and one that was withdrawn the next day."""
    first = _prescribe(connection, earlier, SUMATRIPTAN)
    stopped = {
        "withdrawn_at": earlier["ends_at"] + timedelta(days=1),
        "withdrawn_by_id": earlier["user_id"],
        "withdrawal_reason": "Dizzy after the first tablet: slow pulse. Stopped on the phone.",
    }
    _prescribe(connection, earlier, TRIED, **stopped)
    _prescribe(connection, latest, SUMATRIPTAN, repeats_id=first)


def _prescribe(
    connection: Connection,
    visit: dict[str, Any],
    drug: dict[str, str],
    *,
    repeats_id: int | None = None,
    **withdrawn: Any,
) -> int:
    """A draft first, then signed, then perhaps withdrawn: the database takes it in no other order."""
    at = visit["ends_at"]
    row = {
        "patient_id": MOTHER,
        "doctor_id": visit["doctor_id"],
        "appointment_id": visit["id"],
        "repeats_id": repeats_id,
        "created_at": at - timedelta(minutes=5),
        "revision": 1,
    }
    number = _insert(connection, "prescriptions", row)
    _insert(connection, "prescription_items", {"prescription_id": number, "position": 1, **drug})
    table = Base.metadata.tables["prescriptions"]
    for step in ({"signed_at": at}, withdrawn):
        if step:
            connection.execute(table.update().where(table.c.id == number).values(**step))
    return number


def _letters(connection: Connection, visit: dict[str, Any]) -> None:
    """A referral, and a sick note for the day of the visit and the one after."""
    first = visit["starts_at"].astimezone(ZONE).date()
    last = first + timedelta(days=1)
    for kind, addressee, body, days in (
        ("referral", REFERRAL[0], REFERRAL[1], {}),
        ("sick_note", "", SICK_NOTE, {"absent_from": first, "absent_until": last}),
    ):
        told = {"doctor": visit["doctor"], "first": _written(first), "last": _written(last)}
        row = {
            "patient_id": MOTHER,
            "doctor_id": visit["doctor_id"],
            "appointment_id": visit["id"],
            "kind": kind,
            "addressee": addressee,
            "body": body.format(**told),
            "revision": 1,
            **dict.fromkeys(("created_at", "saved_at", "signed_at"), visit["ends_at"]),
            **days,
        }
        _insert(connection, "letters", row)


def _written(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def _attach(connection: Connection, visit: dict[str, Any]) -> None:
    """What she brought along: the findings of a laboratory."""
    content = _one_page(ATTACHED)
    account = connection.execute(
        text("SELECT user_id FROM patients WHERE id = :mother"), {"mother": MOTHER}
    ).scalar_one()
    row = {
        "patient_id": MOTHER,
        "appointment_id": visit["id"],
        "name": "Laboratory findings.pdf",
        "media_type": "application/pdf",
        "size": len(content),
        "sha256": sha256(content).digest(),
        "content": content,
        "added_at": visit["starts_at"] - timedelta(days=2),
        "added_by_id": account,
    }
    _insert(connection, "attachments", row)


def _one_page(lines: list[str]) -> bytes:
    """A PDF of one page with lines of plain ASCII, written by hand: the same bytes each time."""
    shown = " ".join(f"({line}) ' " for line in lines)
    drawn = f"BT /F1 12 Tf 72 770 Td 18 TL {shown}ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    ending = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
    return f"{made}xref\n0 {size}\n0000000000 65535 f \n{table}{ending}".encode("ascii")


def _insert(connection: Connection, name: str, row: dict[str, Any]) -> int:
    """Insert one row; its number, where the table numbers its rows."""
    written = connection.execute(Base.metadata.tables[name].insert().values(**row))
    return int(written.inserted_primary_key[0]) if written.inserted_primary_key else 0
