"""Encounter notes: typed, kept, signed once, amended with a reason, released; never edited."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import arrivals, i18n, note_drafts, note_fields, notes
from core.access import Action
from core.appointment_errors import ReasonMissing
from core.arrivals import DoctorHasSigned
from core.errors import AccessDenied, NotFound
from core.i18n import speaking
from core.note_drafts import DraftChangedElsewhere, DraftTooLong, NotAVisit
from core.note_fields import (
    NotANumber,
    NoteEmpty,
    NotPlausible,
    PartTooLong,
    PartUnreadable,
    PressuresIncomplete,
    PressuresSwapped,
    TooExact,
)
from core.notes import NotSigned
from core.signatures import NotArrived
from db.models import Appointment, AppointmentStatus, AuditEntry, NoteDraft, NoteVersion, Patient
from db.models.notes import PLAUSIBLE
from db.session import unit_of_work
from tests import clinical, make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.clinical import TYPED, fields

MINUTE = timedelta(minutes=1)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth, who has her in the room."""
    return clinical.arrived(session, cast.dr_roth, cast.checkup, ada(session, cast))


def ada(session: Session, cast: Cast) -> Patient:
    return session.get_one(Patient, cast.ada.patient_ids[0])


def typed(
    session: Session, cast: Cast, visit: Appointment, revision: int = 0, **more: str
) -> note_drafts.Draft:
    return note_drafts.save(
        session, cast.roth, appointment_id=visit.id, fields=fields(**TYPED | more), revision=revision
    )


def signed(session: Session, cast: Cast, visit: Appointment, **more: Any) -> NoteVersion:
    wanted = {"fields": fields(**TYPED), "revision": 0} | more
    return notes.sign(session, cast.roth, appointment_id=visit.id, **wanted)


def changes(session: Session) -> list[str]:
    rows = session.scalars(
        select(AuditEntry).where(AuditEntry.action == Action.WRITE_NOTE.value).order_by(AuditEntry.id)
    )
    return [entry.detail["change"] for entry in rows if entry.detail]


def test_what_is_typed_is_there_again(session: Session, cast: Cast, visit: Appointment) -> None:
    empty = notes.of_visit(session, cast.roth, appointment_id=visit.id)
    assert (empty.draft.revision, set(empty.draft.fields.values()), empty.is_signed) == (0, {""}, False)
    typed(session, cast, visit)
    typed(session, cast, visit, revision=1, findings="Lungs clear")
    kept = notes.of_visit(session, cast.roth, appointment_id=visit.id).draft
    assert (kept.revision, kept.fields["findings"], kept.fields["systolic"]) == (2, "Lungs clear", "120")
    assert kept.saved_at == NOW


def test_a_draft_may_hold_what_cannot_be_signed(session: Session, cast: Cast, visit: Appointment) -> None:
    strange = {"reason": "\x00half \ud800 a pair", "systolic": "12000", "plan": "x" * 30_000}
    typed(session, cast, visit, **strange)
    kept = notes.of_visit(session, cast.roth, appointment_id=visit.id).draft.fields
    assert (kept["reason"], kept["systolic"], len(kept["plan"])) == ("half ? a pair", "12000", 30_000)


