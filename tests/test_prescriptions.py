"""Prescriptions: composed, compared with allergies in words, signed, repeated, withdrawn; never changed."""

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import prescription_drafts, prescriptions, record_items, records
from core.access import Action, Actor
from core.appointment_errors import ReasonMissing
from core.errors import AccessDenied, NotFound
from core.note_drafts import DraftChangedElsewhere, NotAVisit
from core.prescription_drafts import PartTooLong, PartUnreadable, TooManyItems
from core.prescriptions import (
    AllergyNamed,
    AlreadyWithdrawn,
    DrugMissing,
    NothingPrescribed,
    NotSignedYet,
    OtherAllergyNamed,
    PartMissing,
)
from core.signatures import NotArrived
from db.models import Appointment, AppointmentStatus, AuditEntry, Ending, Patient, Prescription
from db.session import unit_of_work
from tests import clinical, make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.clinical import ITEM


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth."""
    return clinical.arrived(session, cast.dr_roth, cast.checkup, ada(session, cast))


def ada(session: Session, cast: Cast) -> Patient:
    return session.get_one(Patient, cast.ada.patient_ids[0])


def composed(
    session: Session, actor: Actor, visit: Appointment, *items: Mapping[str, str], revision: int = 0
) -> Prescription:
    return prescription_drafts.save(
        session, actor, appointment_id=visit.id, items=items or [ITEM], revision=revision
    )


def signed(session: Session, actor: Actor, visit: Appointment, *items: Mapping[str, str]) -> Prescription:
    draft = composed(session, actor, visit, *items)
    return prescriptions.sign(session, actor, prescription_id=draft.id, revision=draft.revision)


def drugs(prescription: Prescription) -> list[str]:
    return [item.drug for item in prescription.items]


def test_a_prescription_is_kept_as_it_is_composed(session: Session, cast: Cast, visit: Appointment) -> None:
    composed(
        session,
        cast.roth,
        visit,
        {"drug": "  Ibu  profen\n", "instructions": "With food\n\nnot at night"},
        {},
    )
    kept = prescription_drafts.of_patient(session, cast.roth, patient_id=visit.patient_id)
    assert kept is not None
    assert [(item.position, item.drug, item.instructions) for item in kept.items] == [
        (1, "Ibu profen", "With food\n\nnot at night")
    ]
    assert (kept.appointment_id, kept.revision, kept.signed_at) == (visit.id, 1, None)
    assert prescriptions.of_patient(session, cast.ada, patient_id=visit.patient_id) == []


def test_two_windows_do_not_overwrite_each_other(session: Session, cast: Cast, visit: Appointment) -> None:
    composed(session, cast.roth, visit)
    draft = composed(session, cast.roth, visit, ITEM, ITEM | {"drug": "Tea"}, revision=1)
    assert composed(session, cast.roth, visit, ITEM, ITEM | {"drug": "Tea"}, revision=1).revision == 2
    for revision in (0, 1):
        with pytest.raises(DraftChangedElsewhere):
            composed(session, cast.roth, visit, ITEM | {"drug": "Coffee"}, revision=revision)
        with pytest.raises(DraftChangedElsewhere):
            prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=revision)
    prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=2)
    with pytest.raises(DraftChangedElsewhere):
        composed(session, cast.roth, visit, ITEM, revision=2)


def test_a_dropped_draft_is_gone_with_its_items(session: Session, cast: Cast, visit: Appointment) -> None:
    composed(session, cast.roth, visit)
    for _ in range(2):
        prescription_drafts.discard(session, cast.roth, patient_id=visit.patient_id)
    assert prescription_drafts.of_patient(session, cast.roth, patient_id=visit.patient_id) is None
    assert session.scalar(text("SELECT count(*) FROM prescription_items")) == 0


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({"drug": "x" * 201}, PartTooLong),
        ({"drug": "Tea", "instructions": "x" * 1001}, PartTooLong),
        ({"drug": "A bell \x07"}, PartUnreadable),
        ({"drug": "Tea", "instructions": "Turned \u202e round"}, PartUnreadable),
    ],
)
def test_what_cannot_be_kept_is_said_and_the_draft_stays(
    session: Session, cast: Cast, visit: Appointment, item: dict[str, str], error: type[Exception]
) -> None:
    composed(session, cast.roth, visit)
    with pytest.raises(error):
        composed(session, cast.roth, visit, item, revision=1)
    with pytest.raises(TooManyItems):
        composed(session, cast.roth, visit, *[ITEM] * 21, revision=1)
    kept = prescription_drafts.of_patient(session, cast.roth, patient_id=visit.patient_id)
    assert kept is not None
    assert drugs(kept) == ["Ibuprofen"]


@pytest.mark.parametrize(
    ("items", "error", "said"),
    [
        ([{}], NothingPrescribed, "nothing"),
        ([ITEM, {"dose": "2"}], DrugMissing, "name the drug"),
        ([ITEM | {"dose": ""}], PartMissing, "Ibuprofen: please say this too: Dose"),
        ([ITEM | {"frequency": " "}], PartMissing, "Ibuprofen: please say this too: How often"),
    ],
)
def test_what_cannot_be_signed_is_said(
    session: Session,
    cast: Cast,
    visit: Appointment,
    items: list[dict[str, str]],
    error: type[Exception],
    said: str,
) -> None:
    draft = composed(session, cast.roth, visit, ITEM)
    draft = composed(session, cast.roth, visit, *items, revision=1)
    with pytest.raises(error, match=said):
        prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=2)
    assert draft.signed_at is None


@pytest.mark.parametrize(
    ("drug", "allergy", "is_named"),
    [
        ("Penicillin V", "Penicillin", True),
        ("PÉNICILLIN-V 500", "allergic to penicillin", True),
        ("Amoxicillin", "Penicillin", False),  # the same family: words cannot tell
        ("Vitamin B12", "B12", False),  # too short to mean anything
        ("青霉素 V", "青霉素", True),
        ("पेनिसिलिन", "पेनिसिलिन से एलर्जी", True),
        ("Ibuprofen", "Nuts", False),
    ],
)
def test_a_drug_that_an_allergy_names_is_signed_only_once_it_was_looked_at(
    session: Session, cast: Cast, visit: Appointment, drug: str, allergy: str, is_named: bool
) -> None:
    make.record_item(session, ada(session, cast), allergy)
    draft = composed(session, cast.roth, visit, ITEM | {"drug": drug})
    assert bool(prescription_drafts.matches(session, draft)) is is_named
    if is_named:
        with pytest.raises(AllergyNamed):
            prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=1)
    pairs = {each.pair for each in prescription_drafts.matches(session, draft)}
    seen = {"prescription_id": draft.id, "revision": 1, "looked_at": pairs}
    assert prescriptions.sign(session, cast.roth, **seen).signed_at == NOW


def test_an_allergy_that_was_written_down_since_is_looked_at_too(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.record_item(session, ada(session, cast), "Ibuprofen")
    draft = composed(session, cast.roth, visit, ITEM, ITEM | {"drug": "Aspirin"})
    seen = {each.pair for each in prescription_drafts.matches(session, draft)}
    later = make.record_item(session, ada(session, cast), "Aspirin")
    press = {"prescription_id": draft.id, "revision": 1}
    with pytest.raises(OtherAllergyNamed, match="Aspirin"):
        prescriptions.sign(session, cast.roth, **press, looked_at=seen)
    assert draft.signed_at is None
    record_items.end(session, cast.roth, item_id=later.id, ending=Ending.MISTAKE)
    assert prescriptions.sign(session, cast.roth, **press, looked_at=seen).signed_at == NOW


def test_an_allergy_that_was_a_mistake_warns_of_nothing(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    item = make.record_item(session, ada(session, cast), "Ibuprofen")
    draft = composed(session, cast.roth, visit)
    assert [each.allergy.name for each in prescription_drafts.matches(session, draft)] == ["Ibuprofen"]
    record_items.end(session, cast.roth, item_id=item.id, ending=Ending.MISTAKE)
    assert prescription_drafts.matches(session, draft) == []


def test_signed_twice_it_is_signed_once(session: Session, cast: Cast, visit: Appointment) -> None:
    draft = composed(session, cast.roth, visit)
    for _ in range(2):
        prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=1)
    said = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == Action.PRESCRIBE.value)).all()
    assert said == [{"change": "signed"}]
    [read] = prescriptions.of_patient(session, cast.ada, patient_id=visit.patient_id)
    assert (drugs(read), read.doctor.user.name) == (["Ibuprofen"], "Dr. Eva Roth")


def repeated(
    session: Session, cast: Cast, visit: Appointment, number: int, *items: Mapping[str, str], revision: int
) -> Prescription:
    wanted = {"prescription_id": number, "appointment_id": visit.id, "items": items, "revision": revision}
    return prescription_drafts.repeat(session, cast.roth, **wanted)


def pressed(session: Session, cast: Cast, visit: Appointment, *drugs: str, revision: int = 0) -> Prescription:
    items = [ITEM | {"drug": drug} for drug in drugs]
    return prescriptions.sign_as_typed(
        session, cast.roth, appointment_id=visit.id, items=items, revision=revision
    )


def test_pressed_twice_what_is_typed_is_signed_once(session: Session, cast: Cast, visit: Appointment) -> None:
    assert pressed(session, cast, visit, "Tea") is pressed(session, cast, visit, "Tea")
    draft = composed(session, cast.roth, visit, ITEM | {"drug": "Coffee"})
    stale = draft.revision
    first, second = (pressed(session, cast, visit, "Coffee", "Milk", revision=stale) for _ in range(2))
    assert (first is second, drugs(first)) == (True, ["Coffee", "Milk"])
    assert len(prescriptions.of_patient(session, cast.roth, patient_id=visit.patient_id)) == 2
    with pytest.raises(DraftChangedElsewhere):
        pressed(session, cast, visit, "Coffee", revision=stale)


def test_what_was_withdrawn_is_signed_anew(session: Session, cast: Cast, visit: Appointment) -> None:
    first = pressed(session, cast, visit, "Tea")
    prescriptions.withdraw(session, cast.roth, prescription_id=first.id, reason="The wrong patient")
    assert pressed(session, cast, visit, "Tea") is not first


def test_a_window_left_open_over_a_signature_does_not_write_over_the_next_draft(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    old = composed(session, cast.roth, visit)
    prescriptions.sign(session, cast.roth, prescription_id=old.id, revision=1)
    new = composed(session, cast.roth, visit, ITEM | {"drug": "Tea"})
    with pytest.raises(DraftChangedElsewhere):
        composed(session, cast.roth, visit, ITEM, ITEM, revision=1)
    assert drugs(new) == ["Tea"]


def test_six_presses_at_once_sign_one_prescription(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)
            visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada(session, cast))

        def press(_number: int) -> None:
            with unit_of_work(database) as session:
                pressed(session, cast, visit, "Tea")

        assert at_once(6, press) == [None] * 6
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(Prescription)) == 1


def test_what_is_typed_and_not_saved_yet_is_saved_before_what_is_repeated(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    earlier = signed(session, cast.roth, visit)
    again = repeated(session, cast, visit, earlier.id, {"drug": "Tea"}, revision=0)
    assert drugs(again) == ["Tea", "Ibuprofen"]
    with pytest.raises(DraftChangedElsewhere):
        repeated(session, cast, visit, earlier.id, {"drug": "Coffee"}, revision=0)


def test_an_earlier_prescription_is_repeated_once(session: Session, cast: Cast, visit: Appointment) -> None:
    earlier = signed(session, cast.roth, visit)
    draft = composed(session, cast.roth, visit, ITEM | {"drug": "Tea"})
    for _ in range(2):
        again = repeated(session, cast, visit, earlier.id, ITEM | {"drug": "Tea"}, revision=draft.revision)
    assert (drugs(again), again.repeats_id, again.signed_at) == (["Tea", "Ibuprofen"], earlier.id, None)


def test_only_a_signed_prescription_of_the_same_patient_is_repeated(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    draft = composed(session, cast.roth, visit)
    ben = session.get_one(Patient, cast.ben.patient_ids[0])
    bens = clinical.arrived(session, cast.dr_roth, cast.checkup, ben, starts_at=on(1, 11))
    of_ben = signed(session, cast.roth, bens)
    for number in (draft.id, of_ben.id, 0):
        with pytest.raises(NotFound):
            repeated(session, cast, visit, number, ITEM, revision=1)


def test_a_withdrawn_prescription_says_why_and_stays_readable(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    draft = composed(session, cast.roth, visit)
    with pytest.raises(NotSignedYet):
        prescriptions.withdraw(session, cast.roth, prescription_id=draft.id, reason="Wrong strength")
    prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=1)
    with pytest.raises(ReasonMissing):
        prescriptions.withdraw(session, cast.roth, prescription_id=draft.id, reason=" ")
    prescriptions.withdraw(session, cast.roth, prescription_id=draft.id, reason="Wrong strength")
    with pytest.raises(AlreadyWithdrawn):
        prescriptions.withdraw(session, cast.roth, prescription_id=draft.id, reason="Again")
    [read] = prescriptions.of_patient(session, cast.ada, patient_id=visit.patient_id)
    assert (drugs(read), read.withdrawal_reason, read.withdrawn_at) == (["Ibuprofen"], "Wrong strength", NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prescriptions SET signed_at = NULL",
        "UPDATE prescriptions SET patient_id = patient_id + 1",
        "UPDATE prescriptions SET withdrawn_at = NULL, withdrawal_reason = ''",
        "DELETE FROM prescriptions",
        "TRUNCATE prescriptions CASCADE",
        "UPDATE prescription_items SET dose = '20 tablets'",
        "DELETE FROM prescription_items",
        "INSERT INTO prescription_items (prescription_id, position, drug, strength, form, dose, frequency,"
        " duration, quantity, instructions) SELECT id, 2, 'Morphine', '', '', '', '', '', '', ''"
        " FROM prescriptions",
    ],
)
def test_no_statement_changes_a_signed_prescription(
    session: Session, cast: Cast, visit: Appointment, statement: str
) -> None:
    kept = signed(session, cast.roth, visit)
    prescriptions.withdraw(session, cast.roth, prescription_id=kept.id, reason="Wrong strength")
    with pytest.raises(DBAPIError, match="what a doctor has signed is never"), session.begin_nested():
        session.execute(text(statement))


def test_items_are_not_carried_from_a_signed_prescription_to_a_draft(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    signed(session, cast.roth, visit)
    draft = composed(session, cast.roth, visit, ITEM | {"drug": "Tea"})
    with pytest.raises(DBAPIError, match="never changed"), session.begin_nested():
        session.execute(
            text(
                "UPDATE prescription_items SET prescription_id = :draft, position = 5"
                " WHERE drug = 'Ibuprofen'"
            ),
            {"draft": draft.id},
        )


def test_another_doctor_may_not_touch_it_and_has_a_draft_of_their_own(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    draft = composed(session, cast.roth, visit)
    second = clinical.arrived(session, cast.dr_weiss, cast.checkup, ada(session, cast), starts_at=on(1, 11))
    own = composed(session, cast.weiss, second, ITEM | {"drug": "Tea"})
    assert own.id != draft.id
    with pytest.raises(AccessDenied):
        prescriptions.sign(session, cast.weiss, prescription_id=draft.id, revision=1)
    with pytest.raises(AccessDenied):
        composed(session, cast.weiss, visit)
    with pytest.raises(NotFound):
        prescriptions.sign(session, cast.roth, prescription_id=0, revision=1)


def test_nothing_is_prescribed_for_a_visit_that_never_was(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    visit.status = AppointmentStatus.CANCELLED
    with pytest.raises(NotAVisit):
        composed(session, cast.roth, visit)


def test_what_the_reaction_of_an_allergy_names_counts_too(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.record_item(session, ada(session, cast), "Painkillers", details="Ibuprofen: asthma attack")
    assert prescription_drafts.matches(session, composed(session, cast.roth, visit))


def test_nothing_is_signed_before_the_patient_has_arrived(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    visit.status = AppointmentStatus.CONFIRMED
    draft = composed(session, cast.roth, visit)
    with pytest.raises(NotArrived):
        prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=1)
    assert draft.signed_at is None


def test_an_emergency_opens_prescriptions_for_reading_only(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    signed(session, cast.roth, visit)
    records.break_glass(
        session, cast.weiss, patient_id=visit.patient_id, reason="Found unconscious in the waiting room"
    )
    assert len(prescriptions.of_patient(session, cast.weiss, patient_id=visit.patient_id)) == 1
    with pytest.raises(AccessDenied):
        prescription_drafts.of_patient(session, cast.weiss, patient_id=visit.patient_id)


def test_six_windows_that_save_and_sign_at_once_make_one_whole_prescription(database: Engine) -> None:
    with time_is(NOW):
        with unit_of_work(database) as session:
            cast = assemble(session)
            visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada(session, cast))
            draft_id = composed(session, cast.roth, visit).id

        def press(number: int) -> None:
            with unit_of_work(database) as session:
                if number % 2:
                    prescriptions.sign(session, cast.roth, prescription_id=draft_id, revision=1)
                else:
                    composed(session, cast.roth, visit, ITEM | {"dose": f"{number}"}, revision=1)

        refused = [type(each) for each in at_once(6, press) if each]
    with Session(database) as session:
        kept = session.scalars(select(Prescription)).one()
        count = session.scalar(select(func.count()).select_from(text("prescription_items")))
    assert count == 1
    assert refused == [DraftChangedElsewhere] * (3 if kept.signed_at else 5)
