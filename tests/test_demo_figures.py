"""The figures of the demo clinic: every way of cutting them comes to what the visits and the ledger say."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import day_sums, figure_charts, figure_lists, figure_rows, figure_visits, figures
from core.access import Actor
from core.analytics import demand, messages, missed, odds, revenue, utilisation
from core.analytics.scopes import Scope, Step
from db.models import Role
from db.seed.loading import Plan, load
from db.session import forget_engine, unit_of_work
from tests import servers
from tests.cast import BERLIN, time_is

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=BERLIN).astimezone(UTC)
WHOLE = Scope(date(2025, 9, 1), date(2026, 3, 31))
ADMIN = Actor(1, Role.ADMIN, "")
LEDGER = """
    SELECT coalesce(-sum(amount_minor) FILTER (WHERE kind = 'payment'), 0),
           coalesce(sum(amount_minor) FILTER (WHERE kind IN ('refund', 'refund_failed')), 0)
    FROM ledger_entries WHERE at AT TIME ZONE 'Europe/Berlin' >= '2025-09-01'
    AND at AT TIME ZONE 'Europe/Berlin' < '2026-04-01'
"""
VISITS = """
    SELECT count(*), sum(price_minor), count(*) FILTER (WHERE status = 'completed'),
           count(*) FILTER (WHERE status = 'no_show')
    FROM appointments WHERE starts_at AT TIME ZONE 'Europe/Berlin' >= '2025-09-01'
    AND starts_at AT TIME ZONE 'Europe/Berlin' < '2026-04-01'
    AND status NOT IN ('pending', 'expired', 'cancelled')
"""
NEW = """
    SELECT count(*) FROM (
        SELECT min(starts_at) AT TIME ZONE 'Europe/Berlin' AS first_at FROM appointments
        WHERE status = 'completed' GROUP BY patient_id
    ) AS firsts WHERE first_at >= '2025-09-01' AND first_at < '2026-04-01'
