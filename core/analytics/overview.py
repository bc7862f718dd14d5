"""The clinic at a glance: today beside the same weekday a week ago, this month beside the last."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from core import backlogs, clinics, clock
from core.analytics import missed, revenue, sums, utilisation
from core.analytics.scopes import LONGEST_DAYS, Scope, Step, first_of_step
from core.analytics.shapes import Row, Unit, figure
from core.i18n import N_

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@figure(
    N_("At a glance"),
    N_(
        "Today beside the whole of the same weekday a week ago, and this month up to today beside last"
        " month up to the same day of it, whatever the period. Visits: those that were to begin then and"
        " were not called off. Received: what was paid then less what was paid back. Utilisation: the time"
        " that is taken of the time that doctors offer. No-shows: the share missed of the visits that were"
        " completed or missed. Waiting time: from arrival to the room, on average."
    ),
    (N_("Period"), Unit.WORD),
    (N_("Visits"), Unit.COUNT),
    (N_("Received"), Unit.MONEY),
    (N_("Utilisation"), Unit.SHARE),
    (N_("No-shows"), Unit.SHARE),
    (N_("Waiting time"), Unit.MINUTES),
)
def compared(session: Session, scope: Scope) -> list[Row]:
    today = _today(session)
    first_on = today.replace(day=1)
    last_first_on = first_of_step(first_on - _DAY, Step.MONTH)
    last_on = min(last_first_on + (today - first_on), first_on - _DAY)
    periods = (
        (N_("Today"), today, today),
        (N_("A week ago"), today - _WEEK, today - _WEEK),
        (N_("This month"), first_on, today),
        (N_("Last month"), last_first_on, last_on),
    )
    return [(name, *_seen(session, scope.over(*period))) for name, *period in periods]


@figure(
    N_("Waiting to be dealt with"),
    N_(
        "As it is now, whatever the period. Outstanding: what is still owed of visits of the last five"
        " years that are over. Unsent messages: those whose time has come and that have not gone out."
    ),
    (N_("Outstanding"), Unit.MONEY),
    (N_("Unsent messages"), Unit.COUNT),
)
def open_now(session: Session, scope: Scope) -> list[Row]:
    today = _today(session)
    owed_minor = sums.owed_minor(session, scope.over(today - (LONGEST_DAYS - 1) * _DAY, today))
    return [(owed_minor, session.scalar(backlogs.messages()) or 0)]


def _seen(session: Session, scope: Scope) -> Row:
    visits, money = revenue.total(session, scope)
    waited = visits.waited_seconds / visits.waited if visits.waited else None
    taken = utilisation.share(utilisation.total(session, scope))
    return (visits.booked, money.received_minor - money.refunded_minor, taken, missed.rate(visits), waited)


def _today(session: Session) -> date:
    return clock.now().astimezone(clinics.zone(session)).date()
