"""The audit trail as it is read: by who, what, whose and when; exported without traps; by patients."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core import audit, patients, records, trails
from core.access import Action, Actor
from core.errors import AccessDenied
from core.trails import FilterUnreadable, Wanted
from db.models import Outcome
from tests.cast import NOW, Cast, assemble, time_is


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def lines(session: Session, cast: Cast, **wanted: object) -> list[tuple[str | None, str, str | None]]:
    """Who did what to whom, the newest first, without the administrator's own looks."""
    found, _more = trails.search(session, cast.admin, Wanted(**wanted))
    return [(line.user, line.action, line.patient) for line in found if line.action != Action.SEE_AUDIT]


def leave_traces(session: Session, cast: Cast) -> None:
    """Rita opens Ada's and Ben's contact; on the next day Ada is refused Ben's record."""
    (ada,), (ben,) = cast.ada.patient_ids, cast.ben.patient_ids
    patients.find(session, cast.desk, ada)
    with time_is(NOW + timedelta(minutes=1)):
        patients.find(session, cast.desk, ben)
    with time_is(NOW + timedelta(days=1)):
        audit.record_refusal(session, cast.ada, AccessDenied(Action.SEE_RECORD, patient_id=ben))


RITA_ADA = ("Rita Empfang", Action.SEE_CONTACT, "Ada Okafor")
RITA_BEN = ("Rita Empfang", Action.SEE_CONTACT, "Ben Sato")
ADA_BEN = ("Ada Okafor", Action.SEE_RECORD, "Ben Sato")


def test_the_trail_is_found_by_who_what_whose_outcome_and_day(session: Session, cast: Cast) -> None:
    leave_traces(session, cast)
    (ben,), today = cast.ben.patient_ids, NOW.date()
    tomorrow = today + timedelta(days=1)
    assert lines(session, cast) == [ADA_BEN, RITA_BEN, RITA_ADA]
    assert lines(session, cast, user_ids=(cast.desk.user_id,)) == [RITA_BEN, RITA_ADA]
    assert lines(session, cast, user_ids=()) == []
    assert lines(session, cast, patient_ids=(ben,)) == [ADA_BEN, RITA_BEN]
    assert lines(session, cast, action=Action.SEE_RECORD) == [ADA_BEN]
    assert lines(session, cast, outcome=Outcome.REFUSED) == [ADA_BEN]
    assert lines(session, cast, until_on=today) == [RITA_BEN, RITA_ADA]
    assert lines(session, cast, from_on=tomorrow, until_on=tomorrow) == [ADA_BEN]


def test_people_are_found_by_name_for_the_filters(session: Session, cast: Cast) -> None:
    assert trails.people_named(session, cast.admin, text="rita") == {cast.desk.user_id: "Rita Empfang"}
    assert trails.patients_named(session, cast.admin, text="okafor") == {
        cast.ada.patient_ids[0]: "Ada Okafor"
    }
    for nobody in ("", "\0", "%"):
        assert trails.people_named(session, cast.admin, text=nobody) == {}
        assert trails.patients_named(session, cast.admin, text=nobody) == {}


def test_pages_of_fifty_follow_each_other(session: Session, cast: Cast) -> None:
    for number in range(trails.PAGE + 1):
        audit.record(session, cast.desk, Action.BOOK, kind="appointment", number=number)
    wanted = Wanted(action=Action.BOOK)
    first, has_more = trails.search(session, cast.admin, wanted)
    second, has_no_more = trails.search(session, cast.admin, wanted, page=1)
    assert [line.object_id for line in first + second] == list(range(trails.PAGE, -1, -1))
    assert (has_more, has_no_more) == (True, False)


def test_the_trail_is_for_administrators(session: Session, cast: Cast) -> None:
    for actor in (cast.ada, cast.stranger, cast.roth, cast.desk):
        for use in (
            lambda actor: trails.search(session, actor, Wanted()),
            lambda actor: trails.as_csv(session, actor, Wanted()),
            lambda actor: trails.people_named(session, actor, text="ada"),
            lambda actor: trails.patients_named(session, actor, text="ada"),
            lambda actor: trails.check(session, actor),
        ):
            with pytest.raises(AccessDenied):
                use(actor)


