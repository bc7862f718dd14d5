"""What the waitlist offers and to whom: the rules of a wish, and the answers yes, no and silence."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import (
    agendas,
    appointments,
    attempts,
    calendars,
    holds,
    statements,
    tills,
    waitlist_answers,
    waitlists,
)
from core.audit import Event
from core.errors import AccessDenied, NotFound
from core.holds import OnlyOffered
from core.offers import NotOffered
from core.terms import TermsChanged
from core.waitlist_answers import OfferOver
from db.config import config
from db.models import (
    AppointmentEvent,
    AppointmentStatus,
    AuditEntry,
    EventKind,
    OfferState,
    Patient,
    Payment,
    PaymentMethod,
    PaymentState,
    Source,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)
from tests import make, waits
from tests.cast import BERLIN, NOW, Cast, assemble, on, time_is
from tests.test_waitlists import specialty_of
from tests.waits import entry, held, offers, only, scan, wish

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WEDNESDAY = date(2026, 6, 3)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clinic takes cards; nobody speaks to the processor here."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_waitlist")
    config.cache_clear()


def offered(session: Session, cast: Cast, **changes: object) -> WaitlistOffer:
    """Ada waits for Wednesday at ten and is offered it."""
    entry(session, cast.ada.patient_ids[0], only(cast, WEDNESDAY, time(10), **changes))
    assert scan(session) == 1
    return offers(session)[-1]


def starts(session: Session) -> list[datetime]:
    return [held(session, offer).starts_at for offer in offers(session)]


def test_the_first_time_that_fits_is_held_for_as_long_as_an_offer_lasts(session: Session, cast: Cast) -> None:
    entry(session, cast.ada.patient_ids[0], wish(cast, weekdays=(3, 4), from_time=time(15, 10)))
    assert scan(session) == 1
    [offer] = offers(session)
    visit = held(session, offer)
    assert (visit.status, visit.source, visit.starts_at) == (
        AppointmentStatus.PENDING,
        Source.WAITLIST,
        on(3, 15, 30),
    )
    assert visit.hold_expires_at == offer.expires_at == NOW + HOUR
    assert (offer.state, offer.offered_at) == (OfferState.OPEN, NOW)
    noted = session.scalars(select(AuditEntry.action).where(AuditEntry.object_kind == "appointment")).all()
    assert noted == [Event.TIME_OFFERED.value]
    assert scan(session) == 0, "one offer at a time"


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, on(1, 11)),  # an hour to answer and two hours' notice
        ({"from_on": date(2026, 6, 2)}, on(2, 9)),
        ({"weekdays": (5,)}, on(5, 9)),
        ({"from_time": time(9, 1)}, on(1, 11)),
        ({"until_time": time(9, 30)}, on(2, 9)),
        ({"from_time": time(12, 30), "until_time": time(13, 30)}, on(1, 13)),
        ({"from_time": time(12, 0), "until_time": time(13, 29)}, None),
    ],
)
def test_only_times_within_the_wish_are_offered(
    session: Session, cast: Cast, changes: dict[str, object], first: datetime | None
) -> None:
    entry(session, cast.ada.patient_ids[0], wish(cast, **changes))
    scan(session)
    assert starts(session) == ([first] if first else [])


def test_who_is_offered_a_time_can_answer_at_the_last_moment_and_still_has_the_notice(
    session: Session, cast: Cast
) -> None:
    make.clinic(session, waitlist_offer_minutes=90, minimum_notice_minutes=60)
    cast.checkup.minimum_notice_minutes = 0
    session.flush()
    entry(session, cast.ada.patient_ids[0], wish(cast))
    scan(session)
    assert starts(session) == [on(1, 9, 30)]
    cast.checkup.minimum_notice_minutes = None
    session.flush()
    entry(session, cast.ben.patient_ids[0], wish(cast))
    scan(session)
    assert starts(session)[1:] == [on(1, 10, 30)]


def test_nothing_beyond_the_horizon_or_outside_the_doctors_hours_is_offered(
    session: Session, cast: Cast
) -> None:
    make.clinic(session, horizon_days=1)
    entry(session, cast.ada.patient_ids[0], only(cast, WEDNESDAY, time(10)))
    make.time_off(session, cast.dr_weiss, on(2, 0), on(3, 0))
    doctor = {"doctor_id": cast.dr_weiss.id}
    entry(session, cast.ben.patient_ids[0], only(cast, date(2026, 6, 2), time(10), **doctor))
    assert scan(session) == 0
    make.clinic(session, horizon_days=2)
    assert scan(session) == 1
    assert starts(session) == [on(3, 10)]


def test_a_time_at_which_the_patient_has_a_visit_is_not_offered(session: Session, cast: Cast) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 10), patient=ada)
    wanted = only(cast, WEDNESDAY, time(10))
    entry(session, ada.id, wanted._replace(until_time=time(11)))
    scan(session)
    assert starts(session) == [on(3, 10, 30)]


def test_a_wish_for_a_specialty_is_served_by_whoever_of_it_is_free_first(
    session: Session, cast: Cast
) -> None:
    number = specialty_of(session, cast.dr_roth.id, cast.dr_weiss.id)
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    wanted = only(cast, WEDNESDAY, time(10), doctor_id=None, specialty_id=number)
    entry(session, cast.ada.patient_ids[0], wanted)
    scan(session)
    assert held(session, offers(session)[0]).doctor_id == cast.dr_weiss.id


def test_a_doctor_who_takes_no_patients_any_more_is_not_offered(session: Session, cast: Cast) -> None:
    entry(session, cast.ada.patient_ids[0], wish(cast))
    cast.dr_roth.is_accepting_patients = False
    session.flush()
    assert scan(session) == 0


def test_when_clocks_go_forward_a_wish_for_that_day_keeps_its_wall_time(session: Session, cast: Cast) -> None:
    early = make.doctor(session, offers=[cast.checkup], hours="01:00-05:00", on=make.EVERY_DAY)
    sunday = date(2027, 3, 28)
    wanted = wish(
        cast,
        doctor_id=early.id,
        from_on=sunday,
        until_on=sunday,
        weekdays=(7,),
        from_time=time(1, 30),
        until_time=time(4),
    )
    with time_is(datetime(2027, 3, 26, 12, tzinfo=BERLIN)):
        first = entry(session, cast.ada.patient_ids[0], wanted)
        entry(session, cast.ben.patient_ids[0], wanted._replace(from_time=time(2), until_time=time(3)))
        assert scan(session) == 1, "nothing fits between two and three: that hour is left out"
    visit = held(session, offers(session)[0])
    assert visit.patient_id == first.patient_id
    assert visit.starts_at == datetime(2027, 3, 28, 0, 30, tzinfo=UTC), "half past one, until three"


def test_when_clocks_go_back_a_wish_for_that_day_is_served_the_first_time_round(
    session: Session, cast: Cast
) -> None:
    early = make.doctor(session, offers=[cast.checkup], hours="01:00-05:00", on=make.EVERY_DAY)
    sunday = date(2026, 10, 25)
    wanted = wish(
        cast,
        doctor_id=early.id,
        from_on=sunday,
        until_on=sunday,
        weekdays=(7,),
        from_time=time(2),
        until_time=time(3),
    )
    with time_is(datetime(2026, 10, 23, 12, tzinfo=BERLIN)):
        entry(session, cast.ada.patient_ids[0], wanted)
        assert scan(session) == 1
    assert starts(session) == [datetime(2026, 10, 25, 0, 0, tzinfo=UTC)]


@pytest.mark.parametrize(("hour", "minute", "count"), [(7, 59, 0), (8, 0, 1), (19, 59, 1), (20, 0, 0)])
def test_nobody_is_offered_anything_in_the_quiet_hours(
    session: Session, cast: Cast, hour: int, minute: int, count: int
) -> None:
    entry(session, cast.ada.patient_ids[0], wish(cast))
    with time_is(on(1, hour, minute)):
        assert scan(session) == count


@pytest.mark.parametrize(("hour", "count"), [(13, 0), (14, 1), (21, 1)])
def test_the_quiet_hours_are_those_where_the_person_is_who_is_told(
    session: Session, cast: Cast, hour: int, count: int
) -> None:
    session.get_one(Patient, cast.guardian.patient_ids[0]).time_zone = "America/New_York"  # six hours behind
    session.flush()
    entry(session, cast.child_id, wish(cast))
    with time_is(on(1, hour)):
        assert scan(session) == count


def test_a_time_does_not_wait_for_who_is_asleep(session: Session, cast: Cast) -> None:
    session.get_one(Patient, cast.ada.patient_ids[0]).time_zone = "America/New_York"
    session.flush()
    for patient_id in (cast.ada.patient_ids[0], cast.ben.patient_ids[0]):
        entry(session, patient_id, only(cast, WEDNESDAY, time(10)))
    scan(session)
    assert [held(session, offer).patient_id for offer in offers(session)] == [cast.ben.patient_ids[0]]


def test_offers_end_in_the_quiet_hours_all_the_same(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    with time_is(on(1, 23)):
        scan(session)
    assert offers(session)[0].state is OfferState.EXPIRED
    assert held(session, offer).status is AppointmentStatus.EXPIRED


def test_of_two_who_wait_for_one_time_the_first_gets_it_and_silence_moves_on(
    session: Session, cast: Cast
) -> None:
    (ada,), (ben,) = cast.ada.patient_ids, cast.ben.patient_ids
    entry(session, ben, only(cast, WEDNESDAY, time(10)), created_at=NOW - HOUR)
    entry(session, ada, only(cast, WEDNESDAY, time(10)), created_at=NOW - 2 * HOUR)
    assert scan(session) == 1
    with time_is(NOW + HOUR - MINUTE):
        assert scan(session) == 0
    with time_is(NOW + HOUR):
        assert scan(session) == 1
        assert scan(session) == 0, "Ada let it go: it is not offered to her again"
    with time_is(NOW + 2 * HOUR):
        assert scan(session) == 0, "and so did Ben"
    assert [(held(session, offer).patient_id, offer.state) for offer in offers(session)] == [
        (ada, OfferState.EXPIRED),
        (ben, OfferState.EXPIRED),
    ]


def test_a_freed_time_goes_to_who_waits_for_it(session: Session, cast: Cast) -> None:
    taken = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
    entry(session, cast.ada.patient_ids[0], only(cast, WEDNESDAY, time(10)))
    assert scan(session) == 0
    appointments.cancel(session, cast.desk, appointment_id=taken.id, reason="ill")
    assert scan(session) == 1


def test_one_scan_gives_two_who_want_the_same_two_times_that_do_not_touch(
    session: Session, cast: Cast
) -> None:
    cast.checkup.buffer_after_minutes = 15
    session.flush()
    for actor in (cast.ada, cast.ben):
        entry(session, actor.patient_ids[0], wish(cast, from_on=WEDNESDAY))
    assert scan(session) == 2
    assert starts(session) == [on(3, 9), on(3, 10)]


def test_two_wishes_of_one_patient_are_never_offered_the_same_moment(session: Session, cast: Cast) -> None:
    (ada,) = cast.ada.patient_ids
    for doctor in (cast.dr_roth, cast.dr_weiss):
        entry(session, ada, wish(cast, from_on=WEDNESDAY, doctor_id=doctor.id))
    assert scan(session) == 2
    assert starts(session) == [on(3, 9), on(3, 9, 30)]


def test_a_wish_whose_last_day_has_passed_lapses(session: Session, cast: Cast) -> None:
    over = entry(session, cast.ada.patient_ids[0], only(cast, date(2026, 6, 1), time(9)))
    with time_is(on(1, 23, 59)):
        scan(session)
        assert session.get_one(WaitlistEntry, over.id, populate_existing=True).state is WaitlistState.WAITING
    with time_is(on(2, 0)):
        scan(session)
    assert session.get_one(WaitlistEntry, over.id, populate_existing=True).state is WaitlistState.LAPSED


def test_an_erased_patient_is_not_offered_anything(session: Session, cast: Cast) -> None:
    entry(session, cast.ada.patient_ids[0], wish(cast))
    session.get_one(Patient, cast.ada.patient_ids[0]).erased_at = NOW
    session.flush()
    assert scan(session) == 0


def test_yes_books_the_time_and_twice_yes_is_one_visit(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    with time_is(NOW + 30 * MINUTE):
        visit = waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
        assert waitlist_answers.accept(session, cast.ada, offer_id=offer.id).id == visit.id
    assert (visit.status, visit.hold_expires_at) == (AppointmentStatus.CONFIRMED, None)
    assert visit.created_at == NOW + 30 * MINUTE
    after = offers(session)[0]
    assert after.state is OfferState.ACCEPTED
    assert session.get_one(WaitlistEntry, after.entry_id).state is WaitlistState.BOOKED
    kinds = session.scalars(select(AppointmentEvent.kind).order_by(AppointmentEvent.id)).all()
    assert kinds == [EventKind.BOOKED, EventKind.CONFIRMED]
    said = session.scalars(select(AuditEntry.action).where(AuditEntry.user_id == cast.ada.user_id)).all()
    assert Event.OFFER_ACCEPTED.value in said
    with time_is(NOW + 2 * HOUR):
        holds.release(session)
    assert held(session, offer).status is AppointmentStatus.CONFIRMED


def test_only_the_patient_or_the_desk_answers(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    for actor in (cast.stranger, cast.roth):
        for answer in (waitlist_answers.accept, waitlist_answers.decline):
            with pytest.raises(AccessDenied):
                answer(session, actor, offer_id=offer.id)
    with pytest.raises(NotFound):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id + 1)
    assert waitlist_answers.accept(session, cast.desk, offer_id=offer.id).due_minor == 0


def test_yes_to_a_doctor_who_has_left_or_is_away_by_then_books_nothing(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    cast.dr_roth.is_active = False
    session.flush()
    with pytest.raises(NotOffered, match="no longer sees patients"):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    with pytest.raises(NotOffered):
        waitlist_answers.accept_by_text(session, offer)
    cast.dr_roth.is_active = True
    make.time_off(session, cast.dr_roth, on(3, 0), on(4, 0))
    with pytest.raises(NotOffered, match="away"):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    assert held(session, offer).status is AppointmentStatus.PENDING


def test_no_frees_the_time_and_it_is_not_offered_to_the_same_wish_again(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    visit = waitlist_answers.decline(session, cast.ada, offer_id=offer.id)
    waitlist_answers.decline(session, cast.ada, offer_id=offer.id)  # a double click
    assert visit.status is AppointmentStatus.EXPIRED
    assert offers(session)[0].state is OfferState.DECLINED
    with pytest.raises(OfferOver):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    assert scan(session) == 0
    entry(session, cast.ben.patient_ids[0], only(cast, WEDNESDAY, time(10)))
    assert scan(session) == 1
    assert agendas.past(session, cast.ada, patient_ids=cast.ada.patient_ids) == [], "it never was a visit"


def test_an_answer_after_the_time_is_over_is_told_so_whoever_noted_it_first(
    session: Session, cast: Cast
) -> None:
    offer = offered(session, cast)
    with time_is(NOW + HOUR):
        for answer in (waitlist_answers.accept, waitlist_answers.decline):
            with pytest.raises(OfferOver, match="This offer is over"):
                answer(session, cast.ada, offer_id=offer.id)
        scan(session)
        with pytest.raises(OfferOver):
            waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    assert offers(session)[0].state is OfferState.EXPIRED
    noted = session.scalars(select(AuditEntry.action).where(AuditEntry.object_kind == "waitlist_offer")).all()
    assert noted == [Event.OFFER_ENDED.value]


def test_who_cancelled_an_accepted_visit_is_told_that_the_offer_is_over(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    visit = waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    appointments.cancel(session, cast.ada, appointment_id=visit.id, reason="ill")
    with pytest.raises(OfferOver):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id)


@pytest.mark.usefixtures("cards")
def test_where_something_is_due_yes_makes_it_an_ordinary_hold_that_waits_for_its_payment(
    session: Session, cast: Cast
) -> None:
    make.clinic(session, payment_rule="full", waitlist_offer_minutes=300)
    offer = offered(session, cast)
    with time_is(NOW + 4 * HOUR):
        visit = waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
        assert visit.status is AppointmentStatus.PENDING
        assert visit.hold_expires_at == NOW + 4 * HOUR + 40 * MINUTE
        payment = session.scalars(select(Payment)).one()
        assert (payment.state, payment.amount_minor) == (PaymentState.OPEN, 6000)
        assert waitlist_answers.accept(session, cast.ada, offer_id=offer.id).id == visit.id
        payment.state = PaymentState.ENDED
        session.flush()
        attempts.begin(session, cast.ada, appointment_id=visit.id)  # its hold counts from now on
        assert agendas.one(session, cast.ada, visit.id).is_offered is False


@pytest.mark.usefixtures("cards")
def test_what_was_shown_must_still_be_true_when_it_is_accepted(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    visit = held(session, offer)
    seen = waitlist_answers.terms.offered(
        session,
        cast.ada,
        patient_id=visit.patient_id,
        doctor_id=visit.doctor_id,
        service_id=visit.service_id,
    )
    cast.checkup.price_minor = 9000
    session.flush()
    with pytest.raises(TermsChanged):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id, seen=seen)
    accepted = waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    assert accepted.price_minor == 9000


@pytest.mark.usefixtures("cards")
def test_an_offer_is_no_unpaid_hold(session: Session, cast: Cast) -> None:
    make.clinic(session, payment_rule="full", unpaid_holds=1)
    offer = offered(session, cast)
    wanted = {"patient_id": cast.ada.patient_ids[0], "doctor_id": cast.dr_roth.id}
    wanted |= {"service_id": cast.checkup.id, "starts_at": on(4, 10)}
    appointments.book(session, cast.ada, **wanted)
    with pytest.raises(appointments.TooManyHolds):
        waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    assert offers(session)[0].state is OfferState.OPEN


@pytest.mark.usefixtures("cards")
def test_an_offered_time_is_not_paid_moved_or_charged_for_and_cancelling_declines_it(
    session: Session, cast: Cast
) -> None:
    make.clinic(session, payment_rule="full", late_fee_percent=100)
    offer = offered(session, cast)
    number = offer.appointment_id
    with pytest.raises(OnlyOffered):
        attempts.begin(session, cast.ada, appointment_id=number)
    with pytest.raises(OnlyOffered):
        attempts.progress(session, cast.ada, appointment_id=number)
    with pytest.raises(OnlyOffered):
        tills.take(session, cast.desk, appointment_id=number, method=PaymentMethod.CASH, amount_minor=6000)
    with pytest.raises(OnlyOffered):
        appointments.reschedule(session, cast.ada, appointment_id=number, starts_at=on(4, 10))
    assert statements.of_patients(session, cast.ada, patient_ids=cast.ada.patient_ids) == []
    [seen] = agendas.upcoming(session, cast.ada, patient_ids=cast.ada.patient_ids)
    assert seen.is_offered
    ics = calendars.visit_ics(session, cast.ada, appointment_id=number, public_url="https://a.example")
    assert b"TENTATIVE" in ics
    assert appointments.cancel(session, cast.ada, appointment_id=number, reason="no").id == number
    assert offers(session)[0].state is OfferState.DECLINED
    assert held(session, offer).status is AppointmentStatus.EXPIRED


def test_a_text_accepts_and_declines_and_the_trail_says_that_it_did(session: Session, cast: Cast) -> None:
    offered(session, cast)
    [found] = waitlist_answers.open_offers_for(session, cast.ada.patient_ids)
    assert waitlist_answers.open_offers_for(session, cast.ben.patient_ids) == []
    visit = waitlist_answers.accept_by_text(session, found)
    assert visit.status is AppointmentStatus.CONFIRMED
    assert waitlist_answers.accept_by_text(session, found).id == visit.id
    with pytest.raises(OfferOver):
        waitlist_answers.decline_by_text(session, found)
    assert waitlist_answers.open_offers_for(session, cast.ada.patient_ids) == []
    noted = session.scalars(select(AuditEntry).where(AuditEntry.action == Event.OFFER_ACCEPTED.value)).one()
    assert (noted.user_id, noted.detail) == (None, {"by": "text", "appointment_id": visit.id})


def test_a_text_declines(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    waitlist_answers.decline_by_text(session, offer)
    waitlist_answers.decline_by_text(session, offer)
    assert offers(session)[0].state is OfferState.DECLINED


def test_a_family_may_answer_to_each_of_its_offers_until_it_is_over(session: Session, cast: Cast) -> None:
    entry(session, cast.child_id, wish(cast))
    scan(session)
    with time_is(NOW + HOUR):
        assert waitlist_answers.open_offers_for(session, cast.guardian.patient_ids) == []
    assert waitlist_answers.open_offers_for(session, cast.guardian.patient_ids) == offers(session)
    entry(session, cast.guardian.patient_ids[0], wish(cast))
    scan(session)
    assert waitlist_answers.open_offers_for(session, cast.guardian.patient_ids) == offers(session)
    assert len(offers(session)) == 2


@pytest.mark.usefixtures("cards")
def test_a_text_begins_a_payment_only_for_who_has_an_account_to_pay_with(
    session: Session, cast: Cast
) -> None:
    make.clinic(session, payment_rule="full")
    walk_in = make.patient(session)
    for patient_id, status in (
        (cast.child_id, AppointmentStatus.PENDING),
        (walk_in.id, AppointmentStatus.CONFIRMED),
    ):
        entry(session, patient_id, wish(cast))
        scan(session)
        visit = waitlist_answers.accept_by_text(session, offers(session)[-1])
        assert visit.status is status


def test_the_entry_stays_when_the_patient_books_a_visit_for_it_anyway(session: Session, cast: Cast) -> None:
    waiting = entry(session, cast.ada.patient_ids[0], only(cast, WEDNESDAY, time(10)))
    wanted = {"patient_id": waiting.patient_id, "doctor_id": cast.dr_roth.id}
    wanted |= {"service_id": cast.checkup.id, "starts_at": on(4, 10)}
    appointments.book(session, cast.ada, **wanted)
    assert waiting.state is WaitlistState.WAITING
    assert scan(session) == 1
    [line] = waitlists.own(session, cast.ada, patient_ids=cast.ada.patient_ids)
    assert line.offer is not None


def test_who_did_not_pay_in_time_has_had_the_turn(session: Session, cast: Cast) -> None:
    offer = offered(session, cast)
    visit = waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    visit.status, visit.hold_expires_at = AppointmentStatus.PENDING, NOW + HOUR
    session.flush()
    with time_is(NOW + HOUR):
        assert scan(session) == 0
    assert offers(session)[0].state is OfferState.ACCEPTED
    assert waits.held(session, offer).status is AppointmentStatus.EXPIRED


def test_a_service_that_is_given_up_stands_in_nobody_elses_way(session: Session, cast: Cast) -> None:
    gone = make.service(session)
    entry(session, cast.ada.patient_ids[0], wish(cast, service_id=gone.id))
    entry(session, cast.ben.patient_ids[0], wish(cast, doctor_id=None, specialty_id=specialty_of(session)))
    entry(session, cast.stranger.patient_ids[0], wish(cast))
    gone.is_active = False
    session.flush()
    scan(session)
    assert [held(session, offer).patient_id for offer in offers(session)] == [cast.stranger.patient_ids[0]]
