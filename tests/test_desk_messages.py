"""What the desk sends by hand: a link to pay, once a click and only where it is of use, and of a delay."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import arrivals, delay_messages, desk_messages, phone_states, sms_lengths, tills
from core.appointment_errors import NoLongerChangeable
from core.attempts import NoCards, NothingToPay
from core.desk_messages import Asked, DelayOutOfBounds, NoAccount, NobodyWaits, NotReached
from core.errors import AccessDenied
from db.config import config
from db.models import (
    Appointment,
    AppointmentStatus,
    AuditEntry,
    Channel,
    Doctor,
    MessageKind,
    NotificationStatus,
    PaymentMethod,
    Service,
    User,
)
from db.session import unit_of_work
from tests import make, messages
from tests.cast import on
from tests.messages import ADA, BEN_MAIL, GRETA, HOUR, MINUTE, TEN, Post
from tests.payment_sandbox import KEY
from tests.phones import Phones


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", phone.sandbox.url)
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


def ask(post: Post, visit_id: int, key: UUID | None = None) -> Asked:
    with unit_of_work(post.database) as session:
        return desk_messages.send_payment_link(
            session, post.cast.desk, appointment_id=visit_id, request_key=key
        )


def pay(post: Post, visit_id: int) -> None:
    """All of it, in cash."""
    with unit_of_work(post.database) as session:
        tills.take(
            session,
            post.cast.desk,
            appointment_id=visit_id,
            method=PaymentMethod.CASH,
            amount_minor=6000,
            request_key=uuid4(),
        )


def booked_and_told(post: Post, **changes: object) -> int:
    visit_id = post.book(**changes)
    post.tick()
    post.turn()
    return visit_id


class TestLinkToPay:
    def test_it_goes_out_once_a_form_in_one_segment_and_is_in_the_trail(self, post: Post) -> None:
        visit_id = booked_and_told(post)
        key = uuid4()
        asked = ask(post, visit_id, key)
        assert ask(post, visit_id, key) == asked == Asked(6000, "Ada Okafor", Channel.SMS, ADA)
        post.turn()
        [_booked, text] = post.texts()
        assert text == (
            "Linden Clinic: please pay for your visit on Fri, Jun 5, 10:00 AM here: "
            f"http://localhost:8501/pay?visit={visit_id}"
        )
        assert sms_lengths.segments(text) == 1
        ask(post, visit_id, uuid4())
        post.turn()
        assert len(post.texts()) == 3, "another click asks again"
        with Session(post.database) as session:
            said = session.scalars(select(AuditEntry.action)).all()
            assert said.count("send a link to pay") == 2

    def test_it_goes_by_email_to_who_has_no_phone(self, post: Post) -> None:
        visit_id = booked_and_told(post, actor=post.cast.ben)
        assert ask(post, visit_id) == Asked(6000, "Ben Sato", Channel.EMAIL, BEN_MAIL)
        post.turn()
        assert post.mail[-1]["subject"] == "Please pay for your visit at Linden Clinic"
        assert "please pay for your visit on Fri" in post.mail[-1]["body"]

    def test_a_visit_that_is_over_can_be_asked_for_too(self, post: Post) -> None:
        visit_id = booked_and_told(post)
        post.tick(5 * 24 * HOUR)
        with unit_of_work(post.database) as session:
            session.get_one(Appointment, visit_id).status = AppointmentStatus.COMPLETED
        before = len(post.texts())
        ask(post, visit_id)
        post.turn()
        assert len(post.texts()) == before + 1

    def test_what_is_paid_before_it_is_sent_is_not_asked_for(self, post: Post) -> None:
        visit_id = booked_and_told(post)
        ask(post, visit_id)
        pay(post, visit_id)
        post.turn()
        assert [text for text in post.texts() if "please pay" in text] == []
        [asked] = [each for each in post.messages(visit_id) if each.kind is MessageKind.PAYMENT_LINK]
        assert asked.status is NotificationStatus.CANCELLED

    def test_nothing_is_sent_for_what_is_paid(self, post: Post) -> None:
        visit_id = booked_and_told(post)
        pay(post, visit_id)
        with pytest.raises(NothingToPay):
            ask(post, visit_id)

    def test_without_a_card_processor_nothing_is_sent(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visit_id = booked_and_told(post)
        monkeypatch.delenv("STRIPE_SECRET_KEY")
        config.cache_clear()
        with pytest.raises(NoCards):
            ask(post, visit_id)

    def test_who_cannot_be_reached_is_told_apart(self, post: Post) -> None:
        visit_id = booked_and_told(post)
        with unit_of_work(post.database) as session:
            phone_states.stop(session, ADA, by="a text")
        with pytest.raises(NotReached, match="wants no texts"):
            ask(post, visit_id)
        with unit_of_work(post.database) as session:
            messages.reached(session, post.cast.ada)
        with pytest.raises(NotReached, match="no phone number and no email"):
            ask(post, visit_id)

    def test_who_has_no_account_is_to_pay_at_the_desk(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            patient = make.patient(session, phone="+4930333333", sms_consent_at=post.now)
            visit_id = make.appointment(
                session,
                session.get_one(Doctor, post.cast.dr_roth.id),
                session.get_one(Service, post.cast.checkup.id),
                on(3, 10),
                patient=patient,
            ).id
        with pytest.raises(NoAccount):
            ask(post, visit_id)


def tell_late(post: Post, minutes: int, key: UUID) -> int:
    with unit_of_work(post.database) as session:
        return desk_messages.running_late(
            session, post.cast.desk, doctor_id=post.cast.dr_roth.id, minutes=minutes, request_key=key
        )


class TestRunningLate:
    def test_the_same_delay_is_told_again_but_a_double_click_tells_once(self, post: Post) -> None:
        booked_and_told(post, at=on(1, 11))
        first, again = uuid4(), uuid4()
        assert [tell_late(post, 15, first), tell_late(post, 15, first)] == [1, 1]
        post.turn()
        assert len([text for text in post.texts() if "about 15 min late" in text]) == 1
        post.tick(30 * MINUTE)
        assert tell_late(post, 15, again) == 1
        post.turn()
        assert len([text for text in post.texts() if "about 15 min late" in text]) == 2

    def test_two_who_announce_the_same_at_once_tell_each_patient_once(self, post: Post) -> None:
        booked_and_told(post, at=on(1, 11))
        tell_late(post, 15, uuid4())
        tell_late(post, 15, uuid4())
        post.turn()
        [late] = [text for text in post.texts() if "min late" in text]
        assert "Your visit at Mon, Jun 1, 11:00 AM will begin later" in late

    def test_who_has_several_visits_is_told_of_them_in_one_message(self, post: Post) -> None:
        booked_and_told(post, actor=post.cast.guardian, at=on(1, 11))
        booked_and_told(post, actor=post.cast.guardian, at=on(1, 14), patient_id=post.cast.child_id)
        assert tell_late(post, 20, uuid4()) == 2
        post.turn()
        [late] = [text for text in post.texts(GRETA) if "min late" in text]
        assert "11:00 AM and 2:00 PM will begin later" in late

    def test_when_nobody_is_still_to_come_that_is_said(self, post: Post) -> None:
        with pytest.raises(NobodyWaits):
            tell_late(post, 15, uuid4())


def ask_to_pay(post: Post, visit_id: int) -> None:
    with unit_of_work(post.database) as session:
        desk_messages.send_payment_link(session, post.cast.desk, appointment_id=visit_id)
    post.turn()


def late(post: Post, minutes: int = 20) -> int:
    with unit_of_work(post.database) as session:
        return desk_messages.running_late(
            session, post.cast.roth, doctor_id=post.cast.dr_roth.id, minutes=minutes
        )


class TestWayToPay:
    def test_a_visit_that_is_booked_is_to_be_paid_for_and_not_said_to_be_kept_until_then(
        self, post: Post
    ) -> None:
        visit = post.book()
        ask_to_pay(post, visit)
        [text] = post.texts()
        assert text.startswith(
            f"Linden Clinic: please pay for your visit on Fri, Jun 5, 10:00 AM here: "
            f"http://localhost:8501/pay?visit={visit}"
        )

    def test_a_visit_that_is_held_says_until_when(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            make.clinic(session, payment_rule="full")
        visit = post.book()
        ask_to_pay(post, visit)
        assert "Fri, Jun 5, 10:00 AM is kept for you until 8:40 AM. Please pay here" in post.texts()[-1]

    def test_who_has_paid_before_the_morning_is_not_asked_any_more(self, post: Post) -> None:
        visit = post.book()
        post.pass_time(on(1, 21))
        count = len(post.texts())
        ask_to_pay(post, visit)
        with unit_of_work(post.database) as session:
            tills.take(
                session,
                post.cast.desk,
                appointment_id=visit,
                amount_minor=6000,
                method=PaymentMethod.CASH,
            )
        post.pass_time(on(2, 9))
        assert len(post.texts()) == count

    def test_a_held_visit_that_moves_is_sent_the_way_to_pay_for_its_new_time(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            make.clinic(session, payment_rule="full")
        visit = post.book()
        post.move(visit, on(5, 11), post.cast.desk)
        post.tick()
        post.turn()
        [text] = post.texts()
        assert "Fri, Jun 5, 11:00 AM is kept for you until 8:40 AM. Please pay here" in text

    def test_where_nothing_is_to_be_paid_none_is_sent(self, post: Post) -> None:
        visit = post.book()
        post.cancel(visit)
        with pytest.raises(NothingToPay):
            ask_to_pay(post, visit)

    def test_who_has_no_account_or_is_not_reached_pays_at_the_desk(self, post: Post) -> None:
        visit = post.book()
        with unit_of_work(post.database) as session:
            phone_states.stop(session, ADA, by="a text")
        with pytest.raises(NotReached):
            ask_to_pay(post, visit)
        other = post.book(post.cast.guardian, on(5, 11))
        with unit_of_work(post.database) as session:
            session.get_one(User, post.cast.guardian.user_id).is_active = False
        with pytest.raises(NoAccount):
            ask_to_pay(post, other)


class TestWhoIsToldOfADelay:
    def test_whoever_is_still_to_come_is_told_once(self, post: Post) -> None:
        for actor, at in ((post.cast.ada, on(2, 10)), (post.cast.guardian, on(2, 11))):
            post.book(actor, at)
        here = post.book(post.cast.ben, on(2, 14))
        post.book(post.cast.ada, TEN)
        post.pass_time(on(2, 9, 50))
        with unit_of_work(post.database) as session:
            arrivals.check_in(session, post.cast.desk, appointment_id=here)
        assert late(post) == 2
        post.turn()
        for number, at in ((ADA, "10:00 AM"), (GRETA, "11:00 AM")):
            wanted = f"about 20 min late. Your visit at Tue, Jun 2, {at} will begin later"
            assert wanted in post.texts(number)[-1]
        assert late(post, 30) == 2

    def test_who_is_called_in_meanwhile_is_not_told(self, post: Post) -> None:
        visit = post.book(at=on(2, 10))
        post.pass_time(on(2, 9, 50))
        late(post)
        with unit_of_work(post.database) as session:
            arrivals.check_in(session, post.cast.desk, appointment_id=visit)
        count = len(post.texts())
        post.turn()
        assert len(post.texts()) == count

    def test_nobody_is_told_when_the_visits_have_begun(self, post: Post) -> None:
        post.book(at=on(2, 10))
        post.pass_time(on(2, 10))
        with pytest.raises(NobodyWaits):
            late(post)

    @pytest.mark.parametrize("minutes", [-20, 0, 4, 241])
    def test_a_delay_is_five_minutes_to_four_hours(self, post: Post, minutes: int) -> None:
        with pytest.raises(DelayOutOfBounds):
            late(post, minutes)

    def test_a_doctor_speaks_for_nobody_else(self, post: Post) -> None:
        with unit_of_work(post.database) as session, pytest.raises(AccessDenied):
            desk_messages.running_late(session, post.cast.weiss, doctor_id=post.cast.dr_roth.id, minutes=20)


def tell_affected(post: Post, key: UUID | None = None) -> int:
    with unit_of_work(post.database) as session:
        return delay_messages.tell_affected(
            session, post.cast.desk, doctor_id=post.cast.dr_roth.id, request_key=key
        )


class TestWhoIsAffectedByADelay:
    """Ben is in the room since 10:25 with a visit of 10:00; Ada comes at 10:30, Greta at 12:00."""

    @pytest.fixture
    def ada(self, post: Post) -> int:
        visit = post.book(post.cast.ada, on(2, 10, 30))
        post.book(post.cast.guardian, on(2, 13))
        ben = post.book(post.cast.ben, on(2, 10))
        post.pass_time(on(2, 10, 25))
        with unit_of_work(post.database) as session:
            arrivals.check_in(session, post.cast.desk, appointment_id=ben)
            arrivals.call_in(session, post.cast.desk, appointment_id=ben)
        return visit

    def test_only_they_are_told_each_of_the_own_delay(self, post: Post, ada: int) -> None:
        greta = len(post.texts(GRETA))
        assert tell_affected(post) == 1
        post.turn()
        assert "about 25 min late. Your visit at Tue, Jun 2, 10:30 AM will begin later" in post.texts()[-1]
        assert len(post.texts(GRETA)) == greta

    def test_nobody_is_told_again_of_the_same_delay_or_a_shorter_one(self, post: Post, ada: int) -> None:
        tell_affected(post)
        for _again in range(2):
            with pytest.raises(NobodyWaits):
                tell_affected(post)
        post.turn()
        assert sum("late" in each for each in post.texts()) == 1

    def test_the_same_form_sent_twice_tells_once_and_answers_as_it_did(self, post: Post, ada: int) -> None:
        key = uuid4()
        assert [tell_affected(post, key), tell_affected(post, key)] == [1, 1]
        with pytest.raises(NobodyWaits):
            tell_affected(post, uuid4())
        post.turn()
        assert sum("late" in each for each in post.texts()) == 1

    def test_who_has_just_come_in_is_not_told(self, post: Post, ada: int) -> None:
        with unit_of_work(post.database) as session:
            arrivals.check_in(session, post.cast.desk, appointment_id=ada)
        with pytest.raises(NobodyWaits):
            tell_affected(post)

    def test_a_longer_delay_is_told_and_another_doctor_has_no_say(self, post: Post, ada: int) -> None:
        later = post.book(post.cast.desk, on(2, 11), patient_id=post.cast.ada.patient_ids[0])
        with unit_of_work(post.database) as session:
            arrivals.check_in(session, post.cast.desk, appointment_id=ada)
        assert tell_affected(post) == 1
        post.tick(timedelta(minutes=33))  # and Ben is still in the room
        assert tell_affected(post) == 1
        late = [each.details for each in post.messages(later) if each.kind is MessageKind.RUNNING_LATE]
        assert late == [{"minutes": 25}, {"minutes": 30}]
        with unit_of_work(post.database) as session, pytest.raises(AccessDenied):
            delay_messages.tell_affected(session, post.cast.weiss, doctor_id=post.cast.dr_roth.id)


def send_ticket(post: Post, visit_id: int, key: UUID | None = None) -> str:
    with unit_of_work(post.database) as session:
        return desk_messages.send_ticket(
            session, post.cast.desk, appointment_id=visit_id, request_key=key
        ).sent_to


class TestTicket:
    def test_it_goes_at_once_and_instead_of_what_would_be_told_later(self, post: Post) -> None:
        visit = post.book(at=on(1, 10))
        assert send_ticket(post, visit) == ADA
        post.turn()
        [text] = post.texts()
        assert "Mon, Jun 1, 10:00 AM" in text
        post.tick()
        post.turn()
        assert len(post.texts()) == 1
        key = uuid4()
        send_ticket(post, visit, key)
        send_ticket(post, visit, key)
        post.turn()
        assert len(post.texts()) == 2, "asked for once more, and pressed twice"

    def test_who_is_here_already_gets_it_too(self, post: Post) -> None:
        visit = post.book(at=on(1, 10))
        with unit_of_work(post.database) as session:
            arrivals.check_in(session, post.cast.desk, appointment_id=visit)
        send_ticket(post, visit)
        post.turn()
        assert len(post.texts()) == 1

    def test_it_is_refused_where_it_would_not_arrive_or_is_of_no_use(self, post: Post) -> None:
        visit = post.book(at=on(1, 10))
        with unit_of_work(post.database) as session:
            phone_states.stop(session, ADA, by="a text")
        with pytest.raises(NotReached):
            send_ticket(post, visit)
        post.cancel(visit)
        with pytest.raises(NoLongerChangeable):
            send_ticket(post, visit)
