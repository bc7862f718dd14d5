"""Marking who has come, on the desk's page and on the doctor's; and clicks that come too late."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import arrivals
from core.access import Actor
from db.models import Appointment, AppointmentStatus, Patient, Role, User
from db.session import unit_of_work
from tests.portal import NOON, Residents
from tests.test_pages import OpenAs, open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
ARRIVALS, TODAY = "pages/staff/arrivals.py", "pages/doctor/today.py"
ARRIVED, COMPLETED, NO_SHOW, CONFIRMED = (
    AppointmentStatus.ARRIVED,
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
    AppointmentStatus.CONFIRMED,
)


def status_of(database: Engine, visit_id: int) -> AppointmentStatus:
    with Session(database) as session:
        return session.get_one(Appointment, visit_id).status


def press(app: AppTest, step: str, visit_id: int) -> AppTest:
    app.button(key=f"arrivals_{step}_{visit_id}_button").click().run()
    assert not app.exception
    return app


def offered(app: AppTest) -> list[str]:
    """The steps that can be taken, by their labels, in order."""
    return [button.label for button in app.button if (button.key or "").startswith("arrivals_")]


def test_the_desk_marks_who_has_come_and_takes_it_back(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=1)
    app = open_as("rita", ARRIVALS)
    assert offered(app) == ["Arrived"]
    assert "**Ada Okafor**" in texts(app)
    press(app, "arrive", number)
    assert (said(app.success), status_of(database, number)) == (["Marked as here."], ARRIVED)
    assert "1 visit, 1 waiting" in texts(app)
    assert offered(app) == ["Undo"]
    press(app, "undo", number)
    assert (said(app.success), status_of(database, number)) == (["Taken back."], CONFIRMED)


def test_the_desk_marks_who_was_missed_once_the_visit_has_begun(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=-1)
    app = open_as("rita", ARRIVALS)
    assert offered(app) == ["Arrived", "Missed"]
    press(app, "miss", number)
    assert (said(app.success), status_of(database, number)) == (["Marked as missed."], NO_SHOW)


def test_who_says_that_they_come_has_a_mark_and_days_without_visits_say_so(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", ARRIVALS)
    assert said(app.info) == ["There are no visits today."]
    visit(database, residents, hours_ahead=24)
    number = visit(database, residents, hours_ahead=2, attending_at=NOON)
    app.run()
    assert "Says they come" in texts(app)
    assert offered(app) == ["Arrived"], "tomorrow's are not here"
    press(app, "arrive", number)
    assert "Says they come" not in texts(app)


def test_whoever_is_done_stands_below_those_who_are_still_to_come(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    early, late = (visit(database, residents, hours_ahead=hours) for hours in (-2, 1))
    app = open_as("rita", ARRIVALS)
    assert not app.header
    press(app, "miss", early)
    assert [header.value for header in app.header] == ["Over"]
    keys = [button.key for button in app.button if (button.key or "").startswith("arrivals_")]
    assert keys == [f"arrivals_arrive_{late}_button", f"arrivals_undo_{early}_button"]


def test_of_a_long_day_the_first_are_drawn_and_the_rest_on_demand(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    first = visit(database, residents, hours_ahead=1)
    _repeat(database, first, 64)
    app = open_as("rita", ARRIVALS)
    assert "65 visits" in texts(app)
    assert offered(app).count("Arrived") == 60
    app.button(key="arrivals_more_ahead").click().run()
    assert offered(app) == ["Arrived"] * 65


def _repeat(database: Engine, visit_id: int, times: int) -> None:
    """Overbook short visits of the same patient, one after the other from the end of that one."""
    kept = "patient_id, doctor_id, service_id, location_id, status, price_minor, source"
    span = "ends_at + (n - 1) * interval '5 min', ends_at + n * interval '5 min'"
    with unit_of_work(database) as session:
        session.execute(
            text(
                f"INSERT INTO appointments ({kept}, starts_at, ends_at, blocked, overbook_reason) "
                f"SELECT {kept}, {span}, tstzrange({span}), 'A long day' "
                "FROM appointments, generate_series(1, :times) n WHERE id = :visit_id"
            ),
            {"times": times, "visit_id": visit_id},
        )


def test_a_click_that_comes_too_late_is_told_so(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=-1)
    app = open_as("rita", ARRIVALS)
    with unit_of_work(database) as session:
        session.get_one(Appointment, number).status = AppointmentStatus.CANCELLED
    press(app, "arrive", number)
    assert "has been marked or changed in the meantime" in said(app.error)[0]
    assert said(app.info) == ["There are no visits today."]


def test_the_desk_filters_by_doctor_and_tells_who_is_still_to_come_of_a_delay(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=2)
    with unit_of_work(database) as session:
        session.get_one(Patient, residents.ada_id).email = "ada@example.org"
    app = open_as("rita", ARRIVALS)
    assert not [button for button in app.button if (button.key or "").startswith("late_tell")]
    app.selectbox(key="arrivals_doctor").set_value(residents.weiss_id).run()
    assert said(app.info) == ["This doctor has no visits today."]
    app.button(key=f"late_tell_{residents.weiss_id}").click().run()
    assert said(app.error) == ["Nobody who is still to come that day has to be told."]
    app.selectbox(key="arrivals_doctor").set_value(residents.roth_id).run()
    app.number_input(key=f"late_minutes_{residents.roth_id}").set_value(20)
    app.button(key=f"late_tell_{residents.roth_id}").click().run()
    assert said(app.success) == ["1 patient is told."]


def test_a_doctor_says_who_is_here_and_what_is_done(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=-1)
    app = open_as("roth", TODAY)
    assert offered(app) == ["Arrived", "Done"]
    press(app, "arrive", number)
    assert offered(app) == ["Done", "Undo"]
    press(app, "complete", number)
    assert (said(app.success), status_of(database, number)) == (["Marked as done."], COMPLETED)
    press(app, "undo", number)
    assert status_of(database, number) is ARRIVED
    assert app.button(key=f"late_tell_{residents.roth_id}").label == "Tell who is still to come"


def test_what_was_given_away_meanwhile_is_not_put_back(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=-1)
    app = open_as("rita", ARRIVALS)
    press(app, "miss", number)
    with unit_of_work(database) as session:
        ben = session.get_one(Patient, residents.ben_id)
        missed = session.get_one(Appointment, number)
        kept = {
            name: getattr(missed, name) for name in ("doctor_id", "service_id", "location_id", "price_minor")
        }
        times = {name: getattr(missed, name) for name in ("starts_at", "ends_at", "blocked", "source")}
        session.add(Appointment(patient_id=ben.id, status=CONFIRMED, **kept, **times))
    press(app, "undo", number)
    assert said(app.error) == ["Somebody else has this time by now, so the visit cannot be put back."]


def test_the_page_follows_what_others_do(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    number = visit(database, residents, hours_ahead=1)
    app = open_as("rita", ARRIVALS)
    with unit_of_work(database) as session:
        rita = session.query(User).filter_by(username="rita").one()
        arrivals.check_in(session, Actor(rita.id, Role.STAFF, rita.name), appointment_id=number)
    app.run()
    assert offered(app) == ["Undo"]
