"""Hours, time off, closed days and the visits without hours on the screen."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import choice_links, strandings
from db.models import (
    Appointment,
    AppointmentStatus,
    ChoiceLink,
    Closure,
    DateOverride,
    Doctor,
    Location,
    Specialty,
    TimeOff,
    WeeklyHours,
    doctor_specialties,
)
from db.session import unit_of_work
from tests import make
from tests.app_pages import OpenAs
from tests.cast import on
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
HOURS, DESK_HOURS, CLOSED, LIST, CHOOSE = (
    "pages/doctor/hours.py",
    "pages/staff/doctor_hours.py",
    "pages/admin/holidays.py",
    "pages/staff/unsettled.py",
    "pages/account/choose_time.py",
)
TODAY, TUESDAY, THURSDAY = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 4)


def rows(database: Engine, table: Any) -> list[Any]:
    with Session(database) as session:
        return list(session.scalars(select(table).order_by(table.id)))


def cell(database: Engine, day: int) -> str:
    """The field of a weekday at the one place."""
    [place] = rows(database, Location)
    return f"hours_week_{day}_{place.id}"


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception


def test_a_doctor_writes_the_week_and_sees_whom_it_leaves_without_hours(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit_id = visit(database, residents)  # Thursday at 14:00
    app = open_as("roth", HOURS)
    assert app.text_input(key=cell(database, 4)).value == "00:00–23:30"
    app.text_input(key=cell(database, 4)).set_value("9-12, 13").run()
    assert said(app.error) == ["Thursday: please write hours like 09:00–12:00, 13:00–17:30."]
    assert app.button(key="hours_week_save").disabled
    app.text_input(key=cell(database, 4)).set_value("9-12").run()
    assert "This leaves 1 visit without hours:" in app.warning[0].value
    assert "Thu 4 Jun, 14:00, " in said(app.warning)[0]
    assert app.button(key="hours_week_save").label == "Save, then settle 1 visit"
    press(app, "hours_week_save")
    assert said(app.success) == ["Saved."]
    assert app.title[0].value == "Visits without hours"
    with Session(database) as session:
        assert set(strandings.find(session)) == {visit_id}
    thursday = [row for row in rows(database, WeeklyHours) if row.weekday == 4 and row.valid_from_on == TODAY]
    assert [f"{row.opens_at:%H:%M}-{row.closes_at:%H:%M}" for row in thursday] == ["09:00-12:00"]


def test_a_day_is_copied_to_others_before_it_is_saved(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("rita", DESK_HOURS)
    app.selectbox(key="hours_doctor").set_value(residents.roth_id).run()
    app.text_input(key=cell(database, 1)).set_value("8-12").run()
    app.selectbox(key="hours_week_copy_from").set_value(1).run()
    app.session_state["hours_week_copy_to"] = [2, 3]
    app.run()
    press(app, "hours_week_copy")
    assert [app.text_input(key=cell(database, day)).value for day in (1, 2, 3)] == ["8-12"] * 3
    assert app.text_input(key=cell(database, 5)).value == "00:00–23:30"


def test_of_many_places_those_have_a_field_where_the_doctor_works_or_shall_work(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        annex = [make.location(session, name=f"Annex {number}").id for number in range(5)][-1]
    app = open_as("rita", DESK_HOURS)
    app.selectbox(key="hours_doctor").set_value(residents.roth_id).run()
    grid = [each.key for each in app.text_input if (each.key or "").startswith("hours_week_")]
    assert len(grid) == 7
    assert "**Main house**" in texts(app)
    app.multiselect(key="hours_week_also").set_value([annex]).run()
    app.text_input(key=f"hours_week_7_{annex}").set_value("23:30-23:50").run()
    press(app, "hours_week_save")
    assert said(app.success) == ["Saved."]
    sundays = {row.location_id for row in rows(database, WeeklyHours) if row.weekday == 7}
    assert sundays > {annex}
    assert app.text_input(key=f"hours_week_7_{annex}").value == "23:30–23:50"
    assert app.multiselect(key="hours_week_also").value == []


def test_what_somebody_else_has_changed_meanwhile_is_not_written_over(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("roth", HOURS)
    other = open_as("rita", DESK_HOURS)
    other.selectbox(key="hours_doctor").set_value(residents.roth_id).run()
    other.text_input(key=cell(database, 2)).set_value("8-12").run()
    press(other, "hours_week_save")
    app.text_input(key=cell(database, 2)).set_value("10-11").run()
    assert "Somebody else has changed these hours since you opened them." in said(app.warning)
    assert app.button(key="hours_week_save").disabled
    press(app, "hours_week_reload")
    assert app.text_input(key=cell(database, 2)).value == "08:00–12:00"


def test_the_preview_draws_what_could_be_booked(open_as: OpenAs, database: Engine) -> None:
    app = open_as("roth", HOURS)
    app.text_input(key=cell(database, 2)).set_value("9-10").run()
    app.toggle(key="preview_on").set_value(True).run()
    assert not app.exception
    assert "times can be booked." in texts(app)


def test_a_date_gets_hours_of_its_own_and_loses_them_again(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("roth", HOURS)
    app.radio(key="hours_part").set_value("dates").run()
    [place] = rows(database, Location)
    app.date_input(key="hours_dates_first").set_value(THURSDAY).run()
    app.text_input(key=f"hours_dates_{place.id}").set_value("10-12").run()
    press(app, "hours_dates_save")
    [own] = rows(database, DateOverride)
    assert (own.on_date, own.opens_at.hour) == (THURSDAY, 10)
    press(app, f"hours_dates_clear_{THURSDAY}")
    assert rows(database, DateOverride) == []


def test_other_hours_on_a_date_say_what_stays_off(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        roth = session.get_one(Doctor, residents.roth_id)
        make.time_off(session, roth, on(4, 13), on(4, 20))
    app = open_as("roth", HOURS)
    app.radio(key="hours_part").set_value("dates").run()
    assert app.warning == [], "nothing is off today"
    app.date_input(key="hours_dates_first").set_value(THURSDAY).run()
    [warned] = said(app.warning)
    assert warned == "Time off then, which stays so whatever the hours: Thu, 4 Jun 2026, 13:00–20:00"


def test_time_off_is_taken_and_taken_back(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app = open_as("roth", HOURS)
    app.radio(key="hours_part").set_value("off").run()
    app.date_input(key="time_off_from").set_value(THURSDAY).run()
    app.text_input(key="time_off_reason").set_value("A course").run()
    press(app, "time_off_take")
    [absence] = rows(database, TimeOff)
    assert absence.reason == "A course"
    assert "Thu, 4 Jun 2026" in said(app.markdown) or "A course" in texts(app)
    press(app, f"time_off_withdraw_{absence.id}")
    assert rows(database, TimeOff) == []


def test_a_day_is_closed_and_opened_and_holidays_are_taken_over(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("albert", CLOSED)
    app.date_input(key="holidays_on").set_value(THURSDAY).run()
    app.text_input(key="holidays_name").set_value("Works outing").run()
    press(app, "holidays_close")
    [closed] = rows(database, Closure)
    assert (closed.on_date, closed.name) == (THURSDAY, "Works outing")
    press(app, f"holidays_open_{closed.id}")
    assert app.selectbox(key="holidays_country").value == "DE"
    labels = [each.label.replace("\\", "") for each in app.checkbox]
    assert any("3 Oct 2026" in label and "German Unity Day" in label for label in labels)
    app.checkbox[0].set_value(False).run()
    press(app, "holidays_adopt")
    assert len(rows(database, Closure)) == len(labels) - 1


@pytest.fixture
def away(database: Engine, residents: Residents) -> list[int]:
    """Three visits of Thursday with Dr. Roth, who is away then; Dr. Weiß has the same specialty."""
    numbers = [visit(database, residents, hours_ahead=72 + number) for number in range(3)]
    with unit_of_work(database) as session:
        specialty = Specialty(name="General medicine")
        session.add(specialty)
        session.flush()
        for doctor_id in (residents.roth_id, residents.weiss_id):
            values = {"doctor_id": doctor_id, "specialty_id": specialty.id}
            session.execute(doctor_specialties.insert().values(values))
        begins = NOON + timedelta(hours=60)
        make.time_off(
            session, session.get_one(Doctor, residents.roth_id), begins, begins + timedelta(hours=24)
        )
    return numbers


def test_all_are_moved_to_the_times_shown_and_the_list_is_empty(
    open_as: OpenAs, database: Engine, away: list[int]
) -> None:
    app = open_as("rita", LIST)
    assert "3 visits wait for a decision." in texts(app)
    assert app.button(key="unsettled_all_move").label == "Move all 3 as shown"
    press(app, "unsettled_all_move")
    assert "3 of 3 visits are settled." in said(app.success)
    assert "Every visit lies within its doctor's hours." in said(app.success)
    assert len({each.starts_at for each in rows(database, Appointment)}) == 3


def test_all_are_handed_to_a_colleague_at_their_own_time(
    open_as: OpenAs, database: Engine, residents: Residents, away: list[int]
) -> None:
    before = [each.starts_at for each in rows(database, Appointment)]
    app = open_as("rita", LIST)
    app.radio(key="unsettled_others").set_value(True).run()
    press(app, "unsettled_all_move")
    moved = rows(database, Appointment)
    assert {each.doctor_id for each in moved} == {residents.weiss_id}
    assert [each.starts_at for each in moved] == before


def test_where_no_colleague_is_free_the_list_says_that_it_is_the_same_doctor(
    open_as: OpenAs, database: Engine, residents: Residents, away: list[int]
) -> None:
    told = "No colleague is free: with the same doctor."
    app = open_as("rita", LIST)
    app.radio(key="unsettled_others").set_value(True).run()
    options = app.selectbox(key=f"unsettled_time_{away[0]}_True").options
    assert options[0].endswith("with Dr. Jonas Weiß")
    assert options[-1].endswith("with the same doctor")
    assert told not in texts(app)
    with unit_of_work(database) as session:
        session.get_one(Doctor, residents.weiss_id).is_active = False
    app.run()
    assert app.selectbox(key=f"unsettled_time_{away[0]}_True").options[0].endswith("with the same doctor")
    assert texts(app).count(told) == 3
    app.radio(key="unsettled_others").set_value(False).run()
    assert "same doctor" not in texts(app)


def test_what_became_of_each_is_told_when_one_could_not_be_settled(
    open_as: OpenAs, database: Engine, residents: Residents, away: list[int]
) -> None:
    app = open_as("rita", LIST)
    with unit_of_work(database) as session:
        session.get_one(Appointment, away[0]).status = AppointmentStatus.CANCELLED
    press(app, "unsettled_all_move")
    assert "2 of 3 visits are settled." in said(app.success)
    assert "settled already" in texts(app)


def test_a_visit_is_called_off_or_kept_with_a_reason(
    open_as: OpenAs, database: Engine, away: list[int]
) -> None:
    app = open_as("rita", LIST)
    press(app, f"unsettled_cancel_{away[0]}")
    press(app, f"unsettled_keep_{away[1]}")
    assert said(app.error) == ["Please give a reason."]
    app.text_input(key=f"unsettled_why_{away[1]}").set_value("She comes in for it.").run()
    press(app, f"unsettled_keep_{away[1]}")
    with Session(database) as session:
        assert set(strandings.find(session)) == {away[2]}
        assert session.get_one(Appointment, away[0]).status is AppointmentStatus.CANCELLED


def test_a_patient_chooses_by_link_without_signing_in(
    open_as: OpenAs, database: Engine, away: list[int]
) -> None:
    app = open_as("rita", LIST)
    press(app, f"unsettled_choose_{away[0]}")
    assert "They can choose another time themselves" in texts(app)
    [link] = rows(database, ChoiceLink)
    page = open_as(None, CHOOSE, link=choice_links.token(link.id))
    assert "Check-up" not in texts(page)
    assert "Cardiology" not in texts(page)
    press(page, "choose_0")
    assert "Your visit is on" in said(page.success)[0]
    again = open_as(None, CHOOSE, link=choice_links.token(link.id))
    assert said(again.error) == [
        "This link is no longer valid. Please call the clinic, or look into your appointments."
    ]
    assert said(open_as(None, CHOOSE, link="guessed").error) == said(again.error)
    assert [element.proto.label for element in again.get("page_link")] == ["My appointments"]


def test_every_page_of_the_desk_says_how_many_wait_and_doctors_read_of_their_own(
    open_as: OpenAs, away: list[int]
) -> None:
    def flags(username: str) -> list[str]:
        links = open_as(username).get("page_link")
        return [each.proto.label for each in links if "without hours" in each.proto.label]

    assert flags("rita") == ["3 visits without hours"]
    assert flags("roth") == ["3 visits without hours"]
    assert flags("weiss") == []
    app = open_as("roth", LIST)
    assert "3 visits wait for a decision." in texts(app)
