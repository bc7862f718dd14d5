"""Free times by example: what a person would check on the wall calendar."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy.orm import Session

from core import availability, next_times
from core.errors import NotFound
from core.offers import Rule
from core.slots import Within
from core.wall_time import NaiveTime, NonexistentTime
from db.models import AppointmentStatus, Doctor, Service
from tests import make
from tests.cast import BERLIN, NOW, on, time_is

DAY = timedelta(days=1)
WEDNESDAY = date(2026, 6, 3)


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def checkup(session: Session) -> Service:
    make.clinic(session)
    return make.service(session)


@pytest.fixture
def doctor(session: Session, checkup: Service) -> Doctor:
    return make.doctor(session, offers=[checkup])


def walls(
    session: Session, doctor: Doctor, service: Service, day: date, zone: ZoneInfo = BERLIN
) -> list[str]:
    """The free times of one day as the clinic's clock shows them."""
    free = availability.free_slots(
        session, doctor_ids=[doctor.id], service_id=service.id, from_on=day, until_on=day
    )
    return [f"{at.astimezone(zone):%H:%M}" for at in free.get(doctor.id, [])]


def why_not(session: Session, doctor: Doctor, service: Service, at: datetime, **kwargs: bool) -> Rule | None:
    return availability.why_not(session, doctor_id=doctor.id, service_id=service.id, starts_at=at, **kwargs)


def test_free_times_follow_the_hours_and_the_step_around_a_break(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    morning = ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]
    afternoon = ["13:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00", "16:30"]
    assert walls(session, doctor, checkup, date(2026, 6, 3)) == morning + afternoon


def test_times_are_utc(session: Session, doctor: Doctor, checkup: Service) -> None:
    day = date(2026, 6, 3)
    free = availability.free_slots(
        session, doctor_ids=[doctor.id], service_id=checkup.id, from_on=day, until_on=day
    )[doctor.id]
    assert all(at.utcoffset() == timedelta(0) for at in free)
    assert free[0] == datetime(2026, 6, 3, 7, 0, tzinfo=UTC)


def test_nine_oclock_stays_nine_oclock_when_clocks_change(session: Session, checkup: Service) -> None:
    make.clinic(session, horizon_days=400)
    doctor = make.doctor(session, offers=[checkup], hours="09:00-09:30", on=make.EVERY_DAY)
    free = availability.free_slots(
        session,
        doctor_ids=[doctor.id],
        service_id=checkup.id,
        from_on=date(2026, 10, 24),
        until_on=date(2026, 10, 26),
    )
    assert free[doctor.id] == [
        datetime(2026, 10, 24, 7, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 8, 0, tzinfo=UTC),
        datetime(2026, 10, 26, 8, 0, tzinfo=UTC),
    ]


def test_a_time_that_clocks_jump_over_is_not_offered(session: Session, checkup: Service) -> None:
    make.clinic(session, horizon_days=400)
    doctor = make.doctor(session, offers=[checkup], hours="01:00-04:00", on=make.EVERY_DAY)
    assert walls(session, doctor, checkup, date(2027, 3, 28)) == ["01:00", "01:30", "03:00", "03:30"]
    with pytest.raises(NonexistentTime):
        why_not(session, doctor, checkup, datetime(2027, 3, 28, 2, 30, tzinfo=BERLIN))


def test_a_time_that_comes_twice_is_offered_the_first_time_only(session: Session, checkup: Service) -> None:
    make.clinic(session, horizon_days=400)
    doctor = make.doctor(session, offers=[checkup], hours="01:30-03:30", on=make.EVERY_DAY)
    day = date(2026, 10, 25)
    assert walls(session, doctor, checkup, day) == ["01:30", "02:00", "02:30", "03:00"]
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0)
    assert why_not(session, doctor, checkup, first) is None
    assert why_not(session, doctor, checkup, first.replace(fold=1)) is Rule.REPEATED_HOUR


