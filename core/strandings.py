"""Visits that the hours no longer cover: found by looking, so that no change of hours can miss one.

They stay on the list until they are moved, called off, covered again, or kept on purpose.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from core import (
    access,
    agendas,
    announcements,
    appointment_events,
    audit,
    choice_links,
    clinics,
    clock,
    placements,
    stranding_notes,
    uncovered,
    wall_time,
)
from core.access import Action, Actor
from core.audit import Event
from core.errors import ClinicError
from core.i18n import N_
from db.base import among
from db.models import Appointment, ChoiceLink, Doctor, KeptVisit, User

LOOKS_BACK_DAYS = 7
_SECOND = timedelta(seconds=1)


class NotStranded(ClinicError):
    message = N_("This visit lies within the hours again, or has been changed. Please look at it again.")


class OtherCauses(ClinicError):
    message = N_("The hours have changed again since you looked. Please look at this visit again.")


@dataclass(frozen=True, slots=True)
class Stranding:
    """A visit that its doctor's hours do not cover, why, and the open link its patient chooses with, if any.

    Causes are `doctor`, `service`, `room:n`, `closed:n`, `hours:…` and `away:n`.
    """

    visit: Appointment
    causes: tuple[str, ...]
    choice: ChoiceLink | None

    @property
    def kinds(self) -> list[str]:
        return kinds(self.causes)


class Waiting(NamedTuple):
    """The names of the doctors whose visits wait, how many visits do, and the soonest of these."""

    doctors: dict[int, str]
    total: int
    shown: list[Stranding]


def kinds(causes: Collection[str]) -> list[str]:
    """The causes without what they name, each once."""
    return list(dict.fromkeys(cause.partition(":")[0] for cause in causes))


def find(
    session: Session,
    *,
    doctor_id: int | None = None,
    appointment_id: int | None = None,
    is_all_day: bool = False,
) -> dict[int, tuple[str, ...]]:
    """The open visits ahead that nothing covers and nobody has decided to keep, with their causes.

    With `is_all_day` also those whose hour has come and nobody has, of today and of days before: they still
    wait for a decision. Of days before those count that were without hours then, whatever the hours say now.
    """
    if not clinics.is_founded(session):
        return {}
    now = clock.now()
    today = min(now, midnight(session))
    whose = {"doctor_id": doctor_id, "appointment_id": appointment_id}
    found = uncovered.rows(session, since=looks_back_to(session) if is_all_day else now, **whose)
    noted = stranding_notes.undecided(session, until=today, **whose) if is_all_day else {}
    return noted | {
        each.id: tuple(each.causes)
        for each in found
        if each.starts_at > today or (each.id not in noted and stranding_notes.is_of_its_day(each))
    }


def midnight(session: Session, days_ago: int = 0) -> datetime:
    """The last instant before today began in the clinic, or a day so many before."""
    zone = clinics.zone(session)
    on = clock.now().astimezone(zone).date() - timedelta(days=days_ago)
    return wall_time.instant_reached(zone, datetime.combine(on, time())) - _SECOND


def looks_back_to(session: Session) -> datetime:
    """From when on the hours of days that are over are still asked which visits they left over."""
    return min(clock.now(), midnight(session, LOOKS_BACK_DAYS))


def count(session: Session, actor: Actor) -> int:
    """How many visits wait for a decision that is the actor's to take."""
    access.require(actor, Action.SEE_DAY, doctor_id=actor.doctor_id)
    return len(find(session, doctor_id=actor.doctor_id, is_all_day=True))


def require(session: Session, appointment_id: int) -> None:
    """Raise `NotStranded` unless the visit waits for a decision."""
    if appointment_id not in find(session, appointment_id=appointment_id, is_all_day=True):
        raise NotStranded


def waiting(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int | None = None,
    chosen_id: int | None = None,
    most: int | None = None,
) -> Waiting:
    """What waits for a decision, the soonest first: at the desk everything, for doctors what is theirs.

    With `chosen_id` what is that doctor's, if anything is. No more than `most` visits are read.
    """
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    kind = "doctor" if doctor_id else "clinic"
    audit.record_read(session, actor, Action.SEE_DAY, kind=kind, number=doctor_id or 1)
    causes = find(session, doctor_id=doctor_id, is_all_day=True)
    ordered = session.execute(
        select(Appointment.id, Appointment.doctor_id)
        .where(among(Appointment.id, causes))
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()
    counts = Counter(whose for _number, whose in ordered)
    named = select(Doctor.id, User.name).join(User, User.id == Doctor.user_id).where(Doctor.id.in_(counts))
    doctors = {number: name for number, name in session.execute(named.order_by(User.name))}  # noqa: C416 - a Row is no pair to mypy
    numbers = [number for number, whose in ordered if chosen_id not in counts or whose == chosen_id]
    return Waiting(doctors, len(numbers), _shown(session, causes, numbers[:most]))


def _shown(
    session: Session, causes: Mapping[int, tuple[str, ...]], numbers: Collection[int]
) -> list[Stranding]:
    visits = session.scalars(
        select(Appointment)
        .where(among(Appointment.id, numbers))
        .options(*agendas.WITH_PEOPLE)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    links = session.scalars(
        select(ChoiceLink)
        .where(
            among(ChoiceLink.appointment_id, numbers),
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.expires_at > clock.now(),
        )
        .options(selectinload(ChoiceLink.times))
    )
    choices = {link.appointment_id: link for link in links}
    return [Stranding(visit, causes[visit.id], choices.get(visit.id)) for visit in visits]


def keep(
    session: Session, actor: Actor, *, appointment_id: int, reason: str, causes: tuple[str, ...]
) -> Appointment:
    """Have a visit take place although the hours do not cover it, for the `causes` that were shown.

    Whoever was asked to choose another time is told that it does, and can choose no more.
    Raises `NotStranded`, `OtherCauses`, `ReasonMissing`, `NotFound`, `AccessDenied`.
    """
    visit = placements.locked(session, appointment_id)
    access.require(actor, Action.SETTLE_VISIT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    why = appointment_events.required_reason(reason)
    known = find(session, appointment_id=appointment_id, is_all_day=True).get(appointment_id)
    if known is None:
        raise NotStranded
    if known != tuple(causes):
        raise OtherCauses
    _note_kept(session, visit, known, why, actor.user_id)
    if link := choice_links.asked(session, visit):
        choice_links.end(session, visit.id)
        announcements.stays(session, visit, link)
    patient_id = visit.patient_id
    audit.record(session, actor, Event.VISIT_KEPT, kind="appointment", number=visit.id, patient_id=patient_id)
    return visit


def keep_as_booked(session: Session, visit: Appointment, *, reason: str, by_user_id: int) -> None:
    """Where a visit was overbooked past closing time on purpose, that is decided already."""
    if causes := find(session, appointment_id=visit.id).get(visit.id):
        _note_kept(session, visit, causes, reason, by_user_id)


def _note_kept(
    session: Session, visit: Appointment, causes: tuple[str, ...], reason: str, by_user_id: int
) -> None:
    values: dict[str, Any] = {
        "time_version": visit.time_version,
        "causes": list(causes),
        "reason": reason,
        "kept_at": clock.now(),
        "by_user_id": by_user_id,
    }
    session.execute(
        insert(KeptVisit)
        .values(appointment_id=visit.id, **values)
        .on_conflict_do_update(index_elements=["appointment_id"], set_=values)
    )