def test_a_draft_of_a_megabyte_is_refused_and_the_one_before_stays(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    typed(session, cast, visit)
    with pytest.raises(DraftTooLong):
        typed(session, cast, visit, revision=1, plan="x" * 1_000_000)
    assert notes.of_visit(session, cast.roth, appointment_id=visit.id).draft.fields["plan"] == TYPED["plan"]


def test_saved_again_the_same_text_is_one_saving(session: Session, cast: Cast, visit: Appointment) -> None:
    assert typed(session, cast, visit).revision == typed(session, cast, visit).revision == 1
    assert changes(session) == ["drafted"]


def test_two_windows_do_not_overwrite_each_other(session: Session, cast: Cast, visit: Appointment) -> None:
    typed(session, cast, visit)
    typed(session, cast, visit, revision=1, plan="From the first window")
    for revision in (0, 1):
        with pytest.raises(DraftChangedElsewhere):
            typed(session, cast, visit, revision=revision, plan="From the second window")
    with pytest.raises(DraftChangedElsewhere):
        signed(session, cast, visit, revision=1, fields=fields(plan="From the second window"))
    kept = notes.of_visit(session, cast.roth, appointment_id=visit.id)
    assert (kept.draft.fields["plan"], kept.versions) == ("From the first window", [])


def test_a_draft_that_was_signed_or_dropped_elsewhere_does_not_come_back(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    typed(session, cast, visit)
    note_drafts.discard(session, cast.roth, appointment_id=visit.id)
    note_drafts.discard(session, cast.roth, appointment_id=visit.id)
    with pytest.raises(DraftChangedElsewhere):
        typed(session, cast, visit, revision=1)
    assert changes(session) == ["drafted", "discarded"]


def test_a_signed_note_has_what_was_typed_in_whole_units(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    more = {"weight": "72.5", "height": "181,5", "pulse": " 64 ", "temperature": "36.9", "spo2": "98"}
    typed(session, cast, visit)
    version = signed(session, cast, visit, fields=fields(**TYPED | more), revision=1)
    assert (version.number, version.reason, version.amendment) == (1, "Cough for a week", "")
    assert (version.weight_grams, version.height_mm, version.pulse_bpm) == (72_500, 1_815, 64)
    assert (version.systolic_mmhg, version.diastolic_mmhg) == (120, 80)
    assert (version.temperature_decidegrees, version.spo2_percent) == (369, 98)
    assert session.get(NoteDraft, (visit.id, cast.dr_roth.id)) is None
    again = notes.of_visit(session, cast.roth, appointment_id=visit.id).draft
    assert (again.revision, again.fields["weight"], again.fields["height"]) == (-1, "72.5", "181.5")


def test_vitals_are_read_and_shown_in_the_doctors_language(
    session: Session, cast: Cast, visit: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "languages", lambda: ("en", "en_GB", "de"))
    with speaking("de"):
        version = signed(session, cast, visit, fields=fields(reason="Husten", temperature="38,4"))
        shown = notes.of_visit(session, cast.roth, appointment_id=visit.id).draft.fields["temperature"]
    assert (version.temperature_decidegrees, shown) == (384, "38,4")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"reason": "", "plan": " \n "}, NoteEmpty),
        ({"plan": "x" * 20_001}, PartTooLong),
        ({"plan": "A bell \x07"}, PartUnreadable),
        ({"plan": "Turned \u202e round"}, PartUnreadable),
        ({"systolic": "12000"}, NotPlausible),
        ({"systolic": "29"}, NotPlausible),
        ({"pulse": "-60"}, NotPlausible),
        ({"systolic": "high"}, NotANumber),
        ({"systolic": "NaN"}, NotANumber),
        ({"systolic": "1e2"}, NotANumber),
        ({"systolic": "120.5"}, TooExact),
        ({"temperature": "36.95"}, TooExact),
        ({"systolic": ""}, PressuresIncomplete),
        ({"systolic": "80", "diastolic": "120"}, PressuresSwapped),
    ],
)
def test_what_cannot_be_signed_is_said_and_the_draft_stays(
    session: Session, cast: Cast, visit: Appointment, wrong: dict[str, str], error: type[Exception]
) -> None:
    typed(session, cast, visit, **wrong)
    with pytest.raises(error) as refused:
        signed(session, cast, visit, fields=fields(**TYPED | wrong), revision=1)
    assert "{" not in str(refused.value)
    kept = notes.of_visit(session, cast.roth, appointment_id=visit.id)
    assert (kept.draft.revision, kept.versions) == (1, [])


