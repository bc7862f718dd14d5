"""Questions before a visit: set by the clinic, answered by the patient, read by the doctor."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import intake_questions, intakes
from core.access import Action
from core.errors import AccessDenied, NotFound
from core.intake_questions import (
    ChoicesMissing,
    QuestionKnown,
    QuestionMissing,
    QuestionTooLong,
    QuestionUnreadable,
    TooManyQuestions,
)
from core.intakes import (
    AnswerMissing,
    AnswersClosed,
    AnswerTooLong,
    AnswerUnreadable,
    NotAChoice,
    NothingAskedThere,
)
from db.models import AnswerKind, Appointment, AppointmentStatus, AuditEntry, IntakeQuestion, Patient
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

TEXT, YES_NO, CHOICE = AnswerKind.TEXT, AnswerKind.YES_NO, AnswerKind.CHOICE


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth on Wednesday."""
    patient = session.get_one(Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=patient)


def ask(session: Session, cast: Cast, question: str, kind: AnswerKind = TEXT, **more: Any) -> IntakeQuestion:
    wanted = {"service_id": cast.checkup.id} | more
    return intake_questions.add(session, cast.admin, question=question, kind=kind, **wanted)


def answered(session: Session, cast: Cast, visit: Appointment) -> list[tuple[str, str]]:
    intake = intakes.of_visit(session, cast.roth, appointment_id=visit.id)
    return [(each.question, each.answer) for each in intake.asked]


def test_what_is_asked_is_answered_and_read(session: Session, cast: Cast, visit: Appointment) -> None:
    why = ask(session, cast, "  What brings\nyou here? ", is_required=True)
    smoke = ask(session, cast, "Do you smoke?", YES_NO)
    often = ask(session, cast, "How often?", CHOICE, choices=["Daily", " Daily ", "", "Weekly"])
    empty = intakes.of_visit(session, cast.ada, appointment_id=visit.id)
    assert [(each.question, each.choices) for each in empty.asked] == [
        ("What brings you here?", ()),
        ("Do you smoke?", ()),
        ("How often?", ("Daily", "Weekly")),
    ]
    assert (empty.answered_at, empty.is_open) == (None, True)
    given = {why.id: "A cough\n\nsince May ", smoke.id: "no", often.id: "Weekly"}
    for _ in range(2):
        intakes.answer(session, cast.ada, appointment_id=visit.id, answers=given)
    assert [each for _question, each in answered(session, cast, visit)] == [
        "A cough\n\nsince May",
        "no",
        "Weekly",
    ]
    assert intakes.of_visit(session, cast.roth, appointment_id=visit.id).answered_at == NOW
    said = session.scalars(select(AuditEntry.id).where(AuditEntry.action == Action.ANSWER_INTAKE.value)).all()
    assert len(said) == 1


def test_an_answer_is_changed_and_taken_back_until_the_visit_begins(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    why, else_ = ask(session, cast, "Why?"), ask(session, cast, "Anything else?")
    intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "A", else_.id: "B"})
    intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "C", else_.id: " "})
    assert answered(session, cast, visit) == [("Why?", "C"), ("Anything else?", "")]
    with time_is(on(3, 10)), pytest.raises(AnswersClosed):
        intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "D"})
    visit.status = AppointmentStatus.CANCELLED
    session.flush()
    with pytest.raises(AnswersClosed):
        intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "D"})
    kept = intakes.of_visit(session, cast.ada, appointment_id=visit.id).asked
    assert [each.answer for each in kept] == ["C", ""]


@pytest.mark.parametrize(
    ("place", "words", "error"),
    [
        (0, " ", AnswerMissing),
        (0, "x" * 5001, AnswerTooLong),
        (0, "A bell \x07", AnswerUnreadable),
        (1, "perhaps", NotAChoice),
        (2, "Monthly", NotAChoice),
    ],
)
def test_what_cannot_be_an_answer_is_said_and_none_of_the_others_is_kept(
    session: Session, cast: Cast, visit: Appointment, place: int, words: str, error: type[Exception]
) -> None:
    asked = [
        ask(session, cast, "Why?", is_required=True),
        ask(session, cast, "Do you smoke?", YES_NO),
        ask(session, cast, "How often?", CHOICE, choices=["Daily", "Weekly"]),
    ]
    given = {asked[0].id: "A cough", asked[1].id: "yes", asked[2].id: "Daily"} | {asked[place].id: words}
    with pytest.raises(error, match=asked[place].question.rstrip("?")):
        intakes.answer(session, cast.ada, appointment_id=visit.id, answers=given)
    assert {each for _question, each in answered(session, cast, visit)} == {""}


def test_what_is_not_asked_of_this_visit_is_not_answered(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    other = make.service(session, name="Another service")
    elsewhere = ask(session, cast, "Why?", service_id=other.id)
    gone = ask(session, cast, "Gone?")
    intake_questions.retire(session, cast.admin, question_id=gone.id)
    for number in (elsewhere.id, gone.id, 0):
        with pytest.raises(NothingAskedThere):
            intakes.answer(session, cast.ada, appointment_id=visit.id, answers={number: "A cough"})


def test_an_answer_outlives_its_question(session: Session, cast: Cast, visit: Appointment) -> None:
    why = ask(session, cast, "Why?", is_required=True)
    intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "A cough"})
    for _ in range(2):
        intake_questions.retire(session, cast.admin, question_id=why.id)
    assert answered(session, cast, visit) == [("Why?", "A cough")]
    assert intake_questions.of_service(session, cast.admin, service_id=cast.checkup.id) == []
    intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: ""})
    assert answered(session, cast, visit) == []


