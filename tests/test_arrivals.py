"""Who has come: each step by whom, when, and taken back; and who is taken for missed once a day is over."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import arrivals, missed_visits, strandings
from core.arrivals import MarkedMeanwhile, NothingToUndo, NotStarted, NotToday, TimeGivenAway
from core.errors import AccessDenied, ClinicError, NotFound
from db.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    AuditEntry,
    Closure,
    EventKind,
    Patient,
    PaymentStatus,
)
from db.session import unit_of_work
from tests import make
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is

CONFIRMED, ARRIVED, COMPLETED, NO_SHOW = (
    AppointmentStatus.CONFIRMED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
)
STEPS = [arrivals.check_in, arrivals.complete, arrivals.mark_missed, arrivals.undo]
TEN = on(1, 10)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth, on the Monday of `NOW` at ten."""
    return made(session, cast, TEN)


def made(session: Session, cast: Cast, at: datetime, **changes: Any) -> Appointment:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, at, **{"patient": ada} | changes)


def status_of(session: Session, visit: Appointment) -> AppointmentStatus:
    return session.get_one(Appointment, visit.id, populate_existing=True).status


def kinds(session: Session, visit: Appointment) -> list[EventKind]:
    rows = select(AppointmentEvent.kind).where(AppointmentEvent.appointment_id == visit.id)
    return list(session.scalars(rows.order_by(AppointmentEvent.id)))


def test_somebody_comes_is_seen_and_every_step_is_kept(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    version = visit.version
    with time_is(on(1, 9, 50)):
        arrivals.check_in(session, cast.desk, appointment_id=visit.id)
    assert status_of(session, visit) is ARRIVED
    with time_is(on(1, 10, 25)):
        arrivals.complete(session, cast.roth, appointment_id=visit.id)
    assert status_of(session, visit) is COMPLETED
    assert kinds(session, visit) == [EventKind.ARRIVED, EventKind.COMPLETED]
    told = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(each.action, each.user_id, each.object_id) for each in told] == [
        ("mark who has come", cast.desk.user_id, visit.id),
        ("mark who has come", cast.roth.user_id, visit.id),
    ]
    assert visit.version == version, "no calendar has to be told"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_only_the_desk_and_the_visits_own_doctor_mark_anything(
    session: Session, cast: Cast, visit: Appointment, step: Callable[..., Appointment]
) -> None:
    with time_is(on(1, 10, 5)):
        if step is arrivals.undo:
            arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        before = status_of(session, visit), kinds(session, visit)
        for actor in (cast.ada, cast.stranger, cast.guardian, cast.weiss):
            with pytest.raises(AccessDenied):
                step(session, actor, appointment_id=visit.id)
        assert (status_of(session, visit), kinds(session, visit)) == before
        step(session, cast.roth, appointment_id=visit.id)
        assert len(kinds(session, visit)) == len(before[1]) + 1
        with pytest.raises(NotFound):
            step(session, cast.desk, appointment_id=10**6)


@pytest.mark.parametrize(
    ("at", "is_the_day"),
    [
        (on(31, 23, 59, month=5), False),
        (on(1, 0, 0), True),  # still Sunday evening in UTC
        (on(1, 23, 59), True),
        (on(2, 0, 0), False),
    ],
)
def test_somebody_comes_on_the_clinics_day_of_the_visit(
    session: Session, cast: Cast, visit: Appointment, at: datetime, is_the_day: bool
) -> None:
    with time_is(at):
        if is_the_day:
            arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        else:
            with pytest.raises(NotToday):
                arrivals.check_in(session, cast.desk, appointment_id=visit.id)


@pytest.mark.parametrize("step", [arrivals.complete, arrivals.mark_missed], ids=lambda step: step.__name__)
def test_what_has_not_begun_is_neither_done_nor_missed(
    session: Session, cast: Cast, visit: Appointment, step: Callable[..., Appointment]
) -> None:
    with time_is(TEN - timedelta(seconds=1)), pytest.raises(NotStarted):
        step(session, cast.desk, appointment_id=visit.id)
    with time_is(TEN):
        assert step(session, cast.desk, appointment_id=visit.id).status is not CONFIRMED


