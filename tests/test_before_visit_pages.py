"""Questions before a visit on the screen: set by the clinic, answered by the patient, read by the doctor."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, joinedload
from streamlit.testing.v1 import AppTest

from core import intakes
from db.models import (
    AnswerKind,
    Doctor,
    IntakeAnswer,
    IntakeQuestion,
    Service,
)
from db.session import unit_of_work
from tests import app_pages, make
from tests.app_pages import HOME, OpenAs
from tests.cast import time_is
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
BEFORE, VISITS = "pages/patient/before_visit.py", "pages/patient/my_appointments.py"
QUESTIONS, RECORD = "pages/admin/questions.py", "pages/doctor/patient_record.py"
WHY, SMOKE, OFTEN = "What brings you here?", "Do you smoke?", "How often?"


@pytest.fixture
def asked(database: Engine, residents: Residents) -> dict[str, int]:
    """Three questions before a check-up, the first of which has to be answered; their numbers."""
    rows: list[dict[str, Any]] = [
        {"question": WHY, "kind": AnswerKind.TEXT, "is_required": True},
        {"question": SMOKE, "kind": AnswerKind.YES_NO},
        {"question": OFTEN, "kind": AnswerKind.CHOICE, "choices": ["Daily", "Weekly"]},
    ]
    with unit_of_work(database) as session:
        made = [
            IntakeQuestion(service_id=residents.checkup_id, position=place, **row)
            for place, row in enumerate(rows, 1)
        ]
        session.add_all(made)
        session.flush()
        return {each.question: each.id for each in made}


def shown(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def links(app: AppTest) -> list[str]:
    return [each.proto.label for each in app.get("page_link") if each.proto.page == "before_visit"]


def answers(database: Engine) -> dict[str, str]:
    with Session(database) as session:
        given = session.scalars(select(IntakeAnswer).options(joinedload(IntakeAnswer.question)))
        return {each.question.question: each.answer for each in given}


def field(app: AppTest, kind: str, number: int, asked: dict[str, int], question: str) -> Any:
    return getattr(app, kind)(key=f"intake_{number}_{asked[question]}")


def save(app: AppTest) -> None:
    app.button(key="intake_submit").click().run()
    assert not app.exception


def test_a_patient_answers_from_the_visit_s_card_and_changes_it(
    open_as: OpenAs, database: Engine, residents: Residents, asked: dict[str, int]
) -> None:
    number = visit(database, residents)
    app = open_as("ada", VISITS)
    assert links(app) == ["Before the visit: 1 question waits for your answer"]
    app = open_as("ada", BEFORE, visit=str(number))
    field(app, "text_area", number, asked, WHY).set_value("A cough\n\nsince May")
    field(app, "segmented_control", number, asked, SMOKE).set_value(intakes.NO)
    field(app, "selectbox", number, asked, OFTEN).set_value("Weekly")
    save(app)
    assert said(app.success) == ["Saved. Your doctor reads it at the visit; until then you can change it."]
    assert answers(database) == {WHY: "A cough\n\nsince May", SMOKE: "no", OFTEN: "Weekly"}
    assert links(open_as("ada", VISITS)) == ["Before the visit: your answers"]
    app = open_as("ada", BEFORE, visit=str(number))
    assert field(app, "text_area", number, asked, WHY).value == "A cough\n\nsince May"
    field(app, "segmented_control", number, asked, SMOKE).set_value(None)
    field(app, "selectbox", number, asked, OFTEN).set_value(None)
    save(app)
    assert answers(database) == {WHY: "A cough\n\nsince May"}, "an answer can be taken back"


def test_what_was_answered_on_another_device_meanwhile_stays(
    open_as: OpenAs, database: Engine, residents: Residents, asked: dict[str, int]
) -> None:
    number = visit(database, residents)
    phone, laptop = (open_as("ada", BEFORE, visit=str(number)) for _ in range(2))
    field(laptop, "text_area", number, asked, WHY).set_value("A cough")
    field(laptop, "segmented_control", number, asked, SMOKE).set_value(intakes.NO)
    save(laptop)
    field(phone, "selectbox", number, asked, OFTEN).set_value("Weekly")
    save(phone)
    assert answers(database) == {WHY: "A cough", SMOKE: "no", OFTEN: "Weekly"}
    field(phone, "selectbox", number, asked, OFTEN).set_value(None)
    save(phone)
    assert answers(database) == {WHY: "A cough", SMOKE: "no"}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("   ", f"Please answer this too: {WHY}"),
        ("A cough\x07", f"There are characters in this answer that cannot be shown: {WHY}"),
    ],
)
def test_what_is_refused_stays_as_it_was_typed(
    open_as: OpenAs,
    database: Engine,
    residents: Residents,
    asked: dict[str, int],
    typed: str,
    sentence: str,
) -> None:
    number = visit(database, residents)
    app = open_as("ada", BEFORE, visit=str(number))
    field(app, "text_area", number, asked, WHY).set_value(typed)
    field(app, "selectbox", number, asked, OFTEN).set_value("Daily")
    save(app)
    assert said(app.error) == [sentence]
    assert field(app, "text_area", number, asked, WHY).value == typed
    assert field(app, "selectbox", number, asked, OFTEN).value == "Daily"
    assert answers(database) == {}


def test_once_the_visit_has_begun_the_answers_are_for_reading(
    open_as: OpenAs, database: Engine, residents: Residents, asked: dict[str, int]
) -> None:
    number = visit(database, residents)
    app = open_as("ada", BEFORE, visit=str(number))
    field(app, "text_area", number, asked, WHY).set_value("A cough")
    save(app)
    field(app, "text_area", number, asked, WHY).set_value("Nothing")
    with time_is(NOON + timedelta(hours=72)):
        app_pages.sign_in(app, database, "ada")
        save(app)
        assert said(app.error) == ["The visit has begun: please tell the doctor."]
        assert not app.text_area
        assert "can no longer be changed" in said(app.info)[0]
        assert f"**{WHY}**  \nA cough" in shown(app)
        assert f"**{SMOKE}**  \n:gray[No answer]" in shown(app)
    assert answers(database) == {WHY: "A cough"}


def test_a_guardian_answers_for_a_dependant_and_nobody_else_does(
    open_as: OpenAs, database: Engine, residents: Residents, asked: dict[str, int]
) -> None:
    with unit_of_work(database) as session:
        child = make.patient(session, name="Chi Okafor", guardian_id=residents.ada_id)
        doctor, service = (
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
        )
        number = make.appointment(session, doctor, service, NOON.replace(day=9), patient=child).id
    app = open_as("ada", BEFORE, visit=str(number))
    assert "Chi Okafor" in shown(app)
    field(app, "text_area", number, asked, WHY).set_value("A cough")
    save(app)
    assert answers(database) == {WHY: "A cough"}
    other = open_as("ben", BEFORE, visit=str(number))
    assert said(other.error) == ["That is not here any more."], "as of a visit that is nobody's"
    assert "Chi" not in shown(other)
    assert not other.text_area


@pytest.mark.parametrize("wanted", ["999999", "x", "-1", "1e3"])
def test_a_visit_that_is_not_there_gets_one_sentence(open_as: OpenAs, wanted: str) -> None:
    app = open_as("ada", BEFORE, visit=wanted)
    assert said(app.error) == ["That is not here any more."]


def test_without_a_visit_the_page_leads_to_all_visits(open_as: OpenAs) -> None:
    assert open_as("ada", BEFORE).title[0].value == "My appointments"


def test_where_nothing_is_asked_nothing_is_named(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents)
    assert links(open_as("ada", VISITS)) == []
    assert said(open_as("ada", BEFORE, visit=str(number)).info) == ["Nothing is asked before this visit."]


def test_a_booking_names_the_questions_where_there_are_some(
    open_as: OpenAs, residents: Residents, asked: dict[str, int]
) -> None:
    app = open_as("ada", "pages/patient/doctor.py", doctor=str(residents.roth_id))
    times = app.button_group(key=f"book_{residents.roth_id}_{residents.checkup_id}_time_{NOON.date()}")
    times.set_value(NOON + timedelta(hours=3)).run()
    app.button(key="book_submit").click().run()
    assert said(app.success) == [
        "Your appointment is booked. Please answer the questions before the visit: they are with it."
    ]
    assert links(app) == ["Before the visit: 1 question waits for your answer"]


def test_the_doctor_reads_the_answers_in_the_record(
    open_as: OpenAs, database: Engine, residents: Residents, asked: dict[str, int]
) -> None:
    number = visit(database, residents)
    app = open_as("ada", BEFORE, visit=str(number))
    field(app, "text_area", number, asked, WHY).set_value("A *cough*")
    field(app, "segmented_control", number, asked, SMOKE).set_value(intakes.YES)
    save(app)
    app = open_as("roth", RECORD)
    app.text_input(key="record_text").set_value("okafor").run()
    app.button(key=f"record_{residents.ada_id}").click().run()
    assert "Answers before the visit" in [each.label for each in app.expander]
    assert f"**{WHY}**  \nA *cough*" in shown(app)
    assert f"**{SMOKE}**  \nYes" in shown(app)


def questions(database: Engine) -> list[tuple[str, bool]]:
    with Session(database) as session:
        rows = session.scalars(select(IntakeQuestion).order_by(IntakeQuestion.position, IntakeQuestion.id))
        return [(each.question, each.retired_at is None) for each in rows]


def test_an_administrator_asks_orders_and_ends_questions(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", QUESTIONS)
    assert said(app.info) == ["Nothing is asked before visits for this service."]
    app.text_input(key="questions_question").set_value(WHY)
    app.checkbox(key="questions_required").set_value(True)
    app.button(key="questions_add").click().run()
    assert said(app.success) == ["Patients are asked this from now on."]
    assert app.text_input(key="questions_question").value == ""
    app.text_input(key="questions_question").set_value(OFTEN)
    app.radio(key="questions_kind").set_value(AnswerKind.CHOICE).run()
    app.text_area(key="questions_choices").set_value("Daily\nWeekly")
    app.button(key="questions_add").click().run()
    assert f"**{WHY}** :orange-badge[Has to be answered]" in shown(app)
    assert "One of several answers: Daily · Weekly" in shown(app)
    with Session(database) as session:
        first, second = session.scalars(select(IntakeQuestion.id).order_by(IntakeQuestion.position))
    app.button(key=f"questions_up_{second}").click().run()
    assert questions(database) == [(OFTEN, True), (WHY, True)]
    app.button(key=f"questions_retire_{first}").click().run()
    assert said(app.success) == ["This is asked no more. What was answered stays."]
    assert questions(database) == [(OFTEN, True), (WHY, False)]
    assert WHY not in shown(app)


def test_a_question_that_cannot_be_asked_is_refused_and_stays(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", QUESTIONS)
    app.button(key="questions_add").click().run()
    assert said(app.error) == ["Please write the question."]
    app.text_input(key="questions_question").set_value(OFTEN)
    app.radio(key="questions_kind").set_value(AnswerKind.CHOICE).run()
    app.text_area(key="questions_choices").set_value("Daily")
    app.button(key="questions_add").click().run()
    assert said(app.error) == ["Please give at least two answers to choose from, and 20 at most."]
    assert app.text_input(key="questions_question").value == OFTEN
    assert app.text_area(key="questions_choices").value == "Daily"
    assert questions(database) == []


@pytest.mark.parametrize(
    ("username", "page"),
    [
        *((other, QUESTIONS) for other in ("ada", "roth", "rita")),
        *((other, BEFORE) for other in ("roth", "rita", "albert")),
    ],
)
def test_each_page_is_for_its_role_alone(open_as: OpenAs, username: str, page: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(page)


@pytest.mark.parametrize("page", [BEFORE, QUESTIONS])
def test_a_page_run_by_itself_refuses_whoever_is_not_signed_in(residents: Residents, page: str) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title


def test_many_questions_are_all_there(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents)
    with unit_of_work(database) as session:
        session.add_all(
            IntakeQuestion(
                service_id=residents.checkup_id, position=n, question=f"Question {n}", kind=AnswerKind.TEXT
            )
            for n in range(1, 21)
        )
    assert len(open_as("ada", BEFORE, visit=str(number)).text_area) == 20
