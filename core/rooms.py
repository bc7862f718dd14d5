"""Rooms: which one a visit takes, and which ones there are."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, joinedload

from core import access
from core.access import Action, Actor
from core.appointment_errors import RoomElsewhere, RoomUnsuitable
from core.errors import NotFound
from core.offers import Offer
from db.models import Appointment, Location, Room, service_rooms
from db.models.appointments import LIVE_STATUSES


def all_active(session: Session, actor: Actor) -> list[Room]:
    """Every room that is in use with its place: what the desk chooses from."""
    access.require(actor, Action.SEARCH_PATIENTS)
    rows = session.scalars(
        select(Room)
        .join(Room.location)
        .where(Room.is_active, Location.is_active)
        .options(joinedload(Room.location))
        .order_by(Room.location_id, Room.name)
    )
    return list(rows)


def candidates(offered: Offer, location_id: int, wanted: int | None) -> list[int | None]:
    """The rooms to try for a visit at that place, the best first; None is a visit without one.

    The one that is `wanted` counts alone. Two people may want one room at once: who loses tries the next.
    """
    if wanted is not None or not offered.needs_room:
        return [wanted]
    return [*offered.rooms_at(location_id)]


def for_move(offered: Offer, location_id: int, present: int | None) -> list[int | None]:
    """The same for a visit that moves: it keeps its room where that is in the same place and free."""
    if not offered.needs_room:
        return [None] if present is None else [present, None]
    free = offered.rooms_at(location_id)
    return [*sorted(free, key=lambda room_id: room_id != present)]


def require(session: Session, room_id: int, service_id: int, location_id: int) -> None:
    """Raise `NotFound`, `RoomElsewhere` or `RoomUnsuitable` unless the service can take place in the room."""
    room = session.get(Room, room_id)
    if room is None:
        raise NotFound
    if room.location_id != location_id:
        raise RoomElsewhere
    named = list(
        session.scalars(select(service_rooms.c.room_id).where(service_rooms.c.service_id == service_id))
    )
    if not room.is_active or (named and room_id not in named):
        raise RoomUnsuitable


def is_in_use(session: Session, room_id: int | None) -> bool:
    """Whether there is such a room and it is in use."""
    return bool(session.scalar(select(Room.is_active).where(Room.id == room_id)))


def is_taken(
    session: Session, room_id: int, blocked: Range[datetime], *, ignoring: int | None = None
) -> bool:
    """Whether a live visit other than `ignoring` has the room somewhere in the range."""
    others = exists().where(
        Appointment.room_id == room_id,
        Appointment.id.is_distinct_from(ignoring),
        Appointment.status.in_(LIVE_STATUSES),
        Appointment.blocked.overlaps(blocked),
    )
    return bool(session.scalar(select(others)))