"""


@pytest.fixture(scope="module", params=["as they are", "summed up"])
def session(request: pytest.FixtureRequest, server_url: str) -> Iterator[Session]:
    """Half a year of a small demo clinic, once with its past days summed up, once without."""
    with servers.fresh_database(server_url) as own, pytest.MonkeyPatch.context() as patch, time_is(NOW):
        patch.setenv("DATABASE_URL", own.url.render_as_string(hide_password=False))
        with own.begin() as connection:
            load(connection, Plan(doctors=4, patients=200, appointments=2000), NOW)
        if request.param == "summed up":
            assert day_sums.sum_up() > 50
        with unit_of_work(own) as session:
            yield session
        forget_engine()


def test_visits_come_to_the_same_however_they_are_cut(session: Session) -> None:
    booked, booked_minor, completed, missed_visits = session.execute(text(VISITS)).one()
    visits, _money = revenue.total(session, WHOLE)
    assert booked > 500
    assert (visits.booked, visits.completed, visits.missed) == (booked, completed, missed_visits)
    assert visits.booked_minor == booked_minor
    for rows in _cuts(session):
        assert sum(row[1] for row in rows) == booked_minor
    assert sum(row[2] for row in missed.by_doctor(session, WHOLE)) == missed_visits
    for by in (missed.by_hour, missed.by_lead, missed.by_confirmation):
        assert sum(row[1] for row in by(session, WHOLE)) == completed
        assert sum(row[2] for row in by(session, WHOLE)) == missed_visits
    assert sum(row[1] for row in demand.lead_times(session, WHOLE)) == booked


def test_money_comes_to_what_the_ledger_says_however_it_is_cut(session: Session) -> None:
    received, refunded = session.execute(text(LEDGER)).one()
    assert received > 0
    assert refunded > 0
    for rows in (*_cuts(session), [(0, 0, *row) for row in revenue.by_method(session, WHOLE)]):
        assert sum(row[3] for row in rows) == received
        assert sum(row[4] for row in rows) == refunded


def test_time_comes_to_the_same_however_it_is_cut(session: Session) -> None:
    whole = utilisation.total(session, WHOLE)
    assert 0 < whole.booked_seconds < whole.offered_seconds
    for rows, first in (
        (utilisation.by_doctor(session, WHOLE), 1),
        (utilisation.over_time(session, WHOLE), 1),
        (utilisation.by_hour(session, WHOLE), 2),
    ):
        assert sum(row[first] for row in rows) == whole.offered_seconds
        assert sum(row[first + 1] for row in rows) == whole.booked_seconds


def test_who_has_said_they_come_misses_less(session: Session) -> None:
    said, silent = (odds.of(session, WHOLE).by_confirmation[each].rate or 0 for each in (True, False))
    assert 0 < said < silent


def test_reminders_are_counted_as_they_stand_in_the_outbox(session: Session) -> None:
    sent, arrived, lost = session.execute(
        text(
            "SELECT count(*), count(*) FILTER (WHERE status = 'delivered'),"
            " count(*) FILTER (WHERE status = 'undelivered') FROM notifications WHERE kind = 'reminder'"
        )
    ).one()
    assert arrived > 0
    assert [row[:4] for row in messages.by_kind(session, WHOLE)] == [("Reminder", sent, arrived, lost)]
    assert sum(row[1] for row in messages.over_time(session, WHOLE)) == sent
    assert sum(row[1] for row in messages.answered(session, WHOLE)) == sent


def test_the_messages_about_each_doctors_visits_come_to_those_about_all(session: Session) -> None:
    doctors = session.scalars(text("SELECT id FROM doctors")).all()
    for figure in (messages.over_time, messages.by_kind, messages.answered):
        counts = [
            sum(row[1] for row in figure(session, replace(WHOLE, doctor_id=number))) for number in doctors
        ]
        assert 0 < max(counts) < sum(counts)
        assert sum(counts) == sum(row[1] for row in figure(session, WHOLE))
    one = messages.over_time(session, replace(WHOLE, doctor_id=doctors[0]))
    assert {row[5] for row in one} == {None}


def test_a_file_has_the_rows_of_the_screen(session: Session) -> None:
    for key in ("revenue-by_doctor", "revenue-over_time"):
        table = figures.read(session, ADMIN, key=key, scope=WHOLE)
        written = figures.as_csv(session, ADMIN, key=key, scope=WHOLE).decode("utf-8-sig")
        _heading, *lines = csv.reader(io.StringIO(written))
        assert lines[-1][0] == "Total"
        in_cents = [[round(float(cell) * 100) for cell in line[1:]] for line in lines]
        assert in_cents == [list(row[1:]) for row in [*table.rows, table.total]]


def test_totals_are_of_the_whole_however_it_is_cut(session: Session) -> None:
    """Sums of all visits, money and hours; a share is of these, and never a sum of shares."""
    visits, money = revenue.total(session, WHOLE)
    hours = utilisation.total(session, WHOLE)
    paid = (money.received_minor, money.refunded_minor)
    of_money = (visits.booked_minor, visits.earned_minor, *paid, visits.owed_minor)
    came = (visits.completed, visits.missed, missed.rate(visits))
    taken = (hours.offered_seconds, hours.booked_seconds, utilisation.share(hours))
    wanted = {
        **{each.key: of_money for each in figures.DASHBOARDS["revenue"][:5]},
        revenue.by_method.key: (*paid, paid[0] - paid[1]),
        utilisation.over_time.key: taken,
        utilisation.by_doctor.key: taken,
        utilisation.by_hour.key: (None, *taken),
        missed.over_time.key: (*came, visits.lost_minor),
        missed.by_doctor.key: (*came, visits.lost_minor),
        **{each.key: came for each in (missed.by_hour, missed.by_lead, missed.by_confirmation)},
        demand.lead_times.key: (visits.booked, 1.0),
    }
    for key, whole in wanted.items():
        table = _read(session, key)
        several = len(table.rows) > 1
        assert table.total == ((None, *whole) if several else None), key


@pytest.mark.parametrize(
    "key",
    [
        *(each.key for each in figures.DASHBOARDS["revenue"]),
        missed.over_time.key,
        missed.by_doctor.key,
    ],
)
def test_what_the_visits_behind_a_bar_add_to_it_comes_to_the_bar(session: Session, key: str) -> None:
    table, listed = _read(session, key), 0
    for row, values in enumerate(table.rows):
        wanted = figure_rows.wanted(table, row)
        assert wanted is not None
        found = figure_lists.read(session, ADMIN, table=table, wanted=wanted, at_most=5000)
        assert found.is_whole
        assert found.total == [values[column] for column in found.columns], values[0]
        listed += sum(map(bool, found.total))
    assert figure_charts.drawn(table.figure)[0] in {*found.columns, 3}, "3 is the share of who was missed"
    assert listed


def test_a_file_of_the_visits_behind_a_bar_ends_with_the_bar(session: Session) -> None:
    table = _read(session, "revenue-by_doctor")
    mark = figure_rows.mark(table, 0)
    written = figure_lists.as_csv(session, ADMIN, key=table.figure.key, scope=WHOLE, of=mark)
    heading, *lines, total = csv.reader(io.StringIO(written.decode("utf-8-sig")))
    assert heading[5:] == ["Booked (EUR)", "Earned (EUR)", "Outstanding (EUR)"]
    assert len(lines) > figure_visits.MOST
    assert {line[2] for line in lines} == {table.rows[0][0]}
    assert total[0] == "Total"
    in_cents = [round(float(cell) * 100) for cell in total[5:]]
    assert in_cents == [table.rows[0][column] for column in (1, 2, 5)]


def test_what_adds_up_to_nothing_has_no_total(session: Session) -> None:
    """Days until a free time, who comes back, whom several reminders reached, and times that are compared."""
    for key in ("demand-third_next", "patients-cohorts", "messages-answered", "overview-compared"):
        assert len(_read(session, key).rows) > 1, key
        assert _read(session, key).total is None, key


def test_a_total_of_new_patients_tells_of_no_group_too_small_to_be_shown(session: Session) -> None:
    """By month all are shown and come to who was ever new; by day many are not, and so is no sum."""
    monthly, daily = (
        figures.read(session, ADMIN, key="patients-new_and_returning", scope=replace(WHOLE, step=step))
        for step in (Step.MONTH, Step.DAY)
    )
    assert [None in row[1:] for row in monthly.rows] == [False] * len(monthly.rows)
    assert monthly.total == (None, session.scalar(text(NEW)), None)
    assert None in [row[1] for row in daily.rows]
    assert daily.total is None


def test_days_until_a_free_time_have_one_decimal_in_a_file_as_on_the_screen(session: Session) -> None:
    table = _read(session, "demand-third_next")
    written = figures.as_csv(session, ADMIN, key=table.figure.key, scope=WHOLE).decode("utf-8-sig")
    _heading, *lines = csv.reader(io.StringIO(written))
    shown = [[figure_charts.shown(table, row, place) for place in (1, 2)] for row in range(len(table.rows))]
    assert [line[1:] for line in lines] == shown


def _read(session: Session, key: str) -> figures.Table:
    return figures.read(session, ADMIN, key=key, scope=WHOLE)


def _cuts(session: Session) -> list[list[tuple[object, ...]]]:
    by = (revenue.by_doctor, revenue.by_service, revenue.by_specialty, revenue.by_place)
    in_time = (revenue.over_time(session, replace(WHOLE, step=step)) for step in Step)
    return [*(figure(session, WHOLE) for figure in by), *in_time]
