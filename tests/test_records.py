"""Patients' records: who opens which, in an emergency too; who may act for whom."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import appointments, emergencies, guardians, records, sign_ins, treatments
from core.access import Action, Actor
from core.appointment_errors import ReasonMissing, ReasonTooLong, ReasonUnreadable
from core.errors import AccessDenied, NotFound
from core.guardians import GuardianDependent, GuardianKnown, GuardianOfOthers, OwnGuardian
from core.records import EMERGENCY_LASTS, OwnPatientAlready, ReasonTooShort
from db.models import Appointment, AppointmentStatus, AuditEntry, EmergencyAccess, Patient
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

WHY = "Found unconscious in the waiting room"


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        made = assemble(session)
        ada = session.get_one(Patient, made.ada.patient_ids[0])
        make.known_of(session, ada)
        session.flush()
        yield made


@pytest.fixture
def ada_id(cast: Cast) -> int:
    return cast.ada.patient_ids[0]


@pytest.fixture
def visit(session: Session, cast: Cast, ada_id: int) -> Appointment:
    return make.appointment(
        session, cast.dr_roth, cast.checkup, on(3, 10), patient=session.get_one(Patient, ada_id)
    )


def looks(session: Session) -> list[tuple[str, int | None, str, int | None]]:
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.action, entry.user_id, entry.object_kind, entry.object_id) for entry in rows]


def test_a_record_is_for_the_patient_and_the_patients_doctors(
    session: Session, cast: Cast, visit: Appointment, ada_id: int
) -> None:
    for actor in (cast.ada, cast.roth):
        record = records.open_record(session, actor, patient_id=ada_id)
        assert (record.name, [(each.name, each.details) for each in record.items]) == (
            "Ada Okafor",
            [("Migraine", ""), ("Penicillin", "rash")],
        )
        assert [(each.starts_at, each.doctor) for each in record.coming] == [(on(3, 10), "Dr. Eva Roth")]
        assert record.past == []
        assert record.emergency_until is None
    for actor in (cast.ben, cast.stranger, cast.guardian, cast.weiss, cast.desk, cast.admin):
        with pytest.raises(AccessDenied) as denied:
            records.open_record(session, actor, patient_id=ada_id)
        assert (denied.value.action, denied.value.patient_id) == (Action.SEE_RECORD, ada_id)


def test_a_guardian_reads_the_childs_record_and_both_looks_are_kept(session: Session, cast: Cast) -> None:
    records.open_record(session, cast.guardian, patient_id=cast.child_id)
    records.open_record(session, cast.guardian, patient_id=cast.guardian.patient_ids[0])
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.patient_id, entry.for_another) for entry in rows] == [
        (cast.child_id, True),
        (cast.guardian.patient_ids[0], False),
    ]


@pytest.mark.parametrize(
    ("status", "is_own"),
    [
        (AppointmentStatus.CONFIRMED, True),
        (AppointmentStatus.ARRIVED, True),
        (AppointmentStatus.IN_ROOM, True),
        (AppointmentStatus.COMPLETED, True),
        (AppointmentStatus.NO_SHOW, True),
        (AppointmentStatus.PENDING, False),
        (AppointmentStatus.CANCELLED, False),
        (AppointmentStatus.EXPIRED, False),
    ],
)
def test_which_visits_make_a_patient_a_doctors_own(
    session: Session, cast: Cast, visit: Appointment, ada_id: int, status: AppointmentStatus, is_own: bool
) -> None:
    visit.status = status
    visit.hold_expires_at = NOW if status is AppointmentStatus.PENDING else None
    session.flush()
    found = treatments.treating_doctor(session, cast.roth, ada_id)
    assert found == (cast.dr_roth.id if is_own else None)


def test_a_visit_that_was_called_off_closes_the_record_again(
    session: Session, cast: Cast, visit: Appointment, ada_id: int
) -> None:
    records.open_record(session, cast.roth, patient_id=ada_id)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="I am better")
    with pytest.raises(AccessDenied):
        records.open_record(session, cast.roth, patient_id=ada_id)


def test_a_past_visit_is_listed_as_past(
    session: Session, cast: Cast, visit: Appointment, ada_id: int
) -> None:
    with time_is(on(4, 10)):
        record = records.open_record(session, cast.ada, patient_id=ada_id)
    assert ([each.starts_at for each in record.past], record.coming) == ([visit.starts_at], [])


def test_a_record_that_is_not_there_is_not_found(session: Session, cast: Cast) -> None:
    with pytest.raises(AccessDenied):
        records.open_record(session, cast.roth, patient_id=0)
    with pytest.raises(NotFound):
        records.identify(session, cast.roth, patient_id=0)


def test_the_search_shows_who_and_whose_and_nothing_else(
    session: Session, cast: Cast, visit: Appointment, ada_id: int
) -> None:
    found = records.search_records(session, cast.roth, text="okafor")
    assert [(each.patient_id, each.name, each.is_own) for each in found] == [(ada_id, "Ada Okafor", True)]
    assert not records.search_records(session, cast.weiss, text="ada")[0].is_own
    assert len(records.search_records(session, cast.weiss, text="1985-05-17")) == 5
    assert records.search_records(session, cast.roth, text=" ") == []
    for actor in (cast.ada, cast.guardian, cast.desk, cast.admin, cast.stranger):
        with pytest.raises(AccessDenied):
            records.search_records(session, actor, text="ada")


def test_an_emergency_opens_a_record_for_two_hours_and_is_told(
    session: Session, cast: Cast, ada_id: int
) -> None:
    opened = records.break_glass(session, cast.weiss, patient_id=ada_id, reason=f"  {WHY} ")
    assert (opened.reason, opened.expires_at) == (WHY, NOW + EMERGENCY_LASTS)
    assert records.break_glass(session, cast.weiss, patient_id=ada_id, reason="And once more") is opened
    record = records.open_record(session, cast.weiss, patient_id=ada_id)
    assert record.emergency_until == NOW + EMERGENCY_LASTS
    assert looks(session) == [
        (Action.BREAK_GLASS, cast.weiss.user_id, "emergency access", opened.id),
        (Action.SEE_RECORD, cast.weiss.user_id, "emergency access", opened.id),
    ]
    with pytest.raises(AccessDenied):
        records.open_record(session, cast.roth, patient_id=ada_id)
    with pytest.raises(AccessDenied):
        records.open_record(session, cast.weiss, patient_id=cast.ben.patient_ids[0])
    with time_is(NOW + EMERGENCY_LASTS), pytest.raises(AccessDenied):
        records.open_record(session, cast.weiss, patient_id=ada_id)


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("", ReasonMissing),
        ("help", ReasonTooShort),
        ("..............", ReasonTooShort),
        ("x" * 501, ReasonTooLong),
        ("unconscious\0 patient", ReasonUnreadable),
    ],
)
def test_an_emergency_needs_a_reason_that_can_be_looked_at(
    session: Session, cast: Cast, ada_id: int, reason: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        records.break_glass(session, cast.weiss, patient_id=ada_id, reason=reason)
    assert session.scalar(select(func.count()).select_from(EmergencyAccess)) == 0


def test_an_emergency_is_for_doctors_and_for_others_patients(
    session: Session, cast: Cast, visit: Appointment, ada_id: int
) -> None:
    with pytest.raises(OwnPatientAlready):
        records.break_glass(session, cast.roth, patient_id=ada_id, reason=WHY)
    with pytest.raises(NotFound):
        records.break_glass(session, cast.roth, patient_id=0, reason=WHY)
    for actor in (cast.ada, cast.stranger, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            records.break_glass(session, actor, patient_id=ada_id, reason=WHY)


def test_the_button_pressed_twice_opens_one_emergency(database: Engine) -> None:
    with time_is(NOW), unit_of_work(database) as session:
        cast = assemble(session)
    gun = Barrier(2)

    def press() -> None:
        gun.wait()
        with unit_of_work(database) as session:
            records.break_glass(session, cast.weiss, patient_id=cast.child_id, reason=WHY)

    with time_is(NOW):
        pressing = [Thread(target=press) for _ in range(2)]
        for each in pressing:
            each.start()
        for each in pressing:
            each.join()
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(EmergencyAccess)) == 1


def test_an_administrator_reviews_each_emergency_once(session: Session, cast: Cast, ada_id: int) -> None:
    opened = records.break_glass(session, cast.weiss, patient_id=ada_id, reason=WHY)
    assert emergencies.unreviewed(session, cast.admin) == 1
    [waiting] = emergencies.emergency_accesses(session, cast.admin)
    assert (waiting.doctor, waiting.patient, waiting.reason) == ("Dr. Jonas Weiß", "Ada Okafor", WHY)
    emergencies.review(session, cast.admin, access_id=opened.id)
    with time_is(NOW + timedelta(hours=1)):
        emergencies.review(session, cast.admin, access_id=opened.id)
    assert emergencies.emergency_accesses(session, cast.admin) == []
    [reviewed] = emergencies.emergency_accesses(session, cast.admin, is_reviewed=True)
    assert (reviewed.reviewed_at, reviewed.reviewed_by) == (NOW, "Albert Admin")
    assert [action for action, *_rest in looks(session)].count(Action.REVIEW_ACCESS) == 1
    with pytest.raises(NotFound):
        emergencies.review(session, cast.admin, access_id=0)


def test_emergencies_are_reviewed_by_administrators_only(session: Session, cast: Cast, ada_id: int) -> None:
    opened = records.break_glass(session, cast.weiss, patient_id=ada_id, reason=WHY)
    for actor in (cast.ada, cast.stranger, cast.weiss, cast.roth, cast.desk):
        for use in (
            lambda actor: emergencies.review(session, actor, access_id=opened.id),
            lambda actor: emergencies.emergency_accesses(session, actor),
            lambda actor: emergencies.unreviewed(session, actor),
        ):
            with pytest.raises(AccessDenied):
                use(actor)
    assert opened.reviewed_at is None


def signed_in(session: Session, actor: Actor) -> Actor:
    """The actor as the next click loads them."""
    token = sign_ins.start(session, user_id=actor.user_id)
    session.flush()
    found = sign_ins.current_actor(session, token)
    assert found is not None
    return found


def test_a_guardians_rights_begin_and_end_with_the_link(session: Session, cast: Cast, ada_id: int) -> None:
    aunt, child = cast.ada, cast.child_id
    assert child not in signed_in(session, aunt).patient_ids
    guardians.unlink_guardian(session, cast.desk, patient_id=child)
    with pytest.raises(AccessDenied):
        records.open_record(session, signed_in(session, cast.guardian), patient_id=child)
    guardians.link_guardian(session, cast.desk, patient_id=child, guardian_id=ada_id)
    assert records.open_record(session, signed_in(session, aunt), patient_id=child).name == "Mila Klein"
    family = guardians.family(session, cast.desk, patient_id=child)
    assert family.guardian is not None
    assert (family.guardian.id, family.dependants) == (ada_id, [])
    guardians.unlink_guardian(session, cast.desk, patient_id=child)
    with pytest.raises(AccessDenied):
        records.open_record(session, signed_in(session, aunt), patient_id=child)


def test_linking_and_unlinking_are_told_and_twice_is_once(session: Session, cast: Cast, ada_id: int) -> None:
    ben_id = cast.ben.patient_ids[0]
    for _again in range(2):
        guardians.link_guardian(session, cast.desk, patient_id=ben_id, guardian_id=ada_id)
    for _again in range(2):
        guardians.unlink_guardian(session, cast.desk, patient_id=ben_id)
    assert looks(session) == [
        (Action.LINK_GUARDIAN, cast.desk.user_id, "patient", ben_id),
        (Action.UNLINK_GUARDIAN, cast.desk.user_id, "patient", ben_id),
    ]


def test_nobody_acts_through_a_third_or_for_themselves(session: Session, cast: Cast, ada_id: int) -> None:
    (greta,), child, ben = cast.guardian.patient_ids[:1], cast.child_id, cast.ben.patient_ids[0]
    for patient_id, guardian_id, error in (
        (ada_id, ada_id, OwnGuardian),
        (child, ada_id, GuardianKnown),
        (ada_id, child, GuardianDependent),
        (greta, ben, GuardianOfOthers),
        (greta, child, GuardianDependent),
        (ada_id, 0, NotFound),
        (0, ada_id, NotFound),
    ):
        with pytest.raises(error):
            guardians.link_guardian(session, cast.desk, patient_id=patient_id, guardian_id=guardian_id)
    assert looks(session) == []


def test_only_the_desk_links_guardians(session: Session, cast: Cast, ada_id: int) -> None:
    for actor in (cast.ada, cast.guardian, cast.stranger, cast.roth):
        for use in (
            lambda actor: guardians.link_guardian(
                session, actor, patient_id=ada_id, guardian_id=cast.ben.patient_ids[0]
            ),
            lambda actor: guardians.unlink_guardian(session, actor, patient_id=cast.child_id),
            lambda actor: guardians.family(session, actor, patient_id=cast.child_id),
        ):
            with pytest.raises(AccessDenied):
                use(actor)
