"""The pages on which an administrator sets the clinic up."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import strandings
from core.clinic_settings import Details as ClinicDetails
from core.places import Place, RoomOfPlace
from core.prices import ClinicPrices, ServicePrices
from core.services import Details as ServiceDetails
from db.models import (
    Appointment,
    ClinicSettings,
    Doctor,
    DoctorService,
    Location,
    Role,
    Room,
    Service,
    Specialty,
)
from db.session import unit_of_work
from pages.ui.setting_words import FIELDS, field_value
from tests import make
from tests.app_pages import OpenAs
from tests.portal import Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
CLINIC, PLACES, SERVICES = "pages/admin/clinic.py", "pages/admin/places.py", "pages/admin/services.py"
DOCTORS, HISTORY = "pages/admin/doctors.py", "pages/admin/history.py"
USERS = "pages/admin/users.py"


def test_a_service_is_added_changed_and_kept_where_somebody_else_was_first(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("albert", SERVICES)
    assert [each.key for each in app.button if each.key == "services_save"] == [], "one is chosen first"
    app.selectbox(key="services_chosen").set_value(0).run()
    app.button(key="services_save").click().run()
    assert said(app.error) == ["Please give a name."]
    app.text_input(key="services_0_name").set_value("Blood test").run()
    app.number_input(key="services_0_duration_minutes").set_value(10).run()
    app.button(key="services_save").click().run()
    assert said(app.success)[0].startswith("Added.")
    with Session(database) as session:
        made = session.scalars(select(Service).where(Service.name == "Blood test")).one()
    assert (made.duration_minutes, app.selectbox(key="services_chosen").value) == (10, made.id)
    with unit_of_work(database) as session:
        session.get_one(Service, made.id).step_minutes = 5
    app.number_input(key=f"services_{made.id}_duration_minutes").set_value(20)
    app.button(key="services_save").click().run()
    assert said(app.error) == ["Somebody else has changed this since you opened it. Please look at it again."]


def test_a_service_takes_the_rooms_that_will_do(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        room = make.room(session, name="Laboratory").id
    app = open_as("albert", SERVICES)
    app.selectbox(key="services_chosen").set_value(residents.checkup_id).run()
    app.toggle(key=f"services_{residents.checkup_id}_needs_room").set_value(True).run()
    app.multiselect(key=f"services_{residents.checkup_id}_rooms").set_value([room]).run()
    app.button(key="services_save").click().run()
    assert said(app.success) == ["Saved."]
    app = open_as("albert", HISTORY)
    assert ":gray[Rooms that will do:] – :material/arrow_forward: Laboratory" in texts(app)
    assert ":gray[Needs a room:] no :material/arrow_forward: yes" in texts(app)


def test_a_place_with_a_room_is_added_and_the_room_closed(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("albert", PLACES)
    app.button(key="places_add").click().run()
    assert said(app.error) == ["Please give a name."]
    app.text_input(key="places_new_name").set_value("Annex").run()
    app.text_input(key="places_new_address").set_value("Lindenstraße 2").run()
    app.button(key="places_add").click().run()
    assert said(app.success) == ["Added."]
    with Session(database) as session:
        place = session.scalars(select(Location).where(Location.name == "Annex")).one()
    app.text_input(key=f"places_{place.id}_room").set_value("101").run()
    app.button(key=f"places_{place.id}_add_room").click().run()
    with Session(database) as session:
        room = session.scalars(select(Room).where(Room.location_id == place.id)).one()
    app.toggle(key=f"rooms_{room.id}_active").set_value(False).run()
    app.button(key=f"rooms_{room.id}_save").click().run()
    assert said(app.success) == ["Saved."]
    with Session(database) as session:
        assert not session.get_one(Room, room.id).is_active


def test_a_doctor_gets_specialty_service_and_price(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        video = make.service(session, name="Talk by video").id
    app = open_as("albert", DOCTORS)
    app.text_input(key="doctors_new_specialty").set_value("Podiatry").run()
    app.button(key="doctors_add_specialty").click().run()
    assert said(app.success) == ["Added."]
    with Session(database) as session:
        podiatry = session.scalars(select(Specialty.id).where(Specialty.name == "Podiatry")).one()
    key = f"doctors_{residents.weiss_id}"
    app.selectbox(key="doctors_chosen").set_value(residents.weiss_id).run()
    app.multiselect(key=f"{key}_specialties").set_value([podiatry]).run()
    app.multiselect(key=f"{key}_services").set_value([residents.checkup_id, video]).run()
    app.number_input(key=f"{key}_price_{video}").set_value(45.5).run()
    app.button(key="doctors_save").click().run()
    assert said(app.success) == ["Saved."]
    with Session(database) as session:
        assert session.get_one(DoctorService, (residents.weiss_id, video)).price_minor == 4550
        assert session.get_one(DoctorService, (residents.weiss_id, residents.checkup_id)).price_minor is None


def test_who_ends_a_doctor_is_told_what_that_means(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("albert", DOCTORS)
    app.selectbox(key="doctors_chosen").set_value(residents.weiss_id).run()
    app.toggle(key=f"doctors_{residents.weiss_id}_active").set_value(False).run()
    assert "No visit that is booked is left over by this." in texts(app)
    app.button(key="doctors_save").click().run()
    with Session(database) as session:
        assert not session.get_one(Doctor, residents.weiss_id).is_active


def test_who_ends_a_doctor_with_visits_sees_them_first_and_then_settles_them(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit_id = visit(database, residents)
    app = open_as("albert", DOCTORS)
    app.selectbox(key="doctors_chosen").set_value(residents.roth_id).run()
    app.toggle(key=f"doctors_{residents.roth_id}_active").set_value(False).run()
    assert "This leaves 1 visit without its doctor:" in said(app.warning)[0]
    assert app.button(key="doctors_save").label == "Save, then settle 1 visit"
    visit(database, residents, hours_ahead=75)
    app.button(key="doctors_save").click().run()
    told = "Nothing was saved: this would leave 1 visit without its doctor that you have not seen yet."
    assert said(app.error) == [told]
    assert app.button(key="doctors_save").label == "Save, then settle 2 visits"
    app.button(key="doctors_save").click().run()
    assert app.title[0].value == "Visits without hours"
    assert f"unsettled_move_{visit_id}" in {each.key for each in app.button}


def test_an_account_a_service_a_place_and_a_room_say_whom_they_leave_over(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit_id = visit(database, residents)
    with unit_of_work(database) as session:
        room = make.room(session, name="101")
        room_id, place_id = room.id, room.location_id
        session.get_one(Appointment, visit_id).room_id = room_id
        user_id = session.get_one(Doctor, residents.roth_id).user_id
    app = open_as("albert", USERS)
    app.button(key=f"users_toggle_{user_id}").click().run()
    assert "This leaves 1 visit without its doctor:" in said(app.warning)[0]
    assert app.button(key=f"users_deactivate_{user_id}").label == "Deactivate, then settle 1 visit"
    app.selectbox(key=f"users_role_{user_id}").select(Role.STAFF).run()
    assert app.button(key=f"users_change_role_{user_id}").label == "Change role, then settle 1 visit"
    app = open_as("albert", PLACES)
    app.toggle(key=f"places_{place_id}_active").set_value(False).run()
    assert "This leaves 1 visit without hours:" in said(app.warning)[0]
    app.toggle(key=f"places_{place_id}_active").set_value(True).run()
    app.toggle(key=f"rooms_{room_id}_active").set_value(False).run()
    assert "This leaves 1 visit without a room:" in said(app.warning)[0]
    app.button(key=f"rooms_{room_id}_save").click().run()
    assert said(app.success) == ["Saved."]
    app = open_as("albert", SERVICES)
    app.selectbox(key="services_chosen").set_value(residents.checkup_id).run()
    app.toggle(key=f"services_{residents.checkup_id}_active").set_value(False).run()
    assert app.button(key="services_save").label == "Save", "it is on the list already"
    with Session(database) as session:
        assert strandings.find(session) == {visit_id: (f"room:{room_id}",)}


def test_the_clinic_is_renamed_and_a_wrong_phone_keeps_it_as_it_is(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("albert", CLINIC)
    app.text_input(key="clinic_phone").set_value("call me").run()
    app.button(key="clinic_save").click().run()
    assert said(app.error)[0].startswith("That does not look like a phone number.")
    app.text_input(key="clinic_phone").set_value("+49 30 123456").run()
    app.text_input(key="clinic_name").set_value("New Clinic").run()
    app.button(key="clinic_save").click().run()
    assert said(app.success) == ["Saved."]
    with Session(database) as session:
        assert session.get_one(ClinicSettings, 1).name == "New Clinic"


def test_the_clinic_chooses_its_languages(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app = open_as("albert", CLINIC)
    app.multiselect(key="clinic_locales").set_value(["en_GB"]).run()
    app.button(key="clinic_save").click().run()
    assert said(app.error) == ["The clinic's own language must be among those to choose from."]
    app.selectbox(key="clinic_locale").set_value("en_GB").run()
    app.button(key="clinic_save").click().run()
    assert said(app.success) == ["Saved."]
    with Session(database) as session:
        clinic = session.get_one(ClinicSettings, 1)
        assert (clinic.locale, clinic.locales) == ("en_GB", ["en_GB"])
    assert "Languages to choose from" in texts(open_as("albert", HISTORY))
    profile = open_as("ada", "pages/account/profile.py").selectbox(key="profile_locale")
    assert profile.options == ["English (United Kingdom)"]


def test_a_history_without_changes_says_so_and_one_with_many_shows_some(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = open_as("albert", HISTORY)
    assert [info.value for info in app.info] == ["Nothing has been changed yet."]
    page = open_as("albert", CLINIC)
    for days in (30, 31):
        page.number_input(key="clinic_horizon_days").set_value(days).run()
        page.button(key="clinic_save").click().run()
    app = open_as("albert", HISTORY)
    assert "31" in texts(app)
    app.selectbox(key="history_subject").set_value("room").run()
    assert [info.value for info in app.info] == ["Nothing has been changed yet."]


def test_every_field_of_the_history_has_a_name() -> None:
    shapes = (ClinicDetails, ServiceDetails, ClinicPrices, ServicePrices, Place, RoomOfPlace)
    fields = {field for shape in shapes for field in shape._fields} - {"room_ids"}
    assert fields | {"rooms", "services", "specialties", "place"} <= set(FIELDS)
    assert field_value("price_minor", 4550, "EUR") == "€45.50"
    assert field_value("services", {"Check-up": None, "Video": 100}, "EUR") == "Check-up, Video (€1.00)"
