"""Times held for whoever is about to pay: let go when the hold is over and nothing can be paid any more."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clock
from core.audit import Event

WITHOUT_ANSWER = timedelta(hours=2)


def release(session: Session) -> int:
    """Free the times of pending visits whose hold is over; how many. Safe to run twice at once.

    As long as an attempt to pay is open at the card processor the time stays: it is ended there first. Where
    the processor does not answer for two hours the time goes all the same; what was paid by then comes back.
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
            )
            INSERT INTO audit_entries (at, action, outcome, object_kind, object_id, patient_id, for_another)
            SELECT :now, :action, 'done', 'appointment', id, patient_id, false FROM freed RETURNING id
        """),
        {"now": now, "without_answer": now - WITHOUT_ANSWER, "action": Event.HOLD_EXPIRED.value},
    )
    return len(freed.all())
