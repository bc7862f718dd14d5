"""The clinic's services as an administrator sets them up: what can be booked, for how long, and where."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, setting_changes, titles, unsettled
from core.access import Action, Actor
from core.errors import NotFound
from core.set_up_errors import DaysOutOfBounds, MinutesOutOfBounds, NameTaken, NoSuchRoom
from core.setting_changes import ChangedMeanwhile, Subject
from db.models import Room, Service, service_rooms

MINUTES = range(1, 721)
BUFFER_MINUTES = range(241)
NOTICE_MINUTES = range(60 * 24 * 90 + 1)
HORIZON_DAYS = range(1, 731)


class Details(NamedTuple):
    """A service, named as its columns. Minutes and days; None is as the clinic has it.

    `room_ids` are the rooms that will do, in order; none where any room of the place will.
    """

    name: str
    description: str
    duration_minutes: int
    step_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    minimum_notice_minutes: int | None
    horizon_days: int | None
    is_video: bool
    needs_room: bool
    is_active: bool
    room_ids: tuple[int, ...] = ()


def all_of_them(session: Session, actor: Actor) -> dict[int, Details]:
    """Every service by number, also those that cannot be booked at present, by name."""
    access.require(actor, Action.CHANGE_SETTINGS)
    rows = session.scalars(select(Service).order_by(Service.name)).all()
    return {row.id: _details(session, row) for row in rows}


def add(session: Session, actor: Actor, *, wanted: Details) -> Service:
    """A new service, for nothing until it gets a price, which nobody offers yet.

    Raises `NameLeftOut`, `NameTooLong`, `NameUnreadable`, `NameTaken`, `MinutesOutOfBounds`,
    `DaysOutOfBounds`, `NoSuchRoom`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    checked = _checked(session, wanted, None)
    columns = checked._asdict()
    room_ids = columns.pop("room_ids")
    service = Service(**columns, price_minor=0)
    session.add(service)
    _flush(session)
    _set_rooms(session, service.id, room_ids)
    setting_changes.record(
        session, actor, Subject.SERVICE, service.id, service.name, before=None, after=_named(session, checked)
    )
    return service


def change(
    session: Session,
    actor: Actor,
    *,
    service_id: int,
    wanted: Details,
    seen: Details,
    accepting: Collection[int] = (),
) -> Service:
    """Set what a service is; what is booked already stays as it is. `seen` is what the form was filled with.

    `accepting` are the visits that the person knows will be left over where it is offered no more. Raises
    what `add` raises, `ChangedMeanwhile`, `LeavesVisits`, `NotFound`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    service = session.get(Service, service_id, with_for_update=True, populate_existing=True)
    if service is None:
        raise NotFound
    before = _details(session, service)
    if before != seen:
        raise ChangedMeanwhile
    checked = _checked(session, wanted, service_id)
    with unsettled.accounted(session, accepting=accepting):
        for name, value in checked._asdict().items():
            if name != "room_ids":
                setattr(service, name, value)
        _flush(session)
    _set_rooms(session, service_id, checked.room_ids)
    setting_changes.record(
        session,
        actor,
        Subject.SERVICE,
        service_id,
        service.name,
        before=_named(session, before),
        after=_named(session, checked),
    )
    return service


def _details(session: Session, service: Service) -> Details:
    fitting = select(service_rooms.c.room_id).where(service_rooms.c.service_id == service.id)
    own = {name: getattr(service, name) for name in Details._fields if name != "room_ids"}
    return Details(**own, room_ids=tuple(sorted(session.scalars(fitting))))


def _checked(session: Session, wanted: Details, service_id: int | None) -> Details:
    name = titles.required(wanted.name)
    titles.require_free(session, Service.name, name, service_id)
    for minutes, bounds in (
        (wanted.duration_minutes, MINUTES),
        (wanted.step_minutes, MINUTES),
        (wanted.buffer_before_minutes, BUFFER_MINUTES),
        (wanted.buffer_after_minutes, BUFFER_MINUTES),
        (wanted.minimum_notice_minutes or 0, NOTICE_MINUTES),
    ):
        if minutes not in bounds:
            raise MinutesOutOfBounds(least=bounds.start, most=bounds.stop - 1)
    if wanted.horizon_days is not None and wanted.horizon_days not in HORIZON_DAYS:
        raise DaysOutOfBounds(least=HORIZON_DAYS.start, most=HORIZON_DAYS.stop - 1)
    room_ids = tuple(sorted(set(wanted.room_ids))) if wanted.needs_room else ()
    known = set(session.scalars(select(Room.id).where(Room.id.in_(room_ids))))
    if known != set(room_ids):
        raise NoSuchRoom
    return wanted._replace(name=name, description=titles.lines(wanted.description), room_ids=room_ids)


def _set_rooms(session: Session, service_id: int, room_ids: Sequence[int]) -> None:
    session.execute(delete(service_rooms).where(service_rooms.c.service_id == service_id))
    if room_ids:
        rows = [{"service_id": service_id, "room_id": room_id} for room_id in room_ids]
        session.execute(insert(service_rooms), rows)


def _flush(session: Session) -> None:
    """Two who give one name at once: the second is told."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise NameTaken from error


def _named(session: Session, details: Details) -> dict[str, object]:
    """The same with the rooms by name, for the history: numbers say nothing there."""
    fields = details._asdict()
    rooms = select(Room.name).where(Room.id.in_(fields.pop("room_ids"))).order_by(Room.name)
    return {**fields, "rooms": list(session.scalars(rooms))}
