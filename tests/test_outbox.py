"""The outbox: each message once, true when it is sent, in the words and at the hour of who gets it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from core import appointments, payments, sms_lengths, unreached
from db.models import Appointment, NotificationStatus, Patient, User
from db.session import unit_of_work
from tests import make, messages
from tests.cast import on
from tests.messages import ADA, BEN_MAIL, GRETA, HOUR, MINUTE, TEN, Post
from tests.phones import Phones

CANCELLED, CARRIED = NotificationStatus.CANCELLED, NotificationStatus.CARRIED
DELIVERED, PENDING, SENT = (
    NotificationStatus.DELIVERED,
    NotificationStatus.PENDING,
    NotificationStatus.SENT,
)


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


class TestQuickChanges:
    def test_a_booking_is_confirmed_after_three_minutes_and_not_before(self, post: Post) -> None:
        post.book()
        post.tick(2 * MINUTE)
        post.turn()
        assert post.texts() == []
        post.tick(MINUTE)
        post.turn()
        [text] = post.texts()
        assert text.startswith("Linden Clinic: you are booked for Fri, Jun 5, 10:00 AM.")

    def test_a_visit_that_is_moved_at_once_sends_one_message_with_the_new_time(self, post: Post) -> None:
        visit = post.book()
        post.tick(MINUTE)
        post.move(visit, on(5, 11))
        post.tick()
        post.turn()
        [text] = post.texts()
        assert "you are booked for Fri, Jun 5, 11:00 AM" in text
        assert post.states(visit) == [("booked", CANCELLED), ("moved", SENT)]

    def test_a_visit_that_is_moved_later_has_moved_although_no_message_told_of_it(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            ada = session.get_one(Patient, post.cast.ada.patient_ids[0])
            made = make.appointment(session, post.cast.dr_roth, post.cast.checkup, on(5, 10), patient=ada)
            made.created_at = post.now - timedelta(days=1)
            visit = made.id
        post.move(visit, on(5, 11))
        post.tick()
        post.turn()
        [text] = post.texts()
        assert "your visit has moved to Fri, Jun 5, 11:00 AM" in text

    def test_a_visit_that_is_cancelled_at_once_sends_nothing(self, post: Post) -> None:
        visit = post.book()
        post.cancel(visit)
        post.tick()
        post.turn()
        assert post.texts() == []
        assert post.states(visit) == [("booked", CANCELLED), ("cancelled", CANCELLED)]

    def test_a_visit_that_the_desk_books_and_takes_back_at_once_sends_nothing(self, post: Post) -> None:
        visit = post.book(post.cast.desk, patient_id=post.cast.ada.patient_ids[0])
        post.tick(MINUTE)
        post.cancel(visit, post.cast.desk)
        post.tick()
        post.turn()
        assert post.texts() == []

    def test_a_visit_that_the_clinic_cancels_before_it_was_confirmed_in_writing_is_told(
        self, post: Post
    ) -> None:
        visit = post.book()
        post.cancel(visit, post.cast.desk)
        post.tick()
        post.turn()
        [text] = post.texts()
        assert "your visit on Fri, Jun 5, 10:00 AM is cancelled" in text

    def test_what_the_clinic_cancels_before_the_night_is_over_is_told_in_the_morning(
        self, post: Post
    ) -> None:
        post.tick(13 * HOUR)  # nine in the evening
        visit = post.book()
        post.tick(10 * HOUR)
        post.cancel(visit, post.cast.desk)
        post.pass_time(on(2, 9))
        [text] = post.texts()
        assert "is cancelled" in text

    def test_moving_and_cancelling_what_was_told_is_told(self, post: Post) -> None:
        visit = post.book()
        post.tick()
        post.turn()
        post.move(visit, on(5, 11))
        post.tick()
        post.turn()
        post.cancel(visit)
        post.tick()
        post.turn()
        _booked, moved, cancelled = post.texts()
        assert "has moved to Fri, Jun 5, 11:00 AM" in moved
        assert "your visit on Fri, Jun 5, 11:00 AM is cancelled" in cancelled

    def test_a_visit_that_is_moved_back_at_once_sends_nothing_more(self, post: Post) -> None:
        visit = post.book()
        post.tick()
        post.turn()
        post.move(visit, on(5, 11))
        post.move(visit, TEN)
        post.tick()
        post.turn()
        assert len(post.texts()) == 1

    def test_a_visit_that_goes_to_another_doctor_at_the_same_time_is_told(self, post: Post) -> None:
        visit = post.book()
        post.tick()
        post.turn()
        with unit_of_work(post.database) as session:
            appointments.reschedule(
                session,
                post.cast.desk,
                appointment_id=visit,
                starts_at=TEN,
                doctor_id=post.cast.dr_weiss.id,
            )
        post.tick()
        post.turn()
        assert "on Fri, Jun 5, 10:00 AM is with another doctor or at another place" in post.texts()[-1]


class TestOneDay:
    def test_visits_of_one_day_are_confirmed_in_one_text(self, post: Post) -> None:
        first, second, other = post.book(), post.book(at=on(5, 14)), post.book(at=on(8, 9))
        post.tick()
        post.turn()
        assert [text.partition(". To change")[0] for text in post.texts()] == [
            "Linden Clinic: you are booked for Fri, Jun 5, 10:00 AM and 2:00 PM",
            "Linden Clinic: you are booked for Mon, Jun 8, 9:00 AM",
        ]
        assert post.states(first) + post.states(second) + post.states(other) == [
            ("booked", SENT),
            ("booked", CARRIED),
            ("booked", SENT),
        ]

    def test_a_mother_gets_one_text_for_herself_and_her_child(self, post: Post) -> None:
        post.book(post.cast.guardian)
        post.book(post.cast.guardian, on(5, 14), patient_id=post.cast.child_id)
        post.tick()
        post.turn()
        [text] = post.texts(GRETA)
        assert "10:00 AM and 2:00 PM" in text

    def test_one_of_them_that_is_cancelled_meanwhile_is_left_out(self, post: Post) -> None:
        post.book()
        gone = post.book(at=on(5, 14))
        post.cancel(gone)
        post.tick()
        post.turn()
        [text] = post.texts()
        assert "2:00 PM" not in text


class TestWhoIsTold:
    def test_who_has_no_phone_gets_an_email_with_the_visit_for_the_calendar(self, post: Post) -> None:
        post.book(post.cast.ben)
        post.tick()
        post.turn()
        [mail] = post.mail
        assert mail["to"] == BEN_MAIL
        assert mail["subject"] == "You are booked: Fri, Jun 5, 10:00 AM"
        assert b"DTSTART;TZID=Europe/Berlin:20260605T100000" in mail["calendar"]
        assert "Check-up" not in mail["body"] + mail["subject"]

    def test_a_text_without_consent_is_not_sent(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            messages.reached(session, post.cast.ada, phone=ADA)
            session.get_one(User, post.cast.ada.user_id).sms_consent_at = None
        visit = post.book()
        post.tick()
        post.turn()
        assert post.texts() == []
        [message] = post.messages(visit)
        assert (message.status, message.error) == (CANCELLED, "no consent")

    def test_whom_nothing_reaches_is_called_when_the_clinic_cancels(self, post: Post) -> None:
        visit = post.book(post.cast.desk, patient_id=post.cast.stranger.patient_ids[0])
        post.tick()
        post.turn()
        post.cancel(visit, post.cast.desk)
        post.tick()
        post.turn()
        assert post.states(visit) == [("booked", CANCELLED), ("cancelled", NotificationStatus.FAILED)]
        with unit_of_work(post.database) as session:
            assert [each.visit.id for each in unreached.waiting(session, post.cast.desk)] == [visit]

    def test_the_first_text_says_how_to_end_them_and_later_ones_do_not(self, post: Post) -> None:
        post.book()
        post.book(at=on(8, 9))
        post.tick()
        post.turn()
        first, second = post.texts()
        assert first.endswith("Text STOP to get no more.")
        assert "STOP" not in second


class TestReceipts:
    def test_a_receipt_comes_although_the_visit_was_moved_before_it_left(self, post: Post) -> None:
        visit = post.book(post.cast.ben)
        with unit_of_work(post.database) as session:
            appointment = session.get_one(Appointment, visit)
            payment = payments.begin(session, appointment, 6000)
            payments.settle(session, appointment, payment, provider_payment_id="pi_moved", paid_minor=6000)
        post.move(visit, on(5, 11), post.cast.ben)
        post.tick()
        post.turn()
        assert "Your payment to Linden Clinic" in [each["subject"] for each in post.mail]


class TestHours:
    def test_at_night_a_confirmation_waits_for_the_morning_where_the_person_is(self, post: Post) -> None:
        post.tick(13 * HOUR)  # nine in the evening
        post.book()
        post.tick()
        post.turn()
        assert post.texts() == []
        post.pass_time(on(2, 8))
        assert len(post.texts()) == 1

    def test_a_person_in_another_zone_has_another_night(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            session.get_one(Patient, post.cast.ada.patient_ids[0]).time_zone = "America/New_York"
        post.book()  # eight in Berlin is two in the morning in New York
        post.tick()
        post.turn()
        assert post.texts() == []
        post.pass_time(on(1, 14, 30))
        assert len(post.texts()) == 1

    def test_what_would_come_too_late_in_the_morning_is_told_at_night(self, post: Post) -> None:
        visit = post.book(at=on(2, 9))
        post.tick()
        post.turn()
        post.tick(14 * HOUR)  # ten in the evening
        post.cancel(visit, post.cast.desk)
        post.tick()
        post.turn()
        assert "is cancelled" in post.texts()[-1]


class TestTexts:
    def test_each_text_is_one_segment(self, post: Post) -> None:
        visit = post.book()
        post.pass_time(TEN - HOUR)
        post.cancel(visit, post.cast.desk)
        post.tick()
        post.turn()
        assert len(post.texts()) == 4
        assert [sms_lengths.segments(text) for text in post.texts()] == [1, 1, 1, 1]
        assert [message.segments for message in post.messages(visit)] == [1, 1, 1, 1]

    def test_a_delivery_is_followed_to_its_end(self, post: Post) -> None:
        visit = post.book()
        post.tick()
        post.turn()
        assert post.states(visit) == [("booked", SENT)]
        post.pass_time(post.now + 5 * MINUTE, every=MINUTE)
        assert post.states(visit) == [("booked", DELIVERED)]

    @pytest.mark.parametrize("locale", ["en_GB", "de"])
    def test_the_clinics_own_english_reaches_whoever_is_spoken_to_in_english(
        self, post: Post, locale: str
    ) -> None:
        post.write_own("en", "{clinic}: see you {when}. {link}")
        post.speaks(post.cast.ada, locale)
        post.book()
        post.tick()
        post.turn()
        [text] = post.texts()
        assert text.startswith("Linden Clinic: see you Fri 5 Jun, 10:00. ")

    def test_a_countrys_own_words_come_before_those_of_its_language(self, post: Post) -> None:
        post.write_own("en", "{clinic}: see you {when}. {link}")
        post.write_own("en_GB", "{clinic}: cheerio {when}. {link}")
        post.speaks(post.cast.ada, "en_GB")
        post.book()
        post.tick()
        post.turn()
        assert post.texts()[0].startswith("Linden Clinic: cheerio Fri 5 Jun, 10:00. ")
