"""What reception counts: the visits of today by how they stand, and today's takings."""

from datetime import date
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, visit_counts
from core.access import Action, Actor
from core.analytics import sums
from core.analytics.scopes import Scope
from core.analytics.sums import MoneySums
from db.models import AppointmentStatus, PaymentMethod


class Today(NamedTuple):
    """Visits that begin today, and money that came and went today in the clinic's currency, minor units."""

    on: date
    currency: str
    visits: dict[AppointmentStatus, int]
    takings: dict[PaymentMethod, MoneySums]


def read(session: Session, actor: Actor) -> Today:
    """Today at the clinic. What the clinic earns is not in it. Raises `AccessDenied`."""
    access.require(actor, Action.SEE_TODAYS_FIGURES)
    audit.record_read(session, actor, Action.SEE_TODAYS_FIGURES, kind="clinic", number=1)
    on = clock.now().astimezone(clinics.zone(session)).date()
    scope = Scope(on, on)
    by_method = sums.money(session, scope).by_method
    return Today(
        on,
        clinics.settings(session).currency,
        visit_counts.visits_by_status(session, scope),
        {method: by_method[method] for method in PaymentMethod if method in by_method},
    )
