"""A doctor's calendar changed by hand: visits moved and stretched, and what stands in the way."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import agendas, appointments, diary_changes
from core.appointment_errors import NoLongerChangeable, PatientBusy, RoomTaken, VisitChanged
from core.diary_changes import AwayThen, NextVisitTooSoon, PastClosing, WrongLength
from core.errors import AccessDenied, ClinicError
from core.offers import NotOffered, Rule, SlotTaken
from core.wall_time import NonexistentTime
from db.models import Appointment, AppointmentEvent, AppointmentStatus, MessageKind, Notification, Patient
from tests import make
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is

TAKEN = (
    "There is another visit then. Still free nearby: "
    "Wed, Jun 3, 9:30\u202fAM; Wed, Jun 3, 10:30\u202fAM; Wed, Jun 3, 11:30\u202fAM."
)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    return visit_at(session, cast, on(3, 10))


def visit_at(session: Session, cast: Cast, at: datetime, **changes: object) -> Appointment:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, at, patient=ada, **changes)


def stretch(session: Session, cast: Cast, visit: Appointment, ends_at: datetime) -> Appointment:
    return diary_changes.stretch(
        session, cast.roth, appointment_id=visit.id, ends_at=ends_at, version=visit.version
    )


def test_a_doctor_moves_an_own_visit_and_the_patient_is_told(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    session.get_one(Patient, cast.ada.patient_ids[0]).email = "ada@example.org"
    diary_changes.move(session, cast.roth, appointment_id=visit.id, starts_at=on(4, 11), version=0)
    assert (visit.starts_at, visit.ends_at) == (on(4, 11), on(4, 11, 30))
    told = session.scalars(select(Notification).where(Notification.appointment_id == visit.id)).all()
    assert [each.kind for each in told] == [MessageKind.MOVED]


def test_the_cancellation_window_and_the_notice_bind_patients_and_not_the_doctor(
    session: Session, cast: Cast
) -> None:
    soon = visit_at(session, cast, on(1, 10))
    diary_changes.move(session, cast.roth, appointment_id=soon.id, starts_at=on(1, 9), version=0)
    assert soon.starts_at == on(1, 9)


def test_a_move_onto_another_visit_off_the_step_or_outside_the_hours_is_refused_with_the_reason(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.appointment(session, cast.dr_roth, cast.checkup, on(4, 11))
    for at, error in ((on(4, 11), SlotTaken), (on(4, 11, 10), NotOffered), (on(4, 18), NotOffered)):
        with pytest.raises(error):
            diary_changes.move(session, cast.roth, appointment_id=visit.id, starts_at=at, version=0)
    assert (visit.starts_at, visit.version) == (on(3, 10), 0)


def test_a_visit_cannot_be_dragged_to_where_the_clocks_jump(session: Session, cast: Cast) -> None:
    with time_is(datetime(2026, 3, 20, 8, tzinfo=BERLIN)):
        make.weekly_hours(session, cast.dr_roth, "00:00-08:00", on=[7])
        visit = visit_at(session, cast, on(28, 10, month=3))
        skipped = datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)
        with pytest.raises(NonexistentTime):
            diary_changes.move(session, cast.roth, appointment_id=visit.id, starts_at=skipped, version=0)


@pytest.mark.parametrize("ends_at", [on(3, 10, 15), on(3, 11), on(3, 12)])
def test_a_visit_ends_earlier_or_later_and_its_past_is_kept(
    session: Session, cast: Cast, visit: Appointment, ends_at: datetime
) -> None:
    stretch(session, cast, visit, ends_at)
    session.refresh(visit)
    assert (visit.starts_at, visit.ends_at, visit.blocked.upper) == (on(3, 10), ends_at, ends_at)
    assert (visit.version, visit.time_version) == (1, 0)
    [event] = session.scalars(select(AppointmentEvent).where(AppointmentEvent.appointment_id == visit.id))
    assert (event.before or {})["ends_at"] == on(3, 10, 30).astimezone(visit.ends_at.tzinfo).isoformat()
    assert session.scalars(select(Notification)).all() == []


def test_the_buffer_after_a_visit_goes_with_its_end(session: Session, cast: Cast) -> None:
    cast.checkup.buffer_after_minutes = 10
    visit = visit_at(session, cast, on(3, 10))
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))
    stretch(session, cast, visit, on(3, 10, 50))
    assert visit.blocked.upper == on(3, 11)
    with pytest.raises(NextVisitTooSoon):
        stretch(session, cast, visit, on(3, 10, 55))
    assert visit.ends_at == on(3, 10, 50)


def test_what_stands_in_the_way_of_a_longer_visit_is_said(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    refused: list[tuple[datetime, type[ClinicError]]] = [
        (on(3, 12, 5), PastClosing),
        (on(3, 10), WrongLength),
        (on(3, 10, 4), WrongLength),
        (on(3, 9), WrongLength),
        (on(4, 10), WrongLength),
    ]
    for at, error in refused:
        with pytest.raises(error):
            stretch(session, cast, visit, at)
    make.time_off(session, cast.dr_roth, on(3, 11, 30), on(3, 12))
    with pytest.raises(AwayThen):
        stretch(session, cast, visit, on(3, 11, 40))
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))
    with pytest.raises(NextVisitTooSoon):
        stretch(session, cast, visit, on(3, 11, 10))
    assert (visit.ends_at, visit.version) == (on(3, 10, 30), 0)


def test_a_longer_visit_takes_neither_its_patients_time_nor_its_rooms(session: Session, cast: Cast) -> None:
    room = make.room(session)
    visit = visit_at(session, cast, on(3, 10), room_id=room.id)
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 11, 30), patient=ada)
    with pytest.raises(PatientBusy):
        stretch(session, cast, visit, on(3, 11, 45))
    make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 11), room_id=room.id)
    with pytest.raises(RoomTaken):
        stretch(session, cast, visit, on(3, 11, 15))


def test_who_is_in_the_room_can_stay_longer_and_what_is_over_stays_as_it_was(
    session: Session, cast: Cast
) -> None:
    visit = visit_at(session, cast, on(1, 9), status=AppointmentStatus.IN_ROOM)
    with time_is(on(1, 9, 20)):
        stretch(session, cast, visit, on(1, 10))
        with pytest.raises(WrongLength):
            stretch(session, cast, visit, on(1, 9, 15))
    with time_is(on(1, 10)), pytest.raises(NoLongerChangeable):
        stretch(session, cast, visit, on(1, 11))


def test_what_was_changed_meanwhile_is_looked_at_again_and_a_double_click_counts_once(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    key = uuid4()
    for _click in range(2):
        diary_changes.stretch(
            session, cast.roth, appointment_id=visit.id, ends_at=on(3, 11), version=0, request_key=key
        )
    assert visit.version == 1
    with pytest.raises(VisitChanged):
        diary_changes.stretch(session, cast.desk, appointment_id=visit.id, ends_at=on(3, 12), version=0)
    with pytest.raises(VisitChanged):
        diary_changes.move(session, cast.desk, appointment_id=visit.id, starts_at=on(4, 9), version=0)


def test_a_visit_that_was_made_longer_or_shorter_keeps_its_length_when_it_is_moved(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    cast.checkup.buffer_after_minutes = 10
    for minutes, at in ((50, on(4, 11)), (20, on(5, 9))):
        stretch(session, cast, visit, visit.starts_at + timedelta(minutes=minutes))
        visit = appointments.reschedule(session, cast.desk, appointment_id=visit.id, starts_at=at)
        assert (visit.starts_at, visit.ends_at - visit.starts_at) == (at, timedelta(minutes=minutes))
        assert visit.blocked.upper == visit.ends_at + timedelta(minutes=10)


@pytest.mark.parametrize("why", ["another visit", "closing time", "away", "the patient"])
def test_where_its_own_length_does_not_fit_a_moved_visit_takes_the_usual_one(
    session: Session, cast: Cast, visit: Appointment, why: str
) -> None:
    stretch(session, cast, visit, on(3, 11, 30))
    at = on(4, 11, 30) if why == "closing time" else on(4, 10)
    if why == "another visit":
        make.appointment(session, cast.dr_roth, cast.checkup, on(4, 11))
    elif why == "away":
        make.time_off(session, cast.dr_roth, on(4, 10, 45), on(4, 12))
    elif why == "the patient":
        ada = session.get_one(Patient, cast.ada.patient_ids[0])
        make.appointment(session, cast.dr_weiss, cast.checkup, on(4, 10, 30), patient=ada)
    diary_changes.move(session, cast.roth, appointment_id=visit.id, starts_at=at, version=visit.version)
    assert (visit.starts_at, visit.ends_at) == (at, at + timedelta(minutes=30))


def test_a_longer_visit_that_is_moved_takes_the_room_that_is_free_for_all_of_it(
    session: Session, cast: Cast
) -> None:
    cast.checkup.needs_room = True
    first, second = (make.room(session, name=name).id for name in "12")
    visit = visit_at(session, cast, on(3, 10), room_id=first)
    stretch(session, cast, visit, on(3, 11))
    make.appointment(session, cast.dr_weiss, cast.checkup, on(4, 10, 30), room_id=first)
    diary_changes.move(session, cast.roth, appointment_id=visit.id, starts_at=on(4, 10), version=1)
    assert (visit.ends_at, visit.room_id) == (on(4, 11), second)


def test_what_a_change_would_come_to_is_known_before_it_is_made(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))
    own = {"appointment_id": visit.id, "version": 0}
    for change, wanted, refusal in (
        (diary_changes.stretch, {"ends_at": on(3, 11, 10)}, str(NextVisitTooSoon())),
        (diary_changes.stretch, {"ends_at": on(3, 11)}, ""),
        (diary_changes.move, {"starts_at": on(3, 11)}, TAKEN),
        (diary_changes.move, {"starts_at": on(4, 11)}, ""),
    ):
        found = diary_changes.expected(session, cast.roth, change, **own, **wanted)
        assert found.refusal == refusal
        ends = wanted.get("ends_at") or wanted["starts_at"] + timedelta(minutes=30)
        assert found.ends_at == (on(3, 10, 30) if refusal else ends)
    session.refresh(visit)
    assert (visit.starts_at, visit.ends_at, visit.version) == (on(3, 10), on(3, 10, 30), 0)
    assert session.scalars(select(AppointmentEvent)).all() == []
    assert session.scalars(select(Notification)).all() == []


def test_only_the_visits_doctor_and_the_desk_change_it(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    for actor in (cast.weiss, cast.ada, cast.ben, cast.stranger):
        with pytest.raises(AccessDenied):
            diary_changes.stretch(session, actor, appointment_id=visit.id, ends_at=on(3, 11), version=0)
    diary_changes.stretch(session, cast.desk, appointment_id=visit.id, ends_at=on(3, 11), version=0)
    diary_changes.move(session, cast.desk, appointment_id=visit.id, starts_at=on(4, 9), version=1)
    assert visit.starts_at == on(4, 9)


def test_a_doctor_gives_no_visit_to_a_colleague(session: Session, cast: Cast, visit: Appointment) -> None:
    with pytest.raises(AccessDenied):
        appointments.reschedule(
            session, cast.roth, appointment_id=visit.id, starts_at=on(4, 9), doctor_id=cast.dr_weiss.id
        )


def test_several_days_of_a_doctor_are_for_that_doctor_and_the_desk(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    later = make.appointment(session, cast.dr_roth, cast.checkup, on(5, 10))
    make.appointment(session, cast.dr_roth, cast.checkup, on(8, 10))
    make.appointment(session, cast.dr_weiss, cast.checkup, on(4, 10))
    week = {"doctor_id": cast.dr_roth.id, "from_on": on(1, 0).date(), "until_on": on(7, 0).date()}
    for actor in (cast.roth, cast.desk):
        assert agendas.between(session, actor, **week) == [visit, later]
    for actor in (cast.weiss, cast.ada):
        with pytest.raises(AccessDenied):
            agendas.between(session, actor, **week)


def test_the_rule_of_a_refused_move_is_known(session: Session, cast: Cast, visit: Appointment) -> None:
    with pytest.raises(NotOffered) as refused:
        diary_changes.move(session, cast.roth, appointment_id=visit.id, starts_at=on(4, 18), version=0)
    assert refused.value.rule is Rule.OUTSIDE_HOURS
