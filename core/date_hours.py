"""The hours of single dates in place of the weekly ones, and weeks that are to be like another."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, hours, provider_hours, stretches, unsettled
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, day
from core.provider_hours import DayOver, HoursChanged
from core.stretches import Stretch
from db.models import DateOverride, Location
from db.session import run

MOST_DATES = 60  # that are set at once
_DAYS = range(7)
_HOURS = hours.on_date("%(doctor_id)s", "%(on_date)s")


class TooManyDates(ClinicError):
    message = N_("Please choose at least one date and at most {count}.")


class SameWeek(ClinicError):
    message = N_("That is the same week.")


def ahead(session: Session, actor: Actor, *, doctor_id: int) -> dict[date, list[Stretch]]:
    """The dates from today on that have hours of their own, in order; none is a day off."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    found: dict[date, list[Stretch]] = {}
    for row in _rows(session, doctor_id, from_on=_today(session)):
        of_date = found.setdefault(row.on_date, [])
        if row.opens_at is not None and row.closes_at is not None and row.location_id is not None:
            of_date.append(Stretch(row.opens_at, row.closes_at, row.location_id))
    return found


def set_dates(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    dates: Collection[date],
    of_day: Sequence[Stretch],
    seen: Sequence[Stretch] | None = None,
    accepting: Collection[int] = (),
) -> None:
    """Give each of `dates` these hours in place of the weekly ones, holidays or not; none is a day off.

    `seen` are the own hours that the one date had when the person opened it. Raises `DayOver`,
    `TooManyDates`, `UpsideDown`, `HoursOverlap`, `PlaceClosed`, `HoursChanged`, `LeavesVisits`, `NotFound`,
    `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    _require_ahead(session, dates)
    places = {each.id: each for each in session.scalars(select(Location))}
    for each in sorted(dates):
        provider_hours.require_day(of_day, places, day=day(each))
    if seen is not None and any(_own(session, doctor_id, each) != sorted(seen) for each in dates):
        raise HoursChanged
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        for each in sorted(dates):
            _write(session, doctor_id, each, of_day)
    _record(session, actor, doctor_id, dates)


def set_typed_dates(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    dates: Collection[date],
    typed: Mapping[int, str],
    accepting: Collection[int] = (),
) -> None:
    """`set_dates` with the hours as they were written, by place. Raises `NoHours` besides."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    named = day(min(dates)) if dates else ""
    of_day = [
        each for location_id, text in typed.items() for each in stretches.parsed(text, location_id, day=named)
    ]
    set_dates(session, actor, doctor_id=doctor_id, dates=dates, of_day=of_day, accepting=accepting)


def clear_dates(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    dates: Collection[date],
    accepting: Collection[int] = (),
) -> None:
    """Let the weekly hours hold on these dates again. Raises `DayOver`, `LeavesVisits`, `AccessDenied`."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    _require_ahead(session, dates)
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        _forget(session, doctor_id, dates)
    _record(session, actor, doctor_id, dates)


def copy_week(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    from_on: date,
    to_on: date,
    accepting: Collection[int] = (),
) -> None:
    """Let the week of `to_on` have the hours that the week of `from_on` has, as hours of its dates.

    What is closed in one of them stays so; days that are over are left alone. Raises `SameWeek`, `DayOver`,
    `LeavesVisits`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    source, target = (on - timedelta(days=on.weekday()) for on in (from_on, to_on))
    if source == target:
        raise SameWeek
    pairs = [(source + timedelta(days=each), target + timedelta(days=each)) for each in _DAYS]
    pairs = [(like, on) for like, on in pairs if on >= _today(session)]
    _require_ahead(session, [on for _like, on in pairs])
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        for like, on in pairs:
            wanted = _effective(session, doctor_id, like)
            _forget(session, doctor_id, [on])
            if wanted != _effective(session, doctor_id, on):
                _write(session, doctor_id, on, wanted)
    _record(session, actor, doctor_id, [on for _like, on in pairs])


def of_date(session: Session, actor: Actor, *, doctor_id: int, on: date) -> list[Stretch]:
    """The hours that hold on a date, whichever they are, in order."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    return _effective(session, doctor_id, on)


def _effective(session: Session, doctor_id: int, on: date) -> list[Stretch]:
    session.flush()
    rows = run(session, _HOURS, {"doctor_id": doctor_id, "on_date": on})
    return sorted(Stretch(*row) for row in rows)


def _own(session: Session, doctor_id: int, on: date) -> list[Stretch]:
    rows = session.scalars(
        select(DateOverride).where(
            DateOverride.doctor_id == doctor_id,
            DateOverride.on_date == on,
            DateOverride.opens_at.is_not(None),
        )
    )
    return sorted(
        Stretch(row.opens_at, row.closes_at, row.location_id)
        for row in rows
        if row.opens_at is not None and row.closes_at is not None and row.location_id is not None
    )


def _write(session: Session, doctor_id: int, on: date, of_day: Sequence[Stretch]) -> None:
    _forget(session, doctor_id, [on])
    own = {"doctor_id": doctor_id, "on_date": on}
    nothing = {"opens_at": None, "closes_at": None, "location_id": None}
    session.execute(insert(DateOverride), [own | each._asdict() for each in of_day] or [own | nothing])


def _forget(session: Session, doctor_id: int, dates: Collection[date]) -> None:
    session.execute(
        delete(DateOverride).where(DateOverride.doctor_id == doctor_id, DateOverride.on_date.in_(dates))
    )


def _rows(session: Session, doctor_id: int, *, from_on: date) -> list[DateOverride]:
    query = select(DateOverride).where(DateOverride.doctor_id == doctor_id, DateOverride.on_date >= from_on)
    return list(session.scalars(query.order_by(DateOverride.on_date, DateOverride.opens_at)))


def _require_ahead(session: Session, dates: Collection[date]) -> None:
    if not 0 < len(dates) <= MOST_DATES:
        raise TooManyDates(count=MOST_DATES)
    if min(dates) < _today(session):
        raise DayOver


def _record(session: Session, actor: Actor, doctor_id: int, dates: Collection[date]) -> None:
    on = [each.isoformat() for each in sorted(dates)]
    audit.record(session, actor, Action.SET_HOURS, kind="doctor", number=doctor_id, dates=on)


def _today(session: Session) -> date:
    return clock.now().astimezone(clinics.zone(session)).date()
