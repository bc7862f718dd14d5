"""The clinic at a glance: today so far beside the same weekday a week ago, this month beside the last."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core import backlogs, clinics, clock, wall_time
from core.analytics import missed, so_far, sums, utilisation
from core.analytics.scopes import LONGEST_DAYS, Scope, Step, first_of_step
from core.analytics.shapes import Row, Unit, figure
from core.analytics.so_far import SoFar
from core.i18n import N_

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@figure(
    N_("At a glance"),
    N_(
        "Today so far beside the same weekday a week ago up to the same time of day, and this month so far"
        " beside last month up to the same day and time, whatever the period. Visits: those that began by"
        " then and were not called off. Net received: what was paid by then less what was paid back."
        " Utilisation: the time that was taken by then of the time that doctors offered. No-shows: the share"
        " missed of the visits that were completed or missed. Waiting time: from arrival to the room, on"
        " average."
    ),
    (N_("Period"), Unit.WORD),
    (N_("Visits"), Unit.COUNT, False),
    (N_("Net received"), Unit.MONEY, False),
    (N_("Utilisation"), Unit.SHARE),
    (N_("No-shows"), Unit.SHARE),
    (N_("Waiting time"), Unit.MINUTES),
)
def compared(session: Session, scope: Scope) -> list[Row]:
    now, zone = clock.now(), clinics.zone(session)
    today = _today(session)
    first_on = today.replace(day=1)
    last_first_on = first_of_step(first_on - _DAY, Step.MONTH)
    last_on = min(last_first_on + (today - first_on), first_on - _DAY)
    periods = (
        (N_("Today so far"), today, today),
        (N_("A week ago by now"), today - _WEEK, today - _WEEK),
        (N_("This month so far"), first_on, today),
        (N_("Last month by now"), last_first_on, last_on),
    )
    found: list[Row] = []
    for name, from_on, until_on in periods:
        then = datetime.combine(until_on, now.astimezone(zone).time())
        ends_at = now if until_on == today else wall_time.instant_reached(zone, then)
        found.append((name, *_seen(so_far.of(session, scope.over(from_on, until_on), ends_at))))
    return found


@figure(
    N_("Waiting to be dealt with"),
    N_(
        "As it is now, whatever the period. Outstanding: what is still owed of visits of the last five"
        " years that are over. Unsent messages: those whose time has come and that have not gone out."
    ),
    (N_("Outstanding"), Unit.MONEY, False),
    (N_("Unsent messages"), Unit.COUNT, False),
)
def open_now(session: Session, scope: Scope) -> list[Row]:
    today = _today(session)
    owed_minor = sums.owed_minor(session, scope.over(today - (LONGEST_DAYS - 1) * _DAY, today))
    return [(owed_minor, session.scalar(backlogs.messages()) or 0)]


def _seen(found: SoFar) -> Row:
    visits, money, hours = found
    waited = visits.waited_seconds / visits.waited if visits.waited else None
    received_minor = money.received_minor - money.refunded_minor
    return (visits.booked, received_minor, utilisation.share(hours), missed.rate(visits), waited)


def _today(session: Session) -> date:
    return clock.now().astimezone(clinics.zone(session)).date()
