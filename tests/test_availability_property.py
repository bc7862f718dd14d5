"""Free times, the next one and the reason against an oracle that shares no code with them.

Examples are derandomised: the same ones every run, so that a failure on somebody else's machine is a failure
here too and an unrelated change never turns red by chance. CLINIC_EXPLORE=2000 looks for that many new ones.
"""

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from core import availability, next_times
from core.offers import Rule
from db.models import (
    Appointment,
    Closure,
    DateOverride,
    Doctor,
    DoctorService,
    Location,
    Patient,
    Role,
    Room,
    Service,
    TimeOff,
    User,
    WeeklyHours,
    service_rooms,
)
from tests import make, oracle
from tests.cast import time_is

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EXPLORE = int(os.environ.get("CLINIC_EXPLORE", "0"))
MAX_DOCTORS, MAX_VISITS = 3, 6

# A zone and a day on which its clocks change: forward and back, by an hour, half an hour, two hours, a whole
# day, at night and at midnight; and one that never does.
CHANGES = [
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 17)),
    ("Antarctica/Troll", date(2025, 3, 30)),
    ("Antarctica/Troll", date(2025, 10, 26)),
    ("Pacific/Apia", date(2011, 12, 29)),
    ("Asia/Kolkata", date(2025, 6, 15)),
]
# Length and buffers of visits in minutes, up to the whole day that one may block.
VISITS = [
    (7, 0, 0),
    (15, 0, 5),
    (25, 10, 0),
    (30, 0, 0),
    (60, 5, 15),
    (120, 240, 0),
    (720, 0, 240),
    (960, 240, 240),
]


def examples(count: int) -> settings:
    return settings(
        max_examples=EXPLORE or count,
        derandomize=not EXPLORE,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass
class Case:
    """One random clinic, the oracle's view of it, and what is asked."""

    clinic: oracle.Clinic
    service: oracle.Service
    doctors: list[oracle.Doctor]
    overbooked: set[int]
    now: datetime
    from_on: date
    until_on: date
    by_staff: bool
    ignoring: int | None
    seed: int

    def ask(self, doctor: oracle.Doctor, until_on: date | None = None) -> oracle.Question:
        watched = oracle.clock(self.clinic.zone, self.from_on, until_on or self.until_on)
        everybodys = tuple(visit for each in self.doctors for visit in each.visits)
        return oracle.Question(
            self.clinic, self.service, doctor, self.now, watched, self.by_staff, self.ignoring, everybodys
        )


_edges = st.one_of(
    st.sampled_from([time(0, 0), time(23, 59), time(1, 0), time(1, 30), time(2, 0), time(2, 30), time(3, 0)]),
    st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15)),
    st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60)),
)


_places = st.sampled_from([1, 1, 1, 2])


@st.composite
def _closed(draw: st.DrawFn, days: list[date]) -> tuple[oracle.Closed, ...]:
    """Few days are closed, of one place or of both."""
    return tuple(
        oracle.Closed(day, draw(st.sampled_from([None, None, 1, 2])))
        for day in draw(st.lists(st.sampled_from(days), max_size=2, unique=True))
        if draw(st.integers(0, 2)) == 2
    )


@st.composite
def _rooms(draw: st.DrawFn) -> tuple[oracle.Room, ...]:
    """Up to three rooms in two places. Where one does not fit, the service names those that do."""
    return tuple(
        oracle.Room(number, draw(_places), draw(st.integers(0, 4)) < 4, draw(st.integers(0, 4)) < 4)
        for number in range(1, draw(st.integers(0, 3)) + 1)
    )


@st.composite
def _stretches(draw: st.DrawFn, most: int = 3) -> list[tuple[time, time]]:
    """Stretches of one day in order; some touch."""
    count = draw(st.integers(1, most))
    edges = sorted(draw(st.lists(_edges, min_size=2, max_size=2 * count, unique=True)))
    if draw(st.booleans()):
        return list(zip(edges[::2], edges[1::2], strict=False))
    return list(itertools.pairwise(edges))[:count]


