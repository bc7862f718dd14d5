"""The board of today: what its rows say, that its fingerprint misses nothing, and who may see it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core import arrivals, attendances, boards, inbox, ledger, payouts, tills, walk_ins
from core.access import Actor
from core.errors import AccessDenied
from db.models import (
    Appointment,
    AppointmentStatus,
    Doctor,
    InboundMessage,
    InboundState,
    MessageKind,
    Notification,
    NotificationStatus,
    Patient,
    PaymentMethod,
    Room,
    Service,
    User,
)
from pages.ui.boards import Card, Head, Listed, parts
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

TODAY = on(1, 0).date()


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def booked(session: Session, cast: Cast, hour: int = 10, **changes: object) -> Appointment:
    """Ada's with Dr. Roth today."""
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, on(1, hour), patient=ada, **changes)


def only(session: Session, cast: Cast) -> boards.Row:
    session.flush()
    [row] = boards.rows(session, cast.desk, on=TODAY)
    return row


def details(session: Session, cast: Cast) -> boards.Details:
    """What else is shown of the only visit."""
    row = only(session, cast)
    return boards.details(session, cast.desk, visit_ids=[row.id])[row.id]


def pay(session: Session, cast: Cast, visit: Appointment, amount_minor: int) -> int:
    return tills.take(
        session,
        cast.desk,
        appointment_id=visit.id,
        method=PaymentMethod.CASH,
        amount_minor=amount_minor,
    ).id


class TestRows:
    def test_a_row_tells_who_comes_when_to_whom_and_where(self, session: Session, cast: Cast) -> None:
        room = make.room(session, name="Room 2")
        visit = booked(session, cast, room_id=room.id)
        row, more = only(session, cast), details(session, cast)
        assert (row.id, row.status, row.starts_at) == (visit.id, AppointmentStatus.CONFIRMED, on(1, 10))
        said = (more.patient, row.doctor, more.service, more.room)
        assert said == ("Ada Okafor", "Dr. Eva Roth", cast.checkup.name, "Room 2")
        assert (row.arrived_at, row.in_room_at, more.attending_at, row.told_minutes) == (None,) * 4

    def test_other_days_and_what_was_called_off_are_not_on_it(self, session: Session, cast: Cast) -> None:
        booked(session, cast, 10, status=AppointmentStatus.CANCELLED)
        booked(session, cast, 11, status=AppointmentStatus.EXPIRED)
        make.appointment(session, cast.dr_roth, cast.checkup, on(2, 0))
        make.appointment(session, cast.dr_weiss, cast.checkup, on(1, 23, 30))
        make.appointment(session, cast.dr_weiss, cast.checkup, on(1, 0))
        times = [row.starts_at for row in boards.rows(session, cast.desk, on=TODAY)]
        assert times == [on(1, 0), on(1, 23, 30)]

    def test_what_is_owed_is_what_the_till_says_at_every_step(self, session: Session, cast: Cast) -> None:
        visit = booked(session, cast)

        def owed() -> int:
            session.flush()
            assert details(session, cast).owed_minor == ledger.owed(session, visit)
            return details(session, cast).owed_minor

        assert owed() == 6000
        payment_id = pay(session, cast, visit, 2500)
        assert owed() == 3500
        tills.invoice(session, cast.desk, appointment_id=visit.id)
        pay(session, cast, visit, 3500)
        assert owed() == 0
        payouts.pay_back(
            session,
            cast.desk,
            payment_id=payment_id,
            amount_minor=1000,
            reason="Taken twice",
            is_still_owed=True,
        )
        assert owed() == 1000
        visit.status = AppointmentStatus.NO_SHOW
        assert owed() == ledger.owed(session, visit)

    def test_a_visit_without_a_price_owes_nothing(self, session: Session, cast: Cast) -> None:
        booked(session, cast, price_minor=0)
        assert details(session, cast).owed_minor == 0

    def test_who_says_that_they_come_has_said_so_by_text_or_not(self, session: Session, cast: Cast) -> None:
        visit = booked(session, cast)
        assert not details(session, cast).is_by_text
        attendances.confirm_by_text(session, visit.id)
        assert details(session, cast).is_by_text
        visit.attending_at = None
        with time_is(NOW + timedelta(minutes=5)):
            attendances.confirm(session, cast.desk, appointment_id=visit.id)
        assert not details(session, cast).is_by_text, "the earlier text was about another time"

    def test_a_text_that_the_desk_has_read_first_is_one_too(self, session: Session, cast: Cast) -> None:
        visit = booked(session, cast)
        texted = InboundMessage(
            provider_id="SM1",
            sender="+4915123456789",
            body="Sure",
            received_at=NOW,
            state=InboundState.AT_DESK,
        )
        session.add(texted)
        attendances.confirm(session, cast.desk, appointment_id=visit.id)
        assert not details(session, cast).is_by_text
        texted.appointment_id = visit.id
        inbox.settle(session, cast.desk, inbound_id=texted.id)
        assert details(session, cast).is_by_text

    def test_a_first_visit_is_one_before_which_the_patient_was_never_here(
        self, session: Session, cast: Cast
    ) -> None:
        booked(session, cast)
        assert details(session, cast).is_first_visit
        ada = session.get_one(Patient, cast.ada.patient_ids[0])
        earlier = make.appointment(
            session,
            cast.dr_weiss,
            cast.checkup,
            on(1, 10) - timedelta(days=200),
            patient=ada,
            status=AppointmentStatus.NO_SHOW,
        )
        assert details(session, cast).is_first_visit, "who was missed has not been here"
        earlier.status = AppointmentStatus.COMPLETED
        assert not details(session, cast).is_first_visit

    def test_patients_and_doctors_do_not_see_it(self, session: Session, cast: Cast) -> None:
        for actor in (cast.ada, cast.stranger, cast.roth):
            for read in (boards.rows, boards.fingerprint):
                with pytest.raises(AccessDenied):
                    read(session, actor, on=TODAY)
            with pytest.raises(AccessDenied):
                boards.details(session, actor, visit_ids=[])


