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
_HOURS = f"""
SELECT each.on_date, h.* FROM unnest(CAST(%(dates)s AS date[])) AS each (on_date)
CROSS JOIN LATERAL ({hours.on_date("%(doctor_id)s", "each.on_date")}) AS h
"""


Seen = Mapping[date, Sequence[Stretch]]  # the hours by date, as somebody has seen them


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
    seen: Seen | None = None,
    accepting: Collection[int] = (),
) -> None:
    """Give each of `dates` these hours in place of the weekly ones, holidays or not; none is a day off.

    `seen` are the hours that these dates had when the person looked. Raises `DayOver`, `TooManyDates`,
    `UpsideDown`, `HoursOverlap`, `PlaceClosed`, `HoursChanged`, `LeavesVisits`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    _require_ahead(session, dates)
    places = {each.id: each for each in session.scalars(select(Location))}
    for each in sorted(dates):
        provider_hours.require_day(of_day, places, day=day(each))
    _require_as_seen(session, doctor_id, seen)
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
    seen: Seen | None = None,
    accepting: Collection[int] = (),
) -> None:
    """`set_dates` with the hours as they were written, by place. Raises `NoHours` besides."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    named = day(min(dates)) if dates else ""
    of_day = [
        each for location_id, text in typed.items() for each in stretches.parsed(text, location_id, day=named)
    ]
    set_dates(session, actor, doctor_id=doctor_id, dates=dates, of_day=of_day, seen=seen, accepting=accepting)


def clear_dates(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    dates: Collection[date],
    seen: Seen | None = None,
    accepting: Collection[int] = (),
) -> None:
    """Let the weekly hours hold on these dates again; `seen` are the hours that they had for the person.

    Raises `DayOver`, `HoursChanged`, `LeavesVisits`, `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    _require_ahead(session, dates)
    _require_as_seen(session, doctor_id, seen)
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
    seen: Seen | None = None,
    accepting: Collection[int] = (),
) -> None:
    """Let the week of `to_on` have the hours that the week of `from_on` has, as hours of its dates.

    What is closed in one of them stays so; days that are over are left alone. `seen` are the hours of both
    weeks when the person looked. Raises `SameWeek`, `DayOver`, `HoursChanged`, `LeavesVisits`, `NotFound`,
    `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    pairs = list(zip(week(from_on), week(to_on), strict=True))
    if pairs[0][0] == pairs[0][1]:
        raise SameWeek
    pairs = [(like, on) for like, on in pairs if on >= _today(session)]
    if not pairs:
        raise DayOver
    _require_as_seen(session, doctor_id, seen)
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        wanted = _effective(session, doctor_id, [like for like, _on in pairs])
        _forget(session, doctor_id, [on for _like, on in pairs])
        usual = _effective(session, doctor_id, [on for _like, on in pairs])
        for like, on in pairs:
            if wanted[like] != usual[on]:
                _write(session, doctor_id, on, wanted[like])
    _record(session, actor, doctor_id, [on for _like, on in pairs])


def week(of: date) -> list[date]:
    """The seven days of the week of a date, from Monday."""
    return [of - timedelta(days=of.weekday()) + timedelta(days=each) for each in _DAYS]


def of_dates(
    session: Session, actor: Actor, *, doctor_id: int, dates: Collection[date]
) -> dict[date, list[Stretch]]:
    """The hours that hold on each of `dates`, whichever they are, in order."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    return _effective(session, doctor_id, dates)


def _effective(session: Session, doctor_id: int, dates: Collection[date]) -> dict[date, list[Stretch]]:
    session.flush()
    found: dict[date, list[Stretch]] = {each: [] for each in sorted(dates)}
    for on, *stretch in run(session, _HOURS, {"doctor_id": doctor_id, "dates": list(found)}):
        found[on].append(Stretch(*stretch))
    return {on: sorted(of_day) for on, of_day in found.items()}


def _require_as_seen(session: Session, doctor_id: int, seen: Seen | None) -> None:
    if seen is not None and _effective(session, doctor_id, seen) != {
        on: sorted(of_day) for on, of_day in seen.items()
    }:
        raise HoursChanged


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