def test_questions_change_their_order(session: Session, cast: Cast) -> None:
    first, second, third = (ask(session, cast, each) for each in ("One?", "Two?", "Three?"))
    intake_questions.move_up(session, cast.admin, question_id=third.id)
    intake_questions.move_up(session, cast.admin, question_id=first.id)
    intake_questions.retire(session, cast.admin, question_id=second.id)
    asked = intake_questions.of_service(session, cast.admin, service_id=cast.checkup.id)
    assert [each.question for each in asked] == ["One?", "Three?"]
    for number in (second.id, 0):
        with pytest.raises(NotFound):
            intake_questions.move_up(session, cast.admin, question_id=number)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"question": " "}, QuestionMissing),
        ({"question": "x" * 501}, QuestionTooLong),
        ({"question": "A bell \x07"}, QuestionUnreadable),
        ({"question": "why?"}, QuestionKnown),
        ({"question": "How?", "kind": CHOICE, "choices": ["One", "One"]}, ChoicesMissing),
        ({"question": "How?", "kind": CHOICE, "choices": [str(n) for n in range(21)]}, ChoicesMissing),
        ({"question": "How?", "service_id": 0}, NotFound),
    ],
)
def test_what_cannot_be_asked_is_said(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[Exception]
) -> None:
    ask(session, cast, "Why?")
    with pytest.raises(error):
        ask(session, cast, **wrong)
    assert len(intake_questions.of_service(session, cast.admin, service_id=cast.checkup.id)) == 1


def test_twenty_questions_are_enough(session: Session, cast: Cast) -> None:
    for number in range(20):
        ask(session, cast, f"Question {number}?")
    with pytest.raises(TooManyQuestions):
        ask(session, cast, "One more?")


def test_answers_are_the_patients_and_for_the_patients_doctors(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    for actor in (cast.roth, cast.ben, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            intakes.answer(session, actor, appointment_id=visit.id, answers={})
    for actor in (cast.weiss, cast.ben, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            intakes.of_visit(session, actor, appointment_id=visit.id)
    for call in (intakes.of_visit, intakes.answer):
        with pytest.raises(NotFound):
            call(session, cast.ada, appointment_id=0, **({"answers": {}} if call is intakes.answer else {}))


def test_a_guardian_answers_for_the_child(session: Session, cast: Cast) -> None:
    child = session.get_one(Patient, cast.child_id)
    visit = make.appointment(session, cast.dr_roth, cast.checkup, NOW + timedelta(days=1), patient=child)
    why = ask(session, cast, "Why?")
    intakes.answer(session, cast.guardian, appointment_id=visit.id, answers={why.id: "A cough"})
    assert answered(session, cast, visit) == [("Why?", "A cough")]


def test_a_record_lists_answers_by_visit_and_visits_without_any_not_at_all(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    patient = session.get_one(Patient, cast.ada.patient_ids[0])
    other = make.appointment(session, cast.dr_roth, cast.checkup, on(4, 10), patient=patient)
    why, smoke = ask(session, cast, "What brings you here?"), ask(session, cast, "Do you smoke?", YES_NO)
    wanted = {"patient_id": patient.id}
    assert intakes.of_patient(session, cast.roth, **wanted) == {}
    with time_is(NOW + timedelta(hours=1)):
        intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "A cough"})
    intakes.answer(session, cast.ada, appointment_id=other.id, answers={smoke.id: "no"})
    intakes.answer(session, cast.ada, appointment_id=visit.id, answers={smoke.id: "yes"})
    intake_questions.retire(session, cast.admin, question_id=smoke.id)
    for reader in (cast.roth, cast.ada):
        found = intakes.of_patient(session, reader, **wanted)
        assert {number: [each.answer for each in intake.asked] for number, intake in found.items()} == {
            visit.id: ["A cough", "yes"],
            other.id: ["", "no"],
        }, "what is asked no more stands where it was answered"
        assert found[visit.id].answered_at == NOW + timedelta(hours=1), "the last of them"


def test_what_is_asked_ahead_is_of_visits_that_have_not_begun_and_take_place(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    assert not intakes.are_asked(session, service_id=cast.checkup.id)
    assert intakes.ahead(session, cast.ada, patient_ids=cast.ada.patient_ids) == {}
    why = ask(session, cast, "What brings you here?", is_required=True)
    ask(session, cast, "Do you smoke?", YES_NO)
    assert intakes.are_asked(session, service_id=cast.checkup.id)
    [(number, intake)] = intakes.ahead(session, cast.ada, patient_ids=cast.ada.patient_ids).items()
    assert (number, intake.missing, len(intake.asked)) == (visit.id, 1, 2)
    intakes.answer(session, cast.ada, appointment_id=visit.id, answers={why.id: "A cough"})
    [intake] = intakes.ahead(session, cast.ada, patient_ids=cast.ada.patient_ids).values()
    assert (intake.missing, intake.answered_at) == (0, NOW)
    assert intakes.ahead(session, cast.ada, patient_ids=[]) == {}
    with time_is(visit.starts_at):
        assert intakes.ahead(session, cast.ada, patient_ids=cast.ada.patient_ids) == {}
    visit.status = AppointmentStatus.CANCELLED
    session.flush()
    assert intakes.ahead(session, cast.ada, patient_ids=cast.ada.patient_ids) == {}


def test_a_look_at_the_questions_ahead_is_in_the_trail(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    intakes.ahead(session, cast.ada, patient_ids=cast.ada.patient_ids)
    looks = session.query(AuditEntry).filter_by(object_kind="intake", user_id=cast.ada.user_id).all()
    assert [(look.action, look.patient_id) for look in looks] == [
        (Action.SEE_RECORD, cast.ada.patient_ids[0])
    ]
