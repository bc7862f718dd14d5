"""A doctor's hours of every week: what holds from when, and changing it without losing what is planned."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, setting_changes, stretches, unsettled
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, full_weekday
from core.setting_changes import Subject
from core.stretches import Stretch
from db.models import Doctor, Location, User, WeeklyHours

_DAY = timedelta(days=1)
WEEKDAYS = range(1, 8)  # ISO: Monday is 1

Week = Mapping[int, Sequence[Stretch]]  # by weekday; a day that is left out is one without hours


class DayOver(ClinicError):
    message = N_("That day is over: hours can only be changed from today on.")


class HoursChanged(ClinicError):
    message = N_("Somebody else has changed these hours since you opened them. Please look at them again.")


class PlaceClosed(ClinicError):
    message = N_("{place} is no longer in use: nobody can work there.")


class Version(NamedTuple):
    """The hours of the week from `from_on` until `until_on`, both included; None: always, for good."""

    from_on: date | None
    until_on: date | None
    week: dict[int, list[Stretch]]


class Known(NamedTuple):
    """A doctor's versions from today on, in order, and what tells whether they have changed since."""

    versions: list[Version]
    edition: str


def known(session: Session, actor: Actor, *, doctor_id: int) -> Known:
    """The hours that hold today, then each later version. There is always one, if an empty one."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    rows = _rows(session, doctor_id)
    today = _today(session)
    begins = {row.valid_from_on for row in rows if row.valid_from_on is not None}
    begins |= {row.valid_until_on + _DAY for row in rows if row.valid_until_on is not None}
    starts: list[date | None] = [None, *sorted(each for each in begins if each > today)]
    ends = [each - _DAY for each in starts[1:] if each is not None]
    versions = [
        Version(start, end, _week(rows, start or today))
        for start, end in zip(starts, [*ends, None], strict=True)
    ]
    return Known(versions, _edition(rows))


def set_week(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    week: Week,
    from_on: date,
    until_on: date | None = None,
    edition: str | None = None,
    accepting: Collection[int] = (),
) -> None:
    """Let `week` hold from `from_on` until `until_on` (None: for good), in place of whatever held then.

    What held before and after stays. `edition` is that of the hours the person was shown; `accepting` are the
    visits that they know will be without hours. Raises `DayOver`, `UpsideDown`, `HoursOverlap`,
    `PlaceClosed`, `HoursChanged`, `LeavesVisits`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    lock(session, doctor_id)
    if from_on < _today(session) or (until_on is not None and until_on < from_on):
        raise DayOver
    places = {each.id: each for each in session.scalars(select(Location))}
    _require_week(week, places)
    rows = _rows(session, doctor_id)
    if edition is not None and edition != _edition(rows):
        raise HoursChanged
    before = _told(_week(rows, from_on), places)
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        _make_room(session, rows, from_on, until_on)
        values = [
            {"doctor_id": doctor_id, "weekday": day, **each._asdict()}
            | {"valid_from_on": from_on, "valid_until_on": until_on}
            for day, stretches_of_day in week.items()
            for each in stretches_of_day
        ]
        if values:
            session.execute(insert(WeeklyHours), values)
    name = session.scalar(select(User.name).join(Doctor).where(Doctor.id == doctor_id))
    period = {"from_on": from_on, "until_on": until_on}
    setting_changes.note(
        session,
        actor,
        Subject.HOURS,
        doctor_id,
        name or "",
        before=dict.fromkeys(period) | before,
        after=period | _told(week, places),
    )
    audit.record(
        session, actor, Action.SET_HOURS, kind="doctor", number=doctor_id, from_on=from_on.isoformat()
    )


