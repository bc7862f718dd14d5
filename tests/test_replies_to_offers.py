"""Answers by text where a time was offered: what is about the offer never touches a visit that is booked."""

from collections.abc import Iterator
from datetime import date, time, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import phone_states, unreached, waitlist_answers, waitlist_offers
from db.models import Answer, AppointmentStatus, Doctor, InboundState, OfferState, Patient, WaitlistOffer
from db.session import unit_of_work
from tests import make, messages, waits
from tests.cast import on
from tests.messages import ADA, GRETA, MINUTE, Post
from tests.phones import Phones

WEDNESDAY = date(2026, 6, 3)


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


@pytest.fixture
def booked(post: Post) -> int:
    """Ada's visit in two weeks, of which she was told."""
    visit = post.book(at=on(15, 10))
    post.tick(61 * MINUTE)
    post.turn()
    return visit


def offer(post: Post, *, to: int | None = None, at: time = time(14)) -> None:
    """Ada, or the patient of that number, waits for Wednesday and is offered it by text."""
    with unit_of_work(post.database) as session:
        waits.entry(session, to or post.cast.ada.patient_ids[0], waits.only(post.cast, WEDNESDAY, at))
    assert waitlist_offers.offer_freed() == 1
    post.turn()


def states(post: Post) -> list[OfferState]:
    with Session(post.database) as session:
        return list(session.scalars(select(WaitlistOffer.state).order_by(WaitlistOffer.id)))


def test_an_offer_that_lasts_over_midnight_says_until_which_day(post: Post) -> None:
    with unit_of_work(post.database) as session:
        make.clinic(session, waitlist_offer_minutes=24 * 60)
    offer(post)
    assert "Answer Y by Tue, Jun 2, 8:00 AM to take it" in post.texts()[-1]


def stop(post: Post) -> None:
    """Ada wants no more texts."""
    with unit_of_work(post.database) as session:
        phone_states.stop(session, ADA, by="a text")


def to_be_called(post: Post) -> list[str]:
    """Whom the desk reads to call, as a message did not reach them."""
    with Session(post.database) as session:
        return [each.patient.name for each in unreached.waiting(session, post.cast.desk)]


def test_who_wants_no_texts_is_offered_the_time_by_email(post: Post) -> None:
    stop(post)
    with unit_of_work(post.database) as session:
        session.get_one(Patient, post.cast.ada.patient_ids[0]).email = "ada@example.org"
    offer(post)
    assert post.texts() == []
    assert [mail["to"] for mail in post.mail] == ["ada@example.org"]
    assert to_be_called(post) == []


def test_who_wants_no_texts_and_has_no_email_is_for_the_desk_to_call_until_the_offer_is_answered(
    post: Post,
) -> None:
    stop(post)
    offer(post)
    assert post.texts() == []
    assert to_be_called(post) == ["Ada Okafor"]
    with unit_of_work(post.database) as session:
        offered = session.scalars(select(WaitlistOffer.id)).one()
        waitlist_answers.accept(session, post.cast.desk, offer_id=offered)
    assert to_be_called(post) == []


def test_nobody_is_called_about_an_offer_that_is_over(post: Post) -> None:
    stop(post)
    offer(post)
    post.tick(61 * MINUTE)
    waitlist_offers.offer_freed()
    assert to_be_called(post) == []


def test_y_takes_the_time(post: Post, booked: int) -> None:
    offer(post)
    assert post.reply(ADA, "Y").answer is Answer.ACCEPT
    assert states(post) == [OfferState.ACCEPTED]


def test_whoever_says_yes_is_told_at_once_that_it_is_theirs(post: Post) -> None:
    with unit_of_work(post.database) as session:
        make.clinic(session, quiet_from=time(8, 1), quiet_until=time(8))  # all day long
    offer(post)
    before = len(post.texts())
    post.reply(ADA, "Y")
    assert [each.partition(". ")[0] for each in post.texts()[before:]] == [
        "Linden Clinic: you are booked for Wed, Jun 3, 2:00 PM"
    ]
    post.pass_time(on(2, 8))
    assert ["you are booked" in each for each in post.texts()].count(True) == 1


