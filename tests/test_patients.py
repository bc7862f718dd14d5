"""Patients at the desk: found by what they say, written down once, and only by those who may."""

from collections.abc import Callable, Iterator
from datetime import date
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import patients
from core.access import Actor
from core.contact_preferences import NumberMissing, UnknownConsent
from core.errors import AccessDenied
from core.names import NameTooLong, NameUnreadable
from core.patients import (
    BirthDateImpossible,
    BirthDateMissing,
    NameMissing,
    PerhapsKnown,
)
from core.phones import PhoneNotUnderstood, shown
from db.models import Patient
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, time_is

BORN = date(1990, 2, 15)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        made = assemble(session)
        make.clinic(session, phone="+493012345678")
        yield made


def names(session: Session, cast: Cast, text: str) -> list[str]:
    return [patient.name for patient in patients.search(session, cast.desk, text=text)]


@pytest.mark.parametrize(
    "wanted", ["zoe", "ÜBEL", "ubel zoe", "Zo", "1990-02-15", "0151 2345", "+49 151 23456789"]
)
def test_a_patient_is_found_by_name_birth_date_and_phone(session: Session, cast: Cast, wanted: str) -> None:
    make.patient(session, name="Zoë Übel", birth_on=BORN, phone="+4915123456789")
    assert names(session, cast, wanted) == ["Zoë Übel"]


@pytest.mark.parametrize(
    "wanted",
    ["", "  ", "0000", "oe", "1990-02-30", "19900215", "%", "_", "zoe\0x", "x" * 100_000, "q " * 50_000],
)
def test_what_fits_nobody_finds_nobody(session: Session, cast: Cast, wanted: str) -> None:
    make.patient(session, name="Zoë Übel", birth_on=BORN, phone="+4915123456789")
    assert names(session, cast, wanted) == []


@pytest.mark.parametrize("name", ["Дарья Соколова", "محمد علي", "王小明", "अनीता शर्मा", "Ελένη Παππά"])
def test_names_of_every_script_are_kept_and_found(session: Session, cast: Cast, name: str) -> None:
    written = patients.register(session, cast.desk, name=f"  {name} ", birth_on=BORN)
    assert written.name == name
    assert names(session, cast, name.split()[0]) == [name]


def test_too_many_are_cut_off(session: Session, cast: Cast) -> None:
    for number in range(patients.RESULTS + 5):
        make.patient(session, name=f"Muster {number:02}")
    assert len(names(session, cast, "muster")) == patients.RESULTS


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": " "}, NameMissing),
        ({"name": "x" * 201}, NameTooLong),
        ({"name": "Zoë\0"}, NameUnreadable),
        ({"name": "\u202eeoZ"}, NameUnreadable),
        ({"name": "\u0301"}, NameUnreadable),
        ({"name": "123"}, NameUnreadable),
        ({"birth_on": None}, BirthDateMissing),
        ({"birth_on": date(2026, 6, 2)}, BirthDateImpossible),
        ({"birth_on": date(1800, 1, 1)}, BirthDateImpossible),
        ({"phone": "not a number"}, PhoneNotUnderstood),
        ({"phone": "1"}, PhoneNotUnderstood),
        ({"phone": "\0"}, PhoneNotUnderstood),
    ],
)
def test_impossible_patients_are_not_written(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[Exception]
) -> None:
    before = session.scalar(select(func.count()).select_from(Patient))
    with pytest.raises(error):
        patients.register(session, cast.desk, **{"name": "Zoë Übel", "birth_on": BORN} | wrong)
    assert session.scalar(select(func.count()).select_from(Patient)) == before


@pytest.mark.parametrize("written", ["0151 23456789", "+49 151 23456789", "0049151/23456789"])
def test_a_phone_is_understood_as_the_clinics_country_writes_it(
    session: Session, cast: Cast, written: str
) -> None:
    patient = patients.register(session, cast.desk, name="Zoë Übel", birth_on=BORN, phone=written)
    assert patient.phone == "+4915123456789"
    assert shown(patient.phone) == "+49 1512 3456789"


def test_a_consent_to_texts_needs_a_number_and_a_way_in_which_it_was_given(
    session: Session, cast: Cast
) -> None:
    new = {"name": "Zoë Übel", "birth_on": BORN, "is_surely_new": True}
    with pytest.raises(NumberMissing):
        patients.register(session, cast.desk, **new, texts_agreed="on paper")
    with pytest.raises(UnknownConsent):
        patients.register(session, cast.desk, **new, phone="0151 23456789", texts_agreed="surely")
    unasked = patients.register(session, cast.desk, **new, phone="0151 23456789")
    assert (unasked.sms_consent_at, unasked.sms_consent_source) == (None, None)


def test_somebody_perhaps_known_is_asked_about_and_still_can_be_new(session: Session, cast: Cast) -> None:
    make.patient(session, name="Zoë Übel", birth_on=BORN)
    with pytest.raises(PerhapsKnown, match="Zoë Übel"):
        patients.register(session, cast.desk, name="Zoe Meier", birth_on=BORN)
    patients.register(session, cast.desk, name="Zoe Meier", birth_on=BORN, is_surely_new=True)
    patients.register(session, cast.desk, name="Zoe Meier", birth_on=date(1991, 2, 15))


def test_the_same_form_sent_twice_in_parallel_writes_one_patient(database: Engine) -> None:
    with time_is(NOW), unit_of_work(database) as session:
        desk = assemble(session).desk
    for round_number in range(20):
        key, gun = uuid4(), Barrier(2)
        written: list[int | Exception] = []

        def send(
            number: int = round_number, key: object = key, gun: Barrier = gun, to: list = written
        ) -> None:
            gun.wait()
            try:
                with unit_of_work(database) as session:
                    to.append(
                        patients.register(
                            session,
                            desk,
                            name=f"Zoë {chr(97 + number)}bel",
                            birth_on=BORN,
                            request_key=key,
                            is_surely_new=number % 2 == 0,
                        ).id
                    )
            except PerhapsKnown as error:
                to.append(error)

        with unit_of_work(database) as session:
            for old in session.scalars(select(Patient).where(Patient.birth_on == BORN)):
                session.delete(old)
        with time_is(NOW):
            senders = [Thread(target=send) for _ in range(2)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
        assert len(written) == 2
        assert written[0] == written[1]


@pytest.mark.parametrize(
    "use",
    [
        lambda session, actor: patients.search(session, actor, text="a"),
        lambda session, actor: patients.find(session, actor, 1),
        lambda session, actor: patients.register(session, actor, name="A", birth_on=BORN, is_surely_new=True),
    ],
)
def test_only_the_desk_searches_and_writes(
    session: Session, cast: Cast, use: Callable[[Session, Actor], object]
) -> None:
    for actor in (cast.ada, cast.stranger, cast.guardian, cast.roth):
        with pytest.raises(AccessDenied):
            use(session, actor)
    for actor in (cast.desk, cast.admin):
        use(session, actor)


def test_own_are_the_persons_and_their_dependants(session: Session, cast: Cast) -> None:
    assert [patient.name for patient in patients.own(session, cast.guardian)] == ["Greta Klein", "Mila Klein"]
    assert patients.own(session, cast.desk) == []
