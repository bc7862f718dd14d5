"""Joining the waitlist and leaving it: what may be wished for, whose, and in which order people wait."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import privacy, waitlist_answers, waitlist_wishes, waitlists
from core.appointment_errors import FormAlreadySent
from core.errors import AccessDenied, NotFound
from core.i18n import use_locale
from core.offers import Rule
from core.waitlist_wishes import CannotWaitFor, Wish
from core.waitlists import AlreadyWaiting, NotWaiting, TooManyWishes
from db.models import (
    AppointmentStatus,
    OfferState,
    Patient,
    Specialty,
    WaitlistEntry,
    WaitlistState,
    doctor_specialties,
)
from tests import make, waits
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.waits import wish

TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def join(session: Session, cast: Cast, wanted: Wish | None = None, **changes: object) -> WaitlistEntry:
    (ada,) = cast.ada.patient_ids
    arguments = {"patient_id": ada, "wish": wanted or wish(cast)} | changes
    return waitlists.join(session, cast.ada, **arguments)


def specialty_of(session: Session, *doctor_ids: int) -> int:
    made = Specialty(name=f"Cardiology {len(doctor_ids)}")
    session.add(made)
    session.flush()
    for doctor_id in doctor_ids:
        session.execute(doctor_specialties.insert().values(doctor_id=doctor_id, specialty_id=made.id))
    return made.id


def test_a_patient_joins_for_oneself_and_for_a_dependant_and_the_desk_for_anybody(
    session: Session, cast: Cast
) -> None:
    own = join(session, cast)
    assert (own.state, own.created_by_id) == (WaitlistState.WAITING, cast.ada.user_id)
    for hour, actor in enumerate((cast.guardian, cast.desk, cast.admin), start=9):
        wanted = wish(cast, from_time=time(hour))
        waitlists.join(session, actor, patient_id=cast.child_id, wish=wanted)
    for actor in (cast.stranger, cast.roth):
        with pytest.raises(AccessDenied):
            waitlists.join(session, actor, patient_id=own.patient_id, wish=wish(cast))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"until_on": TODAY - DAY, "from_on": TODAY - 9 * DAY}, "Those days are over."),
        ({"until_on": TODAY, "from_on": TODAY + DAY}, "The last day comes before the first."),
        ({"until_on": TODAY + 91 * DAY}, "too far ahead: please choose days until Aug 30, 2026"),
        ({"weekdays": ()}, "at least one weekday"),
        ({"weekdays": (0, 1)}, "at least one weekday"),
        ({"weekdays": (6,), "until_on": TODAY + 4 * DAY}, "None of these weekdays is between those days"),
        ({"from_time": time(12), "until_time": time(12)}, "The latest time comes before the earliest"),
        ({"from_time": time(9), "until_time": time(9, 29)}, "The visit takes 30 minutes"),
        ({"doctor_id": None}, "choose a doctor or a specialty"),
    ],
)
def test_what_can_never_be_is_refused_in_one_sentence(
    session: Session, cast: Cast, changes: dict[str, object], sentence: str
) -> None:
    use_locale("en")
    with pytest.raises(waitlist_wishes.ClinicError) as refused:
        join(session, cast, wish(cast, **changes))
    assert sentence in str(refused.value)
    assert session.scalar(select(func.count()).select_from(WaitlistEntry)) == 0


def test_what_is_just_possible_is_taken(session: Session, cast: Cast) -> None:
    join(session, cast, wish(cast, until_on=TODAY + 90 * DAY))
    join(session, cast, wish(cast, from_on=TODAY - 9 * DAY, until_on=TODAY))
    join(session, cast, wish(cast, from_time=time(9), until_time=time(9, 30)))


def test_a_doctor_and_a_specialty_together_are_refused(session: Session, cast: Cast) -> None:
    number = specialty_of(session, cast.dr_roth.id)
    with pytest.raises(waitlist_wishes.NobodyWished):
        join(session, cast, wish(cast, specialty_id=number))
    assert join(session, cast, wish(cast, doctor_id=None, specialty_id=number)).specialty_id == number


def test_only_who_offers_the_service_to_patients_can_be_waited_for(session: Session, cast: Cast) -> None:
    other = make.service(session)
    with pytest.raises(CannotWaitFor) as refused:
        join(session, cast, wish(cast, service_id=other.id))
    assert refused.value.rule is Rule.NOT_OFFERED
    number = specialty_of(session, cast.dr_roth.id)
    cast.dr_roth.is_accepting_patients = False
    session.flush()
    with pytest.raises(CannotWaitFor, match="through reception only"):
        join(session, cast)
    with pytest.raises(waitlist_wishes.NobodyOffersIt):
        join(session, cast, wish(cast, doctor_id=None, specialty_id=number))
    cast.dr_roth.is_active = False
    session.flush()
    with pytest.raises(CannotWaitFor, match="no longer sees patients"):
        join(session, cast)
    for nothing in ({"doctor_id": 999_999}, {"service_id": 999_999}):
        with pytest.raises(NotFound):
            join(session, cast, wish(cast, **nothing))


def test_a_form_sent_twice_writes_one_entry_and_the_same_wish_again_is_refused(
    session: Session, cast: Cast
) -> None:
    key = uuid4()
    first = join(session, cast, request_key=key)
    assert join(session, cast, request_key=key).id == first.id
    with pytest.raises(AlreadyWaiting):
        join(session, cast, request_key=uuid4())
    with pytest.raises(FormAlreadySent):
        waitlists.join(
            session, cast.ben, patient_id=cast.ben.patient_ids[0], wish=wish(cast), request_key=key
        )


def test_one_patient_has_five_wishes_at_most(session: Session, cast: Cast) -> None:
    entries = [join(session, cast, wish(cast, until_on=TODAY + n * DAY)) for n in range(5)]
    with pytest.raises(TooManyWishes, match="5 wishes"):
        join(session, cast)
    waitlists.withdraw(session, cast.ada, entry_id=entries[0].id)
    join(session, cast)


def test_an_erased_patient_cannot_wait(session: Session, cast: Cast) -> None:
    session.get_one(Patient, cast.ada.patient_ids[0]).erased_at = NOW
    session.flush()
    with pytest.raises(NotFound):
        join(session, cast)


def test_who_is_erased_waits_no_more_and_lets_go_what_was_offered(session: Session, cast: Cast) -> None:
    entry = join(session, cast)
    assert waits.scan(session) == 1
    [offer] = waits.offers(session)
    privacy.erase(session, cast.ada, patient_id=entry.patient_id, confirm_name="Ada Okafor")
    assert session.get_one(WaitlistEntry, entry.id).state is WaitlistState.WITHDRAWN
    assert waits.offers(session)[0].state is OfferState.WITHDRAWN
    assert waits.held(session, offer).status is AppointmentStatus.EXPIRED
    assert waits.scan(session) == 0


def test_withdrawing_lets_the_offer_go_and_is_the_patients_and_the_desks(
    session: Session, cast: Cast
) -> None:
    entry = join(session, cast)
    waits.scan(session)
    [offer] = waits.offers(session)
    for actor in (cast.stranger, cast.roth):
        with pytest.raises(AccessDenied):
            waitlists.withdraw(session, actor, entry_id=entry.id)
    waitlists.withdraw(session, cast.desk, entry_id=entry.id)
    waitlists.withdraw(session, cast.ada, entry_id=entry.id)  # again: it stays as it is
    [after] = waits.offers(session)
    assert after.state is OfferState.WITHDRAWN
    assert waits.held(session, offer).status is AppointmentStatus.EXPIRED
    assert waits.scan(session) == 0
    with pytest.raises(NotFound):
        waitlists.withdraw(session, cast.ada, entry_id=entry.id + 1)


def test_what_was_fulfilled_cannot_be_withdrawn(session: Session, cast: Cast) -> None:
    entry = join(session, cast)
    waits.scan(session)
    [offer] = waits.offers(session)
    waitlist_answers.accept(session, cast.ada, offer_id=offer.id)
    with pytest.raises(NotWaiting):
        waitlists.withdraw(session, cast.ada, entry_id=entry.id)


def test_the_place_counts_those_who_want_the_same_and_came_before(session: Session, cast: Cast) -> None:
    (ada,), (ben,) = cast.ada.patient_ids, cast.ben.patient_ids
    dermatology = specialty_of(session, cast.dr_roth.id)
    other = make.service(session)
    for patient_id, wanted in (
        (ben, wish(cast)),
        (cast.child_id, wish(cast, doctor_id=cast.dr_weiss.id)),
        (cast.child_id, wish(cast, doctor_id=None, specialty_id=dermatology)),
        (ben, wish(cast, service_id=other.id)),
        (ada, wish(cast, from_time=time(12))),
        (ada, wish(cast, doctor_id=None, specialty_id=dermatology)),
    ):
        waits.entry(session, patient_id, wanted)
    gone = waits.entry(session, cast.child_id, wish(cast), created_at=NOW - DAY)
    assert [line.position for line in waitlists.own(session, cast.ada, patient_ids=[ada])] == [3, 2]
    waitlists.withdraw(session, cast.desk, entry_id=gone.id)
    assert [line.position for line in waitlists.own(session, cast.ada, patient_ids=[ada])] == [2, 2]
    with pytest.raises(AccessDenied):
        waitlists.own(session, cast.ada, patient_ids=[ada, ben])


def test_the_desk_sees_all_who_wait_by_whom_and_what_with_their_place_in_the_whole_line(
    session: Session, cast: Cast
) -> None:
    (ada,), (ben,) = cast.ada.patient_ids, cast.ben.patient_ids
    waits.entry(session, ben, wish(cast))
    waits.entry(session, ada, wish(cast))
    waits.entry(session, ada, wish(cast, doctor_id=cast.dr_weiss.id))
    seen = waitlists.waiting(session, cast.desk)
    assert [(line.entry.patient.name, line.position) for line in seen] == [
        ("Ben Sato", 1),
        ("Ada Okafor", 2),
        ("Ada Okafor", 1),
    ]
    by_doctor = waitlists.waiting(session, cast.desk, doctor_id=cast.dr_roth.id)
    assert [line.position for line in by_doctor] == [1, 2]
    assert len(waitlists.waiting(session, cast.desk, limit=1)) == 1
    assert waitlists.waiting(session, cast.desk, specialty_id=1, service_id=cast.checkup.id) == []
    for actor in (cast.ada, cast.roth):
        with pytest.raises(AccessDenied):
            waitlists.waiting(session, actor)


def test_the_open_offer_stands_beside_its_entry(session: Session, cast: Cast) -> None:
    join(session, cast)
    assert [line.offer for line in waitlists.own(session, cast.ada, patient_ids=cast.ada.patient_ids)] == [
        None
    ]
    waits.scan(session)
    session.expire_all()
    [line] = waitlists.own(session, cast.ada, patient_ids=cast.ada.patient_ids)
    assert line.offer is not None
    assert line.offer.appointment.starts_at == on(1, 11, 0)
    assert line.offer.appointment.doctor.user.name == "Dr. Eva Roth"
    assert line.offer.expires_at == NOW + timedelta(hours=1)


def test_a_day_of_a_wish_must_exist_for_the_database_too(session: Session, cast: Cast) -> None:
    entry = join(session, cast, wish(cast, weekdays=(5, 1, 1)))
    session.refresh(entry)
    assert entry.weekdays == [1, 5]
    assert entry.from_on == date(2026, 6, 1)
