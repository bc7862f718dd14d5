"""The board, and the doctor's page: marking who has come, walk-ins, delays, and clicks that come too late."""

from collections.abc import Sequence
from datetime import time, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import arrivals, boards
from core.access import Actor
from db.models import Appointment, AppointmentStatus, Doctor, Patient, Role, Service, User
from db.session import unit_of_work
from tests import make
from tests.app_pages import OpenAs
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]  # fixtures of the other pages
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
BOARD, TODAY = "pages/staff/board.py", "pages/doctor/today.py"
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
    app = open_as("rita", BOARD)
    assert offered(app) == ["Arrived"]
    assert "Ada Okafor**" in texts(app)
    press(app, "arrive", number)
    assert (said(app.success), status_of(database, number)) == (["Marked as here."], ARRIVED)
    assert "1 visit, 1 waiting" in texts(app)
    assert offered(app) == ["In room", "Undo"]
    press(app, "undo", number)
    assert (said(app.success), status_of(database, number)) == (["Taken back."], CONFIRMED)


def test_a_visit_that_is_gone_while_the_board_is_drawn_is_left_out(
    open_as: OpenAs, database: Engine, residents: Residents, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(database, residents, hours_ahead=1)
    read = boards.details

    def read_late(session: Session, actor: Actor, *, visit_ids: Sequence[int]) -> dict[int, boards.Details]:
        session.execute(text("DELETE FROM appointment_events"))
        session.execute(text("DELETE FROM appointments"))
        return read(session, actor, visit_ids=visit_ids)

    monkeypatch.setattr(boards, "details", read_late)
    app = open_as("rita", BOARD)
    assert (offered(app), len(app.exception)) == ([], 0)


def test_a_visit_goes_from_list_to_list_by_one_click_each_and_back(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=0)
    app = open_as("rita", BOARD)
    for step, heading in (("arrive", "Waiting"), ("call", "In room"), ("complete", "Done")):
        press(app, step, number)
        assert f"#### {heading} :gray[1]" in texts(app)
    assert status_of(database, number) is COMPLETED
    for _step in range(3):
        press(app, "undo", number)
    assert status_of(database, number) is CONFIRMED


def test_the_desk_marks_who_was_missed_once_the_visit_has_begun(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=-1)
    app = open_as("rita", BOARD)
    assert offered(app) == ["Arrived", "Missed"]
    press(app, "miss", number)
    assert (said(app.success), status_of(database, number)) == (["Marked as missed."], NO_SHOW)


def test_who_says_that_they_come_has_a_mark_and_days_without_visits_say_so(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", BOARD)
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
    app = open_as("rita", BOARD)
    assert "#### Missed" not in texts(app)
    press(app, "miss", early)
    assert "#### Missed :gray[1]" in texts(app)
    keys = [button.key for button in app.button if (button.key or "").startswith("arrivals_")]
    assert keys == [f"arrivals_arrive_{late}_button", f"arrivals_undo_{early}_button"]


def test_of_a_long_day_the_first_are_drawn_and_the_rest_on_demand(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    first = visit(database, residents, hours_ahead=1)
    _repeat(database, first, 64)
    app = open_as("rita", BOARD)
    assert "65 visits" in texts(app)
    assert offered(app).count("Arrived") == 6
    app.button(key="board_expected_more").click().run()
    assert offered(app) == ["Arrived"] * 26


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
    app = open_as("rita", BOARD)
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
    app = open_as("rita", BOARD)
    assert not [button for button in app.button if (button.key or "").startswith("late_tell")]
    app.selectbox(key="board_doctor").set_value(residents.weiss_id).run()
    assert said(app.info) == ["No visit of today is like that."]
    app.button(key=f"late_tell_{residents.weiss_id}").click().run()
    assert said(app.error) == ["Nobody who is still to come that day has to be told."]
    app.selectbox(key="board_doctor").set_value(residents.roth_id).run()
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
    app = open_as("rita", BOARD)
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
    app = open_as("rita", BOARD)
    with unit_of_work(database) as session:
        rita = session.query(User).filter_by(username="rita").one()
        arrivals.check_in(session, Actor(rita.id, Role.STAFF, rita.name), appointment_id=number)
    app.run()
    assert offered(app) == ["In room", "Undo"]


def test_rows_are_filtered_by_room_and_by_status(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        room_id = make.room(session, name="Room 2").id
    visit(database, residents, hours_ahead=1, room_id=room_id)
    visit(database, residents, hours_ahead=2)
    app = open_as("rita", BOARD)
    assert "2 visits" in texts(app)
    app.selectbox(key="board_room").set_value(room_id).run()
    assert ("1 visit" in texts(app), "Room 2" in texts(app)) == (True, True)
    app.selectbox(key="board_state").set_value("missed").run()
    assert ("Nobody." in texts(app), "#### Expected" in texts(app)) == (True, False)


def test_what_is_owed_and_a_first_visit_are_marked_until_they_are_no_longer_so(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=1)
    app = open_as("rita", BOARD)
    assert [mark in texts(app) for mark in (":red-badge[€60", "First visit")] == [True, True]
    app.button(key=f"board_more_{number}").click().run()
    app.button(key=f"till_take_cash_{number}").click().run()
    assert said(app.success)[0].startswith("Taken: €60.00, for Check-up")
    assert ":red-badge[" not in texts(app)


def test_a_walk_in_is_found_booked_and_marked_as_here_and_the_ticket_is_at_hand(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", BOARD)
    app.button(key="board_walk_in").click().run()
    app.text_input(key="people_text").set_value("Ada").run()
    app.button(key=f"people_{residents.ada_id}").click().run()
    app.button(key=f"walk_in_{residents.roth_id}").click().run()
    assert said(app.success) == ["Booked for Ada Okafor."]
    with Session(database) as session:
        [booked] = session.query(Appointment).all()
    assert (booked.status, booked.starts_at, booked.doctor_id) == (ARRIVED, NOON, residents.roth_id)
    assert "Send the ticket" not in [button.label for button in app.button], "it begins now"


def test_the_ticket_is_sent_while_the_visit_is_ahead(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        make.clinic(session, is_demo=True, requires_second_factor=False)
        session.get_one(Patient, residents.ada_id).email = "ada@example.org"
    number = visit(database, residents, hours_ahead=1)
    app = open_as("rita", BOARD)
    app.button(key=f"board_more_{number}").click().run()
    app.button(key=f"board_ticket_{number}").click().run()
    assert said(app.success) == ["The ticket goes to Ada Okafor, by email to ada@example.org."]
    app.button(key="board_close").click().run()
    assert not [button for button in app.button if (button.key or "").startswith("board_ticket")]


def test_who_calls_for_today_is_booked_and_not_marked_as_here(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", BOARD)
    app.button(key="board_walk_in").click().run()
    app.text_input(key="people_text").set_value("Ada").run()
    app.button(key=f"people_{residents.ada_id}").click().run()
    app.toggle(key="walk_in_here").set_value(False).run()
    app.button(key=f"walk_in_{residents.weiss_id}").click().run()
    with Session(database) as session:
        [booked] = session.query(Appointment).all()
    assert (booked.status, booked.doctor_id) == (CONFIRMED, residents.weiss_id)


def test_a_walk_in_who_is_perhaps_known_is_shown_who_it_may_be(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", BOARD)
    app.button(key="board_walk_in").click().run()
    app.text_input(key="people_text").set_value("Adah Okafor").run()
    assert app.text_input(key="people_name").value == "Adah Okafor", "typed once"
    with Session(database) as session:
        born = session.get_one(Patient, residents.ada_id).birth_on
    app.date_input(key="people_birth").set_value(born)
    next(button for button in app.button if button.label == "Add patient").click().run()
    assert "Perhaps known already: Ada Okafor" in said(app.error)[0]
    app.button(key=f"people_{residents.ada_id}").click().run()
    assert app.button(key=f"walk_in_{residents.roth_id}")


def test_a_time_that_is_taken_is_overbooked_with_a_reason_on_the_same_panel(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=2)
    app = open_as("rita", BOARD)
    app.button(key="board_walk_in").click().run()
    app.text_input(key="people_text").set_value("Ben").run()
    app.button(key=f"people_{residents.ben_id}").click().run()
    app.toggle(key="walk_in_overbook").set_value(True).run()
    app.selectbox(key="walk_in_overbook_doctor").set_value(residents.roth_id)
    app.time_input(key="desk_overbook_at").set_value(time(16)).run()
    app.button(key="walk_in_overbook_submit").click().run()
    assert said(app.error) == ["Please give a reason."]
    app.text_input(key="desk_overbook_reason").set_value("In pain").run()
    app.button(key="walk_in_overbook_submit").click().run()
    assert said(app.success) == ["Booked for Ben Sato."]
    assert "Overbooked" in texts(app)


def test_a_visit_moves_to_a_time_chosen_on_the_same_screen(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=1)
    app = open_as("rita", BOARD)
    app.button(key=f"board_more_{number}").click().run()
    app.button(key=f"visits_move_{number}").click().run()
    picker = app.button_group(key=f"move_{number}_time_{NOON.date()}")
    picker.set_value(NOON + timedelta(hours=3)).run()
    app.checkbox(key=f"move_waive_{number}").check().run()
    app.button(key=f"move_submit_{number}").click().run()
    assert said(app.success) == ["Moved."]
    assert app.title[0].value == "Board"
    with Session(database) as session:
        assert session.get_one(Appointment, number).starts_at == NOON + timedelta(hours=3)


def test_those_whom_a_delay_reaches_are_told_by_one_click_and_then_no_more(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(
        database,
        residents,
        hours_ahead=0,
        status=AppointmentStatus.IN_ROOM,
        in_room_at=NOON,
        ends_at=NOON + timedelta(minutes=90),
    )
    with unit_of_work(database) as session:
        ben = session.get_one(Patient, residents.ben_id)
        make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            NOON + timedelta(minutes=60),
            patient=ben,
            overbook_reason="In pain",
        )
    app = open_as("rita", BOARD)
    [button] = [each for each in app.button if (each.key or "").startswith("affected_")]
    assert button.label.replace("\\", "") == "Dr. Eva Roth, up to 30 min late: tell 1 patient"
    assert "about 15:30" in texts(app)
    button.click().run()
    assert said(app.success) == ["1 patient is told."]
    assert not [each for each in app.button if (each.key or "").startswith("affected_")]
    assert "about 15:30 · told" in texts(app)


def test_a_search_at_the_head_of_any_page_leads_to_the_patient(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    number = visit(database, residents, hours_ahead=1)
    app = open_as("rita", "pages/staff/till.py")
    app.text_input(key="search_text").set_value("1985-05-17").run()
    assert app.title[0].value == "Book for a patient"
    app.switch_page("pages/staff/book_for_patient.py")  # a browser is there by now
    app.button(key=f"people_{residents.ada_id}").click().run()
    assert [header.value for header in app.header] == ["Coming visits", "New visit"]
    assert app.button(key=f"till_open_{number}").label == "Take payment"
    assert not open_as("roth").text_input, "who is not at the desk has no such field"
