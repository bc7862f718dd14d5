"""A doctor's day on the screen: who waits stands first, then who is next; and where the day has got to."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.models import AppointmentStatus
from tests.app_pages import OpenAs
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")


def top(text: str) -> str:
    """What stands above the timeline."""
    return text.replace("\\", "").partition("Now, 14:00")[0]


def test_who_waits_stands_first_and_since_when(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    here_since = NOON - timedelta(minutes=25)
    visit(database, residents, hours_ahead=1, status=AppointmentStatus.ARRIVED, arrived_at=here_since)
    visit(database, residents, hours_ahead=2)
    shown = top(texts(open_as("roth")))
    assert ":small[Waiting]" in shown
    assert "booked for 15:00 · here since 13:35, 25 minutes" in shown
    assert ":small[Next]" not in shown, "whose turn it is, is clear"


def test_who_is_in_the_room_and_who_is_next_are_seen_together(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=0, status=AppointmentStatus.IN_ROOM)
    visit(database, residents, hours_ahead=2)
    visit(database, residents, hours_ahead=3)
    shown = top(texts(open_as("roth")))
    assert shown.index(":small[In the room]") < shown.index(":small[Next]")
    assert "booked for 16:00" in shown
    assert "booked for 17:00" not in shown


def test_nothing_stands_above_a_day_that_is_done_or_is_not_today(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=-2, status=AppointmentStatus.COMPLETED)
    visit(database, residents, hours_ahead=-1)  # who has not come is not the next
    visit(database, residents, hours_ahead=24)
    app = open_as("roth")
    assert ":small[" not in top(texts(app))
    app.button(key="today_after").click().run()
    shown = texts(app)
    assert ":small[" not in shown
    assert "Now, " not in shown


def test_the_day_shows_where_it_has_got_to(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    visit(database, residents, hours_ahead=-2, status=AppointmentStatus.COMPLETED)
    visit(database, residents, hours_ahead=2)
    shown = texts(open_as("roth")).replace("\\", "")
    assert shown.index("**12:00**") < shown.index("Now, 14:00") < shown.index("**16:00**")
