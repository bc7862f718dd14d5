"""What a chart is of: the first rows and the others, and the sentence that says what stands out."""

from datetime import date

import pytest

from core import figure_charts, figures
from core.analytics.scopes import Scope, Step
from core.analytics.shapes import Row
from core.figure_charts import Bar
from core.figures import Table
from core.i18n import speaking
from pages.ui.figure_filters import period
from pages.ui.figure_words import finding, is_blank, is_empty

MAY = Scope(date(2026, 5, 1), date(2026, 5, 31), step=Step.WEEK)


def table(key: str, *rows: Row) -> Table:
    return Table(figures.FIGURES[key], MAY, "EUR", list(rows))


def earned(name: object, minor: int) -> Row:
    return (name, minor, minor, 0, 0, 0)


def test_of_many_rows_twenty_have_a_bar_and_the_others_one_together() -> None:
    many = table("revenue-by_doctor", *(earned(f"Dr. {number}", 100 * (30 - number)) for number in range(23)))
    *first, others = figure_charts.bars(many)
    assert [bar.row for bar in first] == list(range(20))
    assert others == Bar("3 others", 1000 + 900 + 800, "€27.00", None)
    assert sum(bar.value for bar in [*first, others]) == sum(row[2] for row in many.rows)


def test_a_waiting_time_says_that_it_is_in_minutes() -> None:
    glance = table("overview-compared", ("Today", 57, 4500, 0.5, None, 18.1 * 60))
    with speaking("en"):
        assert figure_charts.shown(glance, 0, 5) == "18.1 min"


def test_shares_of_many_rows_have_no_sum_and_are_left_to_the_table() -> None:
    many = table("utilisation-by_doctor", *((f"Dr. {number}", 3600, 1800, 0.5) for number in range(23)))
    assert [bar.row for bar in figure_charts.bars(many)] == list(range(20))
    assert figure_charts.left_out(many) == 3


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (
            table("revenue-by_doctor", earned("Dr. Roth", 1230000), earned("Dr. Weiß", 3280000)),
            "Earned: most is Dr. Weiß, with €32,800.00 of €45,100.00.",
        ),
        (table("revenue-by_doctor", earned("Dr. Roth", 100)), "Earned: Dr. Roth, €1.00."),
        (
            table(
                "utilisation-by_doctor",
                ("Dr. Roth", 10, 9, 0.9),
                ("Dr. Weiß", 10, 4, 0.4),
                ("Dr. Neu", 0, 0, None),
            ),
            "Utilisation: highest for Dr. Roth, 90.0%; lowest for Dr. Weiß, 40.0%.",
        ),
        (
            table("revenue-over_time", earned(date(2026, 5, 4), 100), earned(date(2026, 5, 11), 300)),
            "Earned: €4.00 in all; most in the week from May 11, 2026, with €3.00.",
        ),
        (
            table("utilisation-by_hour", (1, 9, 10, 5, 0.5), (5, 17, 10, 1, 0.1)),
            "Utilisation: highest for Monday, 09:00, 50.0%; lowest for Friday, 17:00, 10.0%.",
        ),
        (
            # Of the first week there are too few to be told, so that no sum is right.
            table("patients-new_and_returning", (date(2026, 5, 4), None, 0), (date(2026, 5, 11), 7, 0)),
            "New: May 11, 2026, 7.",
        ),
        (
            table("demand-recovered", (date(2026, 5, 4), 0, 0, 0, 0), (date(2026, 5, 11), 2, 1, 0, 0)),
            "Offered: 1 in all; most in the week from May 11, 2026, with 1.",
        ),
        (
            table(
                "patients-cohorts",
                (date(2026, 3, 1), 10, 0, 1.0),
                (date(2026, 3, 1), 10, 1, 0.6),
                (date(2026, 3, 1), 10, 2, 0.3),
            ),
            "Came back: highest for March 2026, Months later: 1, 60.0%; "
            "lowest for March 2026, Months later: 2, 30.0%.",
        ),
    ],
)
def test_a_sentence_says_what_stands_out(shown: Table, sentence: str) -> None:
    with speaking("en"):
        assert finding(shown) == sentence


def test_a_figure_of_nothing_has_no_chart() -> None:
    assert is_empty(table("revenue-by_doctor"))
    assert is_empty(table("revenue-over_time", earned(date(2026, 5, 4), 0)))
    assert not is_empty(table("revenue-over_time", (date(2026, 5, 4), 500, 0, 0, 0, 0))), "it is booked"


def test_who_came_back_takes_more_than_one_month() -> None:
    first = (date(2026, 3, 1), 10, 0, 1.0)
    assert figure_charts.is_too_short(table("patients-cohorts", first))
    assert not figure_charts.is_too_short(table("patients-cohorts", first, (date(2026, 3, 1), 10, 1, None)))
    assert not figure_charts.is_too_short(table("patients-new_and_returning", (date(2026, 3, 1), 5, 0)))
    new_clinic = table("patients-cohorts", first)
    both = new_clinic.scope.over(date(2026, 2, 1), date(2026, 3, 31))
    assert not figure_charts.is_too_short(new_clinic._replace(scope=both)), "nobody came in February"


def test_what_is_booked_and_not_earned_yet_has_no_bar_and_is_not_nothing() -> None:
    assert is_empty(table("revenue-by_doctor", ("Dr. Roth", 6000, 0, 0, 0, 0)))
    assert not is_blank(table("revenue-by_doctor", ("Dr. Roth", 6000, 0, 0, 0, 0)))
    assert not is_blank(table("utilisation-over_time", (date(2026, 5, 4), 0, 1800, None)))
    assert is_blank(table("revenue-over_time", earned(date(2026, 5, 4), 0)))
    assert is_blank(table("missed-by_hour"))


@pytest.mark.parametrize(
    ("name", "today", "days"),
    [
        ("week", date(2026, 3, 3), (date(2026, 2, 25), date(2026, 3, 3))),
        ("month", date(2026, 2, 28), (date(2026, 2, 1), date(2026, 2, 28))),
        ("last_month", date(2026, 1, 31), (date(2025, 12, 1), date(2025, 12, 31))),
        ("months", date(2026, 2, 28), (date(2025, 3, 1), date(2026, 2, 28))),
        ("months", date(2024, 12, 31), (date(2024, 1, 1), date(2024, 12, 31))),
        ("year", date(2026, 5, 5), (date(2026, 1, 1), date(2026, 12, 31))),
    ],
)
def test_periods_are_whole_days_months_and_years(name: str, today: date, days: tuple[date, date]) -> None:
    assert period(name, today) == days
