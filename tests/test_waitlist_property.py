"""Any wishes, answers and bookings in any order: what is offered fits, and no moment is given twice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import appointments, availability, waitlist_answers, waitlists
from core.access import Actor
from core.errors import ClinicError
from core.waitlist_wishes import Wish
from db.models import Appointment, OfferState, Role, WaitlistEntry, WaitlistOffer, WaitlistState
from db.models.appointments import LIVE_STATUSES
from tests import make, waits
from tests.cast import time_is

EXPLORE = int(os.environ.get("CLINIC_EXPLORE", "0"))
MINUTE = timedelta(minutes=1)
# Zones and a day on which clocks change there; the doctors work around it, at night too.
CHANGES = [
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("America/New_York", date(2025, 11, 2)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("Asia/Kolkata", date(2025, 6, 15)),
]
LASTS, NOTICE = timedelta(minutes=60), timedelta(minutes=45)
ACTIONS = ("scan", "scan", "scan", "accept", "decline", "withdraw", "book", "cancel", "pass", "pass", "join")


@dataclass
class Clinic:
    """A small clinic around a change of clocks, and what has been offered so far."""

    session: Session
    zone: ZoneInfo
    chance: Random
    now: datetime
    doctor_ids: list[int]
    service_ids: list[int]
    people: list[Actor]
    seen: set[int] = field(default_factory=set)
    let_go: set[tuple[int, int, datetime]] = field(default_factory=set)

    def wish(self) -> Wish:
        today = self.now.astimezone(self.zone).date()
        first = today + timedelta(days=self.chance.randrange(3))
        begins = self.chance.randrange(0, 20)
        return Wish(
            service_id=self.chance.choice(self.service_ids),
            doctor_id=self.chance.choice(self.doctor_ids),
            specialty_id=None,
            from_on=first,
            until_on=first + timedelta(days=self.chance.randrange(3)),
            weekdays=tuple(self.chance.sample(range(1, 8), self.chance.randrange(2, 8))),
            from_time=time(begins, self.chance.choice([0, 10, 30])),
            until_time=time(min(begins + self.chance.randrange(1, 10), 23), self.chance.choice([0, 30, 59])),
        )

    def offer(self) -> int:
        """The number of an open offer, if there is one; else one that there never was."""
        open_ones = self.session.scalars(
            select(WaitlistOffer.id).where(WaitlistOffer.state == OfferState.OPEN)
        ).all()
        return self.chance.choice(open_ones) if open_ones else 0

    def act(self, action: str) -> None:
        actor = self.chance.choice(self.people)
        (patient_id,) = actor.patient_ids
        with suppress(ClinicError), self.session.begin_nested():
            match action:
                case "join":
                    waitlists.join(self.session, actor, patient_id=patient_id, wish=self.wish())
                case "accept":
                    waitlist_answers.accept(self.session, self.people[-1], offer_id=self.offer())
                case "decline":
                    waitlist_answers.decline(self.session, self.people[-1], offer_id=self.offer())
                case "withdraw":
                    waiting = select(WaitlistEntry.id).where(WaitlistEntry.state == WaitlistState.WAITING)
                    found = self.session.scalars(waiting).all()
                    waitlists.withdraw(
                        self.session, self.people[-1], entry_id=self.chance.choice(found) if found else 0
                    )
                case "book":
                    wanted = {
                        "doctor_id": self.chance.choice(self.doctor_ids),
                        "service_id": self.chance.choice(self.service_ids),
                    }
                    free = availability.all_free(self.session, **wanted)[:60]
                    if free:
                        at = self.chance.choice(free)
                        appointments.book(self.session, actor, patient_id=patient_id, starts_at=at, **wanted)
                case "cancel":
                    live = select(Appointment.id).where(Appointment.status.in_(LIVE_STATUSES))
                    found = self.session.scalars(live).all()
                    appointments.cancel(
                        self.session,
                        self.people[-1],
                        appointment_id=self.chance.choice(found) if found else 0,
                        reason="any",
                    )

    def require_fitting(self) -> None:
        """Look at the new offers with plain clock arithmetic, and at all visits for overlaps."""
        for offer in waits.offers(self.session):
            visit = waits.held(self.session, offer)
            entry = self.session.get_one(WaitlistEntry, offer.entry_id, populate_existing=True)
            begins, ends = visit.starts_at.astimezone(self.zone), visit.ends_at.astimezone(self.zone)
            if offer.state is not OfferState.OPEN and offer.state is not OfferState.ACCEPTED:
                self.let_go.add((entry.id, visit.doctor_id, visit.starts_at))
            if offer.id in self.seen:
                continue
            self.seen.add(offer.id)
            assert (entry.id, visit.doctor_id, visit.starts_at) not in self.let_go
            assert entry.from_on <= begins.date() <= entry.until_on
            assert begins.isoweekday() in entry.weekdays
            assert entry.from_time <= begins.time()
            assert (begins.date(), ends.time()) == (ends.date(), min(ends.time(), entry.until_time))
            assert (visit.service_id, visit.patient_id) == (entry.service_id, entry.patient_id)
            assert visit.starts_at >= offer.expires_at + NOTICE
            assert offer.expires_at == self.now + LASTS
            assert time(8) <= self.now.astimezone(self.zone).time() < time(20)
            named = {"doctor_id": visit.doctor_id, "service_id": visit.service_id}
            reason = availability.why_not(self.session, starts_at=visit.starts_at, ignoring=visit.id, **named)
            assert reason is None
        self._require_apart()

    def _require_apart(self) -> None:
        live = self.session.scalars(
            select(Appointment).where(Appointment.status.in_(LIVE_STATUSES)).order_by(Appointment.id)
        ).all()
        for place, one in enumerate(live):
            for other in live[place + 1 :]:
                is_apart = one.ends_at <= other.starts_at or other.ends_at <= one.starts_at
                assert is_apart or (one.doctor_id != other.doctor_id and one.patient_id != other.patient_id)


@contextmanager
def small_clinic(migrated: Engine, where: tuple[str, date], seed: int) -> Iterator[Clinic]:
    """Two doctors who work day and night, two services, three patients, and the desk as the last of all."""
    zone, changes_on = ZoneInfo(where[0]), where[1]
    with migrated.connect() as connection, connection.begin() as outer:
        kept = {"expire_on_commit": False, "join_transaction_mode": "create_savepoint"}
        with Session(connection, **kept) as session:
            make.clinic(session, time_zone=where[0], minimum_notice_minutes=45)
            services = [
                make.service(session, duration_minutes=30, step_minutes=30),
                make.service(
                    session,
                    duration_minutes=50,
                    step_minutes=20,
                    buffer_after_minutes=10,
                    minimum_notice_minutes=45,
                ),
            ]
            doctors = [
                make.doctor(session, offers=services, hours="00:00-05:00 09:00-14:00", on=make.EVERY_DAY)
                for _number in range(2)
            ]
            people = []
            for name in ("Ada", "Ben", "Cem"):
                account = make.user(session, Role.PATIENT)
                patient = make.patient(session, name=name, user_id=account.id)
                people.append(Actor(account.id, Role.PATIENT, name, patient_ids=(patient.id,)))
            desk = make.user(session, Role.STAFF)
            people.append(Actor(desk.id, Role.STAFF, "Rita", patient_ids=people[0].patient_ids))
            begins = datetime.combine(changes_on - timedelta(days=1), time(10, 7), zone).astimezone(UTC)
            numbers = [doctor.id for doctor in doctors], [service.id for service in services]
            yield Clinic(session, zone, Random(seed), begins, *numbers, people)
        outer.rollback()


@settings(
    max_examples=EXPLORE or 25,
    derandomize=not EXPLORE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    where=st.sampled_from(CHANGES),
    seed=st.integers(0, 10**6),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=20, max_size=40),
)
def test_whatever_happens_what_is_offered_fits_and_no_moment_is_given_twice(
    migrated: Engine, where: tuple[str, date], seed: int, actions: list[str]
) -> None:
    with small_clinic(migrated, where, seed) as clinic:
        for action in ["join", "join", "join", "join", *actions]:
            if action == "pass":
                clinic.now += clinic.chance.choice([17, 61, 240]) * MINUTE
            with time_is(clinic.now):
                if action == "scan":
                    waits.scan(clinic.session)
                else:
                    clinic.act(action)
                clinic.require_fitting()
