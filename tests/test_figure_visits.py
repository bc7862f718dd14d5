"""The visits behind a row of a figure: as many as it counts, and nobody else's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from core import figure_filters, figure_visits, figures, tills
from core.access import Actor
from core.analytics.scopes import Scope, Step
from core.errors import AccessDenied
from core.figures import Table
from db.models import Appointment, AppointmentStatus, PaymentMethod
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

MAY = Scope(date(2026, 5, 1), date(2026, 5, 31), step=Step.WEEK)
COMPLETED, NO_SHOW = AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    """May: Roth has three visits, one of them missed, on two Mondays; Weiß one, and one that was held."""
    with time_is(NOW):
        made = assemble(session)
        for doctor, day, hour, status in (
            (made.dr_roth, 4, 9, COMPLETED),
            (made.dr_roth, 4, 10, NO_SHOW),
            (made.dr_roth, 11, 9, COMPLETED),
            (made.dr_weiss, 12, 9, COMPLETED),
            (made.dr_weiss, 12, 11, AppointmentStatus.EXPIRED),
        ):
            make.appointment(session, doctor, made.checkup, on(day, hour, month=5), status=status)
        make.appointment(session, made.dr_roth, made.checkup, on(2, 9))
        yield made


def behind(session: Session, actor: Actor, table: Table, row: int) -> list[Appointment]:
    known = figure_filters.filters(session, actor, doctor_id=table.scope.doctor_id)
    wanted = figure_visits.wanted(table, row, known)
    assert wanted is not None
    return figure_visits.behind(session, actor, wanted=wanted)


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        ("revenue-over_time", [0, 2, 2, 0, 0]),
        ("revenue-by_doctor", [3, 1]),
        ("revenue-by_service", [4]),
        ("revenue-by_place", [4]),
        ("missed-over_time", [0, 1, 0, 0, 0]),
        ("missed-by_doctor", [1, 0]),
        ("missed-by_hour", [0, 1]),
        ("revenue-forecast", [1, 0, 0, 0, 0, 0, 0, 0]),
        ("revenue-by_specialty", [4]),
        ("missed-by_lead", [1, 0, 0, 0, 0, 0]),
        ("demand-lead_times", [4, 0, 0, 0, 0, 0]),
        ("missed-by_confirmation", [0, 1]),
    ],
)
def test_behind_each_row_are_the_visits_that_it_counts(
    session: Session, cast: Cast, key: str, counts: list[int]
) -> None:
    table = figures.read(session, cast.admin, key=key, scope=MAY)
    found = [len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))]
    assert found == counts


def test_behind_an_hour_of_a_weekday_are_the_visits_that_begin_in_it(session: Session, cast: Cast) -> None:
    table = figures.read(session, cast.admin, key="utilisation-by_hour", scope=MAY)
    [monday_at_nine] = [row for row, each in enumerate(table.rows) if each[:2] == (1, 9)]
    visits = behind(session, cast.admin, table, monday_at_nine)
    assert [each.starts_at for each in visits] == [on(4, 9, month=5), on(11, 9, month=5)]


def test_behind_what_is_taken_are_no_visits_that_were_called_off(session: Session, cast: Cast) -> None:
    called_off = AppointmentStatus.CANCELLED
    make.appointment(session, cast.dr_weiss, cast.checkup, on(12, 9, month=5), status=called_off)

    def counts(key: str) -> list[int]:
        table = figures.read(session, cast.admin, key=key, scope=MAY)
        return [len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))]

    assert sorted(counts("utilisation-by_doctor")) == [1, 3]
    assert counts("utilisation-over_time") == [0, 2, 2, 0, 0]
    assert sum(counts("utilisation-by_hour")) == 4
    assert counts("revenue-over_time") == [0, 2, 3, 0, 0], "who called off may have earned something"


def test_no_more_are_given_than_were_asked_for(session: Session, cast: Cast) -> None:
    wanted = figure_visits.Wanted(MAY)
    visits = figure_visits.behind(session, cast.admin, wanted=wanted, at_most=2)
    assert [each.starts_at for each in visits] == [on(4, 9, month=5), on(4, 10, month=5)]


def test_what_is_not_of_visits_or_of_two_doctors_of_one_name_has_none(session: Session, cast: Cast) -> None:
    known = figure_filters.filters(session, cast.admin)
    by_doctor = figures.read(session, cast.admin, key="revenue-by_doctor", scope=MAY)
    twice = known._replace(doctors=dict.fromkeys(known.doctors, "Dr. Eva Roth"))
    assert figure_visits.wanted(by_doctor, 0, twice) is None
    by_patient = figures.read(session, cast.admin, key="patients-new_and_returning", scope=MAY)
    assert figure_visits.wanted(by_patient, 0, known) is None


def test_behind_a_way_of_paying_are_the_visits_whose_money_came_or_went_then(
    session: Session, cast: Cast
) -> None:
    ahead = make.appointment(session, cast.dr_weiss, cast.checkup, on(9, 9))
    with time_is(on(20, 9, month=5)):
        tills.take(session, cast.desk, appointment_id=ahead.id, method=PaymentMethod.CASH, amount_minor=6000)
    table = figures.read(session, cast.admin, key="revenue-by_method", scope=MAY)
    found = {row[0]: behind(session, cast.admin, table, place) for place, row in enumerate(table.rows)}
    assert {name: [each.id for each in visits] for name, visits in found.items()} == {
        "Card, online": [],
        "Card, at the desk": [],
        "Cash": [ahead.id],
    }


def test_behind_how_long_ahead_are_those_that_were_booked_so(session: Session, cast: Cast) -> None:
    for number, days in enumerate((0, 1, 2.9, 3, 40)):
        begins = on(20, 9 + number, month=5)
        booked = begins - timedelta(days=days)
        make.appointment(session, cast.dr_weiss, cast.checkup, begins, created_at=booked)
    scope = Scope(date(2026, 5, 20), date(2026, 5, 22))
    table = figures.read(session, cast.admin, key="demand-lead_times", scope=scope)
    found = [len(behind(session, cast.admin, table, row)) for row in range(len(table.rows))]
    assert found == [row[1] for row in table.rows] == [1, 2, 1, 0, 0, 1]


def test_a_doctor_sees_the_own_and_of_nobody_else(session: Session, cast: Cast) -> None:
    own = figures.read(
        session, cast.roth, key="missed-by_hour", scope=replace(MAY, doctor_id=cast.dr_roth.id)
    )
    [missed] = [visit for row in range(len(own.rows)) for visit in behind(session, cast.roth, own, row)]
    assert missed.starts_at == on(4, 10, month=5)
    for scope in (MAY, replace(MAY, doctor_id=cast.dr_weiss.id)):
        with pytest.raises(AccessDenied):
            figure_visits.behind(session, cast.roth, wanted=figure_visits.Wanted(scope))
    assert list(figure_filters.filters(session, cast.roth, doctor_id=cast.dr_roth.id).doctors) == [
        cast.dr_roth.id
    ]
