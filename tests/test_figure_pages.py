"""The pages of figures: what they show, what their address keeps, and whom they refuse."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from core import figure_lists, figures, tills
from core.access import Actor
from core.analytics.scopes import Scope
from core.figure_lists import Listed
from core.figures import FIGURES, Table
from db.models import AppointmentStatus, PaymentMethod, Role, User
from db.session import unit_of_work
from pages.ui import figure_visits, navigation
from tests import portal
from tests.app_pages import OpenAs
from tests.portal import Residents
from tests.test_pages import open_as, residents, run_alone, said, texts, visit

__all__ = ["open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
MAY = {"from": "2026-05-01", "until": "2026-05-31"}
OF_ADMINISTRATORS = [navigation.OVERVIEW, *(page for page, _icon in navigation.FIGURES.values())]
EMPTY = "There is nothing to show for this period."


@pytest.fixture
def worked(database: Engine, residents: Residents) -> None:
    """In May Ada came to Roth twice and paid nothing, and did not come once; today she has a visit."""
    completed, missed = AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW
    for days, status in ((10, completed), (11, completed), (12, missed)):
        visit(database, residents, -24 * days, status=status)
    visit(database, residents, 1)


def chart(app: AppTest, key: str) -> dict[str, Any]:
    """What Plotly is given to draw for a figure, with the words for those who do not see it."""
    [found] = [each.proto for each in app.get("plotly_chart") if f"figures_{key}_" in each.proto.id]
    return {**json.loads(found.spec), "alt": found.alt}


def alerts(app: AppTest) -> list[str]:
    return said([*app.warning, *app.error])


@pytest.mark.usefixtures("worked")
def test_a_chart_shows_the_rows_of_its_figure_and_says_what_stands_out(
    open_as: OpenAs, database: Engine
) -> None:
    app = open_as("albert", navigation.REVENUE, **MAY)
    drawn = chart(app, "revenue-by_doctor")
    [bars] = drawn["data"]
    with unit_of_work(database) as session:
        albert = session.scalars(select(User).where(User.username == "albert")).one()
        admin = Actor(albert.id, Role.ADMIN, albert.name)
        month = Scope(date(2026, 5, 1), date(2026, 5, 31))
        table = figures.read(session, admin, key="revenue-by_doctor", scope=month)
    assert drawn["layout"]["yaxis"]["ticktext"] == [row[0] for row in table.rows] == ["Dr. Eva Roth"]
    assert bars["text"] == ["€120.00"]
    assert drawn["alt"] == "Revenue by doctor. Earned: Dr. Eva Roth, €120.00."
    assert "Earned: Dr. Eva Roth, €120.00." in texts(app).replace("\\", "")
    rows = next(each.value for each in app.dataframe if "Doctor" in each.value.columns)
    assert rows.to_dict("records") == [dict(zip(rows.columns, table.rows[0], strict=True))]


@pytest.mark.usefixtures("worked")
def test_what_is_booked_and_not_earned_yet_stands_in_the_table(open_as: OpenAs) -> None:
    june = {"from": "2026-06-01", "until": "2026-06-30"}
    app = open_as("albert", navigation.REVENUE, **june)
    rows = next(each.value for each in app.dataframe if "Doctor" in each.value.columns)
    assert rows["Booked"].to_list() == [6000]
    assert "There is nothing to draw for this period: see the table." in said(app.info)


@pytest.mark.usefixtures("worked")
def test_below_the_rows_stands_what_they_come_to(open_as: OpenAs) -> None:
    app = open_as("albert", navigation.REVENUE, **MAY)
    rows = next(each.value for each in app.dataframe if "From" in each.value.columns)
    assert len(rows) == 31 + 1
    assert rows.iloc[-1].to_dict() == {
        **{"From": "Total", "Booked": 18000, "Earned": 12000, "Received": 0, "Paid back": 0},
        "Outstanding": 12000,
    }
    assert "Earned: €120.00 in all" in texts(app).replace("\\", "")


def test_a_file_of_the_first_visits_is_not_said_to_be_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    labels: list[str] = []
    monkeypatch.setattr(figure_visits, "download", lambda label, _address: labels.append(label))
    may = Scope(date(2026, 5, 1), date(2026, 5, 31))
    table = Table(FIGURES["revenue-by_method"], may, "EUR", [("Cash", 6000, 0, 6000)])
    for more in (0, 1):
        figure_visits._file_link(table, 0, Listed([], figure_lists.EXPORTED + more, (), {}))
    assert labels == ["All of these visits (CSV)", "The first 100,000 of these visits (CSV)"]


@pytest.mark.usefixtures("worked")
def test_what_is_chosen_is_kept_in_the_address_and_shown_to_whoever_is_sent_it(
    open_as: OpenAs, residents: Residents
) -> None:
    app = open_as("albert", navigation.REVENUE)
    assert app.selectbox(key="figures_period").value == "days"
    app.selectbox(key="figures_period").set_value("last_month").run()
    app.selectbox(key="figures_doctor").set_value(residents.weiss_id).run()
    app.selectbox(key="figures_step").set_value("week").run()
    sent = dict(app.query_params)
    assert sent == {**MAY, "doctor": str(residents.weiss_id), "by": "week"}
    colleague = open_as("albert", navigation.REVENUE, **sent)
    assert colleague.selectbox(key="figures_period").value == "last_month"
    assert colleague.selectbox(key="figures_doctor").value == residents.weiss_id
    assert colleague.date_input[0].value == (date(2026, 5, 1), date(2026, 5, 31))
    assert not colleague.get("plotly_chart"), "Dr. Weiß has had no visit"
    colleague.selectbox(key="figures_doctor").set_value(None).run()
    assert "doctor" not in colleague.query_params
    assert chart(colleague, "revenue-by_doctor")["data"]


@pytest.mark.usefixtures("worked")
def test_what_is_chosen_goes_along_to_the_next_page_of_figures(open_as: OpenAs, residents: Residents) -> None:
    app = open_as("albert", navigation.REVENUE, **MAY, doctor=str(residents.roth_id))
    app.query_params.clear()  # as links of the menu have it
    app.switch_page(navigation.MISSED).run()
    assert app.title[0].value == "No-shows"
    assert app.query_params == {**MAY, "doctor": str(residents.roth_id)}
    assert app.selectbox(key="figures_doctor").value == residents.roth_id
    app.selectbox(key="figures_period").set_value("days").run()
    chosen = dict(app.query_params)
    app.query_params.clear()
    app.switch_page(navigation.REVENUE).run()
    assert app.query_params == chosen
    assert app.selectbox(key="figures_period").value == "days"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"from": "yesterday"}, "The address of this view is not complete."),
        ({**MAY, "doctor": "999999"}, "The address of this view is not complete."),
        ({**MAY, "by": "hour"}, "The address of this view is not complete."),
        ({"from": "2026-05-31", "until": "2026-05-01"}, "The last day comes before the first."),
        ({"from": "1990-01-01", "until": "2026-05-01"}, "Please choose at most five years."),
    ],
)
def test_an_address_that_cannot_be_read_gets_a_sentence_and_the_last_thirty_days(
    open_as: OpenAs, asked: dict[str, str], sentence: str
) -> None:
    app = open_as("albert", navigation.MISSED, **asked)
    assert [each.split("  ")[0].startswith(sentence) for each in alerts(app)] == [True]
    assert app.date_input[0].value == (portal.NOON.date() - timedelta(days=29), portal.NOON.date())


def test_days_are_taken_once_both_are_there(open_as: OpenAs) -> None:
    app = open_as("albert", navigation.UTILISATION)
    app.date_input[0].set_value((date(2026, 5, 4),)).run()
    assert not app.query_params
    app.date_input[0].set_value((date(2026, 5, 4), date(2026, 5, 8))).run()
    assert app.query_params == {"from": "2026-05-04", "until": "2026-05-08"}
    assert app.selectbox(key="figures_period").value == "own"


@pytest.mark.parametrize("page", OF_ADMINISTRATORS)
def test_the_pages_of_the_clinic_are_shown_to_administrators(open_as: OpenAs, page: str) -> None:
    app = open_as("albert", page)
    assert app.title[0].value
    assert alerts(app) == []


@pytest.mark.parametrize(
    ("page", "usernames"),
    [
        *((page, ("rita", "roth", "ada")) for page in OF_ADMINISTRATORS),
        (navigation.MY_FIGURES, ("albert", "rita", "ada")),
        (navigation.COUNTS, ("roth", "ada")),
    ],
)
@pytest.mark.usefixtures("worked")
def test_they_refuse_everybody_else(database: Engine, page: str, usernames: tuple[str, ...]) -> None:
    for username in usernames:
        app = run_alone(database, username, page)
        assert said(app.error) == ["This page is not for your role."]
        assert not app.title


def test_an_empty_clinic_says_that_there_is_nothing_to_show(open_as: OpenAs) -> None:
    app = open_as("albert", navigation.REVENUE)
    assert said(app.info) == [EMPTY] * 7
    assert not app.get("plotly_chart")


@pytest.mark.usefixtures("worked")
def test_the_overview_has_cards_beside_what_they_are_compared_with(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, -1)  # beside the one that is still to begin today
    app = open_as("albert", navigation.OVERVIEW)
    cards = [(each.label, each.value.replace("\\", ""), each.delta) for each in app.metric]
    assert cards[0] == ("Visits", "1", "+1")
    assert ("No-shows", "–", "") in cards
    assert "A week ago by now: 0" in said(app.caption)


@pytest.mark.usefixtures("worked")
def test_a_doctor_sees_the_own_figures_whatever_the_address_says(
    open_as: OpenAs, residents: Residents
) -> None:
    app = open_as("weiss", navigation.MY_FIGURES, **MAY, doctor=str(residents.roth_id))
    assert not app.get("plotly_chart"), "the visits are Dr. Roth's"
    own = open_as("roth", navigation.MY_FIGURES, **MAY)
    assert chart(own, "revenue-by_service")["data"][0]["text"] == ["€120.00"]
    assert [each.key for each in own.selectbox if each.key == "figures_doctor"] == []


@pytest.mark.usefixtures("worked")
def test_reception_counts_visits_and_takings_of_today(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, 2)
    with unit_of_work(database) as session:
        rita = session.scalars(select(User).where(User.username == "rita")).one()
        desk = Actor(rita.id, Role.STAFF, rita.name)
        tills.take(session, desk, appointment_id=number, method=PaymentMethod.CASH, amount_minor=2500)
    app = open_as("rita", navigation.COUNTS)
    assert [(each.label, each.value.replace("\\", "")) for each in app.metric] == [
        ("All", "2"),
        ("Confirmed", "2"),
        ("Cash", "€25.00"),
    ]


def test_markup_in_a_name_stays_text_in_a_chart(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        session.scalars(select(User).where(User.username == "roth")).one().name = "<b>Eva</b> *Roth*"
    visit(database, residents, -24 * 10, status=AppointmentStatus.COMPLETED)
    app = open_as("albert", navigation.REVENUE, **MAY)
    names = chart(app, "revenue-by_doctor")["layout"]["yaxis"]["ticktext"]
    assert names == ["&lt;b&gt;Eva&lt;/b&gt; *Roth*"]
    assert any("\\<b\\>Eva" in each.value for each in app.markdown)
