"""The page of a visit, without a browser: what each button does, what it refuses, and who may not see it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, selectinload
from streamlit.testing.v1 import AppTest

from core.access import Actor
from db.models import (
    Appointment,
    AppointmentStatus,
    Doctor,
    ItemKind,
    Letter,
    NoteDraft,
    NoteVersion,
    Patient,
    Prescription,
    RecordItem,
    Role,
    Service,
    Severity,
    SignIn,
)
from db.session import unit_of_work
from tests import clinical, make
from tests.app_pages import HOME, OpenAs
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts

__all__ = ["open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
VISIT = "pages/doctor/visit.py"
Opened = Callable[..., AppTest]


@pytest.fixture
def visit_id(database: Engine, residents: Residents) -> int:
    """Ada, who has arrived for a visit with Dr. Roth that has just begun."""
    with unit_of_work(database) as session:
        return _visit(session, residents, residents.ada_id, status=AppointmentStatus.ARRIVED)


def _visit(session: Session, residents: Residents, patient_id: int, **changes: Any) -> int:
    return make.appointment(
        session,
        session.get_one(Doctor, changes.pop("doctor_id", residents.roth_id)),
        session.get_one(Service, residents.checkup_id),
        changes.pop("starts_at", NOON - timedelta(minutes=5)),
        patient=session.get_one(Patient, patient_id),
        **changes,
    ).id


@pytest.fixture
def opened(open_as: OpenAs, visit_id: int) -> Opened:
    """The page of Ada's visit, as Dr. Roth has it."""

    def open_visit(username: str = "roth", number: int | str = visit_id) -> AppTest:
        return open_as(username, VISIT, visit=str(number))

    return open_visit


def roth(session: Session, residents: Residents) -> Actor:
    doctor = session.get_one(Doctor, residents.roth_id)
    return Actor(doctor.user_id, Role.DOCTOR, "Dr. Eva Roth", doctor_id=doctor.id)


