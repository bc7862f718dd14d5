"""The pages about accounts, without a browser: what each does, what it refuses, and what stays as typed."""

from datetime import date
from functools import partial
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import sign_ins
from db.models import Doctor, Invite, Notification, Role, SignIn, User
from db.session import unit_of_work
from pages.ui.browsers import browser_name
from tests import make, portal
from tests.app_pages import HOME, OpenAs, opened
from tests.letters import code_to
from tests.portal import NOON, PASSWORD, Residents
from tests.test_pages import said, sign_in, texts

pytestmark = pytest.mark.usefixtures("noon_without_cookies")
NEW_PASSWORD = "glass river tempo"


@pytest.fixture
def residents(database: Engine) -> Residents:
    with unit_of_work(database) as session:
        made = portal.settle_in(session)
        make.clinic(session, is_demo=True, requires_second_factor=False)
        ada = session.scalars(select(User).where(User.username == "ada")).one()
        ada.email, ada.email_verified_at = "ada@example.org", NOON
        return made


@pytest.fixture
def open_page(database: Engine, residents: Residents) -> OpenAs:
    """Open a page as somebody, or as nobody."""
    return partial(opened, database)


def press(app: AppTest, label: str) -> AppTest:
    [button] = [each for each in app.button if each.label == label]
    button.click().run()
    assert not app.exception
    return app


def fill(app: AppTest, **values: str) -> None:
    for key, value in values.items():
        app.text_input(key=key).set_value(value)


def code(database: Engine, sent_to: str) -> str:
    with Session(database) as session:
        return code_to(session, sent_to)


def user_of(database: Engine, username: str) -> User:
    with Session(database) as session:
        return session.scalars(select(User).where(User.username == username)).one()


def test_a_patient_registers_with_the_code_that_was_mailed(open_page: OpenAs, database: Engine) -> None:
    app = open_page(None, "pages/account/register.py")
    fill(app, register_name="Zoë Übel", register_phone="0151 12345678", register_email="Zoe@Example.org")
    fill(app, register_password="password1234")
    app.date_input(key="register_birth").set_value(date(1990, 2, 15))
    press(app, "Send me a code")
    assert "easy to guess" in said(app.error)[0]
    assert app.text_input(key="register_name").value == "Zoë Übel", "what was typed is not lost"
    fill(app, register_password=NEW_PASSWORD)
    press(app, "Send me a code")
    assert said(app.success) == ["We have sent you an email. Please enter the code in it."]
    assert app.text_input(key="register_code_email").value == "Zoe@Example.org"
    fill(app, register_code="000000")
    press(app, "Open my account")
    assert "used already" in said(app.error)[0]
    fill(app, register_code=code(database, "zoe@example.org"))
    press(app, "Open my account")
    assert said(app.success) == ["Your account is ready. Please sign in."]
    assert app.title[0].value == "Sign in"
    app.switch_page("pages/account/sign_in.py").run()  # AppTest stays where it was sent last
    sign_in(app, "ZOE@example.org", NEW_PASSWORD)
    assert app.title[0].value == "Find a doctor"


def test_the_screen_is_the_same_for_an_address_that_has_an_account(
    open_page: OpenAs, database: Engine
) -> None:
    screens = []
    for email in ("ada@example.org", "new@example.org"):
        app = open_page(None, "pages/account/register.py")
        fill(app, register_name="Somebody", register_phone="0151 12345678", register_email=email)
        fill(app, register_password=NEW_PASSWORD)
        app.date_input(key="register_birth").set_value(date(1990, 2, 15))
        press(app, "Send me a code")
        fill(app, register_code="123456")
        press(app, "Open my account")
        screens.append((said(app.error), texts(app), [button.label for button in app.button]))
    assert screens[0] == screens[1]
    with Session(database) as session:
        subjects = session.scalars(select(Notification.subject).order_by(Notification.id)).all()
    assert subjects == ["You have an account at Linden Clinic already", "Your code for Linden Clinic"]


def test_a_clinic_that_cannot_send_says_whom_to_call(open_page: OpenAs, database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session, is_demo=False)
    app = open_page(None, "pages/account/register.py")
    fill(app, register_name="Zoë", register_phone="0151 12345678", register_email="zoe@example.org")
    fill(app, register_password=NEW_PASSWORD)
    app.date_input(key="register_birth").set_value(date(1990, 2, 15))
    press(app, "Send me a code")
    assert said(app.error) == ["This clinic cannot send codes yet. Please call +49 30 12345678."]


