"""Sums of days while somebody changes them: what comes in between the statements of a job or of a reader."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import Engine, event, select, update

from core import day_sums
from core.analytics import utilisation
from core.analytics.scopes import Scope
from db.models import Appointment, WeeklyHours
from db.session import engine, unit_of_work
from tests import golden
from tests.cast import time_is
from tests.golden import NOW, OCTOBER, Golden, at

WHOLE = Scope(*OCTOBER)


class JobDied(Exception):
    """What ends a job in the midst of its work."""


@pytest.fixture
def clinic(database: Engine) -> Iterator[Golden]:
    """The golden clinic with its past days summed up."""
    with time_is(NOW):
        with unit_of_work() as session:
            made = golden.clinic(session)
        day_sums.sum_up()
        yield made


@contextmanager
def after(*steps: tuple[str, Callable[[], object]]) -> Iterator[None]:
    """Have things happen, one after another, each right after a statement that begins as it says."""
    left = list(steps)

    def look(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if left and statement.startswith(left[0][0]):
            _beginning, happens = left.pop(0)
            happens()

    event.listen(engine(), "after_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(engine(), "after_cursor_execute", look)
    assert not left, "it has come to that"


TAKES_NOTES = "DELETE FROM changed_stretches"


def test_what_changes_while_days_are_summed_up_is_left_for_the_next_turn(clinic: Golden) -> None:
    def corrected() -> None:
        with unit_of_work() as session:
            visits = select(Appointment).where(Appointment.starts_at == at(7, 9))
            for visit in session.scalars(visits):
                visit.price_minor = 9900

    with after((TAKES_NOTES, corrected)):
        assert day_sums.sum_up() == 0
    with unit_of_work() as session:
        assert day_sums.unsummed(session, *OCTOBER) == [date(2026, 10, 7)]
    assert day_sums.sum_up() == 1
    assert day_sums.require_equal() == golden.SUMMED


def _changes_hours(made: Golden) -> None:
    with unit_of_work() as session:
        whose = WeeklyHours.doctor_id == made.cast.dr_roth.id
        session.execute(update(WeeklyHours).where(whose).values(valid_until_on=date(2026, 10, 7)))


def _dies() -> None:
    raise JobDied


def _sums_up_some() -> None:
    """By then it has taken the notes of all days."""
    with pytest.raises(JobDied):
        day_sums.sum_up()


TURNS = (("SELECT", _sums_up_some), (TAKES_NOTES, str), (TAKES_NOTES, _dies))


def test_a_job_that_dies_halfway_shows_nobody_old_sums(clinic: Golden) -> None:
    with unit_of_work() as session:
        before = utilisation.total(session, WHOLE)
    _changes_hours(clinic)
    with unit_of_work() as session:
        assert utilisation.total(session, WHOLE) != before
    with after(*TURNS), unit_of_work() as session:
        days = day_sums.unsummed(session, *OCTOBER)
    with unit_of_work() as session:
        assert days == day_sums.unsummed(session, *OCTOBER)


def test_sums_that_are_given_up_while_all_are_compared_are_no_difference(clinic: Golden) -> None:
    _changes_hours(clinic)
    with after(*TURNS):
        day_sums.require_equal()
