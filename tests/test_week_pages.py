"""A doctor's calendar on the screen: what a drag asks for and then saves; and the calendar address."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from db.models import Appointment, CalendarFeed, Service
from db.session import unit_of_work
from pages.ui import diaries
from pages.ui.diaries import dragged
from pages.ui.diary_views import View, days_shown, first_day, turned
from tests import make
from tests.app_pages import HOME, OpenAs
from tests.cast import BERLIN, on
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
WEEK = "pages/doctor/week.py"


def row(database: Engine, number: int) -> Appointment:
    with Session(database) as session:
        return session.get_one(Appointment, number)


def wall(at: datetime) -> str:
    """What the grid says of an instant: the clinic's wall time, as if it were UTC."""
    return f"{at.astimezone(BERLIN).replace(tzinfo=None).isoformat()}Z"


def drag(app: AppTest, visit: Appointment, starts_at: datetime, ends_at: datetime) -> AppTest:
    """What the grid sends when somebody lets go of a visit at another place."""
    turn = app.session_state.get("week_turn", 0)
    event = {"id": str(visit.id), "start": wall(starts_at), "end": wall(ends_at)}
    app.session_state[f"week_grid_{visit.doctor_id}_{View.WEEK.value}_2026-06-01_{turn}"] = {
        "callback": "eventChange",
        "eventChange": {"event": event},
    }
    return app.run()


def test_a_dragged_visit_is_asked_about_and_then_moved(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=24)
    app = open_as("roth", WEEK)
    assert "Mon 1 Jun – Sun, 7 Jun 2026" in texts(app)
    assert "1 visit ·" in texts(app)
    at = row(database, number).starts_at
    later = at + timedelta(days=1, hours=1)
    drag(app, row(database, number), later, later + timedelta(minutes=30))
    asked = "Move **Ada Okafor** (Check-up) from Tue 2 Jun, 14:00–14:30 to **Wed 3 Jun, 15:00–15:30**?"
    assert asked in texts(app).replace("\\", "")
    assert row(database, number).starts_at == at, "nothing is saved yet"
    app.button(key="week_save").click().run()
    assert said(app.success) == ["Moved. The patient is told."]
    assert row(database, number).starts_at == later
    assert "week_save" not in [button.key for button in app.button]


def test_a_drag_can_be_put_back(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents, hours_ahead=24)
    app = open_as("roth", WEEK)
    at = row(database, number).starts_at
    drag(app, row(database, number), at + timedelta(hours=1), at + timedelta(hours=2))
    app.button(key="week_put_back").click().run()
    assert "week_save" not in [button.key for button in app.button]
    assert row(database, number).version == 0


def test_a_refused_drag_says_why_and_changes_nothing(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=24)
    other = visit(database, residents, hours_ahead=26)
    app = open_as("roth", WEEK)
    at = row(database, number).starts_at
    drag(app, row(database, number), row(database, other).starts_at, row(database, other).ends_at)
    assert said(app.error) == ["There is already another visit at that time."], "right after the drop"
    assert app.button(key="week_save").disabled
    app.button(key="week_put_back").click().run()
    assert not app.error
    drag(app, row(database, number), at, at + timedelta(hours=2, minutes=15))
    assert "14:00–16:15 instead of" in texts(app).replace("\\", "")
    assert len(app.error) == 1
    assert app.button(key="week_save").disabled
    assert row(database, number).version == 0


def test_who_is_faster_than_a_drag_that_was_fine_is_said_when_it_is_saved(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=24)
    app = open_as("roth", WEEK)
    at = row(database, number).starts_at + timedelta(hours=2)
    drag(app, row(database, number), at, at + timedelta(minutes=30))
    assert not app.error
    visit(database, residents, hours_ahead=26)
    app.button(key="week_save").click().run()
    assert said(app.error) == ["There is already another visit at that time."]
    assert row(database, number).version == 0


def test_a_stretched_visit_is_asked_about_with_the_length_it_would_have(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=24)
    visit(database, residents, hours_ahead=27)
    with unit_of_work(database) as session:
        stretched = session.get_one(Appointment, number)
        at, stretched.ends_at = stretched.starts_at, stretched.ends_at + timedelta(minutes=30)
        stretched.blocked = Range(at, stretched.ends_at)
    app = open_as("roth", WEEK)
    drag(app, row(database, number), at + timedelta(hours=1), at + timedelta(hours=2))
    assert "to **Tue 2 Jun, 15:00–16:00**?" in texts(app).replace("\\", "")
    later = at + timedelta(hours=2, minutes=30)
    drag(app, row(database, number), later, later + timedelta(hours=1))
    assert "to **Tue 2 Jun, 16:30–17:00**?" in texts(app).replace("\\", "")
    assert "There is only time for the usual length there." in texts(app)
    app.button(key="week_save").click().run()
    assert row(database, number).ends_at == later + timedelta(minutes=30)


def test_a_visit_is_stretched(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents, hours_ahead=24)
    app = open_as("roth", WEEK)
    at = row(database, number).starts_at
    drag(app, row(database, number), at, at + timedelta(minutes=50))
    app.button(key="week_save").click().run()
    assert said(app.success) == ["Saved."]
    assert row(database, number).ends_at == at + timedelta(minutes=50)