def test_a_half_hour_change_moves_the_clock_by_half_an_hour(session: Session, checkup: Service) -> None:
    make.clinic(session, horizon_days=400, time_zone="Australia/Lord_Howe")
    doctor = make.doctor(session, offers=[checkup], hours="01:00-03:30", on=make.EVERY_DAY)
    zone = ZoneInfo("Australia/Lord_Howe")
    assert walls(session, doctor, checkup, date(2026, 10, 4), zone) == ["01:00", "01:30", "02:30", "03:00"]
    assert walls(session, doctor, checkup, date(2027, 4, 4), zone) == [
        "01:00",
        "01:30",
        "02:00",
        "02:30",
        "03:00",
    ]


def test_a_day_that_begins_at_one_oclock_has_no_midnight(session: Session, checkup: Service) -> None:
    make.clinic(session, time_zone="America/Sao_Paulo")
    doctor = make.doctor(session, offers=[checkup], hours="00:00-02:00", on=make.EVERY_DAY)
    with time_is(datetime(2018, 11, 1, tzinfo=UTC)):
        shown = walls(session, doctor, checkup, date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
    assert shown == ["01:00", "01:30"]


def test_a_day_that_the_calendar_skips_offers_nothing(session: Session, checkup: Service) -> None:
    make.clinic(session, time_zone="Pacific/Apia")
    doctor = make.doctor(session, offers=[checkup], hours="09:00-10:00", on=make.EVERY_DAY)
    zone = ZoneInfo("Pacific/Apia")
    with time_is(datetime(2011, 12, 27, tzinfo=UTC)):
        shown = [walls(session, doctor, checkup, date(2011, 12, day), zone) for day in (29, 30, 31)]
    assert shown == [["09:00", "09:30"], [], ["09:00", "09:30"]]


def test_an_override_replaces_the_weekly_hours_of_its_date(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    make.override(session, doctor, date(2026, 6, 3), "18:00-19:00")
    make.override(session, doctor, date(2026, 6, 4))
    assert walls(session, doctor, checkup, date(2026, 6, 3)) == ["18:00", "18:30"]
    assert walls(session, doctor, checkup, date(2026, 6, 4)) == []
    assert why_not(session, doctor, checkup, on(4, 9)) is Rule.OUTSIDE_HOURS
    assert why_not(session, doctor, checkup, on(5, 9)) is None


def test_time_off_takes_the_visits_that_would_touch_it(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    make.time_off(session, doctor, on(3, 9, 45), on(3, 16, 30))
    assert walls(session, doctor, checkup, date(2026, 6, 3)) == ["09:00", "16:30"]
    assert why_not(session, doctor, checkup, on(3, 9, 30)) is Rule.TIME_OFF


def test_a_visit_may_end_as_time_off_begins_and_begin_as_it_ends(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    make.time_off(session, doctor, on(3, 9, 30), on(3, 11))
    assert walls(session, doctor, checkup, date(2026, 6, 3))[:3] == ["09:00", "11:00", "11:30"]
    assert why_not(session, doctor, checkup, on(3, 9)) is None
    assert why_not(session, doctor, checkup, on(3, 11)) is None


def test_a_visit_may_end_as_another_begins_and_begin_as_it_ends(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    make.appointment(session, doctor, checkup, on(3, 9, 30), ends_at=on(3, 11))
    assert walls(session, doctor, checkup, date(2026, 6, 3))[:3] == ["09:00", "11:00", "11:30"]
    assert why_not(session, doctor, checkup, on(3, 9)) is None
    assert why_not(session, doctor, checkup, on(3, 11)) is None


def test_buffers_keep_the_doctor_free_around_a_visit(session: Session, doctor: Doctor) -> None:
    surgery = make.service(session, step_minutes=15, buffer_before_minutes=15, buffer_after_minutes=30)
    make.offer(session, doctor, surgery)
    make.appointment(session, doctor, surgery, on(3, 10))
    assert walls(session, doctor, surgery, date(2026, 6, 3))[:4] == ["11:15", "11:30", "13:00", "13:15"]


def test_a_visit_of_the_day_before_may_reach_into_the_morning(session: Session, checkup: Service) -> None:
    """A visit may block a whole day: it counts although it began long before the days that are searched."""
    doctor = make.doctor(session, offers=[checkup], hours="00:00-12:00", on=make.EVERY_DAY)
    long = make.service(
        session, duration_minutes=720, step_minutes=5, buffer_before_minutes=240, buffer_after_minutes=240
    )
    make.offer(session, doctor, long)
    make.appointment(session, doctor, long, on(2, 4, 10), ends_at=on(2, 20, 10))
    assert walls(session, doctor, checkup, date(2026, 6, 3))[0] == "00:30"
    assert why_not(session, doctor, checkup, on(3, 0)) is Rule.TAKEN
    make.offer(session, doctor, slow := make.service(session, buffer_before_minutes=240, step_minutes=10))
    assert walls(session, doctor, slow, date(2026, 6, 3))[0] == "04:10"
    assert why_not(session, doctor, slow, on(3, 4)) is Rule.TAKEN


def test_a_visit_of_the_next_morning_may_reach_into_the_night(session: Session, checkup: Service) -> None:
    doctor = make.doctor(session, offers=[checkup], hours="22:00-23:59", on=make.EVERY_DAY)
    make.override(session, doctor, date(2026, 6, 4), "00:00-06:00")
    make.appointment(session, doctor, checkup, on(3, 23))
    assert walls(session, doctor, checkup, date(2026, 6, 3)) == ["22:00", "22:30"]
    tidy = make.service(session, buffer_after_minutes=240, step_minutes=10)
    make.offer(session, doctor, tidy)
    make.appointment(session, doctor, checkup, on(6, 2, 40))
    assert walls(session, doctor, tidy, date(2026, 6, 5))[-1] == "22:10"
    assert why_not(session, doctor, tidy, on(5, 22, 20)) is Rule.TAKEN


@pytest.mark.parametrize("status", [each for each in AppointmentStatus if each != "pending"])
def test_only_live_visits_take_time(
    session: Session, doctor: Doctor, checkup: Service, status: AppointmentStatus
) -> None:
    make.appointment(session, doctor, checkup, on(3, 10), status=status)
    is_live = status in {"confirmed", "arrived", "in_room", "completed"}
    assert why_not(session, doctor, checkup, on(3, 10)) is (Rule.TAKEN if is_live else None)


def test_a_pending_visit_takes_time_even_when_its_hold_has_run_out(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    """Only the expiry frees it: until then the payment may still come."""
    make.appointment(session, doctor, checkup, on(3, 10), status="pending", hold_expires_at=NOW - DAY)
    assert why_not(session, doctor, checkup, on(3, 10)) is Rule.TAKEN


def test_an_overbooked_visit_takes_time_too(session: Session, doctor: Doctor, checkup: Service) -> None:
    make.appointment(session, doctor, checkup, on(3, 10), overbook_reason="urgent")
    assert why_not(session, doctor, checkup, on(3, 10)) is Rule.TAKEN
    assert "10:00" not in walls(session, doctor, checkup, date(2026, 6, 3))


def test_notice_and_horizon_bound_the_search_at_both_ends(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    make.clinic(session, horizon_days=3)
    assert walls(session, doctor, checkup, NOW.date())[0] == "10:00"
    assert walls(session, doctor, checkup, date(2026, 6, 4))[-1] == "16:30"
    assert walls(session, doctor, checkup, date(2026, 6, 5)) == []
    assert why_not(session, doctor, checkup, on(1, 9, 30)) is Rule.SHORT_NOTICE
    assert why_not(session, doctor, checkup, on(1, 9, 30), by_staff=True) is None
    assert why_not(session, doctor, checkup, on(1, 7)) is Rule.IN_PAST
    assert why_not(session, doctor, checkup, on(5, 9)) is Rule.BEYOND_HORIZON


def test_a_service_may_have_its_own_notice_and_horizon(session: Session, doctor: Doctor) -> None:
    quick = make.service(session, minimum_notice_minutes=0, horizon_days=2)
    make.offer(session, doctor, quick)
    assert walls(session, doctor, quick, NOW.date())[0] == "09:00"
    assert walls(session, doctor, quick, NOW.date() + 2 * DAY)
    assert not walls(session, doctor, quick, NOW.date() + 3 * DAY)


def test_a_search_over_many_doctors_is_one_round_trip(
    session: Session, checkup: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctors = [make.doctor(session, offers=[checkup]).id for _ in range(12)]
    availability.free_slots(
        session, doctor_ids=doctors[:1], service_id=checkup.id, from_on=NOW.date(), until_on=NOW.date()
    )  # the settings are read once a session
    statements: list[object] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: psycopg.Cursor, statement: object, *args: object, **options: object) -> psycopg.Cursor:
        statements.append(statement)
        return execute(cursor, statement, *args, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    free = availability.free_slots(
        session, doctor_ids=doctors, service_id=checkup.id, from_on=NOW.date(), until_on=NOW.date() + 13 * DAY
    )
    assert set(free) == set(doctors)
    assert len(statements) == 1


def test_a_range_that_ends_before_it_begins_has_no_free_time(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    free = availability.free_slots(
        session,
        doctor_ids=[doctor.id],
        service_id=checkup.id,
        from_on=date(2026, 6, 5),
        until_on=date(2026, 6, 3),
    )
    assert free == {}


def test_nobody_asked_for_means_nobody_found(session: Session, checkup: Service) -> None:
    wanted = {"service_id": checkup.id, "doctor_ids": []}
    assert availability.free_slots(session, **wanted, from_on=NOW.date(), until_on=NOW.date()) == {}
    assert next_times.of_doctors(session, **wanted) == {}


def test_unknown_doctors_and_services_are_not_found(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    with pytest.raises(NotFound):
        availability.why_not(session, doctor_id=0, service_id=checkup.id, starts_at=on(3, 9))
    with pytest.raises(NotFound):
        availability.why_not(session, doctor_id=doctor.id, service_id=0, starts_at=on(3, 9))
    with pytest.raises(NotFound):
        next_times.of_doctors(session, doctor_ids=[doctor.id], service_id=0)


def test_a_time_without_a_zone_is_refused(session: Session, doctor: Doctor, checkup: Service) -> None:
    with pytest.raises(NaiveTime):
        why_not(session, doctor, checkup, datetime(2026, 6, 3, 9, 0))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_refused_like_any_other_time(
    session: Session, doctor: Doctor, checkup: Service, year: int
) -> None:
    at = datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    found = why_not(session, doctor, checkup, at)
    assert found is (Rule.IN_PAST if year == 1 else Rule.BEYOND_HORIZON)


def test_the_next_free_time_may_lie_beyond_a_fortnight(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    """A fortnight is searched first: the days right after it must not fall between the two searches."""
    for days in (13, 14, 15, 16, 40):
        away = make.time_off(session, doctor, NOW, datetime.combine(NOW.date() + days * DAY, time(), BERLIN))
        found = next_times.of_doctors(session, doctor_ids=[doctor.id], service_id=checkup.id)
        day = NOW.date() + days * DAY
        while day.isoweekday() > 5:
            day += DAY
        assert found == {doctor.id: datetime.combine(day, time(9), BERLIN)}, days
        session.delete(away)
        session.flush()


def test_a_doctor_without_a_free_time_before_the_horizon_is_left_out(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    free = make.doctor(session, offers=[checkup])
    make.time_off(session, doctor, NOW, NOW + 91 * DAY)
    found = next_times.of_doctors(session, doctor_ids=[doctor.id, free.id], service_id=checkup.id)
    assert found == {free.id: on(1, 10)}


def test_hours_hold_from_the_day_they_begin_to_the_day_they_end(session: Session, checkup: Service) -> None:
    doctor = make.doctor(session, offers=[checkup], hours="")
    make.weekly_hours(session, doctor, "09:00-10:00", valid_until_on=date(2026, 6, 3))
    make.weekly_hours(session, doctor, "09:30-11:00", valid_from_on=date(2026, 6, 4))
    assert walls(session, doctor, checkup, date(2026, 6, 3)) == ["09:00", "09:30"]
    assert walls(session, doctor, checkup, date(2026, 6, 4)) == ["09:30", "10:00", "10:30"]


def test_the_nearest_free_times_are_in_order_and_free(
    session: Session, doctor: Doctor, checkup: Service
) -> None:
    for hour, minute in ((9, 30), (10, 0), (10, 30)):
        make.appointment(session, doctor, checkup, on(3, hour, minute))
    found = availability.nearest(session, doctor_id=doctor.id, service_id=checkup.id, starts_at=on(3, 10))
    assert found == [on(3, 9), on(3, 11), on(3, 11, 30)]
    assert [why_not(session, doctor, checkup, at) for at in found] == [None] * 3


def test_the_nearest_free_times_may_be_weeks_away(session: Session, doctor: Doctor, checkup: Service) -> None:
    make.time_off(session, doctor, NOW, datetime(2026, 7, 1, tzinfo=BERLIN))
    found = availability.nearest(session, doctor_id=doctor.id, service_id=checkup.id, starts_at=on(3, 10))
    assert found == [on(1, 9, month=7), on(1, 9, 30, month=7), on(1, 10, month=7)]


@pytest.mark.parametrize(
    ("from_hour", "until_hour", "expected"),
    [(0, 12, ["09:00", "09:30", "10:00", "10:30"]), (10, 11, ["10:00", "10:30"]), (12, 17, []), (9, 9, [])],
)
def test_only_a_part_of_the_day_can_be_asked_for_and_the_steps_stay(
    session: Session, checkup: Service, from_hour: int, until_hour: int, expected: list[str]
) -> None:
    doctor = make.doctor(session, offers=[checkup], hours="09:00-11:00 17:00-18:00")
    within = Within(timedelta(hours=from_hour), timedelta(hours=until_hour))
    wish = {"doctor_ids": [doctor.id], "service_id": checkup.id, "within": within}
    free = availability.free_slots(session, **wish, from_on=WEDNESDAY, until_on=WEDNESDAY)
    found = [f"{at.astimezone(BERLIN):%H:%M}" for at in free.get(doctor.id, [])]
    assert found == expected
    first = next_times.of_doctors(session, **wish, from_on=WEDNESDAY)
    assert [f"{at.astimezone(BERLIN):%H:%M}" for at in first.values()] == found[:1]


def test_only_one_place_can_be_asked_for(session: Session, checkup: Service) -> None:
    doctor = make.doctor(session, offers=[checkup], hours="09:00-10:00")
    other = make.location(session)
    make.weekly_hours(session, doctor, "14:00-15:00", location_id=other.id)
    wish = {"doctor_ids": [doctor.id], "service_id": checkup.id, "within": Within(location_id=other.id)}
    free = availability.free_slots(session, **wish, from_on=WEDNESDAY, until_on=WEDNESDAY)
    assert [f"{at.astimezone(BERLIN):%H:%M}" for at in free[doctor.id]] == ["14:00", "14:30"]
    make.override(session, doctor, WEDNESDAY, "09:00-10:00")
    assert availability.free_slots(session, **wish, from_on=WEDNESDAY, until_on=WEDNESDAY) == {}
