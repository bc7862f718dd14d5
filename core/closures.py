"""Days on which the clinic or a place of it is closed: entered by hand, or a country's public holidays."""

from collections.abc import Collection, Mapping
from datetime import date

import holidays
from babel.core import get_global
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, clinics, clock, setting_changes, unsettled
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, spoken
from core.provider_hours import DayOver
from core.setting_changes import Subject
from core.texts import is_readable
from db.models import Closure, Location

NAME_LENGTH = 100
MOST_DAYS = 60  # that are closed at once


class NameMissing(ClinicError):
    message = N_("Please name the day, so that everybody knows why the clinic is closed.")


class NameTooLong(ClinicError):
    message = N_("Please keep the name of the day under {length} characters.")


class ClosedAlready(ClinicError):
    message = N_("That day is closed already.")


class UnknownCountry(ClinicError):
    message = N_("The public holidays of that country or region are not known here.")


def ahead(session: Session, actor: Actor) -> list[Closure]:
    """The closed days from today on, in order."""
    access.require(actor, Action.SEARCH_DOCTORS)
    query = select(Closure).where(Closure.on_date >= _today(session))
    return list(session.scalars(query.order_by(Closure.on_date, Closure.id)))


def close(
    session: Session,
    actor: Actor,
    *,
    days: Mapping[date, str],
    location_id: int | None = None,
    accepting: Collection[int] = (),
) -> int:
    """Close one place, or without one the whole clinic, on `days`, each for the reason it is given.

    Weekly hours do not count then; a doctor's own hours for the date do. How many were open before. Raises
    `DayOver`, `NameMissing`, `NameTooLong`, `ClosedAlready` where all were closed, `LeavesVisits`,
    `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    if location_id is not None and session.get(Location, location_id) is None:
        raise NotFound
    if not days or len(days) > MOST_DAYS or min(days) < _today(session):
        raise DayOver
    named = {on: _named(name) for on, name in sorted(days.items())}
    with unsettled.accounted(session, accepting=accepting):
        rows = [{"on_date": on, "name": name, "location_id": location_id} for on, name in named.items()]
        adding = insert(Closure).values(rows).on_conflict_do_nothing().returning(Closure)
        added = session.scalars(adding).all()
    if not added:
        raise ClosedAlready
    for each in added:
        _record(session, actor, each, is_closed=True)
    return len(added)


def reopen(session: Session, actor: Actor, *, closure_id: int) -> None:
    """Let the hours count on a closed day again. Raises `DayOver`, `NotFound`, `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    closure = session.get(Closure, closure_id, with_for_update=True)
    if closure is None:
        raise NotFound
    if closure.on_date < _today(session):
        raise DayOver
    session.delete(closure)
    session.flush()
    _record(session, actor, closure, is_closed=False)


def countries() -> dict[str, list[str]]:
    """The countries whose public holidays are known, by ISO 3166 code, each with its regions."""
    known = holidays.list_supported_countries(include_aliases=False)
    return {code: sorted(regions) for code, regions in known.items() if len(code) == 2}


def home_country(session: Session) -> str | None:
    """The country that the clinic's time zone is of, if it is one whose holidays are known."""
    code = get_global("zone_territories").get(clinics.settings(session).time_zone)
    return code if code in countries() else None


def public_holidays(country: str, region: str | None, year: int) -> dict[date, str]:
    """A country's public holidays of a year, in order, named in the reader's language where that is known.

    Raises `UnknownCountry`.
    """
    known = countries()
    if country not in known or (region is not None and region not in known[country]):
        raise UnknownCountry
    found = _holidays(country, region, year, spoken())
    return {on: name[:NAME_LENGTH] for on, name in sorted(found.items())}


def _holidays(country: str, region: str | None, year: int, locale: str) -> dict[date, str]:
    """The names come in the language asked for, or in the country's own where there is none such."""
    offered = holidays.list_localized_countries(include_aliases=False).get(country, [])
    language = locale.split("_")[0]
    wanted = locale if locale in offered else None
    wanted = wanted or next((each for each in offered if each.split("_")[0] == language), None)
    return dict(
        holidays.country_holidays(country, subdiv=region, years=year, language=wanted, expand=False).items()
    )


def _named(name: str) -> str:
    given = " ".join(name.split())
    if not given or not is_readable(given):
        raise NameMissing
    if len(given) > NAME_LENGTH:
        raise NameTooLong(length=NAME_LENGTH)
    return given


def _record(session: Session, actor: Actor, closure: Closure, *, is_closed: bool) -> None:
    place = session.get(Location, closure.location_id) if closure.location_id else None
    facts = {"on_date": closure.on_date, "name": closure.name, "place": place.name if place else None}
    setting_changes.record(
        session,
        actor,
        Subject.CLOSED_DAY,
        closure.id,
        f"{closure.on_date.isoformat()} {closure.name}",
        before=None if is_closed else {"is_active": True},
        after=facts if is_closed else {"is_active": False},
    )


def _today(session: Session) -> date:
    return clock.now().astimezone(clinics.zone(session)).date()
