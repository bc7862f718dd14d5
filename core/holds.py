"""Times held for whoever is about to pay, or for who is offered one from the waitlist.

They are let go when the hold is over and nothing can be paid any more.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from core import clock
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, OfferState, WaitlistOffer

WITHOUT_ANSWER = timedelta(hours=2)


class OnlyOffered(ClinicError):
    """The visit is a time that somebody on the waitlist has been offered and has not accepted yet."""

    message = N_("This time is only offered, from the waitlist. Please accept or decline the offer first.")


def is_offered() -> ColumnElement[bool]:
    """In a query: whether a visit is held for who has been offered its time, and not for a payment."""
    open_offer = select(WaitlistOffer.id).where(
        WaitlistOffer.appointment_id == Appointment.id, WaitlistOffer.state == OfferState.OPEN
    )
    return open_offer.exists()


def open_offer(session: Session, appointment: Appointment) -> WaitlistOffer | None:
    """The offer by which a visit is held, None where it is booked. Its caller holds the visit's row."""
    if appointment.status is not AppointmentStatus.PENDING:
        return None
    return session.scalar(
        select(WaitlistOffer)
        .where(WaitlistOffer.appointment_id == appointment.id, WaitlistOffer.state == OfferState.OPEN)
        .execution_options(populate_existing=True)
    )


def require_booked(session: Session, appointment: Appointment) -> None:
    """Raise `OnlyOffered` for a time that is offered and not booked."""
    if open_offer(session, appointment) is not None:
        raise OnlyOffered


def release(session: Session) -> int:
    """Free the times of pending visits whose hold is over; how many. Safe to run twice at once.

    As long as an attempt to pay is open at the card processor the time stays: it is ended there first. Where
    the processor does not answer for two hours the time goes all the same; what was paid by then comes back.
    An offer from the waitlist ends with the time that it holds, in the same statement.
    """
    now = clock.now()
    freed = session.execute(
        text("""
            WITH due AS (
                SELECT id FROM appointments a WHERE status = 'pending' AND hold_expires_at <= :now
                AND (hold_expires_at <= :without_answer OR NOT EXISTS (
                    SELECT FROM payments p WHERE p.appointment_id = a.id AND p.state IN ('open', 'closing')))
                FOR UPDATE SKIP LOCKED
            ), freed AS (
                UPDATE appointments a
                SET status = 'expired', hold_expires_at = NULL, version = version + 1, updated_at = :now
                FROM due WHERE a.id = due.id
                RETURNING a.id, a.patient_id
            ), events AS (
                INSERT INTO appointment_events (appointment_id, kind, at)
                SELECT id, 'expired', :now FROM freed
            ), closed AS (
                UPDATE payments p SET state = 'closing' FROM freed
                WHERE p.appointment_id = freed.id AND p.state = 'open'
            ), ended AS (
                UPDATE waitlist_offers o SET state = 'expired', ended_at = :now FROM freed
                WHERE o.appointment_id = freed.id AND o.state = 'open'
                RETURNING o.id, freed.patient_id
            ), noted AS (
                INSERT INTO audit_entries
                    (at, action, outcome, object_kind, object_id, patient_id, for_another)
                SELECT :now, :offer_ended, 'done', 'waitlist_offer', id, patient_id, false FROM ended
            )
            INSERT INTO audit_entries (at, action, outcome, object_kind, object_id, patient_id, for_another)
            SELECT :now, :hold_expired, 'done', 'appointment', id, patient_id, false FROM freed RETURNING id
        """),
        {
            "now": now,
            "without_answer": now - WITHOUT_ANSWER,
            "hold_expired": Event.HOLD_EXPIRED.value,
            "offer_ended": Event.OFFER_ENDED.value,
        },
    )
    return len(freed.all())