def test_what_word_processors_end_lines_with_is_a_line(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    pasted = "One\r\nTwo\x0bThree\u2028Four\tindented  "
    assert (
        signed(session, cast, visit, fields=fields(plan=pasted)).plan == "One\nTwo\nThree\nFour    indented"
    )


def test_signed_twice_it_is_signed_once(session: Session, cast: Cast, visit: Appointment) -> None:
    typed(session, cast, visit)
    first, second = (signed(session, cast, visit, revision=1) for _ in range(2))
    assert first is second
    assert changes(session) == ["drafted", "signed"]


def test_an_amendment_says_why_and_leaves_what_was_signed(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    signed(session, cast, visit)
    better = fields(**TYPED | {"plan": "Antibiotics"})
    with pytest.raises(ReasonMissing):
        signed(session, cast, visit, fields=better, revision=-1)
    with time_is(NOW + MINUTE):
        amended = signed(
            session, cast, visit, fields=better, revision=-1, amendment=" The culture came back "
        )
    versions = notes.of_visit(session, cast.roth, appointment_id=visit.id).versions
    assert [(each.number, each.plan, each.amendment) for each in versions] == [
        (2, "Antibiotics", "The culture came back"),
        (1, "Tea and rest", ""),
    ]
    assert amended.signed_at == NOW + MINUTE


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE note_versions SET plan = 'Something else'",
        "UPDATE note_versions SET signed_at = now()",
        "UPDATE note_versions SET number = 7",
        "DELETE FROM note_versions",
        "TRUNCATE note_versions",
        "TRUNCATE appointments CASCADE",
        "INSERT INTO note_versions SELECT * FROM note_versions ON CONFLICT (appointment_id, number)"
        " DO UPDATE SET plan = 'Something else'",
    ],
)
def test_no_statement_changes_a_signed_note(
    session: Session, cast: Cast, visit: Appointment, statement: str
) -> None:
    signed(session, cast, visit)
    with pytest.raises(DBAPIError, match="what a doctor has signed is never"), session.begin_nested():
        session.execute(text(statement))
    session.expire_all()
    assert notes.of_visit(session, cast.roth, appointment_id=visit.id).versions[0].plan == TYPED["plan"]


def test_the_trail_holds_a_hash_of_what_was_signed(session: Session, cast: Cast, visit: Appointment) -> None:
    version = signed(session, cast, visit)
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert entry.detail is not None
    before = notes.seal(version)
    assert entry.detail["sha256"] == before
    session.expunge(version)
    version.plan = "Something else"
    assert notes.seal(version) != before


@pytest.mark.parametrize("status", list(AppointmentStatus))
def test_a_note_is_written_for_what_is_a_visit_and_signed_once_the_patient_is_there(
    session: Session, cast: Cast, status: AppointmentStatus
) -> None:
    hold = NOW if status is AppointmentStatus.PENDING else None
    visit = clinical.arrived(
        session, cast.dr_roth, cast.checkup, ada(session, cast), status=status, hold_expires_at=hold
    )
    if status in {AppointmentStatus.PENDING, AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED}:
        with pytest.raises(NotAVisit):
            typed(session, cast, visit)
    elif status in {AppointmentStatus.CONFIRMED, AppointmentStatus.NO_SHOW}:
        typed(session, cast, visit)
        with pytest.raises(NotArrived):
            signed(session, cast, visit, revision=1)
    else:
        assert signed(session, cast, visit).number == 1