@pytest.mark.parametrize("status", sorted(set(AppointmentStatus) - {CONFIRMED}))
def test_a_click_on_what_has_changed_meanwhile_changes_nothing(
    session: Session, cast: Cast, status: AppointmentStatus
) -> None:
    held = {"hold_expires_at": on(1, 11)} if status is AppointmentStatus.PENDING else {}
    visit = made(session, cast, TEN, status=status, **held)
    with time_is(on(1, 10, 5)):
        for step in (arrivals.check_in, arrivals.mark_missed):
            with pytest.raises(MarkedMeanwhile):
                step(session, cast.desk, appointment_id=visit.id)
        if status not in {ARRIVED, AppointmentStatus.IN_ROOM}:
            with pytest.raises(MarkedMeanwhile):
                arrivals.complete(session, cast.desk, appointment_id=visit.id)
        with pytest.raises(NothingToUndo):
            arrivals.undo(session, cast.desk, appointment_id=visit.id)
    assert (status_of(session, visit), kinds(session, visit)) == (status, [])


def test_steps_are_taken_back_one_by_one_and_no_further(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(1, 10, 5)):
        arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        arrivals.complete(session, cast.desk, appointment_id=visit.id)
        seen = []
        for _time in range(2):
            arrivals.undo(session, cast.desk, appointment_id=visit.id)
            seen.append(status_of(session, visit))
        assert seen == [ARRIVED, CONFIRMED]
        with pytest.raises(NothingToUndo):
            arrivals.undo(session, cast.desk, appointment_id=visit.id)
        arrivals.complete(session, cast.roth, appointment_id=visit.id)
        arrivals.undo(session, cast.roth, appointment_id=visit.id)
    assert status_of(session, visit) is CONFIRMED
    assert kinds(session, visit).count(EventKind.UNDONE) == 3


def test_nothing_is_taken_back_once_something_else_has_happened(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(1, 10, 5)):
        arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        session.add(AppointmentEvent(appointment_id=visit.id, kind=EventKind.MOVED, at=on(1, 10, 6)))
        session.flush()
        with pytest.raises(NothingToUndo):
            arrivals.undo(session, cast.desk, appointment_id=visit.id)
    assert status_of(session, visit) is ARRIVED


def test_a_missed_visit_keeps_its_money_changes_calendars_and_can_be_put_back(
    session: Session, cast: Cast
) -> None:
    visit = made(session, cast, TEN, payment_status=PaymentStatus.PAID)
    with time_is(on(1, 10, 20)):
        arrivals.mark_missed(session, cast.desk, appointment_id=visit.id)
        assert (status_of(session, visit), visit.version) == (NO_SHOW, 1)
        assert visit.payment_status is PaymentStatus.PAID
        arrivals.undo(session, cast.desk, appointment_id=visit.id)
    assert (status_of(session, visit), visit.version) == (CONFIRMED, 2)


def test_a_missed_visit_whose_time_was_given_away_stays_missed(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(1, 10, 20)):
        arrivals.mark_missed(session, cast.desk, appointment_id=visit.id)
        make.appointment(session, cast.dr_roth, cast.checkup, TEN)
        with pytest.raises(TimeGivenAway):
            arrivals.undo(session, cast.desk, appointment_id=visit.id)
    assert (status_of(session, visit), kinds(session, visit)) == (NO_SHOW, [EventKind.NO_SHOW])


@pytest.mark.parametrize("other", [None, "another click"])
def test_a_double_click_is_one_step_and_a_second_click_is_told(database: Engine, other: str | None) -> None:
    with unit_of_work(database) as session, time_is(NOW):
        cast = assemble(session)
        visit = made(session, cast, TEN)
    first = uuid4()
    keys = [first, first if other is None else uuid4()]

    def click(key: Any) -> str:
        try:
            with unit_of_work(database) as session:
                arrivals.check_in(session, cast.desk, appointment_id=visit.id, request_key=key)
        except ClinicError as error:
            return type(error).__name__
        return "done"

    with time_is(on(1, 9, 55)), ThreadPoolExecutor(2) as clicks:
        answers = sorted(clicks.map(click, keys))
    assert answers == (["done", "done"] if other is None else ["MarkedMeanwhile", "done"])
    with Session(database) as session:
        assert kinds(session, visit) == [EventKind.ARRIVED]


