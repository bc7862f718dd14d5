"""Overbooking: giving a patient a time that others fill already, for a stated reason, at the desk."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core import access, announcements, availability, placements, strandings, terms
from core.access import Action, Actor
from core.appointment_errors import PatientBusy
from core.appointment_events import required_reason
from core.offers import OVERBOOKING_WAIVES, NotOffered, Rule, SlotTaken
from core.placements import Wish
from core.wall_time import require_instant
from db.models import Appointment


def overbook(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    reason: str,
    room_id: int | None = None,
    request_key: UUID | None = None,
) -> Appointment:
    """Give `patient_id` a time that the doctor's other visits already fill, for a stated reason.

    Any whole minute within the doctor's hours will do; notice, step, closing and other visits are waived,
    everything else holds, the patient's and the room's own time included. A time that turns out to be free
    is simply booked, so that it stays protected. Raises `ReasonMissing` and what `book` raises.
    """
    access.require(actor, Action.OVERBOOK, patient_id=patient_id)
    why = required_reason(reason)
    wish = Wish(patient_id, doctor_id, service_id, require_instant(starts_at), room_id)
    is_whole_minute = not (wish.starts_at.second or wish.starts_at.microsecond)
    try:
        offered = availability.require_offered(
            session,
            doctor_id=doctor_id,
            service_id=service_id,
            starts_at=wish.starts_at,
            patient_id=patient_id,
            by_staff=True,
            also_waiving=OVERBOOKING_WAIVES if is_whole_minute else OVERBOOKING_WAIVES - {Rule.OFF_STEP},
        )
        rule = availability.why_not(
            session, doctor_id=doctor_id, service_id=service_id, starts_at=wish.starts_at, by_staff=True
        )
        booked = placements.insert(
            session,
            actor,
            wish,
            offered,
            terms.offered(session, actor, patient_id=patient_id, doctor_id=doctor_id, service_id=service_id),
            overbook_reason=why if rule else None,
            request_key=request_key,
        )
        strandings.keep_as_booked(session, booked, reason=why, by_user_id=actor.user_id)
    except (NotOffered, PatientBusy, SlotTaken):
        if earlier := placements.first_answer(session, actor, wish, request_key):
            return earlier
        raise
    announcements.booked(session, booked)
    return booked