def test_reading_the_trail_is_in_the_trail(session: Session, cast: Cast) -> None:
    trails.search(session, cast.admin, Wanted())
    trails.as_csv(session, cast.admin, Wanted())
    found, _more = trails.search(session, cast.admin, Wanted(user_ids=(cast.admin.user_id,)))
    assert [(line.action, line.object_kind) for line in found] == [
        (Action.SEE_AUDIT, "audit export"),
        (Action.SEE_AUDIT, "audit trail"),
    ]


def exported(session: Session, cast: Cast, **wanted: object) -> list[list[str]]:
    content = trails.as_csv(session, cast.admin, Wanted(**wanted))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_export_has_the_same_entries_and_no_formula(session: Session, cast: Cast) -> None:
    dangerous = Actor(cast.desk.user_id, cast.desk.role, "", address='=HYPERLINK("http://evil.example")')
    audit.record(session, dangerous, Action.BOOK, kind="@appointment", number=1, starts="a\nb,c")
    headings, row = exported(session, cast, action=Action.BOOK)
    assert tuple(headings) == trails.COLUMNS
    found = dict(zip(headings, row, strict=True))
    assert found["address"] == '\'=HYPERLINK("http://evil.example")'
    assert found["object"] == "'@appointment"
    assert (found["user"], found["at"], found["patient"]) == (
        "Rita Empfang",
        "2026-06-01T06:00:00+00:00",
        "",
    )


def test_an_export_that_is_cut_says_so(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.trails.EXPORTED", 2)
    for number in range(2):
        audit.record(session, cast.desk, Action.BOOK, kind="appointment", number=number)
    assert len(exported(session, cast, action=Action.BOOK)) == 3
    audit.record(session, cast.desk, Action.BOOK, kind="appointment", number=2)
    assert exported(session, cast, action=Action.BOOK)[-1] == ["Only the newest 2 entries are here."]


def test_filters_survive_an_address_and_nonsense_is_refused() -> None:
    wanted = Wanted((1, 2), (), Action.BOOK.value, Outcome.DONE.value, NOW.date(), NOW.date())
    assert trails.from_query(trails.as_query(wanted)) == wanted
    assert trails.from_query({}) == Wanted()
    for nonsense in (
        {"users": "x"},
        {"patients": "-1"},
        {"users": "9" * 30},
        {"outcome": "perhaps"},
        {"from_on": "yesterday"},
        {"until_on": ""},
    ):
        with pytest.raises(FilterUnreadable):
            trails.from_query(nonsense)


def test_patients_and_guardians_see_who_opened_their_record(session: Session, cast: Cast) -> None:
    (ada,) = cast.ada.patient_ids
    patients.find(session, cast.desk, ada)
    records.break_glass(session, cast.weiss, patient_id=ada, reason="Found unconscious")
    with time_is(NOW + timedelta(minutes=1)):
        records.open_record(session, cast.weiss, patient_id=ada)
    found, has_more = trails.accesses(session, cast.ada, patient_id=ada)
    assert [(line.action, line.user, line.role, line.object_kind) for line in found] == [
        (Action.SEE_RECORD, "Dr. Jonas Weiß", "doctor", "emergency access"),
        (Action.BREAK_GLASS, "Dr. Jonas Weiß", "doctor", "emergency access"),
        (Action.SEE_CONTACT, "Rita Empfang", "staff", "patient"),
    ]
    assert not has_more
    assert trails.accesses(session, cast.guardian, patient_id=cast.child_id) == ([], False)
    for actor in (cast.ben, cast.stranger, cast.guardian, cast.roth, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            trails.accesses(session, actor, patient_id=ada)


def test_an_entry_outlives_the_account_it_speaks_of(session: Session, cast: Cast) -> None:
    gone = Actor(2_000_000_000, cast.desk.role, "")
    audit.record(session, gone, Action.BOOK, kind="appointment", patient_id=2_000_000_000)
    assert lines(session, cast, user_ids=(gone.user_id,)) == [(None, Action.BOOK, None)]
