"""Drafts whose visit was called off, or is another doctor's by now: their author reads them, nobody else."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import left_drafts, note_drafts, prescription_drafts
from core.access import Action, Actor
from core.errors import AccessDenied, NotFound
from core.left_drafts import Left
from db.models import Appointment, AppointmentStatus, AuditEntry, Patient
from tests import clinical, make
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.clinical import Clinical


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth."""
    patient = session.get_one(Patient, cast.ada.patient_ids[0])
    return clinical.arrived(session, cast.dr_roth, cast.checkup, patient)


@pytest.fixture
def written(session: Session, cast: Cast, visit: Appointment) -> Clinical:
    """Drafts of each kind."""
    made = clinical.written(session, cast.roth, visit, "Migraine")
    note_drafts.save(
        session,
        cast.roth,
        appointment_id=visit.id,
        fields=clinical.fields(plan="Antibiotics?", pulse="64"),
        revision=-1,
    )
    return made


def kinds(session: Session, actor: Actor) -> list[Left]:
    return [each.kind for each in left_drafts.own(session, actor)]


def lose(session: Session, visit: Appointment, cast: Cast, how: str) -> None:
    if how == "called off":
        visit.status = AppointmentStatus.CANCELLED
    else:
        visit.doctor_id = cast.dr_weiss.id
    session.flush()


def numbers(visit: Appointment, written: Clinical) -> dict[Left, int]:
    return {
        Left.NOTE: visit.id,
        Left.PRESCRIPTION: written.draft_id,
        Left.LETTER: written.letter_draft_id,
    }


def test_nothing_is_left_while_the_visit_stands(session: Session, cast: Cast, written: Clinical) -> None:
    assert kinds(session, cast.roth) == []
    with pytest.raises(NotFound):
        left_drafts.read(session, cast.roth, kind=Left.PRESCRIPTION, number=written.draft_id)


@pytest.mark.parametrize("how", ["called off", "moved"])
def test_what_is_left_is_read_by_its_author_and_by_nobody_else(
    session: Session, cast: Cast, visit: Appointment, written: Clinical, how: str
) -> None:
    lose(session, visit, cast, how)
    assert set(kinds(session, cast.roth)) == set(Left)
    assert kinds(session, cast.weiss) == []
    wanted = numbers(visit, written)
    said = {
        kind: left_drafts.read(session, cast.roth, kind=kind, number=number)
        for kind, number in wanted.items()
    }
    assert said[Left.NOTE] == "Plan\nAntibiotics?\n\nPulse\n64"
    assert "1. Drug\nTea" in said[Left.PRESCRIPTION]
    assert "Ada Okafor" in said[Left.LETTER]
    for kind, number in wanted.items():
        for service in (left_drafts.read, left_drafts.drop):
            with pytest.raises(NotFound):
                service(session, cast.weiss, kind=kind, number=number)
            for actor in (cast.ada, cast.desk, cast.admin):
                with pytest.raises(AccessDenied):
                    service(session, actor, kind=kind, number=number)


def test_the_trail_notes_who_has_read_it_and_who_has_dropped_it(
    session: Session, cast: Cast, visit: Appointment, written: Clinical
) -> None:
    lose(session, visit, cast, "called off")
    for _again in range(2):
        left_drafts.read(session, cast.roth, kind=Left.NOTE, number=visit.id)
    for kind, number in numbers(visit, written).items():
        assert left_drafts.drop(session, cast.roth, kind=kind, number=number).patient == "Ada Okafor"
        with pytest.raises(NotFound):
            left_drafts.drop(session, cast.roth, kind=kind, number=number)
    assert kinds(session, cast.roth) == []
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    seen = [each.patient_id for each in entries if each.object_kind == "note draft"]
    assert seen == [visit.patient_id]
    dropped = [each.action for each in entries if each.detail == {"change": "discarded"}]
    assert dropped == [Action.WRITE_NOTE.value, Action.PRESCRIBE.value, Action.WRITE_LETTER.value]


def test_a_prescription_goes_on_at_another_visit_of_the_same_patient(
    session: Session, cast: Cast, visit: Appointment, written: Clinical
) -> None:
    patient = session.get_one(Patient, visit.patient_id)
    make.appointment(session, cast.dr_roth, cast.checkup, on(2, 9), patient=patient)
    lose(session, visit, cast, "called off")
    assert Left.PRESCRIPTION not in kinds(session, cast.roth)
    kept = prescription_drafts.of_patient(session, cast.roth, patient_id=visit.patient_id)
    assert kept is not None
    assert kept.id == written.draft_id
