"""Sending texts through a carrier without idempotency: once, or looked for first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import NoReturn, cast

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import claims, deliveries, delivery_reports, lost_texts, notifications, outcomes, phone_states
from core.deliveries import SenderMisconfigured
from core.outcomes import Outcome
from core.sms import Accepted, Progress, Received, Sms, SmsUnreachable
from db.models import Notification, NotificationStatus, PhoneState
from db.session import unit_of_work
from tests import messages
from tests.cast import on
from tests.messages import ADA, BEN_MAIL, GRETA, MINUTE, Post
from tests.phones import Phones

CANCELLED, FAILED = NotificationStatus.CANCELLED, NotificationStatus.FAILED
PENDING, SENDING, SENT = (
    NotificationStatus.PENDING,
    NotificationStatus.SENDING,
    NotificationStatus.SENT,
)


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


@pytest.fixture
def booked(post: Post) -> int:
    """A visit whose confirmation is due."""
    visit = post.book()
    post.tick()
    return visit


def send(post: Post) -> None:
    deliveries.send_waiting(post, post.sms)


def claim(post: Post) -> None:
    """Somebody takes the message, and dies."""
    with unit_of_work(post.database) as session:
        assert isinstance(claims.take(session, can_mail=True, can_text=True), claims.Claim)


class OutOfReach:
    """A carrier that no connection leads to, which counts how often one was tried."""

    sender = None

    def __init__(self) -> None:
        self.asked = 0

    def _fail(self) -> NoReturn:
        self.asked += 1
        raise SmsUnreachable("ConnectTimeout")

    def send(self, *, to: str, body: str, valid_seconds: int | None, before: datetime) -> Accepted:
        self._fail()

    def find(self, *, to: str, body: str, since: datetime) -> list[Accepted]:
        self._fail()

    def fetch(self, provider_id: str) -> Progress:
        self._fail()

    def received(self, *, since: datetime) -> list[Received]:
        self._fail()


class TestLostAnswers:
    def test_a_text_whose_answer_is_lost_is_found_and_not_sent_again(self, post: Post, booked: int) -> None:
        post.phones.fault("drop", when="after")
        send(post)
        assert post.states(booked) == [("booked", SENDING)]
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        assert len(post.texts()) == 1
        assert post.messages(booked)[0].provider_id is not None

    def test_one_that_never_arrived_is_sent_after_two_looks(self, post: Post, booked: int) -> None:
        post.phones.fault("drop", when="before")
        send(post)
        post.tick(61 * timedelta(seconds=1))
        send(post)
        assert post.texts() == []
        post.tick(61 * timedelta(seconds=1))
        send(post)
        assert len(post.texts()) == 1
        assert post.messages(booked)[0].attempts == 2

    def test_while_the_carrier_cannot_be_asked_nothing_is_sent_again(self, post: Post, booked: int) -> None:
        post.phones.fault("drop", when="after")
        send(post)
        for _turn in range(4):
            post.tick(2 * MINUTE)
            post.phones.fault("500", method="GET", times=1)
            send(post)
        assert post.states(booked) == [("booked", SENDING)]
        assert len(post.texts()) == 1

    def test_a_process_that_dies_before_sending_loses_nothing(self, post: Post, booked: int) -> None:
        claim(post)
        post.pass_time(post.now + 5 * MINUTE, every=MINUTE)
        assert len(post.texts()) == 1

    def test_a_visit_that_is_cancelled_meanwhile_is_not_confirmed_after_all(
        self, post: Post, booked: int
    ) -> None:
        claim(post)
        post.cancel(booked)
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        assert [text for text in post.texts() if "booked" in text] == []

    def test_a_text_that_was_found_is_not_taken_for_another_of_the_same_words(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            messages.reached(session, post.cast.guardian, phone=ADA)  # the same number, the same words
        lost = post.book()
        other = post.book(post.cast.guardian, doctor_id=post.cast.dr_weiss.id)
        post.tick()
        claim(post)
        send(post)
        [body] = post.texts()
        with unit_of_work(post.database) as session:
            session.get_one(Notification, post.messages(lost)[0].id).body = body
        post.tick(2 * MINUTE)
        lost_texts.look(post.sms, unit_of_work)
        assert post.states(lost) + post.states(other) == [("booked", SENDING), ("booked", SENT)]
        assert post.messages(lost)[0].lookups == 1

    def test_a_process_that_slept_over_its_lease_sends_nothing(self, post: Post, booked: int) -> None:
        with unit_of_work(post.database) as session:
            taken = claims.take(session, can_mail=True, can_text=True)
        assert isinstance(taken, claims.Claim)
        post.tick(MINUTE)
        outcome = deliveries._texted(taken, post.sms)
        assert outcome.status is SENDING
        assert post.texts() == []

    def test_what_becomes_of_a_lease_that_is_over_changes_nothing_for_who_has_the_next(
        self, post: Post, booked: int
    ) -> None:
        with unit_of_work(post.database) as session:
            slow = claims.take(session, can_mail=True, can_text=True)
        assert isinstance(slow, claims.Claim)
        for _look in range(2):
            post.tick(2 * MINUTE)
            lost_texts.look(post.sms, unit_of_work)
        assert post.states(booked) == [("booked", PENDING)]
        claim(post)
        with unit_of_work(post.database) as session:
            outcomes.record(session, slow, Outcome(PENDING, "busy", retry_after=timedelta()))
        assert post.states(booked) == [("booked", SENDING)]

    def test_a_look_that_comes_back_late_does_not_free_what_somebody_sends_by_then(
        self, post: Post, booked: int
    ) -> None:
        claim(post)
        post.tick(2 * MINUTE)
        lost_texts.look(post.sms, unit_of_work)

        class Slow:
            """A carrier whose list takes so long that others have looked and sent meanwhile."""

            sender = post.sms.sender

            def find(self, *, to: str, body: str, since: datetime) -> list[Accepted]:
                post.tick(2 * MINUTE)
                lost_texts.look(post.sms, unit_of_work)
                claim(post)
                return []

        post.tick(2 * MINUTE)
        lost_texts.look(cast(Sms, Slow()), unit_of_work)
        assert post.states(booked) == [("booked", SENDING)]
        assert post.messages(booked)[0].lookups == 0


class TestRefusals:
    def test_a_number_that_does_not_exist_stops_and_reaches_the_desk(self, post: Post, booked: int) -> None:
        post.phones.fate(ADA, "undelivered", 30005)
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        [message] = post.messages(booked)
        assert (message.status, message.error_code) == (NotificationStatus.UNDELIVERED, 30005)
        with Session(post.database) as session:
            assert session.get_one(PhoneState, ADA).unreachable_at is not None

    @pytest.mark.parametrize(
        ("number", "code"), [("+15005550001", 21211), ("+15005550009", 21614)], ids=["bad", "landline"]
    )
    def test_what_the_carrier_refuses_for_good_is_tried_by_email_or_stops(
        self, post: Post, number: str, code: int
    ) -> None:
        with unit_of_work(post.database) as session:
            messages.reached(session, post.cast.ada, phone=number, email="ada@example.org")
            messages.reached(session, post.cast.guardian, phone=number)
        mailed, failed = post.book(), post.book(post.cast.guardian, on(5, 11))
        post.tick()
        send(post)
        send(post)
        assert [mail["to"] for mail in post.mail] == ["ada@example.org"]
        assert post.states(mailed) == [("booked", SENT)]
        [message] = post.messages(failed)
        assert message.status in {FAILED, CANCELLED}
        assert post.phones.attempts() == 1, "the second already knows of the number"

    def test_who_opted_out_at_the_carrier_is_known_from_then_on(self, post: Post, booked: int) -> None:
        with unit_of_work(post.database) as session:
            messages.reached(session, post.cast.ada, phone="+15005550004")
        send(post)
        with Session(post.database) as session:
            state = session.get_one(PhoneState, "+15005550004")
        assert state.opted_out_by == "the carrier"
        [message] = post.messages(booked)
        assert (message.status, message.error_code) == (FAILED, 21610)

    def test_too_much_at_once_backs_off_and_loses_nothing(self, post: Post, booked: int) -> None:
        post.phones.fault("429")
        send(post)
        assert post.states(booked) == [("booked", PENDING)]
        send(post)
        assert post.texts() == []
        post.tick(MINUTE)
        send(post)
        assert len(post.texts()) == 1

    def test_while_too_much_is_sent_no_other_text_is_tried_that_turn(self, post: Post, booked: int) -> None:
        post.book(at=on(8, 10))
        post.book(post.cast.guardian, on(5, 11))
        post.tick()
        post.phones.fault("429")
        send(post)
        assert post.phones.attempts() == 1
        assert [state for _kind, state in post.states()] == [PENDING] * 3
        post.tick(MINUTE)
        send(post)
        assert (len(post.texts()), len(post.texts(GRETA))) == (2, 1)

    def test_a_carrier_that_is_out_of_reach_holds_up_no_email(self, post: Post, booked: int) -> None:
        post.book(at=on(8, 10))
        post.book(post.cast.ben, on(5, 14))
        post.tick()
        nowhere = OutOfReach()
        deliveries.send_waiting(post, nowhere)
        assert nowhere.asked == 1
        assert [mail["to"] for mail in post.mail] == [BEN_MAIL]
        post.tick(MINUTE)
        send(post)
        assert len(post.texts()) == 2

    def test_a_carrier_that_cannot_be_asked_is_asked_for_one_lost_text(self, post: Post, booked: int) -> None:
        post.book(post.cast.guardian, on(5, 11))
        post.tick()
        claim(post)
        claim(post)
        post.tick(2 * MINUTE)
        nowhere = OutOfReach()
        deliveries.send_waiting(post, nowhere)
        assert nowhere.asked == 1
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        assert (len(post.texts()), len(post.texts(GRETA))) == (1, 1)

    def test_wrong_credentials_stop_the_sender_and_are_an_alarm(self, post: Post, booked: int) -> None:
        post.book(post.cast.guardian, on(5, 11))
        post.tick()
        wrong = post.phones.client(token="wrong")
        post.sms._messages = wrong.api.v2010.account.messages
        with pytest.raises(SenderMisconfigured):
            send(post)
        assert post.phones.attempts() == 1
        post.sms = post.phones.sms()
        post.tick(6 * MINUTE)
        send(post)
        assert (len(post.texts()), len(post.texts(GRETA))) == (1, 1)

    def test_a_code_for_a_number_that_wants_no_texts_is_not_sent(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            phone_states.stop(session, ADA, by="a text")
            notifications.enqueue_sms(session, to=ADA, body="123456", is_secret=True)
        send(post)
        assert post.texts() == []
        [message] = post.messages()
        assert (message.status, message.body) == (FAILED, "")


def test_two_workers_send_each_text_once(post: Post) -> None:
    for minute in (0, 30):
        for actor, day in ((post.cast.ada, 5), (post.cast.guardian, 5)):
            post.book(actor, on(day, 10 if actor is post.cast.ada else 14, minute))
    post.tick()
    together = Barrier(2)

    def work() -> None:
        together.wait()
        send(post)

    workers = [Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    bodies = post.texts() + post.texts(GRETA)
    told = sum(body.count("AM") + body.count("PM") for body in bodies)
    assert told == 4
    assert post.phones.attempts() == len(bodies)


class TestReports:
    def test_an_opt_out_that_the_carrier_reports_later_is_obeyed(self, post: Post, booked: int) -> None:
        post.phones.set_pace(None)
        send(post)
        [message] = post.messages(booked)
        with unit_of_work(post.database) as session:
            delivery_reports.note(session, Progress(message.provider_id or "", "failed", 21610, 1))
        with Session(post.database) as session:
            assert session.get_one(PhoneState, ADA).opted_out_by == "the carrier"

    def test_a_text_that_the_carrier_no_longer_knows_is_asked_for_once(self, post: Post, booked: int) -> None:
        send(post)
        with unit_of_work(post.database) as session:
            session.get_one(Notification, post.messages(booked)[0].id).provider_id = "SM" + "0" * 32
        post.tick()
        assert delivery_reports.follow(post.sms) == 1
        post.tick()
        assert delivery_reports.follow(post.sms) == 0
        assert post.states(booked) == [("booked", SENT)]