def set_typed_week(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    typed: Mapping[tuple[int, int], str],
    from_on: date,
    until_on: date | None = None,
    edition: str | None = None,
    accepting: Collection[int] = (),
) -> None:
    """`set_week` with the hours as they were written, by weekday and place. Raises `NoHours` besides."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    week: dict[int, list[Stretch]] = {}
    for (day, location_id), text in typed.items():
        week.setdefault(day, []).extend(stretches.parsed(text, location_id, day=full_weekday(day)))
    set_week(
        session,
        actor,
        doctor_id=doctor_id,
        week=week,
        from_on=from_on,
        until_on=until_on,
        edition=edition,
        accepting=accepting,
    )


def lock(session: Session, doctor_id: int) -> None:
    """Have who changes this doctor's hours wait for each other. Bookings do not. Raises `NotFound`."""
    query = select(Doctor.id).where(Doctor.id == doctor_id).with_for_update(key_share=True)
    if session.scalar(query) is None:
        raise NotFound


def _require_week(week: Week, places: Mapping[int, Location]) -> None:
    for day, of_day in week.items():
        if day not in WEEKDAYS:
            raise NotFound
        require_day(of_day, places, day=full_weekday(day))


def require_day(of_day: Collection[Stretch], places: Mapping[int, Location], *, day: str) -> None:
    """Raise what is wrong with the hours of one day, if anything."""
    stretches.require_sound(of_day, day=day)
    for each in of_day:
        place = places.get(each.location_id)
        if place is None:
            raise NotFound
        if not place.is_active:
            raise PlaceClosed(place=place.name)


def _make_room(session: Session, rows: Collection[WeeklyHours], from_on: date, until_on: date | None) -> None:
    """End what holds in the range the day before it, and let it begin again the day after."""
    later = []
    for row in rows:
        is_after = until_on is not None and row.valid_from_on is not None and row.valid_from_on > until_on
        if is_after or (row.valid_until_on is not None and row.valid_until_on < from_on):
            continue
        if until_on is not None and (row.valid_until_on is None or row.valid_until_on > until_on):
            later.append(
                {
                    "doctor_id": row.doctor_id,
                    "location_id": row.location_id,
                    "weekday": row.weekday,
                    "opens_at": row.opens_at,
                    "closes_at": row.closes_at,
                    "valid_from_on": until_on + _DAY,
                    "valid_until_on": row.valid_until_on,
                }
            )
        if row.valid_from_on is not None and row.valid_from_on >= from_on:
            session.execute(delete(WeeklyHours).where(WeeklyHours.id == row.id))
        else:
            row.valid_until_on = from_on - _DAY
    session.flush()
    if later:
        session.execute(insert(WeeklyHours), later)


def _rows(session: Session, doctor_id: int) -> list[WeeklyHours]:
    """What holds today or later."""
    rows = session.scalars(
        select(WeeklyHours)
        .where(
            WeeklyHours.doctor_id == doctor_id,
            WeeklyHours.valid_until_on.is_(None) | (WeeklyHours.valid_until_on >= _today(session)),
        )
        .order_by(WeeklyHours.weekday, WeeklyHours.opens_at, WeeklyHours.id)
        .execution_options(populate_existing=True)
    )
    return list(rows)


def _week(rows: Collection[WeeklyHours], on: date) -> dict[int, list[Stretch]]:
    week: dict[int, list[Stretch]] = {day: [] for day in WEEKDAYS}
    for row in rows:
        has_begun = row.valid_from_on is None or row.valid_from_on <= on
        if has_begun and (row.valid_until_on is None or row.valid_until_on >= on):
            week[row.weekday].append(Stretch(row.opens_at, row.closes_at, row.location_id))
    return week


def _told(week: Week, places: Mapping[int, Location]) -> dict[str, str]:
    """The week as the history of what is set up has it."""
    return {
        f"weekday_{day}": ", ".join(
            f"{each} ({places[each.location_id].name})" for each in sorted(week.get(day, ()))
        )
        for day in WEEKDAYS
    }


def _edition(rows: Collection[WeeklyHours]) -> str:
    return " ".join(f"{row.id}:{row.valid_until_on or ''}" for row in sorted(rows, key=lambda each: each.id))


def _today(session: Session) -> date:
    return clock.now().astimezone(clinics.zone(session)).date()