def test_a_double_click_takes_back_one_step(session: Session, cast: Cast, visit: Appointment) -> None:
    key = uuid4()
    with time_is(on(1, 10, 5)):
        arrivals.check_in(session, cast.desk, appointment_id=visit.id)
        arrivals.complete(session, cast.desk, appointment_id=visit.id)
        for _time in range(2):
            arrivals.undo(session, cast.desk, appointment_id=visit.id, request_key=key)
    assert status_of(session, visit) is ARRIVED


def in_use(session: Session, cast: Cast, at: datetime) -> Appointment:
    """A visit of somebody's to whom the desk has said hello, so that its day counts."""
    seen = make.appointment(session, cast.dr_weiss, cast.checkup, at)
    with time_is(at):
        arrivals.check_in(session, cast.desk, appointment_id=seen.id)
    return seen


def test_who_has_not_come_is_missed_once_the_day_is_over(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    seen = in_use(session, cast, on(1, 9))
    tomorrow = made(session, cast, on(2, 10))
    with time_is(on(1, 23, 59)):
        assert missed_visits.note(session) == 0
    with time_is(on(2, 0, 0)):
        assert missed_visits.note(session) == 1
        assert missed_visits.note(session) == 0, "once"
    assert [status_of(session, each) for each in (visit, seen, tomorrow)] == [NO_SHOW, ARRIVED, CONFIRMED]
    event = session.scalars(select(AppointmentEvent).where(AppointmentEvent.appointment_id == visit.id)).one()
    assert (event.kind, event.by_user_id, event.before) == (EventKind.NO_SHOW, None, {"status": "confirmed"})
    assert visit.version == 1
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.user_id, entry.object_id) == ("note a missed visit", None, visit.id)
    assert entry.patient_id == cast.ada.patient_ids[0]


@pytest.mark.parametrize("why", ["away", "closed", "other hours", "doctor left"])
def test_nobody_has_missed_a_visit_that_could_not_be(
    session: Session, cast: Cast, visit: Appointment, why: str
) -> None:
    in_use(session, cast, on(1, 9))
    if why == "away":
        make.time_off(session, cast.dr_roth, on(1, 0), on(2, 0))
    elif why == "closed":
        session.add(Closure(on_date=on(1, 0).date(), name="Burst pipe"))
    elif why == "other hours":
        make.override(session, cast.dr_roth, on(1, 0).date(), "08:00-09:00")
    else:
        cast.dr_roth.is_active = False
    session.flush()
    with time_is(on(2, 9)):
        assert missed_visits.note(session) == 0
        known = strandings.find(session, is_all_day=True).get(visit.id)
        assert (known is None) == (why == "doctor left")
        if known is not None:
            strandings.keep(
                session, cast.desk, appointment_id=visit.id, reason="A colleague was there", causes=known
            )
            assert missed_visits.note(session) == 1


