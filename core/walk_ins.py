"""Who comes without an appointment: the next free times of today, of every doctor who would do."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, availability, clinics, clock
from core.access import Action, Actor
from db.models import Doctor, DoctorService, User

MOST = 12


class FreeTime(NamedTuple):
    """A doctor's next free time, in UTC."""

    starts_at: datetime
    doctor: str
    doctor_id: int


def next_times(session: Session, actor: Actor, *, service_id: int) -> list[FreeTime]:
    """The next free time today of each doctor who offers the service, the soonest first, at most twelve.

    Notice is waived, as for whatever the desk books. Raises `AccessDenied`.
    """
    access.require(actor, Action.SEARCH_PATIENTS)
    offering = session.execute(
        select(Doctor.id, User.name)
        .join(Doctor.user)
        .join(DoctorService, DoctorService.doctor_id == Doctor.id)
        .where(Doctor.is_active, DoctorService.service_id == service_id)
    )
    named: dict[int, str] = {row.id: row.name for row in offering}
    today = clock.now().astimezone(clinics.zone(session)).date()
    free = availability.free_slots(
        session,
        doctor_ids=list(named),
        service_id=service_id,
        from_on=today,
        until_on=today,
        by_staff=True,
    )
    return sorted(FreeTime(starts[0], named[number], number) for number, starts in free.items())[:MOST]
