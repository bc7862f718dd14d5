"""After any changes of hours, no live visit lies outside them without being on the list.

Sequences of edits (weekly hours, dates, time off, closed days, places, rooms, doctors, services) and of what
happens to visits, against an oracle that shares no code with `core`. Derandomised: CLINIC_EXPLORE=500 looks
for that many new ones.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import (
    absences,
    appointments,
    choice_links,
    choices,
    closures,
    date_hours,
    doctor_settings,
    places,
    provider_hours,
    services,
    settlements,
    strandings,
    suggestions,
    unsettled,
    users,
)
from core.errors import ClinicError
from core.stretches import Stretch
from db.models import (
    Appointment,
    Closure,
    DateOverride,
    Doctor,
    DoctorService,
    KeptVisit,
    Location,
    Room,
    Service,
    Specialty,
    TimeOff,
    WeeklyHours,
    doctor_specialties,
)
from db.models.appointments import LIVE_STATUSES
from tests import make, oracle
from tests.cast import BERLIN, Cast, assemble, time_is

EXPLORE = int(os.environ.get("CLINIC_EXPLORE", "0"))
DAY = timedelta(days=1)
# The week in which clocks go back, on its Sunday at three.
NOW = datetime(2026, 10, 19, 8, tzinfo=BERLIN)
DAYS = [NOW.date() + DAY * each for each in range(10)]
HOURS = ["", "09:00-12:00", "10:00-10:30", "00:30-04:00", "09:00-12:00 13:00-17:00", "08:00-18:00"]
ABSENT = [(None, None), (time(9), time(10, 10)), (time(2), time(3))]

_days = st.sampled_from(DAYS)
_doctors = st.integers(0, 1)
_hours = st.sampled_from(HOURS)
_places = st.integers(0, 1)
STEPS = st.one_of(
    st.tuples(
        st.just("week"),
        _doctors,
        _days,
        st.one_of(st.none(), _days),
        st.lists(_hours, min_size=7, max_size=7),
        _places,
    ),
    st.tuples(st.just("date"), _doctors, _days, _hours, _places),
    st.tuples(st.just("clear"), _doctors, _days),
    st.tuples(st.just("copy"), _doctors, _days, _days),
    st.tuples(st.just("away"), _doctors, _days, st.integers(0, 2), st.sampled_from(ABSENT)),
    st.tuples(st.just("back"), st.integers(0, 5)),
    st.tuples(st.just("close"), _days, st.one_of(st.none(), _places)),
    st.tuples(st.just("open"), st.integers(0, 3)),
    st.tuples(
        st.just("switch"), st.sampled_from(["doctor", "account", "place", "room", "service"]), _doctors
    ),
    st.tuples(st.just("withdraw"), _doctors),
    st.tuples(st.just("book"), _doctors, _days, st.integers(0, 47)),
    st.tuples(st.just("move"), st.integers(0, 9), _days, st.integers(0, 47)),
    st.tuples(st.just("keep"), st.integers(0, 9)),
    st.tuples(st.just("settle"), st.integers(0, 9), st.sampled_from(["move", "choose", "cancel"])),
    st.tuples(st.just("overbook"), _doctors, _days, st.integers(0, 47)),
)


# How something is set, what it is set to now, and which one it is.
Setting = tuple[Callable[..., object], Any, dict[str, Any]]


@dataclass
class World:
    """The clinic as the steps change it, and what was decided to keep."""

    session: Session
    cast: Cast
    doctors: list[Doctor]
    places: list[Location]
    rooms: list[Room]

    def take(self, step: tuple[Any, ...]) -> None:
        name, *arguments = step
        with suppress(ClinicError), self.session.begin_nested():
            getattr(self, f"_{name}")(*arguments)

    def _saved(self, change: Any, **arguments: Any) -> None:
        """Save as the page does: with what is foreseen, which is then what is left, and nothing more."""
        before = set(strandings.find(self.session))
        foreseen = unsettled.foreseen(self.session, self.cast.admin, change, **arguments)
        told = {each.id for each in foreseen.visits}
        change(self.session, self.cast.admin, **arguments, accepting=told)
        assert set(strandings.find(self.session)) - before == told, (change, arguments)

    def _stretches(self, hours: str, place: int) -> list[Stretch]:
        return [
            Stretch(time.fromisoformat(opens), time.fromisoformat(closes), self.places[place].id)
            for opens, _dash, closes in (each.partition("-") for each in hours.split())
        ]

    def _week(self, who: int, on: date, until: date | None, hours: list[str], place: int) -> None:
        week = {day: self._stretches(each, place) for day, each in enumerate(hours, start=1)}
        self._saved(
            provider_hours.set_week, doctor_id=self.doctors[who].id, week=week, from_on=on, until_on=until
        )

    def _date(self, who: int, on: date, hours: str, place: int) -> None:
        of_day = self._stretches(hours, place)
        self._saved(date_hours.set_dates, doctor_id=self.doctors[who].id, dates=[on], of_day=of_day)

    def _clear(self, who: int, on: date) -> None:
        self._saved(date_hours.clear_dates, doctor_id=self.doctors[who].id, dates=[on])

    def _copy(self, who: int, like: date, on: date) -> None:
        self._saved(date_hours.copy_week, doctor_id=self.doctors[who].id, from_on=like, to_on=on)

    def _away(self, who: int, on: date, days: int, times: tuple[time | None, time | None]) -> None:
        self._saved(
            absences.take_time_off,
            doctor_id=self.doctors[who].id,
            from_on=on,
            until_on=on + DAY * days,
            from_time=times[0],
            until_time=times[1],
        )

    def _back(self, number: int) -> None:
        rows = self.session.scalars(select(TimeOff).order_by(TimeOff.id)).all()
        absences.withdraw(
            self.session, self.cast.admin, absence_id=rows[number % len(rows)].id if rows else 0
        )

    def _close(self, on: date, place: int | None) -> None:
        where = None if place is None else self.places[place].id
        self._saved(closures.close, days={on: "Holiday"}, location_id=where)

    def _open(self, number: int) -> None:
        rows = self.session.scalars(select(Closure).order_by(Closure.id)).all()
        closures.reopen(self.session, self.cast.admin, closure_id=rows[number % len(rows)].id if rows else 0)

    def _switch(self, what: str, which: int) -> None:
        change, seen, arguments = {
            "doctor": self._doctor,
            "account": self._doctor,
            "place": self._place,
            "room": self._room,
            "service": self._service,
        }[what](which)
        if what != "account":
            wanted = seen._replace(is_active=not seen.is_active)
            self._saved(change, wanted=wanted, seen=seen, **arguments)
        elif seen.is_active:
            self._saved(users.deactivate, user_id=self.doctors[which].user_id)
        else:
            users.activate(self.session, self.cast.admin, user_id=self.doctors[which].user_id)

    def _doctor(self, which: int) -> Setting:
        own = {"doctor_id": self.doctors[which].id}
        seen = doctor_settings.details(self.session, self.cast.admin, **own)
        return doctor_settings.change, seen, own

    def _place(self, which: int) -> Setting:
        place = self.session.get_one(Location, self.places[which].id)
        seen = places.Place(place.name, place.address, place.is_active)
        return places.change, seen, {"location_id": place.id}

    def _room(self, which: int) -> Setting:
        room = self.session.get_one(Room, self.rooms[which].id)
        return places.change_room, places.RoomOfPlace(room.name, room.is_active), {"room_id": room.id}

    def _service(self, _which: int) -> Setting:
        number = self.cast.checkup.id
        seen = services.all_of_them(self.session, self.cast.admin)[number]
        return services.change, seen, {"service_id": number}

    def _withdraw(self, who: int) -> None:
        change, seen, own = self._doctor(who)
        offered = () if seen.prices else ((self.cast.checkup.id, None),)
        self._saved(change, wanted=seen._replace(prices=offered), seen=seen, **own)

    def _book(self, who: int, on: date, half_hour: int) -> None:
        patient = make.patient(self.session)
        appointments.book(
            self.session,
            self.cast.desk,
            patient_id=patient.id,
            doctor_id=self.doctors[who].id,
            service_id=self.cast.checkup.id,
            starts_at=_instant(on, half_hour),
        )

    def _overbook(self, who: int, on: date, half_hour: int) -> None:
        """A visit that was simply put there: before this was a rule, or by hand."""
        at = _instant(on, half_hour)
        if at <= NOW:
            return
        with suppress(IntegrityError), self.session.begin_nested():  # the room may have one like that already
            make.appointment(
                self.session,
                self.doctors[who],
                self.cast.checkup,
                at,
                location_id=self.places[0].id,
                room_id=self.rooms[who].id,
                overbook_reason="urgent",
            )

    def _move(self, number: int, on: date, half_hour: int) -> None:
        if visit := self._visit(number):
            appointments.reschedule(
                self.session,
                self.cast.desk,
                appointment_id=visit.id,
                starts_at=_instant(on, half_hour),
                waive_policy=True,
            )

    def _keep(self, number: int) -> None:
        for stranded in strandings.waiting(self.session, self.cast.desk).shown[number : number + 1]:
            strandings.keep(
                self.session,
                self.cast.desk,
                appointment_id=stranded.visit.id,
                reason="Agreed.",
                causes=stranded.causes,
            )

    def _settle(self, number: int, way: str) -> None:
        for stranded in strandings.waiting(self.session, self.cast.desk).shown[number : number + 1]:
            visit = stranded.visit
            asked: dict[str, Any] = {"appointment_id": visit.id}
            if way == "cancel":
                settlements.call_off(self.session, self.cast.desk, **asked)
                return
            found = suggestions.suggest(self.session, self.cast.desk, visits=[visit])[visit.id]
            for each in [*found.own, *found.others][:1]:
                if way == "move":
                    settlements.move(
                        self.session,
                        self.cast.desk,
                        **asked,
                        doctor_id=each.doctor_id,
                        starts_at=each.starts_at,
                    )
                else:
                    times = [(each.doctor_id, each.starts_at)]
                    link = choices.offer_choice(self.session, self.cast.desk, **asked, times=times)
                    choices.choose(
                        self.session,
                        secret=choice_links.token(link.id),
                        doctor_id=each.doctor_id,
                        starts_at=each.starts_at,
                    )

    def _visit(self, number: int) -> Appointment | None:
        rows = self.session.scalars(select(Appointment).order_by(Appointment.id)).all()
        return rows[number % len(rows)] if rows else None


def _instant(on: date, half_hour: int) -> datetime:
    return datetime.combine(on, time(half_hour // 2, half_hour % 2 * 30), BERLIN).astimezone(UTC)


def outside(session: Session) -> set[int]:
    """The live visits ahead that the oracle finds outside everything, read from the rows as they are."""
    session.flush()
    session.expire_all()
    clinic = oracle.Clinic(
        BERLIN,
        0,
        90,
        tuple(oracle.Closed(each.on_date, each.location_id) for each in session.scalars(select(Closure))),
        frozenset(session.scalars(select(Location.id).where(~Location.is_active))),
    )
    watched = oracle.clock(BERLIN, DAYS[0], DAYS[-1] + 30 * DAY)
    offering = {(each.doctor_id, each.service_id) for each in session.scalars(select(DoctorService))}
    closed_rooms = set(session.scalars(select(Room.id).where(~Room.is_active)))
    found = set()
    live = select(Appointment).where(Appointment.status.in_(LIVE_STATUSES), Appointment.starts_at > NOW)
    for visit in session.scalars(live):
        doctor = session.get_one(Doctor, visit.doctor_id)
        seen = oracle.Booked(visit.location_id, visit.starts_at, 30)
        is_fine = (
            doctor.is_active
            and (visit.doctor_id, visit.service_id) in offering
            and session.get_one(Service, visit.service_id).is_active
            and visit.room_id not in closed_rooms
            and oracle.lies_within(seen, _as_oracle(session, doctor.id), clinic, watched)
        )
        if not is_fine:
            found.add(visit.id)
    return found


def _as_oracle(session: Session, doctor_id: int) -> oracle.Doctor:
    hours = session.scalars(select(WeeklyHours).where(WeeklyHours.doctor_id == doctor_id))
    dates = session.scalars(select(DateOverride).where(DateOverride.doctor_id == doctor_id))
    away = session.scalars(select(TimeOff).where(TimeOff.doctor_id == doctor_id))
    return oracle.Doctor(
        hours=[
            oracle.Hours(
                each.weekday,
                each.opens_at,
                each.closes_at,
                each.valid_from_on,
                each.valid_until_on,
                each.location_id,
            )
            for each in hours
        ],
        overrides=[
            oracle.Override(each.on_date, each.opens_at, each.closes_at, each.location_id or 0)
            for each in dates
        ],
        time_off=[(each.starts_at, each.ends_at) for each in away],
    )


@pytest.fixture(scope="module")
def settled(migrated: Engine) -> Iterator[Connection]:
    with migrated.connect() as connection, connection.begin() as outer:
        yield connection
        outer.rollback()


def world(session: Session) -> World:
    cast = assemble(session)
    make.clinic(session, minimum_notice_minutes=0)
    places = [make.main_location(session), make.location(session)]
    specialty = Specialty(name="Cardiology")
    session.add(specialty)
    session.flush()
    doctors = [cast.dr_roth, cast.dr_weiss]
    for doctor in doctors:
        values = {"doctor_id": doctor.id, "specialty_id": specialty.id}
        session.execute(doctor_specialties.insert().values(values))
    rooms = [make.room(session, location_id=places[0].id) for _room in doctors]
    return World(session, cast, doctors, places, rooms)


@settings(
    max_examples=EXPLORE or 60,
    derandomize=not EXPLORE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_no_visit_lies_outside_the_hours_without_being_on_the_list(
    settled: Connection, steps: list[tuple[Any, ...]]
) -> None:
    with settled.begin_nested() as own, time_is(NOW):
        with Session(settled, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            made = world(session)
            for number in range(3):
                made.take(("book", number % 2, DAYS[1 + number], 18 + number))
            for step in steps:
                made.take(step)
                expected = outside(session)
                on_list = set(strandings.find(session))
                kept = set(session.scalars(select(KeptVisit.appointment_id)))
                assert on_list <= expected, "nothing is on the list that the hours cover"
                assert expected - on_list <= kept, (step, "a visit was stranded in silence")
        own.rollback()


def test_the_oracle_sees_what_each_kind_of_edit_strands(settled: Connection) -> None:
    """Or else the property would hold of nothing."""
    on = DAYS[1]
    with settled.begin_nested() as own, time_is(NOW):
        with Session(settled, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            made = world(session)
            made.take(("book", 0, on, 18))
            [visit_id] = session.scalars(select(Appointment.id))
            for step in (
                ("week", 0, on, on, [""] * 7, 0),
                ("date", 0, on, "10:00-10:30", 0),
                ("date", 0, on, "09:00-12:00", 1),
                ("away", 0, on, 0, (None, None)),
                ("close", on, None),
                ("close", on, 0),
                ("switch", "doctor", 0),
                ("switch", "account", 0),
                ("switch", "place", 0),
                ("switch", "service", 0),
                ("withdraw", 0),
            ):
                with session.begin_nested() as nested:
                    assert outside(session) == set()
                    made.take(step)
                    assert outside(session) == set(strandings.find(session)) == {visit_id}, step
                    nested.rollback()
                session.expire_all()
        own.rollback()