def test_on_a_day_on_which_nobody_used_the_marks_nobody_is_missed(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with time_is(on(2, 9)):
        arrivals.complete(session, cast.roth, appointment_id=made(session, cast, on(1, 11)).id)
        in_use(session, cast, on(2, 9))
        assert missed_visits.note(session) == 0, "marking yesterday's visit today is not using them then"
    with time_is(on(3, 9)):
        assert missed_visits.note(session) == 0
    assert status_of(session, visit) is CONFIRMED


def test_a_day_of_long_ago_is_left_alone(session: Session, cast: Cast, visit: Appointment) -> None:
    in_use(session, cast, on(1, 9))
    with time_is(on(9, 0, 0)):
        assert missed_visits.note(session) == 0
    with time_is(on(8, 23, 59)):
        assert missed_visits.note(session) == 1
    assert status_of(session, visit) is NO_SHOW


def test_a_visit_that_goes_on_past_midnight_is_not_missed_before_its_end(
    session: Session, cast: Cast
) -> None:
    in_use(session, cast, on(1, 9))
    late = made(session, cast, on(1, 23, 45))
    with time_is(on(2, 0, 14)):
        assert missed_visits.note(session) == 0
    with time_is(on(2, 0, 15)):
        assert missed_visits.note(session) == 1
    assert status_of(session, late) is NO_SHOW


def test_who_was_put_back_after_the_day_stays_and_before_its_end_does_not(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    in_use(session, cast, on(1, 9))
    by_mistake = made(session, cast, on(1, 11))
    with time_is(on(1, 12)):
        arrivals.check_in(session, cast.desk, appointment_id=by_mistake.id)
        arrivals.undo(session, cast.desk, appointment_id=by_mistake.id)
    with time_is(on(2, 8)):
        assert missed_visits.note(session) == 2
        arrivals.undo(session, cast.desk, appointment_id=visit.id)
        assert missed_visits.note(session) == 0
        assert status_of(session, visit) is CONFIRMED
        arrivals.complete(session, cast.desk, appointment_id=visit.id)
    assert status_of(session, visit) is COMPLETED


@pytest.mark.parametrize(
    ("zone", "last", "day_ends"),
    [
        # Berlin: 25 hours on 25 October, 23 on 29 March
        (BERLIN, datetime(2026, 10, 25, 23, 0, tzinfo=BERLIN), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
        (BERLIN, datetime(2026, 3, 29, 23, 0, tzinfo=BERLIN), datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),
        # the hour that happens twice, in which Berlin's day has not ended although UTC's has
        (BERLIN, datetime(2026, 10, 24, 23, 30, tzinfo=BERLIN), datetime(2026, 10, 24, 22, 0, tzinfo=UTC)),
        # where midnight itself is skipped: the day ends at 24:00, and the next begins at 01:00
        (
            ZoneInfo("America/Santiago"),
            datetime(2026, 9, 5, 23, 0, tzinfo=ZoneInfo("America/Santiago")),
            datetime(2026, 9, 6, 4, 0, tzinfo=UTC),
        ),
        # far from Greenwich, on both sides
        (
            ZoneInfo("Pacific/Kiritimati"),
            datetime(2026, 6, 1, 9, 0, tzinfo=ZoneInfo("Pacific/Kiritimati")),
            datetime(2026, 6, 1, 10, 0, tzinfo=UTC),
        ),
        (
            ZoneInfo("Pacific/Pago_Pago"),
            datetime(2026, 6, 1, 9, 0, tzinfo=ZoneInfo("Pacific/Pago_Pago")),
            datetime(2026, 6, 2, 11, 0, tzinfo=UTC),
        ),
    ],
)
def test_a_day_ends_by_the_clinics_own_clock_also_when_clocks_change(
    session: Session, cast: Cast, zone: ZoneInfo, last: datetime, day_ends: datetime
) -> None:
    make.clinic(session, time_zone=zone.key)
    missed = made(session, cast, last, ends_at=last.astimezone(UTC) + timedelta(minutes=15))
    in_use(session, cast, last)
    with time_is(day_ends - timedelta(seconds=1)):
        assert missed_visits.note(session) == 0
    with time_is(day_ends):
        assert missed_visits.note(session) == 1
    assert status_of(session, missed) is NO_SHOW


def test_two_processes_note_each_missed_visit_once(database: Engine) -> None:
    with unit_of_work(database) as session, time_is(NOW):
        cast = assemble(session)
        in_use(session, cast, on(1, 9))
        for half_hour in range(20):
            made(session, cast, on(1, 10) + timedelta(minutes=30 * half_hour), patient=None)

    def scan(_number: int) -> int:
        with unit_of_work(database) as session:
            return missed_visits.note(session)

    with time_is(on(2, 1)), ThreadPoolExecutor(4) as processes:
        assert sum(processes.map(scan, range(4))) == 20
    with Session(database) as session:
        noted = session.scalars(
            select(AppointmentEvent.appointment_id).where(AppointmentEvent.kind == EventKind.NO_SHOW)
        ).all()
    assert len(noted) == len(set(noted)) == 20
