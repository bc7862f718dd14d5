"""Two at once on the waitlist, over real connections: scans, answers and the clock, killed anywhere."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from core import appointments, holds, waitlist_answers, waitlist_offers, waitlists
from core.errors import ClinicError
from core.waitlist_answers import OfferOver
from db.models import (
    Appointment,
    AppointmentStatus,
    OfferState,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)
from db.session import unit_of_work
from tests import make, waits
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.test_races import at_once, more_patients, overlaps

WEDNESDAY = date(2026, 6, 3)
HOUR = timedelta(hours=1)
ROUNDS = 6


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def cast(database: Engine) -> Cast:
    with unit_of_work(database) as session:
        return assemble(session)


def wait(database: Engine, cast: Cast, patient_ids: list[int], **changes: object) -> None:
    with unit_of_work(database) as session:
        for place, patient_id in enumerate(patient_ids):
            wanted = waits.wish(cast, from_on=WEDNESDAY, until_on=WEDNESDAY, weekdays=(3,), **changes)
            waits.entry(session, patient_id, wanted, created_at=NOW - HOUR + timedelta(seconds=place))


def offered(database: Engine, cast: Cast) -> int:
    """Ada is offered Wednesday at ten; the number of the offer."""
    wait(database, cast, list(cast.ada.patient_ids), from_time=time(10), until_time=time(10, 30))
    assert waitlist_offers.offer_freed() == 1
    with Session(database) as session:
        return session.scalars(select(WaitlistOffer.id).order_by(WaitlistOffer.id.desc()).limit(1)).one()


def require_sound(database: Engine) -> None:
    """No moment is given twice, an offer is open if and only if its visit is held by it, and one an entry."""
    assert overlaps(database) == {"doctor": 0, "patient": 0, "room": 0}
    with Session(database) as session:
        rows = session.execute(
            select(WaitlistOffer.state, Appointment.status, WaitlistEntry.state)
            .join(WaitlistOffer.appointment)
            .join(WaitlistOffer.entry)
        ).all()
    possible = {
        (OfferState.OPEN, AppointmentStatus.PENDING, WaitlistState.WAITING),
        (OfferState.ACCEPTED, AppointmentStatus.CONFIRMED, WaitlistState.BOOKED),
        (OfferState.DECLINED, AppointmentStatus.EXPIRED, WaitlistState.WAITING),
        (OfferState.EXPIRED, AppointmentStatus.EXPIRED, WaitlistState.WAITING),
        (OfferState.WITHDRAWN, AppointmentStatus.EXPIRED, WaitlistState.WITHDRAWN),
    }
    assert {tuple(row) for row in rows} <= possible


def outcomes(answers: list[int | ClinicError]) -> Counter[str]:
    return Counter("done" if isinstance(each, int) else type(each).__name__ for each in answers)


def accepting(cast: Cast, offer_id: int) -> Callable[[Session], Appointment]:
    return lambda session: waitlist_answers.accept(session, cast.ada, offer_id=offer_id)


def declining(cast: Cast, offer_id: int) -> Callable[[Session], Appointment]:
    return lambda session: waitlist_answers.decline(session, cast.ada, offer_id=offer_id)


class Turn:
    """What `at_once` asks of a call, for one that gives back a number."""

    def __init__(self, number: int) -> None:
        self.id = number


def test_two_scans_at_once_offer_each_entry_once_and_no_moment_twice(database: Engine, cast: Cast) -> None:
    patients = more_patients(database, 20)
    wait(database, cast, patients)
    counts = at_once(database, [lambda _session: Turn(waitlist_offers.offer_freed())] * 4)
    waitlist_offers.offer_freed()
    with Session(database) as session:
        rows = session.execute(
            select(WaitlistOffer.entry_id, Appointment.starts_at).join(WaitlistOffer.appointment)
        ).all()
    assert sum(each for each in counts if isinstance(each, int)) <= len(rows)
    assert len({entry_id for entry_id, _at in rows}) == len(rows) == 14, "as many as half hours that day"
    assert len({at for _entry_id, at in rows}) == 14
    require_sound(database)


def test_two_scans_at_once_serve_the_oldest_first(database: Engine, cast: Cast) -> None:
    patients = more_patients(database, 4)
    for _round in range(ROUNDS):
        with unit_of_work(database) as session:
            make.empty(session, "appointments", "waitlist_entries")
        wait(database, cast, patients, from_time=time(10), until_time=time(11))
        at_once(database, [lambda _session: Turn(waitlist_offers.offer_freed())] * 3)
        with Session(database) as session:
            served = session.scalars(select(Appointment.patient_id).order_by(Appointment.patient_id)).all()
        assert list(served) == patients[:2]


@pytest.mark.parametrize("others", ["accept", "decline", "expiry", "withdraw", "cancel", "text"])
def test_yes_against_anything_else_gives_one_outcome(database: Engine, cast: Cast, others: str) -> None:
    for turn in range(ROUNDS):
        with unit_of_work(database) as session:
            make.empty(session, "appointments", "waitlist_entries")
        offer_id = offered(database, cast)
        with Session(database) as session:
            offer = session.get_one(WaitlistOffer, offer_id)

        def expire(session: Session) -> Turn:
            session.execute(
                text("UPDATE appointments SET hold_expires_at = :at WHERE status = 'pending'"),
                {"at": NOW - HOUR},
            )
            return Turn(holds.release(session))

        def withdraw(session: Session, number: int = offer.entry_id) -> WaitlistEntry:
            return waitlists.withdraw(session, cast.ada, entry_id=number)

        def cancel(session: Session, number: int = offer.appointment_id) -> Appointment:
            return appointments.cancel(session, cast.ada, appointment_id=number, reason="no")

        other = {
            "accept": accepting(cast, offer_id),
            "decline": declining(cast, offer_id),
            "expiry": expire,
            "withdraw": withdraw,
            "cancel": cancel,
            "text": lambda session, offer=offer: waitlist_answers.decline_by_text(session, offer),
        }[others]
        calls = [accepting(cast, offer_id), other]
        Random(turn).shuffle(calls)
        told = outcomes(at_once(database, calls))
        allowed = {"done", "OfferOver", "NotWaiting", "NoLongerChangeable"}
        assert set(told) <= allowed
        assert told["done"] >= 1
        if others in {"decline", "text"}:
            assert told == {"done": 1, "OfferOver": 1}
        if others != "cancel":  # who says yes and then cancels has an accepted offer and a cancelled visit
            require_sound(database)


def test_the_clock_and_a_yes_that_comes_too_late_agree(database: Engine, cast: Cast) -> None:
    offer_id = offered(database, cast)
    with time_is(NOW + HOUR):
        told = at_once(
            database,
            [
                accepting(cast, offer_id),
                lambda _session: Turn(waitlist_offers.offer_freed()),
                lambda session: Turn(holds.release(session)),
            ],
        )
    assert [type(each) for each in told if isinstance(each, ClinicError)] == [OfferOver]
    require_sound(database)
    with Session(database) as session:
        assert session.scalars(select(WaitlistOffer.state)).one() is OfferState.EXPIRED


def test_a_scan_and_somebody_who_books_the_same_time_leave_it_to_one(database: Engine, cast: Cast) -> None:
    patients = more_patients(database, 1)
    wanted = {"patient_id": cast.ben.patient_ids[0], "doctor_id": cast.dr_roth.id}
    wanted |= {"service_id": cast.checkup.id, "starts_at": on(3, 10)}
    for _round in range(ROUNDS):
        with unit_of_work(database) as session:
            make.empty(session, "appointments", "waitlist_entries")
        wait(database, cast, patients, from_time=time(10), until_time=time(10, 30))
        at_once(
            database,
            [
                lambda _session: Turn(waitlist_offers.offer_freed()),
                lambda session: appointments.book(session, cast.ben, **wanted),
            ],
        )
        require_sound(database)
        with Session(database) as session:
            assert len(session.scalars(select(Appointment.id)).all()) == 1


class Killed(BaseException):
    """The process ends here."""


def test_killed_before_any_statement_of_the_scan_it_leaves_nothing_half_done(
    database: Engine, cast: Cast
) -> None:
    """At each in turn, commits included, it dies; what is left is sound, and the next scan goes on."""
    patients = more_patients(database, 2)
    wait(database, cast, patients, from_time=time(10), until_time=time(11))
    step = 0
    while True:
        left = step

        def die(*_arguments: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        @contextmanager
        def mortal() -> Iterator[Session]:
            with unit_of_work(database) as session:
                event.listen(session.connection(), "before_cursor_execute", die)
                event.listen(session, "before_commit", die)
                yield session

        try:
            waitlist_offers.offer_freed(mortal)
        except Killed:
            require_sound(database)
            step += 1
            assert step < 200
            continue
        break
    assert step > 5, "there were statements at which to die"
    with Session(database) as session:
        assert len(session.scalars(select(WaitlistOffer.id)).all()) == 2
    require_sound(database)


def test_an_error_for_one_entry_stops_no_other(database: Engine, cast: Cast) -> None:
    patients = more_patients(database, 3)
    wait(database, cast, patients)
    broken = patients[1]

    @contextmanager
    def failing() -> Iterator[Session]:
        with unit_of_work(database) as session:
            yield session
            made = session.scalars(
                select(Appointment.patient_id).order_by(Appointment.id.desc()).limit(1)
            ).first()
            if made == broken:
                raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        waitlist_offers.offer_freed(failing)
    with Session(database) as session:
        served = set(session.scalars(select(Appointment.patient_id)))
    assert served == {patients[0], patients[2]}