def written(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def type_into(app: AppTest, visit_id: int, **parts: str) -> AppTest:
    """Fill fields of the note, as leaving each saves them."""
    for part, words in parts.items():
        fields = app.text_area if part in ("reason", "findings", "assessment", "plan") else app.text_input
        fields(key=f"note_{visit_id}_{part}").set_value(words)
        app.run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def draft_of(database: Engine, visit_id: int) -> dict[str, str]:
    with Session(database) as session:
        kept = session.scalars(select(NoteDraft).where(NoteDraft.appointment_id == visit_id)).first()
        return {name: text for name, text in kept.fields.items() if text} if kept else {}


def versions(database: Engine) -> list[NoteVersion]:
    with Session(database) as session:
        return list(session.scalars(select(NoteVersion).order_by(NoteVersion.number)))


def test_what_is_typed_is_kept_and_stands_there_again_on_another_screen(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    app = type_into(opened(), visit_id, reason="Cough", systolic="120")
    assert draft_of(database, visit_id) == {"reason": "Cough", "systolic": "120"}
    assert "Saved 2:00:00 PM" in written(app) or "Saved 14:00:00" in written(app)
    again = opened()
    assert again.text_area(key=f"note_{visit_id}_reason").value == "Cough"
    assert again.text_input(key=f"note_{visit_id}_systolic").value == "120"


def test_a_note_is_signed_read_again_amended_with_a_reason_and_every_version_stays(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    note = f"note_{visit_id}"
    app = type_into(opened(), visit_id, reason="Cough", systolic="120", diastolic="80", weight="72.5")
    press(app, f"{note}_sign")
    assert said(app.success) == ["The note is signed."]
    assert "Signed by Dr. Eva Roth" in written(app)
    assert "Weight 72.5 kg" in written(app).replace("**", "")
    assert f"{note}_reason" not in {each.key for each in app.text_area}
    press(app, f"{note}_amend")
    assert app.text_area(key=f"{note}_reason").value == "Cough"
    type_into(app, visit_id, plan="Tea")
    press(app, f"{note}_sign")
    assert len(versions(database)) == 1
    assert "reason" in said(app.error)[0].lower()
    app.text_input(key=f"{note}_amendment").set_value("Forgot the plan")
    press(app, f"{note}_sign")
    assert [(each.plan, each.amendment) for each in versions(database)] == [
        ("", ""),
        ("Tea", "Forgot the plan"),
    ]
    assert "Why: Forgot the plan" in written(app)
    assert "1 earlier version" in [each.label for each in app.expander]
    assert draft_of(database, visit_id) == {}


def test_the_reason_of_an_amendment_is_kept_as_it_is_typed(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    note = f"note_{visit_id}"
    app = press(type_into(opened(), visit_id, reason="Cough"), f"{note}_sign")
    type_into(press(app, f"{note}_amend"), visit_id, amendment="Forgot the plan")
    again = opened()
    assert again.text_input(key=f"{note}_amendment").value == "Forgot the plan"
    press(type_into(again, visit_id, plan="Tea"), f"{note}_sign")
    assert [(each.plan, each.amendment) for each in versions(database)][1] == ("Tea", "Forgot the plan")
    assert press(again, f"{note}_amend").text_input(key=f"{note}_amendment").value == ""


def test_an_amendment_is_dropped_and_the_signed_note_stays(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    note = f"note_{visit_id}"
    app = press(type_into(opened(), visit_id, reason="Cough"), f"{note}_sign")
    type_into(press(app, f"{note}_amend"), visit_id, reason="Cold")
    assert draft_of(database, visit_id) == {"reason": "Cold"}
    press(app, f"{note}_drop")
    assert draft_of(database, visit_id) == {}
    assert [each.reason for each in versions(database)] == ["Cough"]
    assert press(app, f"{note}_amend").text_area(key=f"{note}_reason").value == "Cough"


def test_a_signed_note_is_released_and_held_back(opened: Opened, visit_id: int) -> None:
    note = f"note_{visit_id}"
    app = press(type_into(opened(), visit_id, reason="Cough"), f"{note}_sign")
    assert "The patient cannot read this note." in written(app)
    press(app, f"{note}_release")
    assert "The patient can read this note since 1 Jun 2026, 14:00." in written(app)
    press(app, f"{note}_release")
    assert "The patient cannot read this note." in written(app)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "The note is empty."),
        ({"reason": "Cough", "systolic": "12,000", "diastolic": "80"}, "cannot be right"),
        ({"reason": "Cough", "systolic": "12000", "diastolic": "80"}, "must lie between 30 and 350 mmHg"),
        ({"reason": "Cough", "pulse": "quick"}, "Pulse: please give a number in /min."),
        ({"plan": "A bell \x07 and one turned \u202e round"}, "characters in Plan that cannot be shown"),
        ({"findings": "x" * 20_001}, "Findings is too long"),
    ],
)
def test_a_note_that_cannot_be_signed_is_kept_as_it_was_typed(
    opened: Opened, database: Engine, visit_id: int, typed: dict[str, str], sentence: str
) -> None:
    app = press(type_into(opened(), visit_id, **typed), f"note_{visit_id}_sign")
    assert sentence in said(app.error)[0]
    assert versions(database) == []
    assert draft_of(database, visit_id) == typed


def test_a_note_of_a_megabyte_is_not_saved_stays_on_the_screen_and_is_saved_once_shorter(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    app = type_into(opened(), visit_id, reason="Cough")
    type_into(app, visit_id, findings="x" * 1_000_000)
    assert "Not saved: That is more than a note can hold" in said(app.error)[0]
    assert draft_of(database, visit_id) == {"reason": "Cough"}
    press(app, f"note_{visit_id}_sign")
    assert versions(database) == []
    assert len(app.text_area(key=f"note_{visit_id}_findings").value) == 1_000_000
    type_into(app, visit_id, findings="Shorter")
    assert draft_of(database, visit_id) == {"reason": "Cough", "findings": "Shorter"}
    assert not app.error


def test_what_was_changed_in_another_window_is_not_written_over(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    one, other = opened(), opened()
    type_into(one, visit_id, reason="From one")
    type_into(other, visit_id, reason="From the other")
    assert "changed in another window" in said(other.error)[0]
    assert other.text_area(key=f"note_{visit_id}_reason").value == "From the other"
    press(other, f"note_{visit_id}_sign")
    assert versions(database) == []
    assert draft_of(database, visit_id) == {"reason": "From one"}
    press(other, f"note_{visit_id}_other")
    assert other.text_area(key=f"note_{visit_id}_reason").value == "From one"
    type_into(other, visit_id, reason="From one, and the other")
    assert draft_of(database, visit_id) == {"reason": "From one, and the other"}


def test_a_tab_whose_saving_is_not_answered_yet_is_not_told_of_itself(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    """Until the answer is drawn, the browser sends the revision before."""
    app, field = opened(), f"note_{visit_id}_reason"
    for words in ("Co", "Coug", "Cough"):
        app.text_input(key=f"note_{visit_id}_base").set_value("0")
        app.text_area(key=field).set_value(words).run()
        assert not app.error
    assert draft_of(database, visit_id) == {"reason": "Cough"}
    type_into(opened(), visit_id, reason="From another window")
    app.text_input(key=f"note_{visit_id}_base").set_value("0")
    app.text_area(key=field).set_value("Cough and cold").run()
    assert "changed in another window" in said(app.error)[0]
    press(app, f"note_{visit_id}_other")
    app.text_input(key=f"note_{visit_id}_base").set_value("0")
    app.text_area(key=field).set_value("Typed before the other text was there").run()
    assert "changed in another window" in said(app.error)[0]
    assert draft_of(database, visit_id) == {"reason": "From another window"}


def test_a_note_signed_in_another_window_leaves_what_is_typed_here_on_the_screen(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    one, other = opened(), opened()
    press(type_into(one, visit_id, reason="From one"), f"note_{visit_id}_sign")
    type_into(other, visit_id, reason="From the other")
    assert other.text_area(key=f"note_{visit_id}_reason").value == "From the other"
    assert "changed in another window" in " ".join(said(other.error) + said(other.warning))
    assert draft_of(database, visit_id) == {}
    assert [each.reason for each in versions(database)] == ["From one"]


RX = {"drug": "Penicillin V", "dose": "1 tablet", "frequency": "3 times a day"}


def prescribe(app: AppTest, patient_id: int, line: int = 1, **parts: str) -> AppTest:
    for part, words in parts.items():
        fields = app.text_area if part == "instructions" else app.text_input
        fields(key=f"rx_{patient_id}_{line}_{part}").set_value(words)
        app.run()
    assert not app.exception
    return app


def prescribed(database: Engine) -> list[tuple[bool, list[str]]]:
    """Whether each prescription is signed, and its drugs."""
    query = select(Prescription).options(selectinload(Prescription.items)).order_by(Prescription.id)
    with Session(database) as session:
        rows = session.scalars(query).all()
        return [(row.signed_at is not None, [item.drug for item in row.items]) for row in rows]


def test_a_prescription_is_kept_line_by_line_signed_and_repeated(
    opened: Opened,
    database: Engine,
    residents: Residents,
) -> None:
    ada = residents.ada_id
    app = prescribe(opened(), ada, drug="Ibuprofen", dose="400 mg")
    prescribe(app, ada, 2, drug="Tea", dose="1 cup", frequency="daily")
    assert prescribed(database) == [(False, ["Ibuprofen", "Tea"])]
    press(app, f"rx_{ada}_sign")
    assert "Ibuprofen: please say this too: How often." in said(app.error)[0]
    press(app, f"rx_{ada}_1_away")
    assert app.text_input(key=f"rx_{ada}_1_drug").value == "Tea"
    press(app, f"rx_{ada}_sign")
    assert said(app.success) == ["The prescription is signed."]
    assert prescribed(database) == [(True, ["Tea"])]
    assert app.text_input(key=f"rx_{ada}_1_drug").value == ""
    [repeat] = [each.key for each in app.button if (each.key or "").endswith("_repeat")]
    press(app, repeat)
    assert app.text_input(key=f"rx_{ada}_1_drug").value == "Tea"
    press(app, f"rx_{ada}_sign")
    assert prescribed(database) == [(True, ["Tea"]), (True, ["Tea"])]


def test_what_is_typed_when_an_earlier_prescription_is_repeated_stays(
    opened: Opened, database: Engine, residents: Residents
) -> None:
    ada = residents.ada_id
    app = press(prescribe(opened(), ada, **RX), f"rx_{ada}_sign")
    [repeat] = [each.key for each in app.button if (each.key or "").endswith("_repeat")]
    app.text_input(key=f"rx_{ada}_1_drug").set_value("Tea")
    press(app, repeat)
    assert [app.text_input(key=f"rx_{ada}_{line}_drug").value for line in (1, 2)] == ["Tea", "Penicillin V"]
    assert prescribed(database)[1] == (False, ["Tea", "Penicillin V"])


def test_an_allergy_written_down_elsewhere_after_the_last_look_is_not_passed_over(
    opened: Opened, database: Engine, residents: Residents
) -> None:
    ada = residents.ada_id
    with unit_of_work(database) as session:
        make.record_item(session, session.get_one(Patient, ada), "Penicillin")
    app = prescribe(opened(), ada, **RX)
    app.checkbox[0].check().run()
    with unit_of_work(database) as session:
        make.record_item(session, session.get_one(Patient, ada), "Penicillin, all of them")
    press(app, f"rx_{ada}_sign")
    assert "The record names another allergy by now" in " ".join(said(app.error))
    assert prescribed(database) == [(False, ["Penicillin V"])]
    app.checkbox[0].check().run()
    press(app, f"rx_{ada}_sign")
    assert prescribed(database) == [(True, ["Penicillin V"])]


def test_a_prescription_without_a_dose_or_with_nothing_is_not_signed(
    opened: Opened,
    database: Engine,
    residents: Residents,
) -> None:
    ada = residents.ada_id
    app = press(opened(), f"rx_{ada}_sign")
    assert said(app.error) == ["There is nothing on the prescription yet."]
    press(prescribe(app, ada, drug="Ibuprofen", frequency="daily"), f"rx_{ada}_sign")
    assert "Ibuprofen: please say this too: Dose." in said(app.error)[0]
    prescribe(app, ada, dose="x" * 201)
    assert "Not saved: Dose is too long" in said(app.error)[0]
    press(app, f"rx_{ada}_sign")
    assert prescribed(database) == [(False, ["Ibuprofen"])]


def test_a_drug_named_like_an_allergy_is_signed_once_somebody_says_they_looked(
    opened: Opened,
    database: Engine,
    residents: Residents,
) -> None:
    ada = residents.ada_id
    with unit_of_work(database) as session:
        make.record_item(session, session.get_one(Patient, ada), "Penicillin", severity=Severity.SEVERE)
    app = prescribe(opened(), ada, **RX)
    assert "The same word stands among the allergies: Penicillin V – Penicillin" in said(app.error)[-1]
    assert "This is a comparison of words, not a clinical check" in written(app)
    press(app, f"rx_{ada}_sign")
    assert prescribed(database) == [(False, ["Penicillin V"])]
    app.checkbox[0].check().run()
    prescribe(app, ada, 2, drug="Penicillin G", dose="1", frequency="daily")
    press(app, f"rx_{ada}_sign")
    assert prescribed(database)[0][0] is False, "another drug is looked at anew"
    app.checkbox[0].check().run()
    press(app, f"rx_{ada}_sign")
    assert prescribed(database) == [(True, ["Penicillin V", "Penicillin G"])]


def test_a_prescription_is_withdrawn_with_a_reason(
    opened: Opened,
    database: Engine,
    residents: Residents,
) -> None:
    ada = residents.ada_id
    app = press(prescribe(opened(), ada, **RX), f"rx_{ada}_sign")
    [withdraw] = [each.key for each in app.button if (each.key or "").endswith("_withdraw")]
    press(app, withdraw)
    assert "reason" in said(app.error)[0].lower()
    app.text_input(key=withdraw.replace("_withdraw", "_why")).set_value("Wrong strength")
    press(app, withdraw)
    assert "Withdrawn" in written(app)
    assert "Why: Wrong strength" in written(app)


def test_letters_are_begun_kept_signed_and_dropped(opened: Opened, database: Engine, visit_id: int) -> None:
    app = press(opened(), f"letter_begin_sick_note_{visit_id}_button")
    with Session(database) as session:
        number = session.scalars(select(Letter.id)).one()
    name = f"letter_{number}"
    app.text_area(key=f"{name}_addressee").set_value("Her employer").run()
    press(app, f"{name}_sign")
    assert said(app.error) == ["Please give the first and the last day of the sick note."]
    day = NOON.date()
    app.date_input(key=f"{name}_absent_from").set_value(day)
    app.date_input(key=f"{name}_absent_until").set_value(day + timedelta(days=2))
    app.run()
    app.text_area(key=f"{name}_body").set_value("x" * 20_001).run()
    assert "Not saved: The letter is too long" in said(app.error)[0]
    press(app, f"{name}_sign")
    with Session(database) as session:
        assert session.get_one(Letter, number).signed_at is None, "the older text is not signed instead"
    app.text_area(key=f"{name}_body").set_value("She is ill until {last}.").run()
    press(app, f"{name}_sign")
    assert said(app.success) == ["The letter is signed."]
    with Session(database) as session:
        kept = session.get_one(Letter, number)
        assert (kept.addressee, kept.body) == ("Her employer", "She is ill until Wed, 3 Jun 2026.")
    press(app, f"letter_begin_referral_{visit_id}_button")
    [drop] = [each.key for each in app.button if (each.key or "").endswith("_drop")]
    press(app, drop)
    assert said(app.success) == ["The letter is dropped."]


def letters(database: Engine) -> list[tuple[bool, str]]:
    """Whether each letter is signed, and its words."""
    with Session(database) as session:
        rows = session.scalars(select(Letter).order_by(Letter.id)).all()
        return [(row.signed_at is not None, row.body) for row in rows]


@pytest.mark.parametrize("end", ["sign", "drop"])
def test_what_is_typed_into_a_letter_that_another_window_ends_goes_on_as_a_new_draft(
    opened: Opened, database: Engine, visit_id: int, end: str
) -> None:
    one = press(opened(), f"letter_begin_referral_{visit_id}_button")
    other = opened()
    with Session(database) as session:
        number = session.scalars(select(Letter.id)).one()
    one.text_area(key=f"letter_{number}_body").set_value("From one").run()
    press(one, f"letter_{number}_{end}")
    before = letters(database)
    other.text_area(key=f"letter_{number}_body").set_value("From the other").run()
    assert not other.exception
    assert letters(database) == [*before, (False, "From the other")]
    assert "What you typed stands in a new draft." in said(other.success)[0]
    assert "From the other" in [each.value for each in other.text_area]
    with Session(database) as session:
        again = session.scalars(select(Letter.id).where(Letter.signed_at.is_(None))).one()
    other.text_area(key=f"letter_{again}_body").set_value("From the other, and on").run()
    assert letters(database) == [*before, (False, "From the other, and on")]


def test_a_letter_that_another_window_signs_leaves_no_draft_where_nothing_was_typed_since(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    one = press(opened(), f"letter_begin_referral_{visit_id}_button")
    other = opened()
    [sign] = [each.key for each in one.button if (each.key or "").endswith("_sign") and "letter" in each.key]
    press(one, sign)
    press(other, f"note_{visit_id}_sign")
    assert [is_signed for is_signed, _words in letters(database)] == [True]


def test_an_entry_is_put_on_a_list_and_ended(opened: Opened, database: Engine, residents: Residents) -> None:
    app = opened()
    assert "No allergies written down" in written(app)
    press(app, f"visit_list_{residents.ada_id}_add")
    assert said(app.error) == ["Please say what it is."]
    app.text_input(key=f"visit_list_{residents.ada_id}_name").set_value("Latex").run()
    app.selectbox(key=f"visit_list_{residents.ada_id}_severity").select(Severity.SEVERE).run()
    press(app, f"visit_list_{residents.ada_id}_add")
    assert "Latex (severe)" in said(app.error)[0].replace("*", "")
    assert app.text_input(key=f"visit_list_{residents.ada_id}_name").value == ""
    with Session(database) as session:
        number = session.scalars(select(RecordItem.id)).one()
    press(app, f"visit_item_{number}_mistake")
    assert "No allergies written down" in written(app)


def test_severe_allergies_come_first_and_lists_show_what_counts(
    opened: Opened,
    database: Engine,
    residents: Residents,
) -> None:
    with unit_of_work(database) as session:
        ada = session.get_one(Patient, residents.ada_id)
        make.record_item(session, ada, "Nuts", severity=Severity.SEVERE)
        make.record_item(session, ada, "Pollen", severity=Severity.MILD)
        make.record_item(session, ada, "Asthma", kind=ItemKind.PROBLEM)
        make.record_item(session, ada, "Salbutamol", kind=ItemKind.MEDICATION)
    app = opened()
    banner = said(app.error)[0]
    assert banner.index("Nuts") < banner.index("Pollen")
    assert "Problems: Asthma" in written(app).replace("*", "")
    assert "Medication: Salbutamol" in written(app).replace("*", "")


def test_the_last_visits_answers_and_files_stand_beside_the_note(
    opened: Opened,
    database: Engine,
    residents: Residents,
    visit_id: int,
) -> None:
    with unit_of_work(database) as session:
        actor = roth(session, residents)
        before = session.get_one(
            Appointment,
            _visit(
                session,
                residents,
                residents.ada_id,
                starts_at=NOON - timedelta(days=30),
                status=AppointmentStatus.COMPLETED,
            ),
        )
        clinical.written(session, actor, before, "Migraine")
    app = opened()
    assert any("Check-up · Dr. Eva Roth" in each.label.replace("\\", "") for each in app.expander)
    assert "Migraine" in written(app)
    assert "Before the visit" in written(app)


def test_a_visit_is_finished_without_signing_after_a_warning_and_the_next_patient_is_offered(
    opened: Opened,
    database: Engine,
    residents: Residents,
    visit_id: int,
) -> None:
    with unit_of_work(database) as session:
        later = [NOON + timedelta(minutes=minutes) for minutes in (30, 60)]
        _visit(session, residents, residents.ben_id, starts_at=later[0])
        other = make.patient(session, name="Cem Yılmaz").id
        _visit(session, residents, other, starts_at=later[1], status=AppointmentStatus.ARRIVED)
    app = opened()
    assert "The note is not signed." in written(app)
    assert app.button(key=f"visit_finish_{visit_id}_button").label == "Finish without signing"
    press(app, f"visit_finish_{visit_id}_button")
    assert said(app.success) == ["The visit is done."]
    with Session(database) as session:
        assert session.get_one(Appointment, visit_id).status is AppointmentStatus.COMPLETED
    assert links(app) == ["Next: Cem Yılmaz, 15:00, is here"], "who has arrived comes before who is expected"


def test_a_signed_visit_is_finished_and_after_the_last_nobody_is_offered(
    opened: Opened, visit_id: int
) -> None:
    app = press(type_into(opened(), visit_id, reason="Cough"), f"note_{visit_id}_sign")
    assert "not signed" not in written(app)
    assert app.button(key=f"visit_finish_{visit_id}_button").label == "Finish the visit"
    press(app, f"visit_finish_{visit_id}_button")
    assert links(app) == ["Nobody else is expected today"]


def test_a_visit_that_has_not_begun_is_not_finished_and_its_note_not_signed(
    open_as: OpenAs,
    database: Engine,
    residents: Residents,
) -> None:
    with unit_of_work(database) as session:
        number = _visit(session, residents, residents.ada_id, starts_at=NOON + timedelta(hours=2))
    app = open_as("roth", VISIT, visit=str(number))
    press(app, f"visit_finish_{number}_button")
    assert said(app.error) == ["This visit has not begun yet."]
    press(type_into(app, number, reason="Prepared"), f"note_{number}_sign")
    assert "This can be signed once the patient has arrived." in said(app.error)[0]
    assert draft_of(database, number) == {"reason": "Prepared"}


def links(app: AppTest) -> list[str]:
    return [each.proto.label.replace("\\", "") for each in app.get("page_link")]


@pytest.mark.parametrize("asked", ["", "0", "999999", "1e3", "-1", "٣", "1 OR 1=1", "9" * 40])
def test_a_number_that_is_no_visit_gets_one_sentence(opened: Opened, asked: str) -> None:
    app = opened(number=asked)
    [sentence] = [*said(app.error), *said(app.info)]
    assert sentence in {"That is not here any more.", "Open a visit from your day."}
    assert not app.text_area


def test_another_doctors_visit_is_refused_and_the_refusal_kept(opened: Opened, visit_id: int) -> None:
    app = opened("weiss")
    assert said(app.error) == ["That is not here any more."]
    assert "Ada" not in written(app)


@pytest.mark.parametrize("username", ["ada", "rita", "albert"])
def test_the_page_is_for_doctors_alone(opened: Opened, username: str) -> None:
    with pytest.raises(ValueError, match="page"):
        opened(username)


def test_whoever_is_signed_out_reads_nothing_and_writes_nothing(
    opened: Opened, database: Engine, visit_id: int
) -> None:
    alone = AppTest.from_file(HOME.replace("Home.py", VISIT), default_timeout=20)
    alone.query_params["visit"] = str(visit_id)
    assert [each.value for each in alone.run().warning] == ["Please sign in to see this page."]
    app = type_into(opened(), visit_id, reason="Cough")
    with unit_of_work(database) as session:
        for each in session.scalars(select(SignIn)):
            each.ended_at = each.last_seen_at
    app.text_area(key=f"note_{visit_id}_reason").set_value("Written by nobody")
    app.button(key=f"note_{visit_id}_sign").click().run()
    assert "Please sign in to see this page." in [each.value for each in app.warning]
    assert "Cough" not in written(app)
    assert versions(database) == []
    assert draft_of(database, visit_id) == {"reason": "Cough"}


def test_today_leads_to_the_visit(opened: Opened, open_as: OpenAs) -> None:
    assert "Open the visit" in links(open_as("roth"))
    assert "Open the visit" not in links(open_as("rita", "pages/doctor/today.py"))


def test_what_was_typed_for_a_visit_that_is_called_off_is_left_on_today(
    opened: Opened, open_as: OpenAs, database: Engine, visit_id: int
) -> None:
    type_into(opened(), visit_id, plan="Tea")
    with unit_of_work(database) as session:
        session.get_one(Appointment, visit_id).status = AppointmentStatus.CANCELLED
    assert not open_as("weiss").expander
    app = open_as("roth")
    assert [each.label for each in app.expander] == ["1 draft that is left"]
    press(app, f"today_left_read_note_{visit_id}")
    assert [each.value for each in app.code] == ["Plan\nTea"]
    press(app, f"today_left_drop_note_{visit_id}")
    assert said(app.success) == ["The draft is dropped."]
    assert draft_of(database, visit_id) == {}
