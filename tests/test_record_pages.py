"""The pages of records, of the trail and of a person's own data: one success and one refusal each."""

from functools import partial

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import records
from core.access import Action
from core.audit import Event
from db.models import AuditEntry, EmergencyAccess, Outcome, Patient, Role, User
from db.session import unit_of_work
from pages.ui.trail import DONE
from tests import app_pages, make, portal
from tests.app_pages import HOME, OpenAs, opened
from tests.cast import time_is
from tests.portal import NOON, Residents
from tests.test_pages import said, texts, visit

pytestmark = pytest.mark.usefixtures("noon_without_cookies")
RECORD = "pages/doctor/patient_record.py"
TRAIL = "pages/admin/audit_trail.py"
ACCESS = "pages/patient/record_access.py"
MY_DATA = "pages/patient/my_data.py"


@pytest.fixture
def residents(database: Engine) -> Residents:
    with unit_of_work(database) as session:
        made = portal.settle_in(session)
        ada = session.get_one(Patient, made.ada_id)
        make.known_of(session, ada)
        return made


@pytest.fixture
def open_as(database: Engine, residents: Residents) -> OpenAs:
    """Open a page as somebody."""
    return partial(opened, database)


def written(app: AppTest) -> str:
    return texts(app).replace("\\", "") + "\n".join(str(element.value) for element in app.text)


def refusals(database: Engine) -> list[tuple[str, int | None]]:
    with Session(database) as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.outcome == Outcome.REFUSED))
        return [(entry.action, entry.patient_id) for entry in rows]


def search(app: AppTest, text: str, patient_id: int) -> None:
    app.text_input(key="record_text").set_value(text).run()
    app.button(key=f"record_{patient_id}").click().run()
    assert not app.exception


def test_every_action_of_the_trail_has_its_words() -> None:
    assert set(DONE) == {*Action, *Event}


def test_a_doctor_reads_the_record_of_an_own_patient(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents)
    app = open_as("roth", RECORD)
    search(app, "okafor", residents.ada_id)
    assert app.title[0].value == "Ada Okafor"
    assert "Penicillin" in written(app)
    assert not app.error


def test_another_doctors_patient_needs_a_reason_and_then_shows_until_when(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents)
    app = open_as("weiss", RECORD)
    search(app, "okafor", residents.ada_id)
    assert "Penicillin" not in written(app)
    assert "You have had no visit with this patient" in app.warning[0].value
    app.text_input(key="record_reason").set_value("help")
    app.button(key="record_submit").click().run()
    assert "say in a few words what the emergency is" in said(app.error)[0]
    assert "Penicillin" not in written(app)
    app.text_input(key="record_reason").set_value("Found unconscious in the hall")
    app.button(key="record_submit").click().run()
    assert "Penicillin" in written(app)
    assert said(app.error) == ["Emergency access until 16:00. Every look is recorded."]
    with time_is(NOON + records.EMERGENCY_LASTS):
        app_pages.sign_in(app, database, "weiss")
        app.run()
        assert "Penicillin" not in written(app)
        assert "You have had no visit with this patient" in app.warning[0].value


