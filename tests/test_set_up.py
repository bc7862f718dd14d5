"""An administrator sets the clinic up: services, places, rooms, doctors, and what was changed stays known."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import (
    clinic_settings,
    clinics,
    doctor_settings,
    places,
    prices,
    services,
    setting_changes,
    strandings,
)
from core.clinic_settings import Details as ClinicDetails
from core.errors import ClinicError, NotFound
from core.names import NameLeftOut, NameTooLong, NameUnreadable
from core.phones import PhoneNotUnderstood
from core.places import Place, RoomOfPlace
from core.prices import PriceOutOfBounds
from core.set_up_errors import (
    DaysOutOfBounds,
    MinutesOutOfBounds,
    NameTaken,
    NoSuchRoom,
    NoSuchService,
    NoSuchSpecialty,
    UnknownZone,
)
from core.setting_changes import ChangedMeanwhile, Subject
from db.models import AuditEntry, DoctorService, Service, Specialty
from db.session import unit_of_work
from pages.ui.service_fields import NEW
from tests import make
from tests.at_once import at_once
from tests.cast import NOW, Cast, assemble, on, time_is

BLOOD = NEW._replace(name="Blood test", duration_minutes=10, step_minutes=10)
Refusal = type[ClinicError]


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def roth(session: Session, cast: Cast) -> doctor_settings.Details:
    return doctor_settings.details(session, cast.admin, doctor_id=cast.dr_roth.id)


class TestServices:
    def test_a_new_service_is_there_and_in_the_history(self, session: Session, cast: Cast) -> None:
        room = make.room(session)
        wanted = BLOOD._replace(name="  Blood   test ", needs_room=True, room_ids=(room.id, room.id))
        made = services.add(session, cast.admin, wanted=wanted)
        kept = wanted._replace(name="Blood test", room_ids=(room.id,))
        assert services.all_of_them(session, cast.admin)[made.id] == kept
        [line] = setting_changes.entries(session, cast.admin)
        told = (line.subject, line.title, line.before, line.by)
        assert told == (Subject.SERVICE, "Blood test", None, "Albert Admin")
        assert line.after["duration_minutes"] == 10

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"name": " "}, NameLeftOut),
            ({"name": "x" * 101}, NameTooLong),
            ({"name": "Blood\x07test"}, NameUnreadable),
            ({"description": "x" * 1001}, NameTooLong),
            ({"description": "right to left \u202e"}, NameUnreadable),
            ({"duration_minutes": 0}, MinutesOutOfBounds),
            ({"step_minutes": 721}, MinutesOutOfBounds),
            ({"buffer_after_minutes": 241}, MinutesOutOfBounds),
            ({"buffer_before_minutes": -1}, MinutesOutOfBounds),
            ({"minimum_notice_minutes": -5}, MinutesOutOfBounds),
            ({"horizon_days": 0}, DaysOutOfBounds),
            ({"needs_room": True, "room_ids": (10**6,)}, NoSuchRoom),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_is_written(
        self, session: Session, cast: Cast, changes: dict[str, Any], refusal: Refusal
    ) -> None:
        before = services.all_of_them(session, cast.admin)
        with pytest.raises(refusal):
            services.add(session, cast.admin, wanted=BLOOD._replace(**changes))
        assert services.all_of_them(session, cast.admin) == before
        assert setting_changes.entries(session, cast.admin) == []

    def test_no_two_have_one_name_in_whatever_case(self, session: Session, cast: Cast) -> None:
        services.add(session, cast.admin, wanted=BLOOD)
        with pytest.raises(NameTaken):
            services.add(session, cast.admin, wanted=BLOOD._replace(name="BLOOD test"))

    def test_only_what_differs_is_in_the_history(self, session: Session, cast: Cast) -> None:
        number = services.add(session, cast.admin, wanted=BLOOD).id
        wanted = BLOOD._replace(duration_minutes=20)
        services.change(session, cast.admin, service_id=number, wanted=wanted, seen=BLOOD)
        services.change(session, cast.admin, service_id=number, wanted=wanted, seen=wanted)
        latest, first = setting_changes.entries(session, cast.admin)
        assert (latest.before, latest.after) == ({"duration_minutes": 10}, {"duration_minutes": 20})
        assert first.before is None
        trail = session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "service")).all()
        assert [each.detail["changed"] for each in trail][-1] == ["duration_minutes"]

    def test_who_has_an_old_form_open_is_told(self, session: Session, cast: Cast) -> None:
        number = services.add(session, cast.admin, wanted=BLOOD).id
        newer, other = BLOOD._replace(duration_minutes=20), BLOOD._replace(step_minutes=5)
        services.change(session, cast.admin, service_id=number, wanted=newer, seen=BLOOD)
        with pytest.raises(ChangedMeanwhile):
            services.change(session, cast.admin, service_id=number, wanted=other, seen=BLOOD)
        assert services.all_of_them(session, cast.admin)[number] == newer

    def test_what_is_not_there_is_not_found(self, session: Session, cast: Cast) -> None:
        with pytest.raises(NotFound):
            services.change(session, cast.admin, service_id=10**6, wanted=BLOOD, seen=BLOOD)

    def test_a_price_stays_where_the_rest_changes_and_is_in_the_history_too(
        self, session: Session, cast: Cast
    ) -> None:
        made = services.add(session, cast.admin, wanted=BLOOD)
        cost = prices.of_service(made)._replace(price_minor=2500)
        prices.change_service(session, cast.admin, service_id=made.id, wanted=cost)
        ended = BLOOD._replace(is_active=False)
        services.change(session, cast.admin, service_id=made.id, wanted=ended, seen=BLOOD)
        assert session.get_one(Service, made.id).price_minor == 2500
        lines = setting_changes.entries(session, cast.admin, subject=Subject.SERVICE)
        assert {"price_minor": 2500} in [line.after for line in lines]

    def test_one_that_ends_leaves_its_visits_on_the_desks_list(self, session: Session, cast: Cast) -> None:
        visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
        seen = services.all_of_them(session, cast.admin)[cast.checkup.id]
        wanted = seen._replace(is_active=False)
        form = {"wanted": wanted, "seen": seen, "accepting": [visit.id]}
        services.change(session, cast.admin, service_id=cast.checkup.id, **form)
        assert strandings.find(session) == {visit.id: ("service",)}


class TestPlaces:
    def test_a_place_and_its_rooms(self, session: Session, cast: Cast) -> None:
        place = places.add(session, cast.admin, wanted=Place("Annex", "Lindenstraße 2"))
        room = places.add_room(session, cast.admin, location_id=place.id, name="101")
        wanted, seen = RoomOfPlace("102", is_active=False), RoomOfPlace("101")
        places.change_room(session, cast.admin, room_id=room.id, wanted=wanted, seen=seen)
        assert [(each.name, each.is_active) for each in places.rooms(session, cast.admin)] == [("102", False)]
        subjects = [line.subject for line in setting_changes.entries(session, cast.admin)]
        assert subjects == [Subject.ROOM, Subject.ROOM, Subject.PLACE]

    def test_rooms_of_one_place_have_different_names(self, session: Session, cast: Cast) -> None:
        first, second = (
            places.add(session, cast.admin, wanted=Place(name, "Street 1")) for name in ("North", "South")
        )
        for place in (first, second):
            places.add_room(session, cast.admin, location_id=place.id, name="101")
        with pytest.raises(NameTaken):
            places.add_room(session, cast.admin, location_id=first.id, name="101")

    def test_a_place_needs_name_and_address(self, session: Session, cast: Cast) -> None:
        for wanted in (Place("", "Street 1"), Place("Annex", " ")):
            with pytest.raises(NameLeftOut):
                places.add(session, cast.admin, wanted=wanted)

    def test_who_has_an_old_form_open_is_told(self, session: Session, cast: Cast) -> None:
        place = places.add(session, cast.admin, wanted=Place("Annex", "Street 1"))
        old, new = Place("Annex", "Street 1"), Place("Annex", "Street 2")
        places.change(session, cast.admin, location_id=place.id, wanted=new, seen=old)
        with pytest.raises(ChangedMeanwhile):
            places.change(session, cast.admin, location_id=place.id, wanted=old, seen=old)

    def test_a_place_that_closes_leaves_its_visits_on_the_desks_list(
        self, session: Session, cast: Cast
    ) -> None:
        visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
        main = make.main_location(session)
        seen = Place(main.name, main.address)
        wanted = seen._replace(is_active=False)
        form = {"wanted": wanted, "seen": seen, "accepting": [visit.id]}
        places.change(session, cast.admin, location_id=main.id, **form)
        assert set(strandings.find(session)) == {visit.id}

    def test_two_who_give_one_name_at_once_make_one_place(self, database: Engine) -> None:
        with unit_of_work(database) as session:
            admin = assemble(session).admin

        def press(_number: int) -> int:
            with unit_of_work(database) as session:
                return places.add(session, admin, wanted=Place("Annex", "Street 1")).id

        outcomes = at_once(4, press)
        assert sum(isinstance(each, int) for each in outcomes) == 1
        assert sum(isinstance(each, NameTaken) for each in outcomes) == 3


class TestDoctors:
    def test_specialties_services_and_prices(self, session: Session, cast: Cast) -> None:
        podiatry = doctor_settings.add_specialty(session, cast.admin, name="Podiatry")
        blood = services.add(session, cast.admin, wanted=BLOOD)
        seen = roth(session, cast)
        prices_of_both = ((cast.checkup.id, 7000), (blood.id, None))
        wanted = seen._replace(specialty_ids=(podiatry.id,), prices=prices_of_both)
        doctor_settings.change(session, cast.admin, doctor_id=cast.dr_roth.id, wanted=wanted, seen=seen)
        assert roth(session, cast) == wanted
        latest = setting_changes.entries(session, cast.admin)[0]
        assert latest.title == "Dr. Eva Roth"
        offered = {cast.checkup.name: 7000, "Blood test": None}
        assert latest.after == {"specialties": ["Podiatry"], "services": offered}

    def test_what_is_no_longer_offered_leaves_its_visits_on_the_desks_list(
        self, session: Session, cast: Cast
    ) -> None:
        visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
        seen = roth(session, cast)
        form = {"wanted": seen._replace(prices=()), "seen": seen, "accepting": [visit.id]}
        doctor_settings.change(session, cast.admin, doctor_id=cast.dr_roth.id, **form)
        assert strandings.find(session) == {visit.id: ("service",)}
        assert session.get(DoctorService, (cast.dr_weiss.id, cast.checkup.id)) is not None

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"prices": ((10**6, None),)}, NoSuchService),
            ({"specialty_ids": (10**6,)}, NoSuchSpecialty),
        ],
    )
    def test_what_is_not_there_cannot_be_chosen(
        self, session: Session, cast: Cast, changes: dict[str, Any], refusal: Refusal
    ) -> None:
        seen = roth(session, cast)
        wanted = seen._replace(**changes)
        with pytest.raises(refusal):
            doctor_settings.change(session, cast.admin, doctor_id=cast.dr_roth.id, wanted=wanted, seen=seen)
        assert roth(session, cast) == seen

    @pytest.mark.parametrize("price", [-1, 100_000_000])
    def test_a_price_has_bounds(self, session: Session, cast: Cast, price: int) -> None:
        seen = roth(session, cast)
        wanted = seen._replace(prices=((cast.checkup.id, price),))
        with pytest.raises(PriceOutOfBounds):
            doctor_settings.change(session, cast.admin, doctor_id=cast.dr_roth.id, wanted=wanted, seen=seen)

    def test_who_has_an_old_form_open_is_told(self, session: Session, cast: Cast) -> None:
        seen = roth(session, cast)
        newer = seen._replace(is_accepting_patients=False)
        doctor_settings.change(session, cast.admin, doctor_id=cast.dr_roth.id, wanted=newer, seen=seen)
        with pytest.raises(ChangedMeanwhile):
            doctor_settings.change(session, cast.admin, doctor_id=cast.dr_roth.id, wanted=seen, seen=seen)

    def test_a_specialty_is_there_once(self, session: Session, cast: Cast) -> None:
        doctor_settings.add_specialty(session, cast.admin, name="Podiatry")
        with pytest.raises(NameTaken):
            doctor_settings.add_specialty(session, cast.admin, name="podiatry")
        assert list(session.scalars(select(Specialty.name))) == ["Podiatry"]


class TestClinic:
    def change(self, session: Session, cast: Cast, **changes: Any) -> ClinicDetails:
        seen = clinic_settings.details(session, cast.admin)
        clinic_settings.change(session, cast.admin, wanted=seen._replace(**changes), seen=seen)
        return clinic_settings.details(session, cast.admin)

    def test_name_phone_and_zone(self, session: Session, cast: Cast) -> None:
        given = {"name": "New Clinic", "phone": "+49 30 123456", "text_name": " NC "}
        now = self.change(session, cast, **given, time_zone="Asia/Tokyo")
        assert (now.name, now.phone, now.text_name) == ("New Clinic", "+4930123456", "NC")
        assert clinics.zone(session).key == "Asia/Tokyo"
        [line] = setting_changes.entries(session, cast.admin, subject=Subject.CLINIC)
        assert line.after["time_zone"] == "Asia/Tokyo"

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"name": ""}, NameLeftOut),
            ({"text_name": "x" * 31}, NameTooLong),
            ({"phone": "call me"}, PhoneNotUnderstood),
            ({"time_zone": "Mars/Olympus"}, UnknownZone),
            ({"minimum_notice_minutes": -1}, MinutesOutOfBounds),
            ({"horizon_days": 731}, DaysOutOfBounds),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, session: Session, cast: Cast, changes: dict[str, Any], refusal: Refusal
    ) -> None:
        before = clinic_settings.details(session, cast.admin)
        with pytest.raises(refusal):
            self.change(session, cast, **changes)
        assert clinic_settings.details(session, cast.admin) == before

    def test_who_has_an_old_form_open_is_told(self, session: Session, cast: Cast) -> None:
        old = clinic_settings.details(session, cast.admin)
        self.change(session, cast, horizon_days=30)
        with pytest.raises(ChangedMeanwhile):
            clinic_settings.change(session, cast.admin, wanted=old, seen=old)

    def test_every_zone_that_can_be_chosen_is_one(self) -> None:
        assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata"} <= set(clinic_settings.zones())