Change = Callable[[Session, Cast, Appointment], object]


def _arrive(session: Session, cast: Cast, visit: Appointment) -> object:
    return arrivals.check_in(session, cast.desk, appointment_id=visit.id)


def _come(session: Session, cast: Cast, visit: Appointment) -> object:
    return attendances.confirm(session, cast.desk, appointment_id=visit.id)


def _pay(session: Session, cast: Cast, visit: Appointment) -> object:
    return pay(session, cast, visit, 100)


def _move(_session: Session, _cast: Cast, visit: Appointment) -> None:
    visit.starts_at, visit.ends_at = on(1, 10, 5), on(1, 10, 30)


def _rename_patient(session: Session, _cast: Cast, visit: Appointment) -> None:
    session.get_one(Patient, visit.patient_id).name = "Ada Sato"


def _rename_doctor(session: Session, _cast: Cast, visit: Appointment) -> None:
    account = session.get_one(Doctor, visit.doctor_id).user_id
    session.get_one(User, account).name = "Dr. Eva Sato"


def _rename_service(session: Session, _cast: Cast, visit: Appointment) -> None:
    session.get_one(Service, visit.service_id).name = "Long check-up"


def _rename_room(session: Session, _cast: Cast, visit: Appointment) -> None:
    session.get_one(Room, visit.room_id).name = "Room 9"


def _leave_room(_session: Session, _cast: Cast, visit: Appointment) -> None:
    visit.room_id = None


def _cancel(_session: Session, _cast: Cast, visit: Appointment) -> None:
    visit.status = AppointmentStatus.CANCELLED


def _overbook(session: Session, cast: Cast, visit: Appointment) -> object:
    reason = {"overbook_reason": "In pain"}
    return make.appointment(session, cast.dr_roth, cast.checkup, visit.starts_at, **reason)


def _was_here(session: Session, cast: Cast, visit: Appointment) -> None:
    """It turns out only now."""
    patient = session.get_one(Patient, visit.patient_id)
    before = on(1, 9) - timedelta(days=9)
    earlier = make.appointment(session, cast.dr_weiss, cast.checkup, before, patient=patient)
    arrivals.complete(session, cast.desk, appointment_id=earlier.id)


def _tell(session: Session, _cast: Cast, visit: Appointment) -> None:
    session.add(_told(visit, 15))