@st.composite
def _weekly(draw: st.DrawFn, days: list[date]) -> list[oracle.Hours]:
    """Hours for the weekdays of these days, some of which begin or end within them."""
    hours = []
    for weekday in sorted({day.isoweekday() for day in days}):
        if draw(st.integers(0, 4)) == 4:
            continue
        changeover = draw(st.sampled_from([None, None, *days]))
        if changeover is None:
            hours += [oracle.Hours(weekday, *each, place=draw(_places)) for each in draw(_stretches())]
            continue
        hours += [oracle.Hours(weekday, *each, valid_until_on=changeover) for each in draw(_stretches())]
        later = changeover + DAY * draw(st.integers(1, 2))
        hours += [
            oracle.Hours(weekday, *each, valid_from_on=later, place=draw(_places))
            for each in draw(_stretches())
        ]
    return hours


@st.composite
def _overrides(draw: st.DrawFn, days: list[date]) -> list[oracle.Override]:
    chosen = draw(st.lists(st.sampled_from(days), max_size=2, unique=True))
    return [
        oracle.Override(day, *each, place=draw(_places))
        for day in chosen
        for each in (draw(_stretches()) if draw(st.integers(0, 2)) else [(None, None)])
    ]


@st.composite
def _doctors(
    draw: st.DrawFn,
    number: int,
    days: list[date],
    begins: datetime,
    overbooked: set[int],
    in_rooms: list[oracle.Visit],
    rooms: tuple[oracle.Room, ...],
) -> oracle.Doctor:
    """A doctor whose visits obey the database's constraint; the ones that cannot are overbooked.

    Those that find a room free may be in it, whoever's they are: `in_rooms` are all that are in one yet.
    """
    length = len(days) * 1440
    doctor = oracle.Doctor(
        is_active=draw(st.integers(0, 9)) < 9,
        is_accepting=draw(st.integers(0, 4)) < 4,
        is_offering=draw(st.integers(0, 9)) < 9,
        hours=draw(_weekly(days)),
        overrides=draw(_overrides(days)),
    )
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        starts = (
            begins
            + MINUTE * draw(st.integers(-1440, length))
            + timedelta(seconds=draw(st.sampled_from([0, 0, 29])))
        )
        doctor.time_off.append(
            (starts, starts + MINUTE * draw(st.sampled_from([1, 10, 45, 60, 240, 1440, 4000])))
        )
    for nth in range(draw(st.integers(0, MAX_VISITS))):
        starts = begins + MINUTE * draw(st.integers(-1500, length + 300))
        lasts, before, after = (MINUTE * each for each in draw(st.sampled_from(VISITS)))
        visit = oracle.Visit(
            id=number * 100 + nth,
            status=draw(
                st.sampled_from(["confirmed", "confirmed", *oracle.LIVE, "cancelled", "expired", "no_show"])
            ),
            blocked=(starts - before, starts + lasts + after),
        )
        live = [each for each in doctor.visits if each.status in oracle.LIVE]
        clashes = any(
            each.blocked[0] < visit.blocked[1] and visit.blocked[0] < each.blocked[1] for each in live
        )
        if clashes or draw(st.integers(0, 5)) == 5:
            overbooked.add(visit.id)
        wanted = draw(st.sampled_from([None, *(room.id for room in rooms)]))
        if wanted is not None and not any(
            each.room == wanted and each.blocked[0] < visit.blocked[1] and visit.blocked[0] < each.blocked[1]
            for each in in_rooms
        ):
            visit = replace(visit, room=wanted)
            in_rooms.append(visit)
        doctor.visits.append(visit)
    return doctor


