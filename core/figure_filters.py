"""What figures can be narrowed to, and how a view reads in words."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import access
from core.access import Action, Actor
from core.analytics import names
from core.analytics.scopes import Scope
from core.bidi import isolated
from core.i18n import N_, _, short_date

_UNKNOWN = N_("not here any more")


class Filters(NamedTuple):
    """Names by number, in order of the names; those of whoever has left too, as the past has them."""

    doctors: dict[int, str]
    services: dict[int, str]
    places: dict[int, str]


def filters(session: Session, actor: Actor, *, doctor_id: int | None = None) -> Filters:
    """What can be chosen: by an administrator anything, by the doctor `doctor_id` no colleague.

    Raises `AccessDenied`.
    """
    access.require(actor, Action.SEE_FIGURES, doctor_id=doctor_id)
    known = (names.doctors(session), names.services(session), names.places(session))
    doctors, services, places = (_by_name(each) for each in known)
    if doctor_id is not None:
        doctors = {number: name for number, name in doctors.items() if number == doctor_id}
    return Filters(doctors, services, places)


def in_words(scope: Scope, known: Filters) -> str:
    """The period, and what it is narrowed to: June 1, 2026 to June 30, 2026 · Dr. Roth."""
    period = _("{first} to {last}").format(first=short_date(scope.from_on), last=short_date(scope.until_on))
    chosen = [
        named.get(number, _(_UNKNOWN))
        for number, named in (
            (scope.doctor_id, known.doctors),
            (scope.service_id, known.services),
            (scope.location_id, known.places),
        )
        if number is not None
    ]
    return " · ".join([period, *map(isolated, chosen)])


def _by_name(named: Mapping[int, str]) -> dict[int, str]:
    return dict(sorted(named.items(), key=lambda each: (each[1].casefold(), each[0])))