def test_the_same_is_done_without_dragging(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents, hours_ahead=24)
    app = open_as("rita", WEEK)
    app.selectbox(key="week_doctor").set_value(residents.roth_id).run()
    app.number_input(key=f"week_minutes_{number}").set_value(40).run()
    app.button(key="week_stretch").click().run()
    assert said(app.success) == ["Saved."]
    app.date_input(key=f"week_on_{number}").set_value(on(4, 0).date()).run()
    app.button(key="week_move").click().run()
    assert said(app.success) == ["Moved. The patient is told."]
    assert row(database, number).starts_at.astimezone(BERLIN) == on(4, 14)


def test_a_week_without_hours_says_so(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    with unit_of_work(database) as session:
        make.empty(session, "weekly_hours")
    assert "0 visits · No hours on these days." in texts(open_as("roth", WEEK))


def test_weeks_and_months_are_turned(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    visit(database, residents, hours_ahead=24 * 8)
    app = open_as("roth", WEEK)
    app.button(key="week_after").click().run()
    assert "Mon 8 Jun – Sun, 14 Jun 2026" in texts(app)
    assert "1 visit ·" in texts(app)
    app.pills(key="week_view").set_value(View.MONTH).run()
    assert app.title[0].value == "June 2026"
    app.button(key="week_before").click().run()
    assert (app.title[0].value, "0 visits" in texts(app)) == ("May 2026", True)
    app.button(key="week_today").click().run()
    assert app.title[0].value == "June 2026"


@pytest.mark.parametrize(
    ("view", "first", "shown", "before", "after"),
    [
        (View.WEEK, (2026, 6, 1), ((2026, 6, 1), (2026, 6, 7)), (2026, 5, 25), (2026, 6, 8)),
        (View.LIST, (2026, 6, 3), ((2026, 6, 3), (2026, 6, 9)), (2026, 5, 27), (2026, 6, 10)),
        (View.MONTH, (2026, 3, 1), ((2026, 2, 23), (2026, 4, 5)), (2026, 2, 1), (2026, 4, 1)),
    ],
)
def test_days_of_a_view(view: View, first: Any, shown: Any, before: Any, after: Any) -> None:
    begins = datetime(*first, tzinfo=BERLIN).date()
    assert first_day(view, begins) == begins
    assert [(day.year, day.month, day.day) for day in days_shown(view, begins)] == [*shown]
    turns = [turned(view, begins, by) for by in (-1, 1)]
    assert [(day.year, day.month, day.day) for day in turns] == [before, after]


@pytest.mark.parametrize(
    ("let_go", "asked"),
    [
        ((16, 5), (16, 0)),
        ((15, 45), (16, 0)),
        ((15, 40), (15, 30)),
        ((9, 25), (9, 25)),  # that is where it was: it stays where it was put, and is refused
        ((20, 5), (20, 5)),  # nobody works then
    ],
)
def test_a_visit_is_moved_to_the_nearest_time_at_which_its_kind_may_begin(
    let_go: tuple[int, int], asked: tuple[int, int]
) -> None:
    shown = Appointment(
        id=1, starts_at=on(1, 9, 30), ends_at=on(1, 10), service=Service(step_minutes=30, duration_minutes=30)
    )
    event = {"id": "1", "start": wall(on(1, *let_go)), "end": wall(on(1, 22))}
    sent = {"eventChange": {"event": event}}
    wanted = dragged(sent, [shown], BERLIN, [(on(1, 9), on(1, 12)), (on(1, 13), on(1, 18))])
    assert wanted is not None
    assert (wanted.starts, wanted.ends) == (on(1, *asked), on(1, *asked) + timedelta(minutes=30))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        [],
        {"eventChange": None},
        {"eventChange": {"event": {"id": "1"}}},
        {"eventChange": {"event": {"id": "1", "start": "soon", "end": None}}},
        {
            "eventChange": {
                "event": {"id": "2", "start": "2026-06-01T10:00:00Z", "end": "2026-06-01T10:00:00Z"}
            }
        },
    ],
)
def test_whatever_else_a_browser_sends_is_no_change(sent: Any) -> None:
    shown = Appointment(id=1, starts_at=NOON, ends_at=NOON)
    assert dragged(sent, [shown], BERLIN) is None


def test_the_grid_shows_wall_time_on_the_day_that_clocks_change(
    database: Engine, residents: Residents
) -> None:
    for at in (on(24, 9, month=10), on(25, 9, month=10), on(26, 9, month=10)):
        assert diaries._written(at, BERLIN).endswith("T09:00:00")


def test_a_doctor_makes_a_calendar_address_sees_it_once_and_ends_it(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("roth", WEEK)
    app.button(key="feeds_make").click().run()
    assert said(app.success) == ["The address is made."]
    assert app.code[0].value.endswith(".ics")
    assert "/feeds/" in app.code[0].value
    app.button(key="feeds_copied").click().run()
    assert not app.code
    with Session(database) as session:
        [feed] = session.scalars(select(CalendarFeed))
    app.button(key=f"feeds_end_{feed.id}").click().run()
    assert said(app.success) == ["That address reads nothing any more."]
    with Session(database) as session:
        assert session.scalars(select(CalendarFeed.revoked_at)).one() is not None


def test_the_desk_sees_a_doctors_week_and_no_calendar_address(open_as: OpenAs, residents: Residents) -> None:
    app = open_as("rita", WEEK)
    assert "feeds_make" not in [button.key for button in app.button]
    assert "In your own calendar" not in texts(app)


def test_it_is_not_for_patients(open_as: OpenAs) -> None:
    app = open_as("ada")
    with pytest.raises(ValueError, match="page"):
        app.switch_page(WEEK)


def test_by_itself_it_refuses_whoever_is_not_signed_in(residents: Residents) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", WEEK), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