@st.composite
def cases(draw: st.DrawFn, longest: int = 3, most_doctors: int = MAX_DOCTORS) -> Case:
    name, change_on = draw(st.sampled_from(CHANGES))
    from_on = change_on + DAY * draw(st.sampled_from([-2, -1, -1, 0, 0, 0, 1]))
    until_on = from_on + DAY * (draw(st.integers(1, longest)) - 1)
    days = [from_on + DAY * each for each in range((until_on - from_on).days + 1)]
    begins = datetime.combine(from_on, time(), UTC)
    now_minute = draw(st.one_of(st.integers(-4320, 0), st.integers(-600, 2880)))
    service = oracle.Service(
        duration=draw(st.sampled_from([1, 7, 15, 25, 30, 45, 60, 90, 150, 720])),
        step=draw(st.sampled_from([5, 7, 10, 15, 25, 30, 40, 60, 90, 720])),
        buffer_before=draw(st.sampled_from([0, 0, 5, 13, 240])),
        buffer_after=draw(st.sampled_from([0, 0, 10, 17, 240])),
        notice=draw(st.sampled_from([None, None, 0, 45, 300])),
        horizon=draw(st.sampled_from([None, None, 1, 2, 5])),
        is_active=draw(st.integers(0, 19)) < 19,
        needs_room=draw(st.integers(0, 2)) == 2,
    )
    overbooked: set[int] = set()
    in_rooms: list[oracle.Visit] = []
    rooms = draw(_rooms())
    count = draw(st.integers(1, most_doctors))
    doctors = [
        draw(_doctors(number, days, begins, overbooked, in_rooms, rooms)) for number in range(1, count + 1)
    ]
    ids = [visit.id for visit in doctors[0].visits]
    return Case(
        clinic=oracle.Clinic(
            ZoneInfo(name),
            notice=draw(st.sampled_from([0, 0, 61, 120, 1500])),
            horizon=draw(st.integers(1, 6)),
            closed=draw(_closed(days)),
            given_up=frozenset(draw(st.sampled_from([(), (), (), (2,), (1,)]))),
            rooms=rooms,
        ),
        service=service,
        doctors=doctors,
        overbooked=overbooked,
        now=begins + MINUTE * now_minute + timedelta(seconds=draw(st.sampled_from([0, 0, 1, 59]))),
        from_on=from_on,
        until_on=until_on,
        by_staff=draw(st.integers(0, 3)) == 3,
        ignoring=draw(st.sampled_from([None, None, *ids])),
        seed=draw(st.integers(0, 2**16)),
    )


@contextmanager
def in_database(engine: Engine, case: Case) -> Iterator[tuple[Session, int, list[int]]]:
    """The case's rows in a transaction that is undone, with the ids of its service and doctors."""
    with engine.connect() as connection, connection.begin() as outer, time_is(case.now):
        with Session(connection, join_transaction_mode="create_savepoint", autoflush=False) as session:
            yield session, *_write(session, case)
        outer.rollback()


def _write(session: Session, case: Case) -> tuple[int, list[int]]:
    """Write what the oracle was told; sequences are not asked, so that ids repeat from example to example."""
    make.clinic(
        session,
        time_zone=case.clinic.zone.key,
        minimum_notice_minutes=case.clinic.notice,
        horizon_days=case.clinic.horizon,
    )
    _write_places(session, case)
    service = {
        "id": 1,
        "name": "Visit",
        "description": "",
        "duration_minutes": case.service.duration,
        "step_minutes": case.service.step,
        "buffer_before_minutes": case.service.buffer_before,
        "buffer_after_minutes": case.service.buffer_after,
        "minimum_notice_minutes": case.service.notice,
        "horizon_days": case.service.horizon,
        "is_active": case.service.is_active,
        "needs_room": case.service.needs_room,
        "price_minor": 0,
    }
    _rows(session, Service, [service])
    if any(not room.fits for room in case.clinic.rooms):
        fitting = [{"service_id": 1, "room_id": room.id} for room in case.clinic.rooms if room.fits]
        # Where none fits, one that is given up is named: without any name all would do.
        _rows(session, Room, [] if fitting else [NOWHERE])
        named = fitting or [{"service_id": 1, "room_id": NOWHERE["id"]}]
        session.execute(insert(service_rooms), named)
    numbered = list(enumerate(case.doctors, start=1))
    _rows(
        session,
        User,
        [
            {"id": i, "username": f"d{i}", "name": f"D{i}", "name_folded": f"d{i}", "role": Role.DOCTOR}
            for i, _ in numbered
        ],
    )
    _rows(
        session,
        Doctor,
        [
            {"id": i, "user_id": i, "is_active": each.is_active, "is_accepting_patients": each.is_accepting}
            for i, each in numbered
        ],
    )
    _rows(
        session,
        DoctorService,
        [{"doctor_id": i, "service_id": 1, "price_minor": None} for i, each in numbered if each.is_offering],
    )
    _write_schedules(session, numbered)
    _write_visits(session, numbered, case.overbooked)
    return 1, [i for i, _ in numbered]


NOWHERE = {"id": 99, "location_id": 1, "name": "Cellar", "is_active": False}