def test_a_forgotten_password_is_changed_and_a_code_used_twice_gets_one_sentence(
    open_page: OpenAs, database: Engine
) -> None:
    answers = []
    for name in ("nobody@example.org", "ada@example.org"):
        app = open_page(None, "pages/account/reset_password.py")
        fill(app, reset_name=name)
        press(app, "Send me a code")
        answers.append(said(app.success))
    assert answers[0] == answers[1]
    sent = code(database, "ada@example.org")
    fill(app, reset_code=sent, reset_password=NEW_PASSWORD)
    press(app, "Change my password")
    assert said(app.success) == ["Your password is changed. Please sign in with it."]
    again = open_page(None, "pages/account/reset_password.py")
    again.segmented_control(key="reset_part").set_value("code").run()
    fill(again, reset_code_name="ada", reset_code=sent, reset_password="another river tempo")
    press(again, "Change my password")
    assert said(again.error) == [
        "That code is wrong, too old, or used already. Please check it, or ask for a new one."
    ]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Version/19 Safari/604", "Safari, iPhone"),
        ("curl/8.0", "curl/8.0"),
        (None, ""),
    ],
)
def test_a_browser_is_called_what_people_call_it(told: str | None, name: str) -> None:
    assert browser_name(told) == name


def test_guessing_codes_is_stopped(open_page: OpenAs, database: Engine) -> None:
    app = open_page(None, "pages/account/reset_password.py")
    fill(app, reset_name="ada")
    press(app, "Send me a code")
    for guess in ["AAAAAAAA"] * 5 + [code(database, "ada@example.org")]:
        fill(app, reset_code=guess, reset_password=NEW_PASSWORD)
        press(app, "Change my password")
    assert said(app.error) == ["Too many tries. Please wait a few minutes and try again."]


def test_an_admin_invites_a_doctor_who_accepts(open_page: OpenAs, database: Engine) -> None:
    app = open_page("albert", "pages/admin/users.py")
    fill(app, invite_name="Dr. Mai Lan", invite_email="ada@example.org")
    app.selectbox(key="invite_role").select(Role.DOCTOR)
    press(app, "Invite")
    assert said(app.error) == ["There is an account with that email address already."]
    fill(app, invite_email="mai@example.org")
    press(app, "Invite")
    assert said(app.success) == ["Invited. The code is on its way by email."]
    assert app.text_input(key="invite_email").value == ""
    guest = open_page(None, "pages/account/accept_invite.py")
    fill(guest, accept_email="mai@example.org", accept_code="wrong", accept_password=NEW_PASSWORD)
    press(guest, "Open my account")
    assert "used already" in said(guest.error)[0]
    fill(guest, accept_code=code(database, "mai@example.org"))
    press(guest, "Open my account")
    assert said(guest.success) == ["Your account is ready. Please sign in."]
    with Session(database) as session:
        user = session.scalars(select(User).where(User.email == "mai@example.org")).one()
        assert user.role is Role.DOCTOR
        assert session.scalars(select(Doctor).where(Doctor.user_id == user.id)).one()


def test_an_invite_is_sent_again_and_withdrawn(open_page: OpenAs, database: Engine) -> None:
    app = open_page("albert", "pages/admin/users.py")
    fill(app, invite_name="Mai", invite_email="mai@example.org")
    press(app, "Invite")
    press(app, "Send again")
    assert said(app.success) == ["Sent again with a new code."]
    press(app, "Withdraw")
    with Session(database) as session:
        assert session.scalars(select(Invite.withdrawn_at)).all() == [NOON]


