"""What the clinic earns: booked, earned, received, paid back, and what is still owed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import clinics, clock
from core.analytics import names, steps, sums
from core.analytics.scopes import Scope, Step, first_of_step
from core.analytics.shapes import Row, Unit, figure
from core.analytics.sums import Group, MoneySums, VisitSums
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, LedgerEntry, PaymentMethod

AHEAD = timedelta(weeks=8)
LEARNED = timedelta(days=90)
_DAY = timedelta(days=1)
METHODS = {
    PaymentMethod.ONLINE: N_("Card, online"),
    PaymentMethod.TERMINAL: N_("Card, at the desk"),
    PaymentMethod.CASH: N_("Cash"),
}
_MONEY = (
    (N_("Booked"), Unit.MONEY),
    (N_("Earned"), Unit.MONEY),
    (N_("Received"), Unit.MONEY),
    (N_("Paid back"), Unit.MONEY),
    (N_("Outstanding"), Unit.MONEY),
)
# What the columns of money mean, in every figure that has them.
MEANING = N_(
    "Booked: the prices of all visits that were to begin then and were not called off. Earned: of those of"
    " them that are over, and of visits called off, what was invoiced less what was credited; a completed"
    " visit without an invoice counts with its price. Outstanding: what is still owed of that today. All"
    " three count on the day of the visit. Received and paid back count on the day on which the money came"
    " or went; what failed on its way back is not paid back. Sums in other currencies than the clinic's are"
    " left out."
)


@figure(N_("Revenue over time"), MEANING, (N_("From"), Unit.STEP), *_MONEY)
def over_time(session: Session, scope: Scope) -> list[Row]:
    visits, money = sums.visits(session, scope).by_step, sums.money(session, scope).by_step
    return [
        (step, *_columns(visits.get(step, VisitSums()), money.get(step, MoneySums())))
        for step in scope.steps()
    ]


@figure(N_("Revenue by doctor"), MEANING, (N_("Doctor"), Unit.TEXT), *_MONEY)
def by_doctor(session: Session, scope: Scope) -> list[Row]:
    known = names.doctors(session)
    return _grouped(session, scope, lambda group: group.doctor_id, known)


@figure(N_("Revenue by service"), MEANING, (N_("Service"), Unit.TEXT), *_MONEY)
def by_service(session: Session, scope: Scope) -> list[Row]:
    return _grouped(session, scope, lambda group: group.service_id, names.services(session))


@figure(N_("Revenue by place"), MEANING, (N_("Place"), Unit.TEXT), *_MONEY)
def by_place(session: Session, scope: Scope) -> list[Row]:
    return _grouped(session, scope, lambda group: group.location_id, names.places(session))


@figure(N_("Revenue by specialty"), MEANING, (N_("Specialty"), Unit.TEXT), *_MONEY)
def by_specialty(session: Session, scope: Scope) -> list[Row]:
    of = names.specialties(session)
    return _grouped(session, scope, lambda group: of[group.doctor_id], {name: name for name in of.values()})


@figure(
    N_("Money by payment method"),
    N_(
        "Received: what was paid in the period, by how it was paid. Paid back: what went back in the"
        " period, by how it went; what failed on its way is not paid back. Kept: the one less the other."
        " The money of a visit counts for the doctor, service and place that the visit has now."
    ),
    (N_("Method"), Unit.WORD),
    (N_("Received"), Unit.MONEY),
    (N_("Paid back"), Unit.MONEY),
    (N_("Kept"), Unit.MONEY),
)
def by_method(session: Session, scope: Scope) -> list[Row]:
    _visits, money = total(session, scope)
    received, refunded = money.received_by_method, money.refunded_by_method
    return [
        (METHODS[method], received[method], refunded[method], received[method] - refunded[method])
        for method in PaymentMethod
    ]


@figure(
    N_("Expected from booked visits"),
    N_(
        "Booked: the prices of confirmed visits ahead, by week, for eight weeks from today, whatever the"
        " period. Expected: the same times the share of the visits booked for the last 90 days that was"
        " completed. Visits that are booked or called off later are not foreseen."
    ),
    (N_("Week from"), Unit.STEP),
    (N_("Visits"), Unit.COUNT),
    (N_("Booked"), Unit.MONEY),
    (N_("Expected"), Unit.MONEY),
)
def forecast(session: Session, scope: Scope) -> list[Row]:
    today = clock.now().astimezone(clinics.zone(session)).date()
    since = first_of_step(today, Step.WEEK)
    ahead = replace(scope.over(since, since + AHEAD - _DAY), step=Step.WEEK)
    booked = _confirmed_ahead(session, ahead)
    share = _completed_share(session, scope.over(today - LEARNED, today - _DAY))
    rows = [(step, *booked.get(step, (0, 0))) for step in ahead.steps()]
    return [(*row, None if share is None else round(row[2] * share)) for row in rows]


def total(session: Session, scope: Scope) -> tuple[VisitSums, MoneySums]:
    """Everything of the scope, added up: what each of the figures above adds up to."""
    visits, money = VisitSums(), MoneySums()
    for of_visits in sums.visits(session, scope).by_step.values():
        visits = sums.plus(visits, of_visits)
    for of_money in sums.money(session, scope).by_step.values():
        money = sums.plus(money, of_money)
    return visits, money


def other_currencies(session: Session, scope: Scope) -> list[str]:
    """The currencies beside the clinic's in which the ledger has entries of the period: they are left out."""
    query = select(LedgerEntry.currency).distinct().where(*steps.within(session, scope, LedgerEntry.at))
    return sorted(set(session.scalars(query)) - {clinics.settings(session).currency})


def _grouped(
    session: Session, scope: Scope, key: Callable[[Group], int | str], known: Mapping[Any, str]
) -> list[Row]:
    """A row for each key that has visits or money, the most earned first."""
    visits: dict[Any, VisitSums] = sums.added(sums.visits(session, scope).by_group, key)
    money: dict[Any, MoneySums] = sums.added(sums.money(session, scope).by_group, key)
    found: list[Any] = sorted({*visits, *money}, key=lambda each: known[each])
    rows: list[Row] = [
        (known[each], *_columns(visits.get(each, VisitSums()), money.get(each, MoneySums())))
        for each in found
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[1], row[0]))


def _columns(visits: VisitSums, money: MoneySums) -> tuple[int, ...]:
    paid = (money.received_minor, money.refunded_minor)
    return (visits.booked_minor, visits.earned_minor, *paid, visits.owed_minor)


def _confirmed_ahead(session: Session, scope: Scope) -> dict[date, tuple[int, int]]:
    """Confirmed visits that have not begun, and their prices, by the steps of a scope."""
    number, first = steps.number(session, scope, Appointment.starts_at), scope.steps()
    query = select(number, func.count(), func.sum(Appointment.price_minor)).where(
        Appointment.status == AppointmentStatus.CONFIRMED,
        Appointment.starts_at > clock.now(),
        *steps.within(session, scope, Appointment.starts_at),
        *(getattr(Appointment, name) == wanted for name, wanted in scope.filters.items()),
    )
    rows = session.execute(query.group_by(number))
    return {first[place - 1]: (visits, int(minor)) for place, visits, minor in rows}


def _completed_share(session: Session, scope: Scope) -> float | None:
    """Which share of the visits of a scope was completed; None where there were none."""
    found = list(sums.visits(session, scope).by_step.values())
    booked = sum(each.booked for each in found)
    return sum(each.completed for each in found) / booked if booked else None