def _write_places(session: Session, case: Case) -> None:
    given_up = case.clinic.given_up
    _rows(
        session,
        Location,
        [{"id": n, "name": f"House {n}", "address": "", "is_active": n not in given_up} for n in (1, 2)],
    )
    _rows(
        session,
        Room,
        [
            {"id": each.id, "location_id": each.place, "name": f"R{each.id}", "is_active": each.is_active}
            for each in case.clinic.rooms
        ],
    )
    _rows(
        session,
        Closure,
        [{"on_date": each.on, "location_id": each.place, "name": "Holiday"} for each in case.clinic.closed],
    )


def _write_schedules(session: Session, numbered: list[tuple[int, oracle.Doctor]]) -> None:
    _rows(
        session,
        WeeklyHours,
        [
            {
                "doctor_id": i,
                "location_id": each.place,
                "weekday": each.weekday,
                "opens_at": each.opens,
                "closes_at": each.closes,
                "valid_from_on": each.valid_from_on,
                "valid_until_on": each.valid_until_on,
            }
            for i, doctor in numbered
            for each in doctor.hours
        ],
    )
    _rows(
        session,
        DateOverride,
        [
            {
                "doctor_id": i,
                "location_id": each.place if each.opens else None,
                "on_date": each.on,
                "opens_at": each.opens,
                "closes_at": each.closes,
            }
            for i, doctor in numbered
            for each in doctor.overrides
        ],
    )
    _rows(
        session,
        TimeOff,
        [
            {"doctor_id": i, "starts_at": begins, "ends_at": ends}
            for i, doctor in numbered
            for begins, ends in doctor.time_off
        ],
    )


def _write_visits(session: Session, numbered: list[tuple[int, oracle.Doctor]], overbooked: set[int]) -> None:
    visits = [(i, each) for i, doctor in numbered for each in doctor.visits]
    born = {"name_folded": "p", "birth_on": date(1990, 1, 1)}
    _rows(session, Patient, [{"id": n, "name": f"P{n}"} | born for n, _ in enumerate(visits, start=1)])
    _rows(
        session,
        Appointment,
        [
            {
                "id": each.id,
                "patient_id": n,
                "doctor_id": i,
                "service_id": 1,
                "location_id": 1,
                "room_id": each.room,
                "starts_at": each.blocked[0],
                "ends_at": each.blocked[1],
                "blocked": Range(*each.blocked),
                "status": each.status,
                "hold_expires_at": each.blocked[0] if each.status == "pending" else None,
                "price_minor": 0,
                "source": "portal",
                "overbook_reason": "urgent" if each.id in overbooked else None,
            }
            for n, (i, each) in enumerate(visits, start=1)
        ],
    )


