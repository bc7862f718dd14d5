"""Registering as a patient: nothing is written before the code comes back, and nothing is given away."""

from collections.abc import Iterator
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import emails, names, passwords, patients, phones, registrations, sign_ins
from core.errors import ClinicError
from core.letters import CannotSendCodes
from core.one_time_codes import CODES_AN_HOUR, CodeRefused
from core.registrations import AlreadyRegistered, BrowserUnknown, OtherBrowser
from db.models import AuditEntry, OneTimeCode, Patient, Role, User
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, time_is
from tests.letters import code_to, letters_to

ADA = "ada@example.org"
PASSWORD = "correct horse battery"
FORM: dict[str, Any] = {
    "name": "Ada Okafor",
    "birth_on": date(1990, 12, 10),
    "phone": "030 1234567",
    "email": "Ada@Example.org ",
    "password": PASSWORD,
    "has_sms_consent": True,
    "browser": "hers",
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture(autouse=True)
def _demo(request: pytest.FixtureRequest) -> None:
    """A clinic whose messages arrive: those of a demo do, in its mailbox."""
    if "session" in request.fixturenames:
        make.clinic(request.getfixturevalue("session"), is_demo=True, phone="+493012345678")


def count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def registered(session: Session, **changes: Any) -> User:
    registrations.ask(session, **FORM | changes)
    address = emails.folded((FORM | changes)["email"])
    return registrations.confirm(session, email=address, code=code_to(session, address), browser="hers")


def test_nothing_is_written_before_the_code_comes_back(session: Session) -> None:
    registrations.ask(session, **FORM)
    assert (count(session, User), count(session, Patient)) == (0, 0)
    kept = session.scalars(select(OneTimeCode)).one()
    assert PASSWORD not in str(kept.payload)


def test_with_the_code_there_are_an_account_and_a_patient(session: Session) -> None:
    user = registered(session)
    assert (user.username, user.email, user.email_verified_at) == (ADA, ADA, NOW)
    assert (user.role, user.phone, user.phone_verified_at) == (Role.PATIENT, "+49301234567", None)
    assert (user.sms_consent_at, user.sms_consent_source) == (NOW, "registration")
    patient = session.scalars(select(Patient)).one()
    assert (patient.user_id, patient.name, patient.birth_on) == (user.id, "Ada Okafor", date(1990, 12, 10))
    assert sign_ins.check_password(session, "ADA@example.org", PASSWORD).id == user.id
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.object_id, entry.patient_id) == ("register", user.id, patient.id)


def test_consent_is_not_assumed(session: Session) -> None:
    user = registered(session, has_sms_consent=False)
    assert (user.sms_consent_at, user.sms_consent_source) == (None, None)


@pytest.mark.parametrize(
    "password", ["🐎🍏🎹🧊🚲🌋🧵🪐🦑🎈🥝🗿", "Frühstück: " + "Käse, Öl und Möhren " * 3, "with a \0 in it"]
)
def test_any_good_password_works_afterwards(session: Session, password: str) -> None:
    user = registered(session, password=password)
    assert sign_ins.check_password(session, ADA, password).id == user.id


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": " "}, names.NameLeftOut),
        ({"name": "Ada\u202eOkafor"}, names.NameUnreadable),
        ({"name": "Ada\0"}, names.NameUnreadable),
        ({"birth_on": None}, patients.BirthDateMissing),
        ({"birth_on": date(2026, 6, 2)}, patients.BirthDateImpossible),
        ({"phone": ""}, phones.PhoneNotUnderstood),
        ({"phone": "call me"}, phones.PhoneNotUnderstood),
        ({"email": "ada"}, emails.EmailNotUnderstood),
        ({"email": "ada@localhost"}, emails.EmailNotUnderstood),
        ({"email": "a da@example.org"}, emails.EmailNotUnderstood),
        ({"email": "ada@example.org\nbcc: eve@example.org"}, emails.EmailNotUnderstood),
        ({"email": "ada\0@example.org"}, emails.EmailNotUnderstood),
        ({"email": "a@" + "x" * 250 + ".org"}, emails.EmailNotUnderstood),
        ({"email": "adaß@example.org"}, emails.EmailNotUnderstood),
        ({"password": "short"}, passwords.PasswordLength),
        ({"password": "password1234"}, passwords.PasswordCommon),
        ({"password": "Ada@Example.org"}, passwords.PasswordCommon),
    ],
)
def test_what_is_wrong_with_the_form_is_said_and_nothing_is_kept(
    session: Session, wrong: dict[str, Any], error: type[ClinicError]
) -> None:
    with pytest.raises(error):
        registrations.ask(session, **FORM | wrong)
    assert count(session, OneTimeCode) == 0


def test_a_known_address_is_told_by_mail_and_only_there(session: Session) -> None:
    make.user(session, username="somebody", email=ADA)
    registrations.ask(session, **FORM)
    [letter] = letters_to(session, ADA)
    assert "already" in letter.subject
    assert not letter.is_secret
    with pytest.raises(CodeRefused):
        registrations.confirm(session, email=ADA, code="000000", browser="hers")
    assert count(session, User) == 1


def test_a_user_name_that_is_the_address_makes_it_known_too(session: Session) -> None:
    make.user(session, username=ADA)
    registrations.ask(session, **FORM)
    assert "already" in letters_to(session, ADA)[0].subject


