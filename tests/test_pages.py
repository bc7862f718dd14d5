"""Every page from the entry script on, without a browser: what it shows, and what it refuses."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import second_factors, secrets_at_rest, sign_ins
from db.models import (
    Appointment,
    AppointmentStatus,
    AuditEntry,
    Doctor,
    Outcome,
    Patient,
    Service,
    User,
)
from db.session import unit_of_work
from pages.ui.words import plain
from tests import app_pages, make, portal
from tests.app_pages import HOME, OpenAs, opened
from tests.portal import NOON, PASSWORD, Residents

pytestmark = pytest.mark.usefixtures("noon_without_cookies")


@pytest.fixture
def residents(database: Engine) -> Residents:
    with unit_of_work(database) as session:
        return portal.settle_in(session)


@pytest.fixture
def open_as(database: Engine, residents: Residents) -> OpenAs:
    """Open a page as somebody, or as nobody."""
    return partial(opened, database)


def sign_in(app: AppTest, username: str, password: str) -> None:
    """Fill in the form for user name and password, and send it."""
    name, word = (field for field in app.text_input if field.form_id == "sign_in")
    name.set_value(username)
    word.set_value(password)
    next(button for button in app.button if button.form_id == "sign_in").click().run()


def texts(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.title, *app.header, *app.markdown, *app.caption))


def said(elements: Iterable[Any]) -> list[str]:
    """What messages say once their Markdown is shown: an escaped sign is the sign itself."""
    return [element.value.replace("\\", "") for element in elements]


def count(database: Engine) -> int:
    with Session(database) as session:
        return session.scalar(select(func.count()).select_from(Appointment)) or 0


def visit(database: Engine, residents: Residents, hours_ahead: int = 72, **changes: Any) -> int:
    with unit_of_work(database) as session:
        return make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            NOON + timedelta(hours=hours_ahead),
            patient=session.get_one(Patient, residents.ada_id),
            **changes,
        ).id


def test_somebody_signs_in_with_the_right_password_only(open_as: OpenAs) -> None:
    app = open_as(None)
    sign_in(app, "Ada", "wrong")
    assert said(app.error) == ["That user name and password do not go together."]
    sign_in(app, "Ada", PASSWORD)
    assert app.title[0].value == "Find a doctor"


def test_a_deactivated_account_cannot_sign_in_and_its_open_page_shows_nothing(
    open_as: OpenAs, database: Engine
) -> None:
    app = open_as("ada")
    with unit_of_work(database) as session:
        session.scalars(select(User).where(User.username == "ada")).one().is_active = False
    app.run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
    sign_in(app, "ada", PASSWORD)
    assert said(app.error) == ["That user name and password do not go together."]


@pytest.mark.parametrize(
    ("username", "landing"),
    [
        ("ada", "Find a doctor"),
        ("roth", "Today"),
        ("rita", "Board"),
        ("albert", "Board"),
    ],
)
def test_each_role_lands_on_its_own_page(open_as: OpenAs, username: str, landing: str) -> None:
    assert open_as(username).title[0].value == landing


@pytest.mark.parametrize(
    ("username", "page"),
    [
        ("ada", "pages/doctor/today.py"),
        ("ada", "pages/staff/book_for_patient.py"),
        ("ada", "pages/staff/waitlist.py"),
        ("rita", "pages/patient/my_waitlist.py"),
        ("roth", "pages/patient/find_doctor.py"),
        ("roth", "pages/staff/book_for_patient.py"),
        ("rita", "pages/patient/my_appointments.py"),
    ],
)
def test_a_page_of_another_role_cannot_be_reached(open_as: OpenAs, username: str, page: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(page)


@pytest.mark.parametrize(
    "page",
    [
        "pages/patient/find_doctor.py",
        "pages/patient/doctor.py",
        "pages/patient/my_appointments.py",
        "pages/doctor/today.py",
        "pages/staff/book_for_patient.py",
    ],
)
def test_a_page_run_by_itself_shows_nothing_to_whoever_is_not_signed_in(
    residents: Residents, page: str
) -> None:
    app = AppTest.from_file(str(Path(HOME).parent / page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
    assert [button.label for button in app.button] == ["Sign in"]


def run_alone(database: Engine, username: str, page: str) -> AppTest:
    """Run a page by itself, without the menu in which it may not be, as somebody who is signed in."""
    app = AppTest.from_file(str(Path(HOME).parent / page), default_timeout=20)
    app_pages.sign_in(app, database, username)
    return app.run()


@pytest.mark.parametrize(
    ("username", "page"),
    [
        ("ada", "pages/doctor/today.py"),
        ("ada", "pages/staff/board.py"),
        ("roth", "pages/staff/board.py"),
        ("ada", "pages/admin/system.py"),
        ("roth", "pages/admin/system.py"),
        ("rita", "pages/admin/system.py"),
    ],
)
def test_a_page_run_by_itself_refuses_another_role(
    database: Engine, residents: Residents, username: str, page: str
) -> None:
    app = run_alone(database, username, page)
    assert said(app.error) == ["This page is not for your role."]
    assert not app.title


def test_doctors_are_found_by_specialty_language_name_and_fee(open_as: OpenAs, residents: Residents) -> None:
    app = open_as("ada")
    assert "2 doctors" in texts(app)
    app.selectbox(key="find_specialty").select(residents.cardiology_id).run()
    assert "Dr\\. Eva Roth" in texts(app)
    assert "Weiß" not in texts(app)
    app.selectbox(key="find_language").select("vi").run()
    assert "0 doctors" in texts(app)
    assert [info.value for info in app.info] == [
        "No doctor fits all of this. Try another day, or leave a wish out."
    ]


def test_doctors_are_found_by_time_of_day_place_and_video(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        checkup = session.get_one(Service, residents.checkup_id)
        vogel = make.doctor(session, offers=[checkup], hours="", name="Dr. Nina Vogel")
        annex = make.location(session, name="Annex")
        make.weekly_hours(session, vogel, "18:00-20:00", location_id=annex.id)
        make.offer(session, vogel, make.service(session, name="Talk by video", is_video=True))
        number = annex.id
    app = open_as("ada")
    assert "3 doctors" in texts(app)
    app.selectbox(key="find_place").set_value(number).run()
    assert "1 doctor" in texts(app)
    assert "18:00" in texts(app).replace("\\", "")
    app.selectbox(key="find_part").set_value("Morning, before 12:00").run()
    assert "0 doctors" in texts(app)
    app.toggle(key="find_video").set_value(True).run()
    assert app.selectbox(key="find_service").options == ["Talk by video"]


def test_a_patient_books_and_the_visit_is_written_once(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("ada", "pages/patient/doctor.py", doctor=str(residents.roth_id))
    assert said(app.title) == ["Dr. Eva Roth"]
    times = app.button_group(key=f"book_{residents.roth_id}_{residents.checkup_id}_time_{NOON.date()}")
    times.set_value(NOON + timedelta(hours=3)).run()
    app.button(key="book_submit").click().run()
    assert not app.exception
    assert said(app.success) == ["Your appointment is booked."]
    assert count(database) == 1


def test_a_doctor_of_no_such_number_gets_a_sentence(open_as: OpenAs) -> None:
    for number in ("999999", "abc", "-1", "99999999999999999999"):
        app = open_as("ada", "pages/patient/doctor.py", doctor=number)
        assert [info.value for info in app.info] == [
            "This doctor is not here any more. Please choose another."
        ]


def test_a_late_visit_can_be_moved_by_reception_only(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    late = visit(database, residents, hours_ahead=5, late_fee_minor=3000)
    app = open_as("ada", "pages/patient/my_appointments.py")
    assert "please call" in texts(app)
    assert not [button for button in app.button if button.key == f"visits_move_{late}"]
    desk = open_as("rita", "pages/staff/book_for_patient.py")
    desk.session_state["people_chosen"] = residents.ada_id
    desk.run()
    desk.button(key=f"visits_cancel_{late}").click().run()
    desk.selectbox(key=f"cancel_reason_{late}").select("The patient asked").run()
    desk.checkbox(key=f"cancel_waive_{late}").check().run()
    desk.button(key=f"cancel_submit_{late}").click().run()
    assert said(desk.success) == ["Cancelled. The time is free for somebody else now."]
    with Session(database) as session:
        assert session.get_one(Appointment, late).status is AppointmentStatus.CANCELLED


def test_someone_without_visits_is_told_so(open_as: OpenAs) -> None:
    app = open_as("ben", "pages/patient/my_appointments.py")
    assert [info.value for info in app.info] == ["You have no appointment ahead."]


def test_a_click_after_the_session_has_ended_does_nothing(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    waiting = visit(database, residents)
    app = open_as("ada", "pages/patient/my_appointments.py")
    app.button(key=f"visits_cancel_{waiting}").click().run()
    app.selectbox(key=f"cancel_reason_{waiting}").select("I am better").run()
    with unit_of_work(database) as session:
        sign_ins.end(session, app.session_state["sign_in_token"])
    app.button(key=f"cancel_submit_{waiting}").click().run()
    assert not app.title
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert said(app.error) == ["You have been signed out. Please sign in again."]
    with Session(database) as session:
        assert session.get_one(Appointment, waiting).status is AppointmentStatus.CONFIRMED


def test_the_doctors_day_shows_visits_and_gaps_in_order(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=4)
    shown = texts(open_as("roth"))
    in_order = shown.index("Free") < shown.rindex("Ada Okafor") < shown.rindex("Free")
    assert in_order, "and who is next stands above all of it"


def test_an_empty_day_says_so(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    with unit_of_work(database) as session:
        make.override(session, session.get_one(Doctor, residents.roth_id), NOON.date())
    app = open_as("roth")
    assert [info.value for info in app.info] == ["No hours and no visits on this day."]


def test_reception_finds_a_patient_by_name_phone_and_birth_date(open_as: OpenAs, database: Engine) -> None:
    with unit_of_work(database) as session:
        make.patient(session, name="Zoë Übel", phone="+4915123456789")
    for wanted in ("zoe ubel", "ÜBEL", "0151 2345", "1985-05-17"):
        app = open_as("rita", "pages/staff/book_for_patient.py")
        app.text_input(key="people_text").set_value(wanted).run()
        assert "Zoë Übel" in "".join(button.label for button in app.button), wanted
    app.text_input(key="people_text").set_value("nobody at all").run()
    assert "Nobody fits that" in app.info[0].value


def test_writing_down_a_known_patient_again_asks_first(open_as: OpenAs, database: Engine) -> None:
    with unit_of_work(database) as session:
        make.patient(session, name="Zoë Übel")
    app = open_as("rita", "pages/staff/book_for_patient.py")
    app.text_input(key="people_name").set_value("Zoe Ubel")
    app.date_input(key="people_birth").set_value(datetime(1985, 5, 17, tzinfo=UTC).date())
    app.button(key="people_submit").click().run()
    assert "Perhaps known already: Zoë Übel." in said(app.error)[0]
    app.text_input(key="people_phone").set_value("not a number")
    app.checkbox(key="people_sure").check()
    app.button(key="people_submit").click().run()
    assert "does not look like a phone number" in said(app.error)[0]


def test_the_consent_of_a_new_patient_to_texts_is_kept_with_how_it_was_given(
    open_as: OpenAs, database: Engine
) -> None:
    app = open_as("rita", "pages/staff/book_for_patient.py")
    app.text_input(key="people_name").set_value("Zoë Übel")
    app.date_input(key="people_birth").set_value(datetime(1985, 5, 17, tzinfo=UTC).date())
    app.selectbox(key="people_texts").set_value("on the phone")
    app.button(key="people_submit").click().run()
    assert said(app.error) == ["There is no phone number to send texts to."]
    app.text_input(key="people_phone").set_value("0151 23456789")
    app.button(key="people_submit").click().run()
    assert said(app.success) == ["Patient added."]
    with Session(database) as session:
        zoe = session.scalars(select(Patient).where(Patient.name == "Zoë Übel")).one()
        assert (zoe.sms_consent_at, zoe.sms_consent_source) == (NOON, "on the phone")


def test_an_empty_clinic_says_what_is_missing(database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session)
        ada = make.user(session, username="ada")
        make.patient(session, user_id=ada.id)
    app = opened(database, "ada")
    assert "does not offer any bookable service yet" in app.info[0].value


def test_markup_in_a_name_stays_text(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    with unit_of_work(database) as session:
        session.get_one(Patient, residents.ada_id).name = "![x](http://evil.example/p.png) **Ada**"
    visit(database, residents, hours_ahead=4)
    shown = texts(open_as("roth"))
    assert "![x](" not in shown
    assert "\\!\\[x\\]\\(" in shown


def test_a_name_from_right_to_left_does_not_turn_what_stands_after_it() -> None:
    assert plain("بهرام کریمی") == "\u2068بهرام کریمی\u2069"
    assert plain("Ада Okafor") == "Ада Okafor"


@pytest.mark.parametrize("name", ["www.evil.example", "see HTTPS://evil.example/x", "Www.Evil.example"])
def test_an_address_in_a_name_is_taken_apart(name: str) -> None:
    """The browser makes links of addresses whatever is escaped in them."""
    shown = plain(name).replace("\\", "").lower()
    assert not re.search(r"www\.|https?://", shown)
    assert shown.replace("\u2060", "") == name.lower()


def refusals(database: Engine) -> list[str]:
    """What the trail says was refused, in order."""
    with Session(database) as session:
        refused = select(AuditEntry.action).where(AuditEntry.outcome == Outcome.REFUSED)
        return list(session.scalars(refused.order_by(AuditEntry.id)))


def test_a_wrong_code_of_the_second_step_is_refused_and_kept(open_as: OpenAs, database: Engine) -> None:
    with unit_of_work(database) as session:
        ada = session.scalars(select(User).where(User.username == "ada")).one()
        second_factors.begin(session, ada)
        secret = secrets_at_rest.decrypted(ada.totp_pending or "")
        second_factors.confirm(session, ada, code=pyotp.TOTP(secret).at(NOON))
    app = open_as(None)
    sign_in(app, "ada", PASSWORD)
    assert [button.label for button in app.button][:1] == ["Go on"]
    for _ in range(6):
        app.text_input(key="second_step_code").set_value("000000")
        app.button[0].click().run()
    assert said(app.error) == ["Too many tries. Please wait a few minutes and try again."]
    assert refusals(database) == ["code refused"] * 5 + ["too many tries"]


def test_a_page_of_another_role_is_refused_and_kept(open_as: OpenAs, database: Engine) -> None:
    app = run_alone(database, "ada", "pages/admin/users.py")
    assert said(app.error) == ["This page is not for your role."]
    assert refusals(database) == ["something forbidden"]
    app.run()
    assert said(app.error) == ["This page is not for your role."]
    assert refusals(database) == ["something forbidden"], "it was drawn again, as after a lost connection"


def test_guessing_passwords_is_stopped_even_when_the_last_guess_is_right(
    open_as: OpenAs, database: Engine
) -> None:
    app = open_as(None)
    for guess in ("one", "two", "three", "four", "five", PASSWORD):
        sign_in(app, "ada", guess)
    assert said(app.error) == ["Too many tries. Please wait a few minutes and try again."]
    assert app.title[0].value == "Sign in"
    assert refusals(database) == ["sign in failed"] * 5 + ["too many tries"]
