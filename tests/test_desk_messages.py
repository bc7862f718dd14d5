"""What the desk or a doctor has sent by hand: a way to pay, and that the doctor is running late."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from core import arrivals, desk_messages, phone_states, tills
from core.checkouts import NothingToPay
from core.desk_messages import DelayOutOfBounds, NobodyToPay, NobodyWaits
from core.errors import AccessDenied
from db.models import PaymentMethod, User
from db.session import unit_of_work
from tests import make, messages
from tests.cast import on
from tests.messages import ADA, GRETA, TEN, Post
from tests.phones import Phones


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_desk")
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


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
        with pytest.raises(NobodyToPay):
            ask_to_pay(post, visit)
        other = post.book(post.cast.guardian, on(5, 11))
        with unit_of_work(post.database) as session:
            session.get_one(User, post.cast.guardian.user_id).is_active = False
        with pytest.raises(NobodyToPay):
            ask_to_pay(post, other)


class TestRunningLate:
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
        with pytest.raises(NobodyWaits):
            late(post)
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