def test_nobody_is_flooded_with_mail_known_or_not(session: Session) -> None:
    make.user(session, email="known@example.org")
    for email in (ADA, "known@example.org"):
        for _ in range(CODES_AN_HOUR + 3):
            registrations.ask(session, **FORM | {"email": email})
        assert len(letters_to(session, email)) == CODES_AN_HOUR


def test_a_code_is_used_once(session: Session) -> None:
    registered(session)
    with pytest.raises(CodeRefused):
        registrations.confirm(session, email=ADA, code=code_to(session, ADA), browser="hers")


def test_somebody_else_s_form_for_the_same_address_is_opened_by_nobody(session: Session) -> None:
    """Eve fills in Ada's name and address with a password of her own; the newest code is that of her form."""
    registrations.ask(session, **FORM)
    registrations.ask(session, **FORM | {"password": "glass river tempo", "browser": "eve's"})
    with pytest.raises(OtherBrowser), session.begin_nested():
        registrations.confirm(session, email=ADA, code=code_to(session, ADA), browser="hers")
    assert (count(session, User), count(session, Patient)) == (0, 0)
    registrations.ask(session, **FORM)
    registrations.confirm(session, email=ADA, code=code_to(session, ADA), browser="hers")
    assert sign_ins.check_password(session, ADA, PASSWORD)


def test_a_browser_without_cookies_is_told_so(session: Session) -> None:
    with pytest.raises(BrowserUnknown):
        registrations.ask(session, **FORM | {"browser": ""})


def test_another_address_in_the_second_step_opens_nothing(session: Session) -> None:
    registrations.ask(session, **FORM)
    with pytest.raises(CodeRefused):
        registrations.confirm(session, email="eve@example.org", code=code_to(session, ADA), browser="hers")


def test_an_account_made_in_the_meantime_is_left_alone(session: Session) -> None:
    registrations.ask(session, **FORM)
    other = make.user(session, Role.DOCTOR, email=ADA, password_hash="theirs")
    with pytest.raises(AlreadyRegistered):
        registrations.confirm(session, email=ADA, code=code_to(session, ADA), browser="hers")
    session.refresh(other)
    assert (other.role, other.password_hash) == (Role.DOCTOR, "theirs")


def test_a_record_with_name_birth_date_and_address_is_joined_not_doubled(session: Session) -> None:
    record = make.patient(session, name="Áda OKAFOR", birth_on=FORM["birth_on"], email="ADA@example.org")
    user = registered(session)
    session.refresh(record)
    assert record.user_id == user.id
    assert count(session, Patient) == 1


@pytest.mark.parametrize(
    "differs",
    [
        {"email": None},
        {"email": "other@example.org"},
        {"birth_on": date(1990, 12, 11)},
        {"name": "Ada Okafor-Sato"},
        {"guardian": True},
        {"account": True},
        {"erased_at": NOW},
        {"twin": True},
    ],
)
def test_any_other_record_is_left_alone(session: Session, differs: dict[str, Any]) -> None:
    fitting = {"name": "Ada Okafor", "birth_on": FORM["birth_on"], "email": ADA}
    if differs.pop("guardian", None):
        fitting["guardian_id"] = make.patient(session).id
    if differs.pop("account", None):
        fitting["user_id"] = make.user(session).id
    if differs.pop("twin", None):
        make.patient(session, **fitting)
    record = make.patient(session, **fitting | differs)
    user = registered(session)
    session.refresh(record)
    assert record.user_id != user.id


def test_a_clinic_that_cannot_send_codes_says_whom_to_call(session: Session) -> None:
    make.clinic(session, is_demo=False)
    with pytest.raises(CannotSendCodes) as told:
        registrations.ask(session, **FORM)
    assert str(told.value) == "This clinic cannot send codes yet. Please call +49 30 12345678."


def test_many_forms_and_many_confirmations_at_once_give_one_account(database: Engine) -> None:
    with unit_of_work(database) as session:
        make.clinic(session, is_demo=True, phone="+493012345678")
    outcomes: list[str] = []

    def at_once(*calls: Any) -> None:
        gun = Barrier(len(calls))

        def run(call: Any) -> None:
            gun.wait()
            try:
                with unit_of_work(database) as session:
                    call(session)
                outcomes.append("done")
            except ClinicError as error:
                outcomes.append(type(error).__name__)

        threads = [Thread(target=run, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    at_once(*[lambda session: registrations.ask(session, **FORM)] * 4)
    assert outcomes == ["done"] * 4
    outcomes.clear()
    with unit_of_work(database) as session:
        code = code_to(session, ADA)
    at_once(*[lambda session: registrations.confirm(session, email=ADA, code=code, browser="hers")] * 6)
    assert sorted(outcomes) == ["CodeRefused"] * 5 + ["done"]
    with unit_of_work(database) as session:
        assert (count(session, User), count(session, Patient)) == (1, 1)


def test_a_form_is_gone_ten_minutes_later(session: Session) -> None:
    registrations.ask(session, **FORM)
    code = code_to(session, ADA)
    with time_is(NOW + timedelta(minutes=10)), pytest.raises(CodeRefused):
        registrations.confirm(session, email=ADA, code=code, browser="hers")