def test_the_patient_reads_what_was_released_and_nobody_elses_doctor_reads_any(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    patient_id = visit.patient_id
    with pytest.raises(NotSigned):
        notes.release(session, cast.roth, appointment_id=visit.id)
    signed(session, cast, visit)
    assert notes.of_patient(session, cast.ada, patient_id=patient_id) == {}
    assert list(notes.of_patient(session, cast.roth, patient_id=patient_id)) == [visit.id]
    for _ in range(2):
        notes.release(session, cast.roth, appointment_id=visit.id)
    [versions] = notes.of_patient(session, cast.ada, patient_id=patient_id).values()
    assert [each.plan for each in versions] == [TYPED["plan"]]
    for _ in range(2):
        notes.hold_back(session, cast.roth, appointment_id=visit.id)
    assert notes.of_patient(session, cast.ada, patient_id=patient_id) == {}
    assert changes(session) == ["drafted", "signed", "released", "held back"]
    for actor in (cast.weiss, cast.ben, cast.stranger, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            notes.of_patient(session, actor, patient_id=patient_id)


def test_a_guardian_reads_the_childs_released_notes_only(session: Session, cast: Cast) -> None:
    child = session.get_one(Patient, cast.child_id)
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, child)
    signed(session, cast, visit)
    assert notes.of_patient(session, cast.guardian, patient_id=child.id) == {}
    notes.release(session, cast.roth, appointment_id=visit.id)
    assert list(notes.of_patient(session, cast.guardian, patient_id=child.id)) == [visit.id]


def test_a_colleague_who_treats_the_patient_reads_and_does_not_write(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    signed(session, cast, visit)
    clinical.arrived(session, cast.dr_weiss, cast.checkup, ada(session, cast), starts_at=on(1, 11))
    assert list(notes.of_patient(session, cast.weiss, patient_id=visit.patient_id)) == [visit.id]
    for write in (notes.of_visit, notes.release, note_drafts.discard):
        with pytest.raises(AccessDenied):
            write(session, cast.weiss, appointment_id=visit.id)
    with pytest.raises(NotFound):
        notes.of_visit(session, cast.roth, appointment_id=0)


def test_a_note_signed_from_two_windows_at_once_is_one_note(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)
            visit_id = clinical.arrived(session, cast.dr_roth, cast.checkup, ada(session, cast)).id

        def press(_number: int) -> int:
            with unit_of_work(database) as session:
                noted = {"appointment_id": visit_id, "fields": fields(**TYPED), "revision": 0}
                return notes.sign(session, cast.roth, **noted).number

        outcomes = at_once(6, press)
    with Session(database) as session:
        assert (outcomes, len(session.scalars(select(NoteVersion)).all())) == ([1] * 6, 1)


def test_every_bound_of_the_database_is_one_that_the_doctor_is_told(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    """The least and the most that the fields let through are let through by the table, too."""
    least, most = (
        {
            name: note_fields.shown(vital, PLAUSIBLE[vital.column][end])
            for name, vital in note_fields.VITALS.items()
        }
        for end in (0, 1)
    )
    first = signed(session, cast, visit, fields=fields(plan="x" * 20_000, **least))
    second = signed(
        session, cast, visit, fields=fields(plan="y", **most), revision=-1, amendment="The other end"
    )
    assert (first.weight_grams, second.weight_grams) == (200, 700_000)


@pytest.mark.parametrize(("typed", "is_possible"), [("0.5", True), ("0.2", True), ("0.199", False)])
def test_a_newborn_of_half_a_kilogram_can_be_weighed(typed: str, is_possible: bool) -> None:
    if is_possible:
        assert note_fields.columns(fields(plan="Incubator", weight=typed))["weight_grams"] == int(
            float(typed) * 1000
        )
    else:
        with pytest.raises(NotPlausible, match=r"between 0\.2 and 700 kg"):
            note_fields.columns(fields(plan="Incubator", weight=typed))


def test_a_window_that_was_opened_before_the_note_was_signed_neither_ends_nor_overwrites_its_amendment(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    typed(session, cast, visit)
    signed(session, cast, visit, revision=1)
    begun = typed(session, cast, visit, revision=-1, plan="Antibiotics")
    for stale in ({"fields": fields(**TYPED), "revision": 1}, {"fields": fields(), "revision": 0}):
        with pytest.raises(DraftChangedElsewhere):
            note_drafts.save(session, cast.roth, appointment_id=visit.id, **stale)
    with pytest.raises(DraftChangedElsewhere):
        signed(session, cast, visit, revision=1)
    kept = notes.of_visit(session, cast.roth, appointment_id=visit.id).draft
    assert (kept.fields["plan"], kept.revision) == ("Antibiotics", begun.revision)


def test_a_patient_who_was_there_by_what_the_doctor_signed_is_not_taken_back(
    session: Session, cast: Cast
) -> None:
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(1, 9), patient=ada(session, cast))
    arrivals.check_in(session, cast.desk, appointment_id=visit.id)
    signed(session, cast, visit)
    with pytest.raises(DoctorHasSigned):
        arrivals.undo(session, cast.desk, appointment_id=visit.id)
