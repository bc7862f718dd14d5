"""How much of the time that doctors offer is taken."""

from sqlalchemy.orm import Session

from core.analytics import names, sums
from core.analytics.scopes import Scope
from core.analytics.shapes import Row, Share, Unit, figure
from core.analytics.sums import HourSums
from core.i18n import N_

_TIME = (
    (N_("Offered"), Unit.HOURS),
    (N_("Taken"), Unit.HOURS),
    (N_("Utilisation"), Unit.SHARE, Share("Taken", of=("Offered",))),
)
MEANING = N_(
    "Offered: the hours that doctors had set, less closed days and time off, from the clinic's first visit"
    " on. Taken: the time of visits that were not called off, whether or not the patient came, with the"
    " service's buffers, within those hours or outside. Utilisation: taken of offered; overbooked visits"
    " and those outside the hours can make it more than 100 %. Time is what passes: an hour that clocks"
    " repeat counts twice, and one that they skip not at all. Services share the hours, so that a chosen"
    " service changes nothing."
)


@figure(N_("Utilisation over time"), MEANING, (N_("From"), Unit.STEP), *_TIME)
def over_time(session: Session, scope: Scope) -> list[Row]:
    found = sums.hours(session, scope).by_step
    return [(step, *_columns(found.get(step, HourSums()))) for step in scope.steps()]


@figure(N_("Utilisation by doctor"), MEANING, (N_("Doctor"), Unit.TEXT), *_TIME)
def by_doctor(session: Session, scope: Scope) -> list[Row]:
    known = names.doctors(session)
    rows = [
        (known[number], *_columns(found)) for number, found in sums.hours(session, scope).by_doctor.items()
    ]
    return sorted(rows, key=lambda row: (row[3] is None, -(row[3] or 0), row[0]))


@figure(
    N_("Utilisation by weekday and hour"),
    MEANING,
    (N_("Weekday"), Unit.WEEKDAY),
    (N_("Hour"), Unit.HOUR),
    *_TIME,
)
def by_hour(session: Session, scope: Scope) -> list[Row]:
    found = sums.hours(session, scope).by_hour
    return [(*place, *_columns(of)) for place, of in sorted(found.items())]


def total(session: Session, scope: Scope) -> HourSums:
    """Everything of the scope, added up."""
    whole = HourSums()
    for each in sums.hours(session, scope).by_step.values():
        whole = sums.plus(whole, each)
    return whole


def share(found: HourSums) -> float | None:
    """Taken of offered; None where nothing was offered."""
    return found.booked_seconds / found.offered_seconds if found.offered_seconds else None


def _columns(found: HourSums) -> Row:
    return (found.offered_seconds, found.booked_seconds, share(found))
