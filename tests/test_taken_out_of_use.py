"""What is taken out of use says beforehand whose visits it leaves over, and leaves none in silence."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core import (
    clinic_settings,
    doctor_settings,
    places,
    services,
    settlements,
    strandings,
    suggestions,
    unsettled,
    users,
)
from core.errors import AccessDenied
from core.unsettled import LeavesVisits
from db.models import Appointment, AppointmentStatus, Role
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

Change = tuple[Callable[..., object], dict[str, Any]]


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visits(session: Session, cast: Cast) -> dict[str, Appointment]:
    """In a room with Dr. Roth, in another one with Dr. Weiß, and one that is called off."""
    inside, other = (make.room(session, name=name) for name in ("1", "2"))
    roth = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), room_id=inside.id)
    weiss = make.appointment(session, cast.dr_weiss, cast.checkup, on(3, 10), room_id=other.id)
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11), status="cancelled", room_id=inside.id)
    assert strandings.find(session) == {}
    return {"roth": roth, "weiss": weiss}


def account(session: Session, cast: Cast, _visits: dict[str, Appointment]) -> Change:
    return users.deactivate, {"user_id": cast.dr_roth.user_id}


def role(session: Session, cast: Cast, _visits: dict[str, Appointment]) -> Change:
    return users.change_role, {"user_id": cast.dr_roth.user_id, "role": Role.STAFF}


def doctor(session: Session, cast: Cast, _visits: dict[str, Appointment]) -> Change:
    seen = doctor_settings.details(session, cast.admin, doctor_id=cast.dr_roth.id)
    wanted = seen._replace(is_active=False)
    return doctor_settings.change, {"doctor_id": cast.dr_roth.id, "wanted": wanted, "seen": seen}


def offer(session: Session, cast: Cast, _visits: dict[str, Appointment]) -> Change:
    seen = doctor_settings.details(session, cast.admin, doctor_id=cast.dr_roth.id)
    wanted = seen._replace(prices=())
    return doctor_settings.change, {"doctor_id": cast.dr_roth.id, "wanted": wanted, "seen": seen}


def service(session: Session, cast: Cast, _visits: dict[str, Appointment]) -> Change:
    seen = services.all_of_them(session, cast.admin)[cast.checkup.id]
    wanted = seen._replace(is_active=False)
    return services.change, {"service_id": cast.checkup.id, "wanted": wanted, "seen": seen}


def place(session: Session, cast: Cast, _visits: dict[str, Appointment]) -> Change:
    main = make.main_location(session)
    seen = places.Place(main.name, main.address)
    wanted = seen._replace(is_active=False)
    return places.change, {"location_id": main.id, "wanted": wanted, "seen": seen}


def room(session: Session, cast: Cast, visits: dict[str, Appointment]) -> Change:
    seen = places.RoomOfPlace("1")
    wanted = seen._replace(is_active=False)
    return places.change_room, {"room_id": visits["roth"].room_id, "wanted": wanted, "seen": seen}


def zone(session: Session, cast: Cast, visits: dict[str, Appointment]) -> Change:
    seen = clinic_settings.details(session, cast.admin)
    return clinic_settings.change, {"wanted": seen._replace(time_zone="Asia/Tokyo"), "seen": seen}


KINDS = [
    (account, {"roth"}, "1 visit without its doctor"),
    (role, {"roth"}, "1 visit without its doctor"),
    (doctor, {"roth"}, "1 visit without its doctor"),
    (offer, {"roth"}, "1 visit for what is not offered any more"),
    (service, {"roth", "weiss"}, "2 visits for what is not offered any more"),
    (place, {"roth", "weiss"}, "2 visits without hours"),
    (room, {"roth"}, "1 visit without a room"),
    (zone, {"roth", "weiss"}, "2 visits without hours"),
]
by_kind = pytest.mark.parametrize(
    ("kind", "left", "told"), KINDS, ids=lambda each: getattr(each, "__name__", "")
)


@by_kind
def test_what_is_foreseen_is_what_is_on_the_list_afterwards(
    session: Session,
    cast: Cast,
    visits: dict[str, Appointment],
    kind: Callable[..., Change],
    left: set[str],
    told: str,
) -> None:
    change, arguments = kind(session, cast, visits)
    foreseen = unsettled.foreseen(session, cast.admin, change, **arguments)
    assert {each.id for each in foreseen.visits} == {visits[name].id for name in left}
    assert unsettled.visits_without(foreseen.lacking, len(foreseen.visits)) == told
    assert strandings.find(session) == {}, "nothing was saved by looking"
    change(session, cast.admin, **arguments, accepting=[each.id for each in foreseen.visits])
    assert set(strandings.find(session)) == {each.id for each in foreseen.visits}


@by_kind
def test_nothing_is_saved_over_a_visit_that_came_meanwhile(
    session: Session,
    cast: Cast,
    visits: dict[str, Appointment],
    kind: Callable[..., Change],
    left: set[str],
    told: str,
) -> None:
    change, arguments = kind(session, cast, visits)
    listed = [each.id for each in unsettled.foreseen(session, cast.admin, change, **arguments).visits]
    values = {"room_id": visits["roth"].room_id}
    newer = make.appointment(session, cast.dr_roth, cast.checkup, on(4, 10), **values).id
    with pytest.raises(LeavesVisits, match="1 visit") as refused, session.begin_nested():
        change(session, cast.admin, **arguments, accepting=listed)
    assert refused.value.visit_ids == [newer]
    session.info.pop("clinic_settings", None)
    assert strandings.find(session) == {}


def test_only_who_may_change_it_learns_whom_it_leaves(
    session: Session, cast: Cast, visits: dict[str, Appointment]
) -> None:
    for kind, _left, _told in KINDS:
        change, arguments = kind(session, cast, visits)
        for actor in (cast.desk, cast.roth, cast.ada):
            with pytest.raises(AccessDenied):
                unsettled.foreseen(session, actor, change, **arguments)


def test_a_visit_that_has_lost_its_room_keeps_its_time_in_another(
    session: Session, cast: Cast, visits: dict[str, Appointment]
) -> None:
    cast.checkup.needs_room = True
    make.room(session, name="3")
    change, arguments = room(session, cast, visits)
    visit = visits["roth"]
    change(session, cast.admin, **arguments, accepting=[visit.id])
    first, *rest = suggestions.suggest(session, cast.admin, visits=[visit])[visit.id].own
    assert (first.doctor_id, first.starts_at) == (visit.doctor_id, visit.starts_at)
    assert visit.starts_at not in [each.starts_at for each in rest]
    where = {"doctor_id": first.doctor_id, "starts_at": first.starts_at}
    moved = settlements.move(session, cast.admin, appointment_id=visit.id, **where)
    assert (moved.starts_at, moved.status) == (on(3, 10), AppointmentStatus.CONFIRMED)
    assert moved.room_id not in {None, arguments["room_id"], visits["weiss"].room_id}
    assert strandings.find(session) == {}


def test_a_visit_that_needs_no_room_gives_up_the_one_that_is_closed(
    session: Session, cast: Cast, visits: dict[str, Appointment]
) -> None:
    change, arguments = room(session, cast, visits)
    visit = visits["roth"]
    change(session, cast.admin, **arguments, accepting=[visit.id])
    where = {"doctor_id": visit.doctor_id, "starts_at": visit.starts_at}
    moved = settlements.move(session, cast.admin, appointment_id=visit.id, **where)
    assert (moved.starts_at, moved.room_id) == (on(3, 10), None)
    assert strandings.find(session) == {}


def test_where_every_other_room_is_taken_it_is_offered_another_time(
    session: Session, cast: Cast, visits: dict[str, Appointment]
) -> None:
    cast.checkup.needs_room = True
    change, arguments = room(session, cast, visits)
    visit = visits["roth"]
    change(session, cast.admin, **arguments, accepting=[visit.id])
    own = suggestions.suggest(session, cast.admin, visits=[visit])[visit.id].own
    assert own
    assert visit.starts_at not in [each.starts_at for each in own]
