"""Answers by text: what is sure is done, the rest waits at the desk, and a wish for no more is obeyed."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import answers, appointments, attendances, inbox, message_templates, phone_states, tills, unreached
from core.answers import understood
from core.appointment_errors import NoLongerChangeable
from core.errors import NotFound
from core.inbox import AlreadyDealtWith, AnswerMissing, AnswerTooLong, NoTexts
from db.models import (
    Answer,
    AppointmentEvent,
    AppointmentStatus,
    InboundState,
    NotificationStatus,
    Patient,
    PaymentMethod,
    PhoneState,
    Role,
    User,
)
from db.session import unit_of_work
from tests import make, messages
from tests.cast import on
from tests.messages import ADA, GRETA, HOUR, MINUTE, TEN, Post
from tests.phones import Phones

STRANGER = "+4930999999"
NO_ROUTE = "+15005550002"  # Twilio's magic number for error 21612


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


@pytest.fixture
def reminded(post: Post) -> int:
    """A visit whose first reminder has gone out."""
    visit = post.book()
    post.pass_time(on(3, 11), every=4 * HOUR)
    assert "answer C" in post.texts()[-1]
    return visit


class TestUnderstanding:
    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("C", Answer.CONFIRM),
            (" c. ", Answer.CONFIRM),
            ("“C”", Answer.UNCLEAR),
            ("Ok!", Answer.CONFIRM),
            ("R", Answer.MOVE),
            ("n", Answer.CANCEL),
            ("no", Answer.CANCEL),
            ("Y", Answer.ACCEPT),
            ("yes", Answer.ACCEPT),
            ("STOP", Answer.STOP),
            ("stop.", Answer.STOP),
            ("CANCEL", Answer.STOP),
            ("Arrêt", Answer.STOP),
            ("please stop texting me", Answer.STOP),
            ("Don't send me any more messages", Answer.STOP),
            ("START", Answer.START),
            ("the bus will stop late", Answer.UNCLEAR),
            ("C you then, but can it be at 11?", Answer.UNCLEAR),
            ("", Answer.UNCLEAR),
            ("👍", Answer.UNCLEAR),
        ],
    )
    def test_only_what_is_sure_is_understood(self, text: str, meant: Answer) -> None:
        assert understood(text) is meant

    @pytest.mark.parametrize(
        ("text", "perhaps"),
        [
            ("C thanks a lot", Answer.CONFIRM),
            ("I can't come", Answer.CANCEL),
            ("could we move it?", Answer.MOVE),
            ("hello", Answer.UNCLEAR),
        ],
    )
    def test_the_rest_is_suggested(self, text: str, perhaps: Answer) -> None:
        assert answers.suggested(text) is perhaps

    def test_no_message_of_ours_asks_for_a_word_that_carriers_take_for_no_more_texts(self) -> None:
        for name, template in message_templates.TEMPLATES.items():
            words = {word.strip(".,:!?").upper() for word in template.text.split()}
            assert not words & message_templates.CARRIER_WORDS, name


class TestSureAnswers:
    def test_c_confirms_and_is_thanked_once(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "C")
        assert inbound.state is InboundState.DONE
        assert post.visit(reminded).attending_at is not None
        assert "thank you. We expect you Fri, Jun 5, 10:00 AM" in post.texts()[-1]
        count = len(post.texts())
        post.reply(ADA, "c")
        assert len(post.texts()) == count

    def test_a_moved_visit_is_to_be_confirmed_anew(self, post: Post, reminded: int) -> None:
        post.reply(ADA, "C")
        post.move(reminded, on(9, 10))
        assert post.visit(reminded).attending_at is None

    def test_r_sends_the_way_to_another_time_to_who_has_an_account(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "R")
        assert inbound.state is InboundState.DONE
        assert "please choose another time here: http://localhost:8501/my_appointments" in post.texts()[-1]

    def test_r_too_late_to_move_is_for_the_desk_to_call(self, post: Post, reminded: int) -> None:
        post.pass_time(on(4, 12), every=4 * HOUR)
        inbound = post.reply(ADA, "R")
        assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "wants another time")
        assert "we will call you" in post.texts()[-1]

    def test_n_calls_off_at_once_where_that_costs_nothing(self, post: Post, reminded: int) -> None:
        post.reply(ADA, "N")
        visit = post.visit(reminded)
        assert visit.status is AppointmentStatus.CANCELLED
        post.tick()
        post.turn()
        assert "is cancelled" in post.texts()[-1]

    def test_n_in_the_fee_window_asks_first_and_a_second_n_calls_off(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with unit_of_work(post.database) as session:
            make.clinic(session, late_fee_percent=50)
        visit = post.book()
        post.pass_time(on(4, 12), every=4 * HOUR)
        post.reply(ADA, "N")
        assert post.visit(visit).status is AppointmentStatus.CONFIRMED
        assert "now costs €30.00" in post.texts()[-1]
        post.tick(10 * MINUTE)
        post.reply(ADA, "n")
        assert post.visit(visit).status is AppointmentStatus.CANCELLED

    def test_a_second_n_hours_later_asks_again(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            make.clinic(session, late_fee_percent=50)
        visit = post.book()
        post.pass_time(on(4, 12), every=4 * HOUR)
        post.reply(ADA, "N")
        post.pass_time(on(4, 16), every=4 * HOUR)
        post.reply(ADA, "N")
        assert post.visit(visit).status is AppointmentStatus.CONFIRMED

    def test_a_second_n_before_the_cost_was_told_does_not_call_off(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            make.clinic(session, late_fee_percent=50)
        visit = post.book()
        post.pass_time(on(4, 12), every=4 * HOUR)
        post.phones.reply(ADA, "N", to=post.sms.sender)
        post.reply(ADA, "N")
        assert post.visit(visit).status is AppointmentStatus.CONFIRMED
        assert "now costs €30.00" in post.texts()[-1]
        post.tick(MINUTE)
        post.reply(ADA, "N")
        assert post.visit(visit).status is AppointmentStatus.CANCELLED

    def test_a_second_n_asks_again_where_calling_off_costs_more_by_then(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            make.clinic(session, late_fee_percent=50, refund_percent=0)
        visit = post.book()
        post.pass_time(on(4, 12), every=4 * HOUR)
        post.reply(ADA, "N")
        with unit_of_work(post.database) as session:
            tills.take(
                session,
                post.cast.desk,
                appointment_id=visit,
                amount_minor=6000,
                method=PaymentMethod.CASH,
            )
        post.reply(ADA, "N")
        assert post.visit(visit).status is AppointmentStatus.CONFIRMED
        assert "now costs €60.00" in post.texts()[-1]

    def test_a_text_that_comes_twice_is_dealt_with_once(self, post: Post, reminded: int) -> None:
        post.reply(ADA, "C")
        for _turn in range(3):
            post.tick()
            post.turn()
        with Session(post.database) as session:
            confirmed = [
                event for event in session.query(AppointmentEvent).all() if event.kind.value == "attending"
            ]
        assert len(confirmed) == 1


class TestStopping:
    def test_stop_is_obeyed_and_start_undoes_it(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "STOP")
        assert inbound.state is InboundState.DONE
        count = len(post.texts())
        post.pass_time(TEN - HOUR, every=4 * HOUR)
        assert len(post.texts()) == count
        post.reply(ADA, "START")
        with Session(post.database) as session:
            assert session.get_one(PhoneState, ADA).opted_out_at is None
        post.book(at=on(8, 10))
        post.tick()
        post.turn()
        assert "you are booked" in post.texts()[-1]

    def test_start_from_somebody_who_had_not_agreed_is_their_consent(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            session.get_one(User, post.cast.ada.user_id).sms_consent_at = None
        post.reply(ADA, "START")
        with Session(post.database) as session:
            assert session.get_one(User, post.cast.ada.user_id).sms_consent_source == "a text"

    def test_a_mothers_start_agrees_to_nothing_for_a_number_of_her_childs(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            account = make.user(session, Role.PATIENT, name="Mila Klein", phone=STRANGER)
            session.get_one(Patient, post.cast.child_id).user_id = account.id
        post.reply(GRETA, "START")
        with Session(post.database) as session:
            assert session.get_one(User, account.id).sms_consent_at is None

    def test_cancel_stops_texts_as_carriers_have_it_and_a_person_asks(
        self, post: Post, reminded: int
    ) -> None:
        inbound = post.reply(ADA, "CANCEL")
        assert (inbound.state, inbound.suggestion) == (InboundState.AT_DESK, Answer.CANCEL)
        assert post.visit(reminded).status is AppointmentStatus.CONFIRMED
        with Session(post.database) as session:
            assert session.get_one(PhoneState, ADA).opted_out_at is not None

    def test_an_answer_of_ours_that_waits_is_not_sent_after_a_stop(self, post: Post, reminded: int) -> None:
        attempts = post.phones.attempts()
        post.phones.reply(ADA, "C", to=post.sms.sender)
        post.tick(timedelta(seconds=2))
        post.reply(ADA, "STOP")
        assert post.visit(reminded).attending_at is not None
        assert post.states(reminded)[-1] == ("reply", NotificationStatus.CANCELLED)
        assert post.phones.attempts() == attempts

    def test_a_wish_in_other_words_is_obeyed_and_read_by_a_person(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "I can't come, don't send me any more messages")
        assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "perhaps the visit was meant")
        with Session(post.database) as session:
            assert session.get_one(PhoneState, ADA).opted_out_at is not None


class TestForTheDesk:
    @pytest.mark.parametrize("text", ["C", "R", "N"])
    def test_several_visits_leave_it_open_which_is_meant(self, post: Post, text: str) -> None:
        visits = [post.book(), post.book(at=on(8, 10))]
        post.pass_time(on(3, 11), every=4 * HOUR)
        inbound = post.reply(ADA, text)
        assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "several visits")
        assert [post.visit(visit).status for visit in visits] == [AppointmentStatus.CONFIRMED] * 2

    def test_a_strangers_number_does_nothing(self, post: Post, reminded: int) -> None:
        inbound = post.reply(STRANGER, "N")
        assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "unknown number")
        assert post.visit(reminded).status is AppointmentStatus.CONFIRMED

    def test_what_is_unclear_is_read_by_a_person_with_a_suggestion(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "I can't come, sorry")
        assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "unclear")
        with Session(post.database) as session:
            [waiting] = inbox.waiting(session, post.cast.desk)
        assert [visit.id for visit in waiting.visits] == [reminded]
        assert inbox.suggested_answer(waiting) == "Shall we call your visit off? Which one do you mean?"

    def test_a_mothers_answer_may_be_about_her_child(self, post: Post) -> None:
        visit = post.book(post.cast.guardian, patient_id=post.cast.child_id)
        post.pass_time(on(3, 11), every=4 * HOUR)
        post.reply(GRETA, "C")
        assert post.visit(visit).attending_at is not None

    def test_the_desk_answers_and_has_dealt_with_it(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "what?")
        with unit_of_work(post.database) as session:
            inbox.answer(
                session,
                post.cast.desk,
                inbound_id=inbound.id,
                text="Please {call} us.",
                request_key=uuid4(),
            )
        post.turn()
        assert post.texts()[-1] == "Linden Clinic: Please {call} us."
        with unit_of_work(post.database) as session:
            assert inbox.waiting(session, post.cast.desk) == []
            with pytest.raises(AlreadyDealtWith):
                inbox.settle(session, post.cast.desk, inbound_id=inbound.id)

    def test_the_desk_confirms_the_visit_that_was_meant(self, post: Post) -> None:
        visit = post.book()
        post.book(at=on(8, 10))
        post.pass_time(on(3, 11), every=4 * HOUR)
        inbound = post.reply(ADA, "C")
        with unit_of_work(post.database) as session:
            inbox.confirm(session, post.cast.desk, inbound_id=inbound.id, appointment_id=visit)
        assert post.visit(visit).attending_at is not None
        post.turn()
        assert post.texts()[-1].startswith("Linden Clinic: thank you. We expect you Fri, Jun 5, 10:00 AM")

    def test_a_text_confirms_no_visit_of_somebody_else(self, post: Post, reminded: int) -> None:
        bens = post.book(post.cast.ben, on(8, 10))
        inbound = post.reply(ADA, "what?")
        with unit_of_work(post.database) as session, pytest.raises(NotFound):
            inbox.confirm(session, post.cast.desk, inbound_id=inbound.id, appointment_id=bens)
        assert post.visit(bens).attending_at is None

    def test_nothing_is_confirmed_or_called_off_once_it_has_begun(self, post: Post) -> None:
        visit = post.book(at=on(2, 10))
        post.pass_time(on(2, 9), every=4 * HOUR)
        post.tick(HOUR)
        with unit_of_work(post.database) as session:
            for refuses in (attendances.confirm_by_text, appointments.cancel_by_text):
                with pytest.raises(NoLongerChangeable):
                    refuses(session, visit)
            with pytest.raises(NoLongerChangeable):
                attendances.confirm(session, post.cast.ada, appointment_id=visit)
        assert post.reply(ADA, "N").why == "no visit ahead"

    def test_bad_answers_are_refused_in_a_sentence(self, post: Post, reminded: int) -> None:
        inbound = post.reply(ADA, "what?")
        with unit_of_work(post.database) as session:
            for text, refusal in ((" \0 ", AnswerMissing), ("x" * 301, AnswerTooLong)):
                with pytest.raises(refusal):
                    inbox.answer(
                        session, post.cast.desk, inbound_id=inbound.id, text=text, request_key=uuid4()
                    )
            phone_states.stop(session, ADA, by="a text")
            with pytest.raises(NoTexts):
                inbox.answer(
                    session, post.cast.desk, inbound_id=inbound.id, text="Hello", request_key=uuid4()
                )

    def test_a_message_that_did_not_arrive_waits_for_a_call(self, post: Post) -> None:
        post.phones.fate(ADA, "undelivered", 30006)
        post.book()
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        with unit_of_work(post.database) as session:
            [lost] = unreached.waiting(session, post.cast.desk)
            assert lost.patient.name == "Ada Okafor"
            unreached.settle(session, post.cast.desk, notification_id=lost.message.id)
        with unit_of_work(post.database) as session:
            assert unreached.waiting(session, post.cast.desk) == []

    @pytest.mark.parametrize("fate", ["undelivered", "refused", "too late"])
    def test_an_answer_that_does_not_arrive_brings_the_text_back(self, post: Post, fate: str) -> None:
        inbound = post.reply(NO_ROUTE if fate == "refused" else ADA, "what?")
        with unit_of_work(post.database) as session:
            inbox.answer(
                session, post.cast.desk, inbound_id=inbound.id, text="Come at ten.", request_key=uuid4()
            )
        if fate == "undelivered":
            post.phones.fate(ADA, "undelivered", 30003)
        elif fate == "too late":
            post.tick(13 * HOUR)
        for _turn in range(3):
            post.turn()
            post.tick()
        with Session(post.database) as session:
            [waiting] = inbox.waiting(session, post.cast.desk)
            assert (waiting.inbound.id, waiting.inbound.why) == (inbound.id, "our answer did not arrive")

    def test_each_visit_of_a_text_that_did_not_arrive_waits_for_a_call(self, post: Post) -> None:
        post.phones.fate(ADA, "undelivered", 30003)
        visits = [post.book(), post.book(at=on(5, 14))]
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        for visit in visits:
            with unit_of_work(post.database) as session:
                lost = unreached.waiting(session, post.cast.desk)
                assert visit in [each.visit.id for each in lost]
                assert unreached.count(session, post.cast.desk) == len(lost)
                message = next(each.message for each in lost if each.visit.id == visit)
                unreached.settle(session, post.cast.desk, notification_id=message.id)
        with unit_of_work(post.database) as session:
            assert unreached.waiting(session, post.cast.desk) == []

    def test_nobody_is_called_about_a_visit_that_is_off_anyway(self, post: Post) -> None:
        post.phones.fate(ADA, "undelivered", 30003)
        visit = post.book()
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        post.phones.fate(ADA, "delivered")
        post.cancel(visit)
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        with unit_of_work(post.database) as session:
            assert unreached.waiting(session, post.cast.desk) == []

    def test_nor_about_a_time_that_is_no_longer_the_visits(self, post: Post) -> None:
        post.phones.fate(ADA, "undelivered", 30003)
        visit = post.book()
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        post.phones.fate(ADA, "delivered")
        post.move(visit, on(8, 10))
        post.pass_time(post.now + 10 * MINUTE, every=MINUTE)
        with unit_of_work(post.database) as session:
            assert unreached.waiting(session, post.cast.desk) == []


class TestSharedPhones:
    @pytest.fixture
    def husband(self, post: Post) -> int:
        """Ada's husband, who has her number, no account, and a visit on Friday; his number here."""
        with unit_of_work(post.database) as session:
            husband = make.patient(session, name="Obi Okafor", phone=ADA, sms_consent_at=post.now)
        post.book(post.cast.desk, patient_id=husband.id)
        post.pass_time(on(3, 11), every=4 * HOUR)
        return husband.id

    def test_r_about_a_visit_of_who_has_no_account_is_for_the_desk(self, post: Post, husband: int) -> None:
        inbound = post.reply(ADA, "R")
        assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "wants another time")
        assert inbound.patient_id == husband

    def test_what_one_of_two_wrote_is_in_nobodys_record(self, post: Post, husband: int) -> None:
        inbound = post.reply(ADA, "I have a fever")
        assert (inbound.state, inbound.patient_id) == (InboundState.AT_DESK, None)
        with Session(post.database) as session:
            [waiting] = inbox.waiting(session, post.cast.desk)
        assert [each.name for each in waiting.patients] == ["Ada Okafor", "Obi Okafor"]

    def test_what_a_mother_wrote_is_in_hers(self, post: Post) -> None:
        assert post.reply(GRETA, "hello?").patient_id == post.cast.guardian.patient_ids[0]


def test_whoever_calls_off_by_text_at_night_is_told_at_once_that_it_is_off(post: Post, reminded: int) -> None:
    post.pass_time(on(3, 23), every=4 * HOUR)
    before = len(post.texts())
    post.reply(ADA, "N")
    assert post.texts()[before:] == ["Linden Clinic: your visit on Fri, Jun 5, 10:00 AM is cancelled."]