def test_an_admin_changes_a_role_and_the_last_admin_stays(
    open_page: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_page("albert", "pages/admin/users.py")
    app.text_input(key="users_text").set_value("rita").run()
    rita, albert = user_of(database, "rita"), user_of(database, "albert")
    app.button(key=f"users_toggle_{rita.id}").click().run()
    app.selectbox(key=f"users_role_{rita.id}").select(Role.DOCTOR).run()
    press(app, "Change role")
    assert said(app.success) == ["Rita Empfang has the new role now."]
    assert user_of(database, "rita").role is Role.DOCTOR
    app.text_input(key="users_text").set_value("albert").run()
    app.button(key=f"users_toggle_{albert.id}").click().run()
    press(app, "Deactivate")
    assert said(app.error) == ["This is the last administrator. Make somebody else one first."]
    app.text_input(key="users_text").set_value("nobody at all").run()
    assert "Nobody fits that" in app.info[0].value


@pytest.mark.parametrize("username", ["ada", "roth", "rita"])
def test_only_admins_reach_the_accounts(open_page: OpenAs, username: str) -> None:
    with pytest.raises(ValueError, match="page"):
        open_page(username, "pages/admin/users.py")


def test_the_profile_is_saved_or_refused(open_page: OpenAs, database: Engine) -> None:
    app = open_page("ada", "pages/account/profile.py")
    fill(app, profile_name="Ada\u202eOkafor")
    press(app, "Save")
    assert "letters that can be read" in said(app.error)[0]
    fill(app, profile_name="Ada Lovelace")
    app.checkbox(key="profile_consent").check()
    press(app, "Save")
    assert "give a phone number" in said(app.error)[0]
    app.checkbox(key="profile_consent").uncheck()
    press(app, "Save")
    assert said(app.success) == ["Saved."]
    assert user_of(database, "ada").name == "Ada Lovelace"


def test_a_new_address_needs_the_password_and_the_code(open_page: OpenAs, database: Engine) -> None:
    app = open_page("ada", "pages/account/profile.py")
    fill(app, profile_email="new@example.org", profile_email_password="wrong")
    app.button(key="FormSubmitter:profile_email_ask-Send me a code").click().run()
    assert said(app.error) == ["That is not your current password."]
    assert app.text_input(key="profile_email").value == "new@example.org"
    fill(app, profile_email_password=PASSWORD)
    app.button(key="FormSubmitter:profile_email_ask-Send me a code").click().run()
    assert said(app.success) == ["We have sent a code. Please enter it."]
    fill(app, profile_email_code=code(database, "new@example.org"))
    press(app, "Confirm")
    assert said(app.success) == ["Thank you, that is verified."]
    assert user_of(database, "ada").email == "new@example.org"


def test_a_phone_is_verified_by_text_message(open_page: OpenAs, database: Engine) -> None:
    app = open_page("ada", "pages/account/profile.py")
    for typed in ("0151 12345678", ""):  # left empty, it is the number that is there
        fill(app, profile_phone=typed, profile_phone_password=PASSWORD)
        app.button(key="FormSubmitter:profile_phone_ask-Send me a code").click().run()
        assert "No code has come? To a number that has texted us STOP none is sent: text START." in said(
            app.caption
        )
        fill(app, profile_phone_code=code(database, "+4915112345678"))
        press(app, "Confirm")
        assert said(app.success) == ["Thank you, that is verified."]
        assert user_of(database, "ada").phone == "+4915112345678"


def test_a_password_is_changed_and_its_owner_signs_in_again(open_page: OpenAs) -> None:
    app = open_page("ada", "pages/account/security.py")
    fill(app, security_current="wrong", security_new=NEW_PASSWORD)
    press(app, "Change password")
    assert said(app.error) == ["That is not your current password."]
    fill(app, security_current=PASSWORD)
    press(app, "Change password")
    assert said(app.success) == ["Your password is changed. Please sign in with it."]
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]


def test_guessing_the_current_password_is_stopped(open_page: OpenAs) -> None:
    app = open_page("ada", "pages/account/security.py")
    for guess in ["wrong"] * 5 + [PASSWORD]:
        fill(app, security_current=guess, security_new=NEW_PASSWORD)
        press(app, "Change password")
    assert said(app.error) == ["Too many tries. Please wait a few minutes and try again."]


def test_the_second_step_is_set_up_and_its_recovery_codes_shown_once(
    open_page: OpenAs, database: Engine
) -> None:
    app = open_page("ada", "pages/account/security.py")
    fill(app, security_begin_password=PASSWORD)
    press(app, "Set it up")
    press(app, "Not now")
    assert not app.code
    fill(app, security_begin_password=PASSWORD)
    press(app, "Set it up")
    secret = app.code[0].value.replace(" ", "")
    fill(app, security_code="000000")
    press(app, "Turn on")
    assert "does not fit" in said(app.error)[0]
    fill(app, security_code=pyotp.TOTP(secret).at(int(NOON.timestamp())))
    press(app, "Turn on")
    assert len(app.code[0].value.split()) == 10
    assert user_of(database, "ada").totp_confirmed_at == NOON
    press(app, "I have kept them")
    assert not app.code
    fill(app, security_begin_password=PASSWORD)
    press(app, "Turn off")
    assert said(app.success) == ["The second step is off."]


def test_other_browsers_are_signed_out(open_page: OpenAs, database: Engine) -> None:
    ada = user_of(database, "ada")
    with unit_of_work(database) as session:
        sign_ins.start(session, user_id=ada.id, address="192.0.2.9")
    app = open_page("ada", "pages/account/security.py")
    assert "192\\.0\\.2\\.9" in texts(app)
    with Session(database) as session:
        other = session.scalars(select(SignIn).where(SignIn.address == "192.0.2.9")).one()
    app.button(key=f"security_end_{other.id}").click().run()
    assert said(app.success) == ["That browser is signed out."]
    assert "192\\.0\\.2\\.9" not in texts(app)


def test_the_demo_mailbox_shows_what_was_sent_and_a_real_clinic_has_none(
    open_page: OpenAs, database: Engine
) -> None:
    app = open_page(None, "pages/account/reset_password.py")
    fill(app, reset_name="ada")
    press(app, "Send me a code")
    app.switch_page("pages/account/demo_mailbox.py").run()
    assert code(database, "ada@example.org") in app.text[0].value
    with unit_of_work(database) as session:
        make.clinic(session, is_demo=False)
    app.run()
    assert "There is no mailbox here" in said(app.error)[0]
    assert not app.text


@pytest.mark.parametrize("page", ["account/profile.py", "account/security.py", "admin/users.py"])
def test_a_page_run_by_itself_shows_nothing_to_whoever_is_not_signed_in(
    residents: Residents, page: str
) -> None:
    app = AppTest.from_file(str(Path(HOME).parent / "pages" / page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
