"""The figures of a clinic small enough to be worked out by hand (tests/golden.py), summed up and not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import day_sums
from core.analytics import demand, missed, odds, overview, patients, revenue, sums, utilisation
from core.analytics.scopes import Scope, Step
from core.analytics.sums import HourSums
from db.session import forget_engine, unit_of_work
from tests import golden, servers
from tests.cast import time_is
from tests.golden import NOW, OCTOBER

ROTH, WEISS = "Dr. Eva Roth", "Dr. Jonas Weiß"
WHOLE = Scope(*OCTOBER)
HOUR, MINUTE = 3600, 60


@pytest.fixture(scope="module", params=["as they are", "summed up"])
def session(request: pytest.FixtureRequest, server_url: str) -> Iterator[Session]:
    """The clinic at eight on Monday, 2 November: once with its past days summed up, once without."""
    with servers.fresh_database(server_url) as own, pytest.MonkeyPatch.context() as patch, time_is(NOW):
        patch.setenv("DATABASE_URL", own.url.render_as_string(hide_password=False))
        with unit_of_work(own) as session:
            golden.clinic(session)
        if request.param == "summed up":
            assert day_sums.sum_up() == golden.SUMMED
        with unit_of_work(own) as session:
            assert len(day_sums.unsummed(session, *OCTOBER)) == (0 if request.param == "summed up" else 31)
            yield session
        forget_engine()


def test_what_october_comes_to(session: Session) -> None:
    visits, money = revenue.total(session, WHOLE)
    # 20 check-ups, 12 long, 7 missed, 3 paid in part or back, 2 moved into it, 1 at night, 2 beside.
    assert visits.booked == 20 + 12 + 7 + 3 + 2 + 1 + 2 == 47
    assert visits.cancelled == 3
    assert visits.completed == 47 - 7
    assert visits.missed == 7
    # 13 long ones at 120 and 34 check-ups at 60.
    assert visits.booked_minor == 13 * 12000 + 34 * 6000
    # All that was completed (40) less what was credited, the fee of who did not come, and of who called off.
    assert visits.earned_minor == 13 * 12000 + 27 * 6000 - 1500 + 2000 + 3000
    # Owed: 20 check-ups, the two fees, 35 of a part, the one from September, the night, and who walked in.
    assert visits.owed_minor == 20 * 6000 + 2000 + 3000 + 3500 + 6000 + 12000 + 6000
    # Lost: six whole prices, and of the seventh what was not invoiced.
    assert visits.lost_minor == 6 * 6000 + 4000
    # Two were called in: ten minutes after they had come, and twenty.
    assert (visits.waited, visits.waited_seconds) == (2, 30 * MINUTE)
    # 12 long, paid in full and gone back, a part, 60 and 60, the deposit, the one handed on, the overbooked.
    assert money.received_minor == 12 * 12000 + 6000 + 2500 + 6000 + 6000 + 2000 + 6000 + 6000
    # All of one; what failed on its way is with the clinic again.
    assert money.refunded_minor == 6000


def test_each_way_of_cutting_it_comes_to_the_same(session: Session) -> None:
    visits, money = revenue.total(session, WHOLE)
    whole = (visits.booked_minor, visits.earned_minor, money.received_minor, money.refunded_minor)
    cuts = (revenue.by_doctor, revenue.by_service, revenue.by_place, revenue.by_specialty)
    for rows in (
        *(figure(session, WHOLE) for figure in cuts),
        *(revenue.over_time(session, replace(WHOLE, step=step)) for step in Step),
    ):
        columns = list(zip(*rows, strict=True))[1:]
        if len(rows) > 1:
            assert revenue.by_doctor.total(rows)[1:] == (*whole, visits.owed_minor)
        assert tuple(map(sum, columns)) == (*whole, visits.owed_minor)
    methods = revenue.by_method(session, WHOLE)
    assert sum(row[1] for row in methods) == money.received_minor
    assert sum(row[2] for row in methods) == money.refunded_minor


def test_the_money_of_each_doctor(session: Session) -> None:
    by_name = {row[0]: row[1:] for row in revenue.by_doctor(session, WHOLE)}
    # Booked: 20 and 1 missed, 1 in part, 1 from September, 1 overbooked at 60, the night at 120. Earned: not
    # the missed one, but the two fees. Received: a part, the deposit, the overbooked.
    assert by_name[ROTH] == (
        24 * 6000 + 12000,
        23 * 6000 + 12000 + 2000 + 3000,
        2500 + 2000 + 6000,
        0,
        20 * 6000 + 2000 + 3000 + 3500 + 6000 + 12000,
    )
    # Booked: 12 long, 6 missed, 2 paid and back, 1 handed on with its money, 1 walked in.
    assert by_name[WEISS] == (
        12 * 12000 + 10 * 6000,
        12 * 12000 + 4 * 6000 - 1500,
        12 * 12000 + 6000 + 6000 + 6000 + 6000,
        6000,
        6000,
    )


def test_the_ways_of_paying(session: Session) -> None:
    assert revenue.by_method(session, WHOLE) == [
        ("Card, online", 20000, 6000, 14000),  # three of 60 and the deposit
        ("Card, at the desk", 8500, 0, 8500),  # the part and the overbooked one
        ("Cash", 12 * 12000 + 6000, 0, 12 * 12000 + 6000),
    ]


def test_money_counts_in_its_own_month_and_a_visit_in_the_one_it_was_moved_to(session: Session) -> None:
    by_month = revenue.over_time(session, Scope(date(2026, 9, 1), date(2026, 12, 31), step=Step.MONTH))
    assert [row[0] for row in by_month] == [date(2026, month, 1) for month in (9, 10, 11, 12)]
    september, _october, november, december = by_month
    assert september[1:] == (0, 0, 0, 0, 0)
    # Ahead: four of Dr. Weiß's and the one moved here; what went back of a visit in October went back now.
    assert november[1:] == (5 * 6000, 0, 0, 1500, 0)
    assert december[1:] == (2 * 6000, 0, 0, 0, 0)


def test_what_is_expected_of_the_visits_ahead(session: Session) -> None:
    rows = revenue.forecast(session, WHOLE)
    assert len(rows) == 8
    # 40 of the 47 visits of the last 90 days were completed.
    assert rows[0] == (date(2026, 11, 2), 4, 4 * 6000, round(4 * 6000 * 40 / 47))
    assert rows[1] == (date(2026, 11, 9), 1, 6000, round(6000 * 40 / 47))
    assert rows[4] == (date(2026, 11, 30), 2, 2 * 6000, round(2 * 6000 * 40 / 47))
    assert sum(row[1] for row in rows) == 7


def test_offered_and_taken_time(session: Session) -> None:
    rows = {row[0]: row[1:3] for row in utilisation.by_doctor(session, WHOLE)}
    # 22 weekdays of seven hours. Dr. Roth was away for two, and offered a night of seven, by the clocks' six.
    # 24 check-ups, and the night's long visit with ten minutes after it.
    assert rows[ROTH] == ((22 * 7 - 2 + 7) * HOUR, 24 * 30 * MINUTE + 70 * MINUTE)
    # 12 long ones with ten minutes after each, 10 check-ups.
    assert rows[WEISS] == (22 * 7 * HOUR, 12 * 70 * MINUTE + 10 * 30 * MINUTE)
    offered, taken = ((rows[ROTH][place] + rows[WEISS][place]) for place in (0, 1))
    total = utilisation.by_doctor.total(utilisation.by_doctor(session, WHOLE))
    assert total == (None, offered, taken, taken / offered)


def test_the_hours_of_the_nights_on_which_clocks_change(session: Session) -> None:
    night = date(2026, 10, 25)
    by_hour = sums.hours(session, Scope(night, night)).by_hour
    taken = dict.fromkeys(range(6), 0) | {2: 70 * MINUTE}  # all of it while clocks show two, twice
    offered = dict.fromkeys(range(6), HOUR) | {2: 2 * HOUR}
    assert by_hour == {(7, hour): HourSums(offered[hour], taken[hour]) for hour in range(6)}
    night = date(2026, 3, 29)
    by_hour = sums.hours(session, Scope(night, night)).by_hour
    assert by_hour == {(7, 1): HourSums(HOUR, 0), (7, 3): HourSums(HOUR, 30 * MINUTE)}


def test_a_week_by_weekday_and_hour(session: Session) -> None:
    week = Scope(date(2026, 10, 5), date(2026, 10, 11))
    cells = {(row[0], row[1]): row[2:4] for row in utilisation.by_hour(session, week)}
    # On Monday at ten Dr. Weiß has a long visit until eleven and ten minutes after it; both offer the hour.
    assert cells[1, 10] == (2 * HOUR, 60 * MINUTE)
    assert cells[1, 11] == (2 * HOUR, 10 * MINUTE)
    # At two on Monday one was missed at Dr. Weiß's and one at Dr. Roth's: the time was taken all the same.
    assert cells[1, 14] == (2 * HOUR, 60 * MINUTE)
    assert cells[1, 9] == (2 * HOUR, 30 * MINUTE)
    assert (6, 9) not in cells


def test_who_did_not_come(session: Session) -> None:
    by_doctor = {row[0]: row[1:] for row in missed.by_doctor(session, WHOLE)}
    assert by_doctor[ROTH] == (24, 1, 1 / 25, 4000)
    assert by_doctor[WEISS] == (16, 6, 6 / 22, 36000)
    assert missed.by_doctor.total(missed.by_doctor(session, WHOLE)) == (None, 40, 7, 7 / 47, 40000)
    by_hour = {row[0]: row[1:3] for row in missed.by_hour(session, WHOLE)}
    assert by_hour[14] == (0, 7)
    assert by_hour[10] == (13, 0)
    by_lead = {row[0]: row[1:3] for row in missed.by_lead(session, WHOLE)}
    # On the day: one missed of Dr. Roth's, and who walked in. From September: 58 days ahead.
    assert by_lead["Less than a day ahead"] == (1, 1)
    assert by_lead["8 to 14 days"] == (38, 6)
    assert by_lead["More than 30 days"] == (1, 0)
    by_word = {row[0]: row[1:3] for row in missed.by_confirmation(session, WHOLE)}
    assert by_word == {"Said they come": (0, 2), "Did not say": (40, 5)}  # on the 5th and the 6th


def test_how_long_ahead_is_booked(session: Session) -> None:
    rows = {row[0]: row[1:] for row in demand.lead_times(session, WHOLE)}
    assert rows["8 to 14 days"] == (44, 44 / 47)
    assert rows["Less than a day ahead"] == (2, 2 / 47)
    assert sum(count for count, _share in rows.values()) == 47


def test_one_doctor_service_or_place_alone(session: Session) -> None:
    names = {row[0]: number for number, row in _numbered(session, "services").items()}
    place = next(
        number for number, row in _numbered(session, "locations").items() if row[0] == "Second house"
    )
    long_ones, _money = revenue.total(session, replace(WHOLE, service_id=names["Long"]))
    assert (long_ones.booked, long_ones.booked_minor) == (13, 13 * 12000)
    elsewhere, money = revenue.total(session, replace(WHOLE, location_id=place))
    assert (elsewhere.booked, money.received_minor) == (12, 12 * 12000)
    there = utilisation.total(session, replace(WHOLE, location_id=place))
    assert there == HourSums(0, 12 * 70 * MINUTE)
    assert utilisation.share(there) is None


def test_new_patients_and_groups_of_fewer_than_five(session: Session) -> None:
    """12 patients come in turn: the one of the night in March returns, the other eleven are new."""
    by_month = Scope(date(2026, 3, 1), date(2026, 10, 31), step=Step.MONTH)
    rows = {row[0]: row[1:] for row in patients.new_and_returning(session, by_month)}
    assert rows[date(2026, 10, 1)] == (11, None)
    assert rows[date(2026, 3, 1)] == (None, 0)
    assert patients.new_and_returning.total(patients.new_and_returning(session, by_month))[1] is None
    cohorts = patients.cohorts(session, by_month)
    assert (date(2026, 10, 1), 11, 0, 1.0) in cohorts
    assert [row for row in cohorts if row[0] == date(2026, 3, 1) and row[3] not in {None, 0.0}] == []


def test_the_first_week_of_a_period_counts_from_the_first_day_of_the_period(session: Session) -> None:
    """Two patients came on each of the 14th, the 15th and the 16th, and all of them had come before."""
    from_wednesday = Scope(date(2026, 10, 14), date(2026, 10, 16), step=Step.WEEK)
    assert patients.new_and_returning(session, from_wednesday) == [(date(2026, 10, 12), 0, 6)]


def test_the_clinic_at_a_glance(session: Session) -> None:
    rows = {row[0]: row[1:] for row in overview.compared(session, WHOLE)}
    # At eight on Monday the 2nd nothing has happened yet, nor had it a week before, nor is anything offered.
    assert rows["Today so far"] == rows["A week ago by now"] == (0, 0, None, None, None)
    assert rows["This month so far"] == (0, -1500, None, None, None)
    # The 1st of October: two check-ups and a long visit, of which the first waited for ten minutes. They took
    # half an hour twice and 70 minutes of the fourteen hours that both doctors offered.
    booked, received, taken, share, waited = rows["Last month by now"]
    assert (booked, received) == (3, 12000 + 6000)
    assert taken == (2 * 30 + 70) / (14 * 60)
    assert (share, waited) == (0.0, 10 * MINUTE)
    [(outstanding, unsent)] = overview.open_now(session, WHOLE)
    assert outstanding == 152500 + 6000  # October's, and that of the night in March
    assert unsent == 0


def test_a_morning_is_compared_with_a_morning(session: Session) -> None:
    """By a quarter past nine a week ago the check-up at nine had begun and taken half of what was offered."""
    with time_is(NOW.replace(hour=9, minute=15)):
        rows = {row[0]: row[1:] for row in overview.compared(session, WHOLE)}
    assert rows["A week ago by now"] == (1, 0, 0.5, 0.0, None)
    assert rows["Today so far"] == (0, 0, 0.0, None, None)
    # On the 2nd of October too, and its patient waited; the long visit had not begun, nor was it paid.
    booked, received, taken, _share, waited = rows["Last month by now"]
    assert (booked, received) == (3 + 1, 12000 + 6000)
    assert taken == (2 * 30 + 70 + 15) / (14 * 60 + 30)
    assert waited == 15 * MINUTE


def test_an_empty_period_has_no_shares(session: Session) -> None:
    before = Scope(date(2026, 1, 1), date(2026, 1, 3))
    assert [row[1:] for row in utilisation.over_time(session, before)] == [(0, 0, None)] * 3
    assert [row[1:] for row in missed.over_time(session, before)] == [(0, 0, None, 0)] * 3
    assert odds.of(session, before).by_hour == {}
    assert demand.lead_times(session, before)[0] == ("Less than a day ahead", 0, None)


def _numbered(session: Session, table: str) -> dict[int, tuple[str]]:
    rows = session.execute(text(f"SELECT id, name FROM {table}"))
    return {number: (name,) for number, name in rows}
