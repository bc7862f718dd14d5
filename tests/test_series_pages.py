"""A series on the desk's screen: looked at first, booked at once, and changed from one of its visits on."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from db.models import Appointment, AppointmentStatus, Doctor, Service
from db.session import unit_of_work
from tests import make
from tests.app_pages import OpenAs
from tests.cast import BERLIN
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
PAGE = "pages/staff/book_for_patient.py"
WEEK = timedelta(weeks=1)


def planning(open_as: OpenAs, residents: Residents) -> tuple[AppTest, datetime]:
    """The page with a series of three planned for Ada from the first free time on."""
    app = open_as("rita", PAGE)
    app.text_input(key="people_text").set_value("okafor").run()
    app.button(key=f"people_{residents.ada_id}").click().run()
    app.selectbox(key="desk_doctor").set_value(residents.roth_id).run()
    app.selectbox(key="desk_service").set_value(residents.checkup_id).run()
    start = NOON + timedelta(days=1, hours=1)
    app.session_state["desk_day"] = start.date()
    app.session_state[f"desk_time_{start.date()}"] = start
    app.toggle(key="desk_repeat").set_value(True).run()
    app.number_input(key="series_visits").set_value(3).run()
    return app, start


def visits(database: Engine) -> list[Appointment]:
    with Session(database) as session:
        return list(session.scalars(select(Appointment).order_by(Appointment.starts_at)))


def test_a_series_is_booked_at_once(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app, start = planning(open_as, residents)
    app.button(key="series_submit").click().run()
    assert said(app.success) == ["3 visits are booked."]
    booked = visits(database)
    assert [each.starts_at for each in booked] == [start + number * WEEK for number in range(3)]
    assert len({each.series_id for each in booked} - {None}) == 1


def test_what_is_in_the_way_is_shown_before_and_left_out_or_replaced(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    start = NOON + timedelta(days=1, hours=1)
    with unit_of_work(database) as session:
        doctor = session.get_one(Doctor, residents.roth_id)
        checkup = session.get_one(Service, residents.checkup_id)
        make.appointment(session, doctor, checkup, start + WEEK)
    app, start = planning(open_as, residents)
    assert "That time is taken." in texts(app).replace("\\", "")
    assert "1 visit is left out." in texts(app)
    wanted = (start + WEEK).astimezone(BERLIN).replace(tzinfo=None).isoformat()
    instead = app.selectbox(key=f"series_instead_{wanted}")
    instead.select_index(0).run()
    app.button(key="series_submit").click().run()
    assert said(app.success) == ["3 visits are booked."]
    own = [each for each in visits(database) if each.series_id]
    assert start + WEEK not in [each.starts_at for each in own]


def test_one_of_a_series_is_called_off_with_those_after_it(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app, _start = planning(open_as, residents)
    app.button(key="series_submit").click().run()
    first, second, third = visits(database)
    app.button(key=f"visits_cancel_{second.id}").click().run()
    app.selectbox(key=f"cancel_reason_{second.id}").set_value("The patient asked").run()
    app.radio(key=f"series_cancel_{second.id}").set_value(True).run()
    app.button(key=f"cancel_submit_{second.id}").click().run()
    assert said(app.success) == ["Cancelled, and those after it too. Their times are free for others now."]
    states = [each.status for each in visits(database)]
    assert states == [AppointmentStatus.CONFIRMED, *[AppointmentStatus.CANCELLED] * 2]
    assert third.series_id == first.series_id


def test_a_series_without_a_reason_stays(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app, _start = planning(open_as, residents)
    app.button(key="series_submit").click().run()
    second = visits(database)[1]
    app.button(key=f"visits_cancel_{second.id}").click().run()
    app.radio(key=f"series_cancel_{second.id}").set_value(True).run()
    app.button(key=f"cancel_submit_{second.id}").click().run()
    assert said(app.error) == ["Please give a reason."]
    assert {each.status for each in visits(database)} == {AppointmentStatus.CONFIRMED}
