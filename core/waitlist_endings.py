"""How wishes on the waitlist ended: what patients and the desk read once a wish waits no more.

Only the entry's own end is stored. What became of a time that was accepted is read from its visit, so that a
payment that comes late after all, or a cancellation, is told as it is.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from core import access, agendas, audit, clock
from core.access import Action, Actor
from core.waitlist_wishes import Wish
from db.models import (
    AppointmentStatus,
    Doctor,
    OfferState,
    Patient,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)

SHOWN_FOR = timedelta(days=90)
MOST = 50


class Ending(StrEnum):
    BOOKED = "booked"
    TO_PAY = "to pay"  # accepted, and held until it is paid for
    UNPAID = "unpaid"  # accepted, and not paid in time: the time has gone to the next
    CANCELLED = "cancelled"  # booked, and called off since
    WITHDRAWN = "withdrawn"
    UNANSWERED = "unanswered"  # its days are over, and the last offer was not answered
    DECLINED = "declined"  # its days are over, and the last offer was declined
    LAPSED = "lapsed"  # its days are over, and no time was free


_OF_THE_VISIT = {
    AppointmentStatus.PENDING: Ending.TO_PAY,
    AppointmentStatus.EXPIRED: Ending.UNPAID,
    AppointmentStatus.CANCELLED: Ending.CANCELLED,
}
_OF_THE_LAST_OFFER = {OfferState.EXPIRED: Ending.UNANSWERED, OfferState.DECLINED: Ending.DECLINED}


class Ended(NamedTuple):
    """An entry that waits no more, and the last offer that it got, with its visit.

    The entry comes with patient, service, doctor and specialty.
    """

    entry: WaitlistEntry
    offer: WaitlistOffer | None

    @property
    def ending(self) -> Ending:
        """Why it waits no more."""
        if self.entry.state is WaitlistState.WITHDRAWN:
            return Ending.WITHDRAWN
        if self.offer is None:
            return Ending.LAPSED
        if self.entry.state is WaitlistState.BOOKED:
            return _OF_THE_VISIT.get(self.offer.appointment.status, Ending.BOOKED)
        return _OF_THE_LAST_OFFER.get(self.offer.state, Ending.LAPSED)

    def asked_again(self, today: date) -> Wish | None:
        """The same wish for the days that are left of it; None where none is left, or it is fulfilled."""
        if self.ending in {Ending.BOOKED, Ending.TO_PAY} or self.entry.until_on < today:
            return None
        values = {name: getattr(self.entry, name) for name in Wish._fields}
        from_on = max(today, self.entry.from_on)
        return Wish(**values | {"from_on": from_on, "weekdays": tuple(self.entry.weekdays)})


def own(session: Session, actor: Actor, *, patient_ids: Sequence[int], limit: int = MOST) -> list[Ended]:
    """The patients' wishes that ended in the last 90 days, the latest first."""
    for patient_id in patient_ids:
        access.require(actor, Action.JOIN_WAITLIST, patient_id=patient_id)
    return _ended(session, [WaitlistEntry.patient_id.in_(patient_ids)], limit)


def at_clinic(session: Session, actor: Actor, *, limit: int = MOST) -> list[Ended]:
    """Everybody's wishes that ended in the last 90 days, the latest first, for the desk."""
    access.require(actor, Action.SEE_WAITLIST)
    audit.record_read(session, actor, Action.SEE_WAITLIST, kind="waitlist", number=0)
    is_here = select(Patient.id).where(Patient.id == WaitlistEntry.patient_id, Patient.erased_at.is_(None))
    return _ended(session, [is_here.exists()], limit)


def _ended(session: Session, fits: Collection[ColumnElement[bool]], limit: int) -> list[Ended]:
    last = (
        select(func.max(WaitlistOffer.id))
        .where(WaitlistOffer.entry_id == WaitlistEntry.id)
        .correlate(WaitlistEntry)
        .scalar_subquery()
    )
    visit = joinedload(WaitlistOffer.appointment)
    rows = session.execute(
        select(WaitlistEntry, WaitlistOffer)
        .outerjoin(WaitlistOffer, WaitlistOffer.id == last)
        .where(
            WaitlistEntry.state != WaitlistState.WAITING,
            WaitlistEntry.ended_at > clock.now() - SHOWN_FOR,
            *fits,
        )
        .options(
            joinedload(WaitlistEntry.patient),
            joinedload(WaitlistEntry.service),
            joinedload(WaitlistEntry.specialty),
            joinedload(WaitlistEntry.doctor).joinedload(Doctor.user),
            *(visit.options(each) for each in agendas.WITH_PEOPLE),
        )
        .order_by(WaitlistEntry.ended_at.desc(), WaitlistEntry.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [Ended(entry, offer) for entry, offer in rows]
