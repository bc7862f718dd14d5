"""What reception counts: the visits of today by how they stand, and today's takings."""

from datetime import date
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, visit_counts
from core.access import Action, Actor
from core.analytics import revenue
from core.analytics.scopes import Scope
from db.models import AppointmentStatus, PaymentMethod


class Taking(NamedTuple):
    """Money of one way of paying, in minor units of the clinic's currency."""

    method: PaymentMethod
    received_minor: int
    refunded_minor: int


class Today(NamedTuple):
    """Visits that begin today, and money that came and went today, by the ways in which any did."""

    on: date
    currency: str
    visits: dict[AppointmentStatus, int]
    takings: list[Taking]


def read(session: Session, actor: Actor) -> Today:
    """Today at the clinic. What the clinic earns is not in it. Raises `AccessDenied`."""
    access.require(actor, Action.SEE_TODAYS_FIGURES)
    audit.record_read(session, actor, Action.SEE_TODAYS_FIGURES, kind="clinic", number=1)
    on = clock.now().astimezone(clinics.zone(session)).date()
    scope = Scope(on, on)
    _visits, money = revenue.total(session, scope)
    received, refunded = money.received_by_method, money.refunded_by_method
    return Today(
        on,
        clinics.settings(session).currency,
        visit_counts.visits_by_status(session, scope),
        [
            Taking(method, received[method], refunded[method])
            for method in PaymentMethod
            if received[method] or refunded[method]
        ],
    )
