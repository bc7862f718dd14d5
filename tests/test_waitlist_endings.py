"""How wishes on the waitlist ended, as patients and the desk read it, and what follows an unpaid offer."""

from collections.abc import Iterator
from datetime import date, time, timedelta

import pytest
from sqlalchemy.orm import Session

from core import appointments, placements, waitlist_answers, waitlist_endings, waitlists
from core.errors import AccessDenied
from core.waitlist_endings import Ended, Ending
from db.models import (
    AppointmentStatus,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.waits import entry, held, offers, only, scan, wish

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEDNESDAY = date(2026, 6, 3)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def offered(session: Session, cast: Cast) -> WaitlistOffer:
    """Ada waits for Wednesday at ten and is offered it."""
    entry(session, cast.ada.patient_ids[0], only(cast, WEDNESDAY, time(10)))
    assert scan(session) == 1
    return offers(session)[-1]


def unpaid(session: Session, cast: Cast) -> WaitlistOffer:
    """Ada has accepted, and has an hour to pay."""
    offer = offered(session, cast)
    visit = waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    visit.status, visit.hold_expires_at = AppointmentStatus.PENDING, NOW + HOUR
    session.flush()
    return offer


def ended(session: Session, cast: Cast) -> list[Ended]:
    return waitlist_endings.own(session, cast.ada, patient_ids=cast.ada.patient_ids)


def endings(session: Session, cast: Cast) -> list[Ending]:
    return [each.ending for each in ended(session, cast)]


class TestUnpaidOffers:
    def test_the_time_goes_to_the_next_and_both_can_read_why(self, session: Session, cast: Cast) -> None:
        offer = unpaid(session, cast)
        entry(session, cast.ben.patient_ids[0], only(cast, WEDNESDAY, time(10)))
        assert scan(session) == 0, "it is still held"
        assert endings(session, cast) == [Ending.TO_PAY]
        with time_is(NOW + HOUR):
            assert scan(session) == 1
            [_hers, his] = offers(session)
            assert held(session, his).patient_id == cast.ben.patient_ids[0]
            assert held(session, his).starts_at == held(session, offer).starts_at
            assert endings(session, cast) == [Ending.UNPAID]
            [line] = waitlist_endings.at_clinic(session, cast.desk)
            assert (line.ending, line.entry.patient_id) == (Ending.UNPAID, cast.ada.patient_ids[0])

    def test_the_same_can_be_asked_for_again(self, session: Session, cast: Cast) -> None:
        unpaid(session, cast)
        with time_is(NOW + HOUR):
            scan(session)
            [line] = ended(session, cast)
            again = line.asked_again(NOW.date())
            assert again == only(cast, WEDNESDAY, time(10))
            waitlists.join(session, cast.ada, patient_id=cast.ada.patient_ids[0], wish=again)
            assert scan(session) == 1
        assert line.asked_again(WEDNESDAY + DAY) is None, "its days are over"

    def test_what_is_paid_late_after_all_is_booked(self, session: Session, cast: Cast) -> None:
        offer = unpaid(session, cast)
        with time_is(NOW + HOUR):
            scan(session)
            assert placements.revive(session, held(session, offer))
            assert endings(session, cast) == [Ending.BOOKED]


class TestEndings:
    def test_a_time_that_was_accepted_is_booked_until_it_is_cancelled(
        self, session: Session, cast: Cast
    ) -> None:
        offer = offered(session, cast)
        assert ended(session, cast) == [], "it waits"
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
        [line] = ended(session, cast)
        assert (line.ending, line.offer) == (Ending.BOOKED, offer)
        assert line.asked_again(NOW.date()) is None
        appointments.cancel(session, cast.ada, appointment_id=offer.appointment_id, reason="ill")
        assert endings(session, cast) == [Ending.CANCELLED]

    def test_a_wish_that_was_taken_off(self, session: Session, cast: Cast) -> None:
        offer = offered(session, cast)
        waitlists.withdraw(session, cast.ada, entry_id=offer.entry_id)
        assert endings(session, cast) == [Ending.WITHDRAWN]

    @pytest.mark.parametrize(("answer", "ending"), [("silence", Ending.UNANSWERED), ("no", Ending.DECLINED)])
    def test_a_wish_whose_days_are_over_tells_what_became_of_its_last_offer(
        self, session: Session, cast: Cast, answer: str, ending: Ending
    ) -> None:
        offer = offered(session, cast)
        if answer == "no":
            waitlist_answers.decline(session, cast.ada, offer_id=offer.id)
        with time_is(on(4, 9)):
            scan(session)
            assert endings(session, cast) == [ending]

    def test_a_wish_for_which_nothing_was_free_tells_that(self, session: Session, cast: Cast) -> None:
        make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
        entry(session, cast.ada.patient_ids[0], only(cast, WEDNESDAY, time(10)))
        with time_is(on(4, 9)):
            scan(session)
            assert endings(session, cast) == [Ending.LAPSED]


def over(session: Session, cast: Cast, days_ago: int, **changes: object) -> WaitlistEntry:
    at = NOW - days_ago * DAY
    return entry(
        session,
        cast.ada.patient_ids[0],
        wish(cast),
        **{"state": WaitlistState.WITHDRAWN, "created_at": at, "ended_at": at} | changes,
    )


def test_the_latest_come_first_for_90_days_and_as_many_as_asked_for(session: Session, cast: Cast) -> None:
    made = [over(session, cast, days_ago).id for days_ago in (3, 1, 89, 91)]
    found = [each.entry.id for each in ended(session, cast)]
    assert found == [made[1], made[0], made[2]]
    few = waitlist_endings.at_clinic(session, cast.desk, limit=2)
    assert [each.entry.id for each in few] == [made[1], made[0]]


def test_an_erased_patient_is_not_on_the_desks_list(session: Session, cast: Cast) -> None:
    over(session, cast, 1)
    assert len(waitlist_endings.at_clinic(session, cast.desk)) == 1
    session.get_one(make.Patient, cast.ada.patient_ids[0]).erased_at = NOW
    session.flush()
    assert waitlist_endings.at_clinic(session, cast.desk) == []


def test_ones_own_wishes_are_nobody_elses_and_the_whole_list_the_desks(session: Session, cast: Cast) -> None:
    over(session, cast, 1)
    with pytest.raises(AccessDenied):
        waitlist_endings.own(session, cast.stranger, patient_ids=cast.ada.patient_ids)
    with pytest.raises(AccessDenied):
        waitlist_endings.at_clinic(session, cast.ada)