def _rows(session: Session, table: type, rows: list[dict[str, object]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def name_of(rule: Rule | None) -> str | None:
    return rule.name if rule else None


@examples(170)
@given(case=cases())
def test_free_slots_are_exactly_the_minutes_the_oracle_finds(migrated: Engine, case: Case) -> None:
    with in_database(migrated, case) as (session, service_id, doctor_ids):
        expected = {
            doctor_id: free
            for doctor_id, doctor in zip(doctor_ids, case.doctors, strict=True)
            if (free := case.ask(doctor).free(case.from_on, case.until_on))
        }
        wanted = {
            "service_id": service_id,
            "from_on": case.from_on,
            "until_on": case.until_on,
            "by_staff": case.by_staff,
            "ignoring": case.ignoring,
        }
        assert availability.free_slots(session, doctor_ids=doctor_ids, **wanted) == expected
        for doctor_id in doctor_ids:
            alone = {each: free for each, free in expected.items() if each == doctor_id}
            assert availability.free_slots(session, doctor_ids=[doctor_id], **wanted) == alone


@examples(150)
@given(case=cases(longest=2, most_doctors=1))
def test_why_not_names_the_first_rule_that_the_oracle_finds_failing(migrated: Engine, case: Case) -> None:
    """At every instant where the answer changes, and at others, between the minutes too."""
    with in_database(migrated, case) as (session, service_id, [doctor_id]):
        question = case.ask(case.doctors[0])
        for at in _telling_instants(question, case):
            found = availability.why_not(
                session,
                doctor_id=doctor_id,
                service_id=service_id,
                starts_at=at,
                by_staff=case.by_staff,
                ignoring=case.ignoring,
            )
            assert name_of(found) == question.why_not(at), at


def _telling_instants(question: oracle.Question, case: Case) -> list[datetime]:
    """Both sides of the changes of the oracle's answer, the same minutes with seconds, and some by chance."""
    minutes = list(question.watched.minutes(case.from_on - DAY, case.until_on + DAY))
    answers = [question.why_not(minute) for minute in minutes]
    borders = [i for i in range(1, len(minutes)) if answers[i] != answers[i - 1]]
    chance = random.Random(case.seed)
    chosen = chance.sample(borders, min(len(borders), 14))
    sides = [minutes[i + side] for i in chosen for side in (-1, 0)]
    seconds = [
        at + timedelta(seconds=chance.choice([1, 30, 59])) for at in chance.sample(sides, min(len(sides), 6))
    ]
    return sides + seconds + chance.sample(minutes, 12)


@examples(120)
@given(case=cases(longest=4), ahead=st.sampled_from([None, None, 0, 1, 2, 5]))
def test_next_available_is_the_first_minute_the_oracle_finds(
    migrated: Engine, case: Case, ahead: int | None
) -> None:
    case.ignoring = None
    today = case.now.astimezone(case.clinic.zone).date()
    from_on = None if ahead is None else today + DAY * (ahead - 1)
    first_on = max(from_on or today, today)
    horizon = case.service.horizon or case.clinic.horizon
    case.from_on, case.until_on = today, today + DAY * horizon
    with in_database(migrated, case) as (session, service_id, doctor_ids):
        expected = {
            doctor_id: first
            for doctor_id, doctor in zip(doctor_ids, case.doctors, strict=True)
            if (first := case.ask(doctor).first_free(first_on, case.until_on))
        }
        found = next_times.of_doctors(
            session, doctor_ids=doctor_ids, service_id=service_id, from_on=from_on, by_staff=case.by_staff
        )
        assert found == expected


NIGHT_SHIFTS = [
    [(time(0), time(6)), (time(22), time(23, 59))],
    [(time(0, 5), time(2, 20)), (time(2, 40), time(5)), (time(22, 30), time(23, 30))],
    [(time(1, 50), time(3)), (time(3), time(3, 30)), (time(23, 20), time(23, 59))],
]


@pytest.mark.parametrize(("zone", "change_on"), CHANGES)
@pytest.mark.parametrize("hours", NIGHT_SHIFTS, ids=["long", "gap in the middle", "edges"])
def test_every_minute_around_a_clock_change_is_explained_as_the_oracle_does(
    migrated: Engine, zone: str, change_on: date, hours: list[tuple[time, time]]
) -> None:
    """Three hours either side of a change, minute by minute, and the free times of the three days."""
    step, duration = (25, 40) if hours is NIGHT_SHIFTS[0] else (7, 7)
    case = Case(
        clinic=oracle.Clinic(ZoneInfo(zone), notice=0, horizon=30),
        service=oracle.Service(duration, step),
        doctors=[oracle.Doctor(hours=[oracle.Hours(day, *each) for day in range(1, 8) for each in hours])],
        overbooked=set(),
        now=datetime.combine(change_on - 3 * DAY, time(), UTC),
        from_on=change_on - DAY,
        until_on=change_on + DAY,
        by_staff=False,
        ignoring=None,
        seed=0,
    )
    question = case.ask(case.doctors[0])
    with in_database(migrated, case) as (session, service_id, [doctor_id]):
        wanted = {"doctor_id": doctor_id, "service_id": service_id}
        for at in _around_the_change(question.watched, case):
            found = availability.why_not(session, **wanted, starts_at=at)
            assert name_of(found) == question.why_not(at), at
        free = availability.free_slots(
            session,
            doctor_ids=[doctor_id],
            service_id=service_id,
            from_on=case.from_on,
            until_on=case.until_on,
        )
        assert free.get(doctor_id, []) == question.free(case.from_on, case.until_on)


def _around_the_change(watched: oracle.Clock, case: Case) -> list[datetime]:
    """The minutes from three hours before the clock jumps to three hours after; of noon where it does not."""
    minutes = list(watched.minutes(case.from_on, case.until_on))
    jumps = (
        after
        for before, after in itertools.pairwise(minutes)
        if watched.walls[after] - watched.walls[before] != MINUTE
    )
    change = next(jumps, minutes[len(minutes) // 2])
    return [minute for minute in minutes if abs(minute - change) <= timedelta(hours=3)]