def _told(visit: Appointment, minutes: int, **changes: object) -> Notification:
    row = {
        "channel": "sms",
        "kind": MessageKind.RUNNING_LATE,
        "sent_to": "",
        "body": "",
        "appointment_id": visit.id,
        "time_version": visit.time_version,
        "details": {"minutes": minutes},
        "status": NotificationStatus.SENT,
        "send_after": NOW,
        "created_at": NOW,
    }
    return Notification(**row | changes)


CHANGES: list[Change] = [
    *(_arrive, _come, _pay, _move, _rename_patient, _rename_doctor, _rename_service, _rename_room),
    *(_leave_room, _cancel, _overbook, _was_here, _tell),
]


def _shown(session: Session, cast: Cast) -> list[tuple[object, ...]]:
    """The rows of today with the rest about each."""
    rows = boards.rows(session, cast.desk, on=TODAY)
    more = boards.details(session, cast.desk, visit_ids=[row.id for row in rows])
    return [(row, more[row.id]) for row in rows]


class TestFingerprint:
    def test_it_stays_while_nothing_changes(self, session: Session, cast: Cast) -> None:
        booked(session, cast)
        first, second = (boards.fingerprint(session, cast.desk, on=TODAY) for _ in range(2))
        assert first == second
        assert boards.fingerprint(session, cast.desk, on=on(2, 0).date()) != first

    @pytest.mark.parametrize("change", CHANGES)
    def test_it_changes_with_whatever_is_drawn(self, session: Session, cast: Cast, change: Change) -> None:
        visit = booked(session, cast, room_id=make.room(session).id)
        before = boards.fingerprint(session, cast.desk, on=TODAY), _shown(session, cast)
        change(session, cast, visit)
        session.flush()
        after = boards.fingerprint(session, cast.desk, on=TODAY), _shown(session, cast)
        assert (before[0] != after[0], before[1] != after[1]) == (True, True)

    def test_of_what_was_told_the_longest_delay_of_the_present_time_counts(
        self, session: Session, cast: Cast
    ) -> None:
        visit = booked(session, cast)
        failed = NotificationStatus.FAILED
        session.add_all([_told(visit, 15), _told(visit, 25), _told(visit, 60, status=failed)])
        assert only(session, cast).told_minutes == 25
        visit.time_version += 1
        assert only(session, cast).told_minutes is None


class TestWalkIns:
    def next_times(self, session: Session, actor: Actor, cast: Cast) -> list[tuple[object, str]]:
        found = walk_ins.next_times(session, actor, service_id=cast.checkup.id)
        return [(each.starts_at, each.doctor) for each in found]

    def test_the_next_time_of_each_doctor_who_has_one_today(self, session: Session, cast: Cast) -> None:
        booked(session, cast, 9)
        with time_is(on(1, 9, 10)):
            assert self.next_times(session, cast.desk, cast) == [
                (on(1, 9, 30), "Dr. Eva Roth"),
                (on(1, 9, 30), "Dr. Jonas Weiß"),
            ]
        cast.dr_weiss.is_accepting_patients = False
        session.flush()
        with time_is(on(1, 16, 40)):
            assert self.next_times(session, cast.desk, cast) == []
        with time_is(on(1, 16, 10)):
            assert [name for _at, name in self.next_times(session, cast.desk, cast)] == [
                "Dr. Eva Roth",
                "Dr. Jonas Weiß",
            ], "the desk may book who takes no new patients"

    def test_they_are_for_the_desk(self, session: Session, cast: Cast) -> None:
        for actor in (cast.ada, cast.roth):
            with pytest.raises(AccessDenied):
                self.next_times(session, actor, cast)


class TestParts:
    def test_whoever_comes_after_those_shown_changes_the_number_and_no_card(self) -> None:
        cards = tuple(Card(number, "**10:00 Ada Okafor**", ("call", "undo")) for number in range(6))
        before, after = (
            parts(Head(f"{count} visits", ()), {"waiting": Listed("waiting", count, cards, has_more=True)})
            for count in (7, 8)
        )
        assert {name for name in before if before[name] != after[name]} == {"head", "waiting_count"}

    def test_a_step_that_can_be_taken_now_changes_the_cards(self) -> None:
        before, after = (
            parts(Head("1 visit", ()), {"expected": Listed("expected", 1, (Card(1, "", steps),), False)})
            for steps in (("arrive",), ("arrive", "miss"))
        )
        assert {name for name in before if before[name] != after[name]} == {"expected"}
