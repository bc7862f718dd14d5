"""Figures on paper, and as files: those of the screen."""

import csv
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.orm import Session

from core import figure_charts, figure_dashboards, figure_pdfs, figures, monthly_reports
from core.analytics import missed, patients, words
from core.analytics.scopes import Scope
from core.errors import AccessDenied, NotFound
from core.figure_dashboards import OWN
from core.figures import Table
from db.models import AppointmentStatus
from tests import golden, make, papers
from tests.cast import Cast, assemble, on, time_is
from tests.golden import OCTOBER

WHOLE = Scope(*OCTOBER)


@pytest.fixture
def cast(session: Session) -> Cast:
    with time_is(golden.NOW):
        return golden.clinic(session).cast


def lines(table: Table) -> list[str]:
    """The rows as they stand in a table, and their total."""
    columns = range(len(table.figure.columns))
    return [
        " ".join(figure_charts.shown(table, row, column) for column in columns)
        for row in range(len(table.rows))
    ] + [" ".join(filter(None, figure_charts.total_shown(table) or []))]


@papers.needs_poppler
@pytest.mark.parametrize("dashboard", sorted(set(figure_dashboards.TITLES) - {OWN}))
def test_every_row_of_a_page_is_in_its_pdf(session: Session, cast: Cast, dashboard: str) -> None:
    with time_is(golden.NOW):
        pdf = figure_pdfs.to_print(session, cast.admin, name=dashboard, scope=WHOLE).as_pdf()
        tables = [
            figures.read(session, cast.admin, key=figure.key, scope=WHOLE)
            for figure in figure_dashboards.figures_of(dashboard)
        ]
    text = papers.text_of(pdf)
    assert "Oct 1, 2026 to Oct 31, 2026" in text
    for table in tables:
        assert table.figure.title in text
        shown = [figure_charts.TOO_SHORT] if figure_charts.is_too_short(table) else lines(table)
        assert [line for line in shown if line not in text] == []


@papers.needs_poppler
def test_one_figure_alone_is_on_its_paper(session: Session, cast: Cast) -> None:
    with time_is(golden.NOW):
        pdf = figure_pdfs.to_print(session, cast.admin, name="missed-by_doctor", scope=WHOLE).as_pdf()
        table = figures.read(session, cast.admin, key="missed-by_doctor", scope=WHOLE)
    text = papers.text_of(pdf)
    assert [line for line in ("No-shows", "No-shows by doctor", *lines(table)) if line not in text] == []
    assert missed.by_hour.title not in text


@papers.needs_poppler
def test_the_month_on_paper_is_the_month_on_the_screen(session: Session, cast: Cast) -> None:
    with time_is(golden.NOW):
        pdf = monthly_reports.to_print(session, cast.admin, year=2026, month=10).as_pdf()
        by_doctor = figures.read(session, cast.admin, key="revenue-by_doctor", scope=WHOLE)
    text = papers.text_of(pdf)
    assert [line for line in lines(by_doctor) if line not in text] == []
    assert "Completed 40" in text, "as in the tests of the figures themselves"
    assert "Total 40 7 50" in text, "of the doctors' visits, three of which were called off"
    words = " ".join(text.split())
    assert monthly_reports.SUMS in words, "above the sums is what they are"
    assert words.index(monthly_reports.SUMS) < words.index("EUR €")


def test_a_file_has_the_rows_of_the_chart_and_text_in_it_is_no_formula(session: Session, cast: Cast) -> None:
    cast.dr_weiss.user.name = "=HYPERLINK(1)"
    session.flush()
    with time_is(golden.NOW):
        table = figures.read(session, cast.admin, key="revenue-by_doctor", scope=WHOLE)
        made = figures.as_csv(session, cast.admin, key="revenue-by_doctor", scope=WHOLE)
    _headings, *rows, total = csv.reader(made.decode("utf-8-sig").splitlines())
    earned = {name: value for name, _booked, value, *_more in rows}
    assert earned == {
        "'=HYPERLINK(1)" if bar.name.startswith("=") else bar.name: f"{bar.value / 100:.2f}"
        for bar in figure_charts.bars(table)
    }
    assert "'=HYPERLINK(1)" in earned
    assert total[:3] == [
        "Total",
        "3600.00",
        f"{sum(bar.value for bar in figure_charts.bars(table)) / 100:.2f}",
    ]


def test_a_sum_below_nothing_is_a_number_in_a_file(session: Session, cast: Cast) -> None:
    """In November only 15.00 went back."""
    november = Scope(date(2026, 11, 1), date(2026, 11, 2))
    with time_is(golden.NOW):
        made = figures.as_csv(session, cast.admin, key="revenue-by_method", scope=november)
    assert "-15.00" in [row[3] for row in csv.reader(made.decode("utf-8-sig").splitlines())]


def test_a_doctor_prints_the_own_figures_and_no_others(session: Session, cast: Cast) -> None:
    own = replace(WHOLE, doctor_id=cast.dr_roth.id)
    with time_is(golden.NOW):
        pdf = figure_pdfs.to_print(session, cast.roth, name=OWN, scope=own).as_pdf()
        assert pdf.startswith(b"%PDF-")
        for scope in (WHOLE, replace(WHOLE, doctor_id=cast.dr_weiss.id)):
            with pytest.raises(AccessDenied):
                figure_pdfs.to_print(session, cast.roth, name=OWN, scope=scope)
        with pytest.raises(AccessDenied):
            figure_pdfs.to_print(session, cast.roth, name="messages", scope=own)
        with pytest.raises(NotFound):
            figure_pdfs.to_print(session, cast.admin, name="secrets", scope=WHOLE)


def test_what_has_too_few_patients_is_a_dash(session: Session, cast: Cast) -> None:
    with time_is(golden.NOW):
        daily = Scope(date(2026, 10, 1), date(2026, 10, 2))
        table = figures.read(session, cast.admin, key="patients-new_and_returning", scope=daily)
    assert figure_charts.shown(table, 0, 1) == words.NOTHING


def test_whether_all_but_a_few_came_back_is_not_told_either(session: Session) -> None:
    """Of six patients of April five came back in May: the one who did not could be made out."""
    made, completed = assemble(session), AppointmentStatus.COMPLETED
    for number, patient in enumerate([make.patient(session) for _ in range(6)]):
        for month in (4, 5)[: 1 if number == 0 else 2]:
            when = on(6 + number, 9, month=month)
            make.appointment(session, made.dr_roth, made.checkup, when, patient=patient, status=completed)
    with time_is(golden.NOW):
        found = patients.cohorts(session, Scope(date(2026, 4, 1), date(2026, 6, 30)))
    april = date(2026, 4, 1)
    assert found == [(april, 6, 0, 1.0), (april, 6, 1, None), (april, 6, 2, 0.0)]
