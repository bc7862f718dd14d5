"""The lists of a record: entries are added and ended, and never changed."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import record_items, records
from core.access import Action
from core.errors import AccessDenied, NotFound
from core.record_items import (
    AlreadyEnded,
    AlreadyListed,
    Item,
    ItemBeforeBirth,
    ItemInFuture,
    ItemNameMissing,
    ItemTooLong,
    ItemUnreadable,
    NotAnAllergy,
)
from db.models import AuditEntry, Ending, ItemKind, Patient, RecordItem, Severity
from db.session import unit_of_work
from tests import clinical, make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is

ALLERGY, PROBLEM = ItemKind.ALLERGY, ItemKind.PROBLEM
WHY = "Found unconscious in the waiting room"


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    """Everybody, and Ada as a patient of Dr. Roth's."""
    with time_is(NOW):
        made = assemble(session)
        make.appointment(session, made.dr_roth, made.checkup, on(3, 10), patient=ada(session, made))
        yield made


def ada(session: Session, cast: Cast) -> Patient:
    return session.get_one(Patient, cast.ada.patient_ids[0])


def add(session: Session, cast: Cast, name: str = "Penicillin", **more: Any) -> None:
    wanted = {"patient_id": cast.ada.patient_ids[0], "kind": ALLERGY} | more
    record_items.add(session, cast.roth, name=name, **wanted)


def listed(session: Session, cast: Cast) -> list[Item]:
    return records.open_record(session, cast.ada, patient_id=cast.ada.patient_ids[0]).items


def test_an_entry_says_what_since_when_and_who_noted_it(session: Session, cast: Cast) -> None:
    since = date(2020, 2, 29)
    add(session, cast, " Peni  cillin ", details="Rash\n\nall over", severity=Severity.SEVERE, since_on=since)
    [item] = listed(session, cast)
    assert (item.name, item.details, item.severity, item.since_on) == (
        "Peni cillin",
        "Rash\n\nall over",
        Severity.SEVERE,
        since,
    )
    assert (item.noted_at, item.noted_by, item.ended_at) == (NOW, "Dr. Eva Roth", None)


def test_severe_allergies_come_first_and_what_has_ended_last(session: Session, cast: Cast) -> None:
    for minutes, (name, severity) in enumerate(
        (("Nuts", Severity.SEVERE), ("Latex", None), ("Nickel", Severity.MILD), ("Dust", None))
    ):
        with time_is(NOW + timedelta(minutes=minutes)):
            add(session, cast, name, severity=severity)
    dust = next(each for each in listed(session, cast) if each.name == "Dust")
    record_items.end(session, cast.roth, item_id=dust.item_id, ending=Ending.OVER)
    assert [each.name for each in listed(session, cast)] == ["Nuts", "Nickel", "Latex", "Dust"]
    assert listed(session, cast)[-1].ending is Ending.OVER


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": "  "}, ItemNameMissing),
        ({"name": "x" * 201}, ItemTooLong),
        ({"name": "Dust", "details": "x" * 2001}, ItemTooLong),
        ({"name": "A bell \x07"}, ItemUnreadable),
        ({"name": "Dust", "details": "Turned \u202e round"}, ItemUnreadable),
        ({"name": "Dust", "since_on": date(2026, 6, 2)}, ItemInFuture),
        ({"name": "Dust", "since_on": date(1985, 5, 16)}, ItemBeforeBirth),
        ({"name": "Migraine", "kind": PROBLEM, "severity": Severity.MILD}, NotAnAllergy),
        ({"name": "LATEX"}, AlreadyListed),
    ],
)
def test_what_cannot_be_listed_is_said_and_nothing_is_written(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[Exception]
) -> None:
    add(session, cast, "Latex")
    with pytest.raises(error):
        add(session, cast, **wrong)
    assert [each.name for each in listed(session, cast)] == ["Latex"]


def test_the_same_word_stands_on_two_lists_and_again_once_it_has_ended(session: Session, cast: Cast) -> None:
    add(session, cast, "Latex")
    add(session, cast, "Latex", kind=PROBLEM)
    first = next(each for each in listed(session, cast) if each.kind is ALLERGY)
    record_items.end(session, cast.roth, item_id=first.item_id, ending=Ending.MISTAKE)
    with pytest.raises(AlreadyEnded):
        record_items.end(session, cast.roth, item_id=first.item_id, ending=Ending.OVER)
    add(session, cast, "Latex")
    assert len(listed(session, cast)) == 3


def test_a_form_sent_twice_counts_once(session: Session, cast: Cast) -> None:
    key = uuid4()
    for _ in range(2):
        add(session, cast, request_key=key)
    assert len(listed(session, cast)) == 1
    noted = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == Action.KEEP_LISTS.value))
    assert noted.all() == [{"change": "added"}]


def test_lists_are_kept_by_the_patients_own_doctors_alone(session: Session, cast: Cast) -> None:
    add(session, cast)
    [item] = listed(session, cast)
    ada_id = cast.ada.patient_ids[0]
    records.break_glass(session, cast.weiss, patient_id=ada_id, reason=WHY)
    for actor in (cast.ada, cast.weiss, cast.desk, cast.admin, cast.stranger):
        with pytest.raises(AccessDenied):
            record_items.add(session, actor, patient_id=ada_id, kind=ALLERGY, name="Dust")
        with pytest.raises(AccessDenied):
            record_items.end(session, actor, item_id=item.item_id, ending=Ending.OVER)
    with pytest.raises(NotFound):
        record_items.end(session, cast.roth, item_id=0, ending=Ending.OVER)


def test_the_same_allergy_from_six_windows_at_once_is_listed_once(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            made = assemble(session)
            clinical.arrived(session, made.dr_roth, made.checkup, ada(session, made))

        def press(_number: int) -> None:
            with unit_of_work(database) as session:
                add(session, made)

        came_to = at_once(6, press)
    with Session(database) as session:
        assert len(session.scalars(select(RecordItem)).all()) == 1
    assert [type(each) for each in came_to if each] == [AlreadyListed] * 5
