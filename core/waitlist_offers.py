"""What the jobs do for the waitlist: end what is over, and offer who waits the first time that fits.

An offer holds its time by a pending visit: the calendar's own constraints decide who has it. Each entry is
claimed and served in a transaction of its own, so that what stands in the way of one stops no other.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from core import (
    announcements,
    availability,
    clinics,
    clock,
    holds,
    placements,
    terms,
    turns,
    waitlist_searches,
)
from core.appointment_errors import PatientBusy, TryAgain
from core.errors import NotFound
from core.offers import NotOffered, SlotTaken
from core.waitlist_searches import Calendar, Fitting, has_open_offer
from db.models import OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from db.session import Transaction, unit_of_work

_FASTER = (SlotTaken, NotOffered, PatientBusy, TryAgain, NotFound)  # what somebody else's doing looks like


def offer_freed(transaction: Transaction = unit_of_work) -> int:
    """Offer every entry that waits, the oldest first, the first free time that fits it; how many were.

    Ends first what is over: offers, and entries whose last day has passed. Nothing is offered in the quiet
    hours, where the person is. Safe to repeat, to run twice at once and to be killed anywhere.
    """
    with transaction() as session:
        if not clinics.is_founded(session):
            return 0
        holds.release(session)
        if not session.scalar(select(exists().where(WaitlistEntry.state == WaitlistState.WAITING))):
            return 0
        _lapse(session)
        calendar = waitlist_searches.look(session)
    served: list[int] = []

    def serve(entry: WaitlistEntry) -> None:
        fitting = waitlist_searches.first_fitting(calendar, entry)
        if fitting is not None and _serve(calendar, entry, fitting, transaction):
            served.append(entry.id)

    turns.each(calendar.entries, serve)
    return len(served)


def _serve(calendar: Calendar, entry: WaitlistEntry, fitting: Fitting, transaction: Transaction) -> bool:
    """Offer a time to an entry; whether that went well.

    If not, somebody was faster. The time counts as given all the same: it may be what another process is
    offering to this entry right now, and must not go to a younger one. The next scan sees how it is.
    """
    waitlist_searches.take(calendar, entry, fitting)
    try:
        with transaction() as session:
            return _offer(session, entry, fitting)
    except _FASTER:
        return False


def _offer(session: Session, entry: WaitlistEntry, fitting: Fitting) -> bool:
    """Hold a time for an entry that still waits for one; whether it did."""
    waits = WaitlistEntry.id == entry.id, WaitlistEntry.state == WaitlistState.WAITING
    if session.scalar(select(WaitlistEntry.id).where(*waits).with_for_update(skip_locked=True)) is None:
        return False
    if session.scalar(select(has_open_offer(entry.id))):  # asked after the lock: it sees whose that was
        return False
    named: dict[str, Any] = {
        "patient_id": entry.patient_id,
        "doctor_id": fitting.doctor_id,
        "service_id": entry.service_id,
    }
    found = availability.require_offered(session, starts_at=fitting.starts_at, **named)
    now = clock.now()
    expires_at = now + timedelta(minutes=clinics.settings(session).waitlist_offer_minutes)
    held = placements.insert(
        session,
        None,
        placements.Wish(starts_at=fitting.starts_at, **named),
        found,
        terms.unattended(session, **named),
        hold_expires_at=expires_at,
    )
    session.add(
        WaitlistOffer(
            entry_id=entry.id,
            appointment_id=held.id,
            state=OfferState.OPEN,
            offered_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    announcements.offered(session, held)
    return True


def _lapse(session: Session) -> None:
    """Take off the list what nothing can be offered for any more: its last day has passed."""
    now = clock.now()
    today = now.astimezone(clinics.zone(session)).date()
    over = (
        select(WaitlistEntry.id)
        .where(
            WaitlistEntry.state == WaitlistState.WAITING,
            WaitlistEntry.until_on < today,
            ~has_open_offer(WaitlistEntry.id),
        )
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.id.in_(over))
        .values(state=WaitlistState.LAPSED, ended_at=now)
        .execution_options(synchronize_session=False)
    )