def test_a_forged_choice_opens_nothing_and_is_kept_as_a_refusal(
    open_as: OpenAs, database: Engine, residents: Residents, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_as("ada", ACCESS)
    with unit_of_work(database) as session:
        ada = session.get_one(Patient, residents.ada_id)
        session.get_one(User, ada.user_id).role = Role.DOCTOR
    app.run()
    assert "Please sign in" in app.warning[0].value
    app = open_as("ada")
    app.session_state["record_patient"] = residents.ben_id
    app.switch_page(RECORD).run()
    app.text_input(key="record_reason").set_value("Found unconscious in the hall")
    app.button(key="record_submit").click().run()
    assert said(app.error) == ["You may not do that."]
    assert refusals(database) == [(Action.BREAK_GLASS, residents.ben_id)]
    with Session(database) as session:
        assert session.scalars(select(EmergencyAccess)).all() == []


def test_a_patient_that_is_gone_ends_the_page_with_a_sentence(open_as: OpenAs) -> None:
    app = open_as("roth")
    app.session_state["record_patient"] = 999_999
    app.switch_page(RECORD).run()
    assert not app.exception
    assert said(app.error) == ["That is not here any more."]


def test_an_administrator_reviews_an_emergency_and_searches_the_trail(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    weiss = open_as("weiss", RECORD)
    search(weiss, "okafor", residents.ada_id)
    weiss.text_input(key="record_reason").set_value("Found unconscious in the hall")
    weiss.button(key="record_submit").click().run()
    app = open_as("albert", TRAIL)
    assert "1 emergency access to review" in written(app)
    assert "Found unconscious in the hall" in written(app)
    [table] = app.dataframe
    assert "Opened the record" in set(table.value["What"])
    app.text_input(key="audit_who").set_value("nobody at all").run()
    assert [info.value for info in app.info] == ["No entry fits that."]
    app.text_input(key="audit_who").set_value("weiß").run()
    assert {*app.dataframe[0].value["Who"]} == {"Dr. Jonas Weiß (Doctor)"}
    [review] = [button for button in app.button if (button.key or "").startswith("audit_review_")]
    review.click().run()
    assert said(app.success) == ["Reviewed."]
    assert "to review" not in written(app)


def test_the_trail_checks_itself_on_request(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", TRAIL)
    app.button(key="audit_check").click().run()
    assert "Every entry is as it was written" in said(app.success)[0]
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_entries DISABLE TRIGGER only_added")
        connection.exec_driver_sql("GRANT UPDATE ON audit_entries TO CURRENT_USER")
        connection.exec_driver_sql("UPDATE audit_entries SET action = 'nothing'")
    app.button(key="audit_check").click().run()
    assert "altered" in said(app.error)[0]


def test_patients_see_who_opened_their_record_and_the_childs(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        child = make.patient(session, name="Chi Okafor", guardian_id=residents.ada_id).id
    desk = open_as("rita", "pages/staff/book_for_patient.py")
    desk.session_state["people_chosen"] = residents.ada_id
    desk.run()
    app = open_as("ada", ACCESS)
    assert "Opened the contact details" in written(app)
    assert "Rita Empfang (Reception)" in written(app)
    app.selectbox(key="access_patient").select(child).run()
    assert [info.value for info in app.info] == ["Nobody has opened it yet."]
    assert [info.value for info in open_as("ben", ACCESS).info] == ["Nobody has opened it yet."]


def test_a_patient_erases_the_account_and_reads_what_is_kept(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=-72)
    app = open_as("ada", MY_DATA)
    app.text_input(key="data_name").set_value("Ada")
    app.button(key="data_erase_submit").click().run()
    assert said(app.error) == ["That is not the name. Please write it as it stands above."]
    app.text_input(key="data_name").set_value("Ada Okafor")
    app.button(key="data_erase_submit").click().run()
    assert "Kept until 29 May 2036: name, birth date, visits, record, invoices" in said(app.success)[0]
    assert "Please sign in" in app.warning[0].value
    with Session(database) as session:
        assert session.get_one(Patient, residents.ada_id).erased_at == NOON


def test_a_visit_ahead_stands_in_the_way_of_erasing(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents)
    app = open_as("ada", MY_DATA)
    app.text_input(key="data_name").set_value("Ada Okafor")
    app.button(key="data_erase_submit").click().run()
    assert "There are visits ahead" in said(app.error)[0]


def test_reception_links_a_guardian_and_ends_it(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", "pages/staff/book_for_patient.py")
    app.session_state["people_chosen"] = residents.ben_id
    app.run()
    app.text_input(key="guardian_text").set_value("okafor").run()
    app.button(key=f"guardian_{residents.ada_id}").click().run()
    assert "will see the record of" in said(app.warning)[0], "nothing is linked before it was confirmed"
    app.button(key="guardian_link").click().run()
    assert "can book, read and download" in said(app.success)[0]
    assert [each.label for each in app.expander] == ["Guardian: Ada Okafor"]
    app.button(key="guardian_unlink").click().run()
    assert "can no longer act" in said(app.success)[0]
    with unit_of_work(database) as session:
        session.get_one(Patient, residents.ada_id).guardian_id = make.patient(session).id
    app.text_input(key="guardian_text").set_value("okafor").run()
    app.button(key=f"guardian_{residents.ada_id}").click().run()
    assert "will see the record of" in said(app.warning)[0], "nothing is linked before it was confirmed"
    app.button(key="guardian_link").click().run()
    assert said(app.error) == ["Ada Okafor has a guardian too, and so cannot be one."]


@pytest.mark.parametrize(
    ("username", "page"),
    [
        *((other, RECORD) for other in ("ada", "rita", "albert")),
        *((other, TRAIL) for other in ("ada", "roth", "rita")),
        *((other, page) for other in ("roth", "rita", "albert") for page in (ACCESS, MY_DATA)),
    ],
)
def test_each_page_is_for_its_role_alone(open_as: OpenAs, username: str, page: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(page)


@pytest.mark.parametrize("page", [RECORD, TRAIL, ACCESS, MY_DATA])
def test_a_page_run_by_itself_refuses_whoever_is_not_signed_in(residents: Residents, page: str) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
