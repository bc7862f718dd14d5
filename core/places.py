"""The clinic's places and their rooms as an administrator sets them up."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, setting_changes, titles, unsettled
from core.access import Action, Actor
from core.errors import NotFound
from core.set_up_errors import NameTaken
from core.setting_changes import ChangedMeanwhile, Subject
from db.models import Location, Room

ADDRESS_LENGTH = 300


class Place(NamedTuple):
    """A place, named as its columns. At one that is not active nobody works."""

    name: str
    address: str
    is_active: bool = True


class RoomOfPlace(NamedTuple):
    """A room, named as its columns."""

    name: str
    is_active: bool = True


def all_of_them(session: Session, actor: Actor) -> list[Location]:
    """Every place, by name, also those that are closed for good."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return list(session.scalars(select(Location).order_by(Location.name)))


def rooms(session: Session, actor: Actor) -> list[Room]:
    """Every room of every place, by name."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return list(session.scalars(select(Room).order_by(Room.location_id, Room.name)))


def add(session: Session, actor: Actor, *, wanted: Place) -> Location:
    """A new place. Raises `NameLeftOut`, `NameTooLong`, `NameUnreadable`, `NameTaken`, `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    checked = _checked(session, wanted, None)
    place = Location(**checked._asdict())
    _insert(session, place)
    setting_changes.record(
        session, actor, Subject.PLACE, place.id, place.name, before=None, after=checked._asdict()
    )
    return place


def change(
    session: Session,
    actor: Actor,
    *,
    location_id: int,
    wanted: Place,
    seen: Place,
    accepting: Collection[int] = (),
) -> Location:
    """Set a place. `seen` is what the form was filled with.

    `accepting` are the visits that the person knows will be left over where it closes. Raises what `add`
    does, `ChangedMeanwhile`, `LeavesVisits`, `NotFound`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    place = session.get(Location, location_id, with_for_update=True, populate_existing=True)
    if place is None:
        raise NotFound
    before = Place(place.name, place.address, place.is_active)
    if before != seen:
        raise ChangedMeanwhile
    checked = _checked(session, wanted, location_id)
    with unsettled.accounted(session, accepting=accepting):
        place.name, place.address, place.is_active = checked
        _insert(session, place)
    setting_changes.record(
        session,
        actor,
        Subject.PLACE,
        location_id,
        place.name,
        before=before._asdict(),
        after=checked._asdict(),
    )
    return place


def add_room(session: Session, actor: Actor, *, location_id: int, name: str) -> Room:
    """A new room at a place. Raises what `add` raises, `NotFound`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    place = session.get(Location, location_id)
    if place is None:
        raise NotFound
    given = titles.required(name)
    titles.require_free(session, Room.name, given, None, location_id=location_id)
    room = Room(location_id=location_id, name=given)
    _insert(session, room)
    after = {"name": given, "place": place.name, "is_active": True}
    setting_changes.record(session, actor, Subject.ROOM, room.id, given, before=None, after=after)
    return room


def change_room(
    session: Session,
    actor: Actor,
    *,
    room_id: int,
    wanted: RoomOfPlace,
    seen: RoomOfPlace,
    accepting: Collection[int] = (),
) -> Room:
    """Rename a room, or take it out of use or into it. Takes and raises what `change` does."""
    access.require(actor, Action.CHANGE_SETTINGS)
    room = session.get(Room, room_id, with_for_update=True, populate_existing=True)
    if room is None:
        raise NotFound
    before = RoomOfPlace(room.name, room.is_active)
    if before != seen:
        raise ChangedMeanwhile
    given = wanted._replace(name=titles.required(wanted.name))
    titles.require_free(session, Room.name, given.name, room_id, location_id=room.location_id)
    with unsettled.accounted(session, accepting=accepting):
        room.name, room.is_active = given
        _insert(session, room)
    setting_changes.record(
        session, actor, Subject.ROOM, room_id, room.name, before=before._asdict(), after=given._asdict()
    )
    return room


def _checked(session: Session, wanted: Place, location_id: int | None) -> Place:
    name = titles.required(wanted.name)
    titles.require_free(session, Location.name, name, location_id)
    return wanted._replace(name=name, address=titles.required(wanted.address, ADDRESS_LENGTH))


def _insert(session: Session, row: Location | Room) -> None:
    """Two who give one name at once: the second is told."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise NameTaken from error
