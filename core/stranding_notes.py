"""Which visits are without hours, noted as time goes by, for when their hour has come.

What the hours of the week, a doctor or a place are later says nothing of what they were on the visit's day:
once that is over the note is what is known, until somebody settles the visit.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock
from core.uncovered import Uncovered
from db.base import among
from db.models import Appointment, AppointmentStatus, KeptVisit, StrandedVisit

OPEN = (AppointmentStatus.CONFIRMED, AppointmentStatus.PENDING, AppointmentStatus.ARRIVED)


def undecided(
    session: Session, *, until: datetime, doctor_id: int | None = None, appointment_id: int | None = None
) -> dict[int, tuple[str, ...]]:
    """The visits up to `until` that were without hours and that nobody has settled, with their causes."""
    query = (
        select(StrandedVisit.appointment_id, StrandedVisit.causes)
        .join(Appointment, Appointment.id == StrandedVisit.appointment_id)
        .where(Appointment.starts_at <= until, Appointment.status.in_(OPEN), _is_undecided())
    )
    if doctor_id is not None:
        query = query.where(Appointment.doctor_id == doctor_id)
    if appointment_id is not None:
        query = query.where(Appointment.id == appointment_id)
    return {number: tuple(causes) for number, causes in session.execute(query)}


def _is_undecided() -> ColumnElement[bool]:
    kept = select(KeptVisit.appointment_id).where(
        KeptVisit.appointment_id == StrandedVisit.appointment_id,
        KeptVisit.time_version == StrandedVisit.time_version,
        StrandedVisit.causes.contained_by(KeptVisit.causes),
    )
    return and_(StrandedVisit.time_version == Appointment.time_version, ~kept.exists())


def is_of_its_day(each: Uncovered) -> bool:
    """Whether what a visit lacks was so on its day, as far as that can be told afterwards.

    An absence, a closed day and the hours of a date can only be changed ahead. A place that was given up may
    have been in use then: without it nobody has hours there on any date.
    """
    kinds = {cause.partition(":")[0] for cause in each.causes}
    return bool(kinds & {"away", "closed"}) or (
        "hours" in kinds and each.has_own_hours and each.is_place_active
    )


def note(session: Session, found: Collection[Uncovered], *, midnight: datetime, known_since: datetime) -> int:
    """Note the visits `found` without hours, and forget what is settled or covered again; how many changed.

    `found` are all of those after `midnight`, at which today has begun, and some of before. One whose hour
    came before `known_since` is noted only for what was so at its hour.
    """
    now = clock.now()
    lasting = {each.id: each.causes for each in found if each.starts_at > known_since or is_of_its_day(each)}
    forgotten = _forget(session, [each.id for each in found], midnight)
    return forgotten + _write(session, lasting, now)


def _forget(session: Session, found: Collection[int], midnight: datetime) -> int:
    is_covered = and_(Appointment.starts_at > midnight, ~among(Appointment.id, found))
    is_settled = or_(Appointment.status.not_in(OPEN), Appointment.time_version != StrandedVisit.time_version)
    gone = delete(StrandedVisit).where(
        StrandedVisit.appointment_id == Appointment.id, or_(is_covered, is_settled)
    )
    returned = gone.returning(StrandedVisit.appointment_id).execution_options(synchronize_session=False)
    return len(session.scalars(returned).all())


def _write(session: Session, causes: Mapping[int, list[str]], now: datetime) -> int:
    """Note the causes by visit, where they are not noted so already and nobody is changing the visit."""
    versions = session.execute(
        select(Appointment.id, Appointment.time_version, StrandedVisit.causes)
        .outerjoin(StrandedVisit, StrandedVisit.appointment_id == Appointment.id)
        .where(among(Appointment.id, causes))
        .with_for_update(read=True, key_share=True, skip_locked=True, of=Appointment)
    )
    new = [
        {"appointment_id": number, "time_version": version, "causes": causes[number], "noted_at": now}
        for number, version, known in versions
        if known != causes[number]
    ]
    if new:
        statement = insert(StrandedVisit)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["appointment_id"],
                set_={name: statement.excluded[name] for name in ("time_version", "causes", "noted_at")},
            ),
            new,
        )
    return len(new)