def test_a_second_y_is_told_that_it_is_booked(post: Post) -> None:
    offer(post)
    post.reply(ADA, "Y")
    inbound = post.reply(ADA, "Y")
    assert inbound.state is InboundState.DONE
    assert "thank you. We expect you Wed, Jun 3, 2:00 PM" in post.texts()[-1]


def test_y_after_the_offer_is_over_is_told_so(post: Post) -> None:
    offer(post)
    post.tick(timedelta(hours=2))
    post.reply(ADA, "Y")
    assert "no longer free. You are still on the list" in post.texts()[-1]


def test_y_to_a_doctor_who_has_left_meanwhile_is_answered(post: Post) -> None:
    offer(post)
    with unit_of_work(post.database) as session:
        session.get_one(Doctor, post.cast.dr_roth.id).is_active = False
    assert post.reply(ADA, "Y").state is InboundState.DONE
    assert "no longer free" in post.texts()[-1]


def test_n_passes_it_and_leaves_the_visit_alone(post: Post, booked: int) -> None:
    offer(post)
    assert post.reply(ADA, "N").answer is Answer.DECLINE
    assert states(post) == [OfferState.DECLINED]
    assert post.visit(booked).status is AppointmentStatus.CONFIRMED


def test_n_after_the_offer_is_over_calls_no_visit_off(post: Post, booked: int) -> None:
    offer(post)
    post.tick(timedelta(hours=2))
    inbound = post.reply(ADA, "N")
    assert post.visit(booked).status is AppointmentStatus.CONFIRMED
    assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "perhaps an offer was meant")


def test_a_second_n_calls_no_visit_off_either(post: Post, booked: int) -> None:
    offer(post)
    post.reply(ADA, "N")
    inbound = post.reply(ADA, "N")
    assert post.visit(booked).status is AppointmentStatus.CONFIRMED
    assert inbound.state is InboundState.AT_DESK


def test_n_to_a_reminder_that_came_after_the_offer_means_the_visit(post: Post, booked: int) -> None:
    offer(post)
    post.pass_time(on(13, 11), every=timedelta(hours=4))
    assert "answer C" in post.texts()[-1]
    post.reply(ADA, "N")
    assert post.visit(booked).status is AppointmentStatus.CANCELLED


@pytest.mark.parametrize("text", ["N", "Y"])
def test_an_answer_to_one_of_two_offers_is_for_the_desk(post: Post, text: str) -> None:
    mother, child = post.cast.guardian.patient_ids
    visit = post.book(post.cast.guardian, at=on(15, 10))
    post.tick(61 * MINUTE)
    post.turn()
    offer(post, to=mother)
    offer(post, to=child, at=time(15))
    sent = len(post.texts(GRETA))
    inbound = post.reply(GRETA, text)
    assert (inbound.state, inbound.why) == (InboundState.AT_DESK, "several offers")
    assert states(post) == [OfferState.OPEN] * 2
    assert post.visit(visit).status is AppointmentStatus.CONFIRMED
    assert len(post.texts(GRETA)) == sent


def test_n_to_a_reminder_before_the_offer_was_sent_does_not_pass_it(post: Post) -> None:
    visit = post.book(at=on(5, 14))
    post.pass_time(on(3, 15))
    assert "answer C" in post.texts()[-1]
    with unit_of_work(post.database) as session:
        wanted = waits.only(post.cast, date(2026, 6, 8), time(14))
        waits.entry(session, post.cast.ada.patient_ids[0], wanted)
    assert waitlist_offers.offer_freed() == 1  # and its text has not left yet
    inbound = post.reply(ADA, "N")
    assert states(post) == [OfferState.OPEN]
    assert post.visit(visit).status is AppointmentStatus.CANCELLED
    assert inbound.answer is Answer.CANCEL
