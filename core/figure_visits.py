"""The visits behind a row of a figure, for whoever may see each of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, DateTime, Select, Subquery, cast, exists, func, select
from sqlalchemy.orm import Session, aliased

from core import access, audit, clinics, clock, day_parts
from core.access import Action, Actor
from core.analytics import names, steps, sums
from core.analytics.messages import GONE_OUT
from core.analytics.odds import LEADS
from core.analytics.scopes import Scope
from core.figure_rows import Wanted
from db.base import any_of
from db.models import (
    Appointment,
    AppointmentStatus,
    Doctor,
    LedgerEntry,
    MessageKind,
    Notification,
    OfferState,
    Patient,
    Service,
    User,
    WaitlistOffer,
)

MOST = 200
_DAY = timedelta(days=1)
_UNBOOKED = (AppointmentStatus.PENDING, AppointmentStatus.EXPIRED)  # which no figure of visits counts


class Visit(NamedTuple):
    """A visit with the names of its people, as a list tells of it."""

    id: int
    starts_at: datetime
    patient_id: int
    patient: str
    doctor_id: int
    doctor: str
    service: str
    status: AppointmentStatus
    price_minor: int


class Found(NamedTuple):
    """The first visits in order of time, and how many there are in all."""

    visits: list[Visit]
    in_all: int


def behind(session: Session, actor: Actor, *, wanted: Wanted, at_most: int = MOST) -> Found:
    """The visits that are wanted; without a status all that were booked. Raises `AccessDenied`."""
    scope = wanted.scope
    access.require(actor, Action.SEE_FIGURES, doctor_id=scope.doctor_id)
    kind, number = ("clinic", 1) if scope.doctor_id is None else ("doctor", scope.doctor_id)
    audit.record_read(session, actor, Action.SEE_APPOINTMENT, kind=f"visits of {kind}", number=number)
    sums.with_memory(session)
    visit = _first(session, wanted, at_most).c
    rows = session.execute(
        select(
            *(visit.id, visit.starts_at, visit.patient_id, Patient.name, visit.doctor_id, User.name),
            *(Service.name, visit.status, visit.price_minor, visit.in_all),
        )
        .join(Patient, Patient.id == visit.patient_id)
        .join(Doctor, Doctor.id == visit.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .join(Service, Service.id == visit.service_id)
        .order_by(visit.starts_at, visit.id)
    ).all()
    visits = [each for row in rows if _may_see(actor, each := Visit(*row[:-1]))]
    return Found(visits, rows[0].in_all if rows else 0)


def _first(session: Session, wanted: Wanted, at_most: int) -> Subquery:
    """The first visits alone: the names of all of them would be looked up, to forget all but a few."""
    visit = Appointment
    found = select(
        *(visit.id, visit.starts_at, visit.patient_id, visit.doctor_id, visit.service_id),
        *(visit.status, visit.price_minor, func.count().over().label("in_all")),
    ).where(
        *_of_scope(session, wanted),
        *_as_they_stand(wanted),
        *_as_booked(wanted),
        *_by_the_clock(session, wanted),
        *_first_seen(session, wanted),
    )
    return found.order_by(visit.starts_at, visit.id).limit(at_most).subquery()


def _of_scope(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    scope = wanted.scope
    chosen = _chosen(Appointment, scope)
    if wanted.specialty is not None:
        of = names.specialties(session).items()
        chosen.append(Appointment.doctor_id.in_([number for number, name in of if name == wanted.specialty]))
    if (others := _by_what_happened(session, wanted)) is not None:
        return [Appointment.id == any_of(others), *chosen]
    along_the_index = Appointment.doctor_id == any_of(select(Doctor.id))
    return [*steps.within(session, scope, Appointment.starts_at), along_the_index, *chosen]


def _by_what_happened(session: Session, wanted: Wanted) -> Select[Any] | None:
    """The numbers of visits of which something happened in the scope, whenever they were to begin."""
    scope = wanted.scope
    if wanted.method is not None:
        return select(LedgerEntry.appointment_id).where(
            LedgerEntry.method == wanted.method,
            LedgerEntry.currency == clinics.settings(session).currency,
            *steps.within(session, scope, LedgerEntry.at),
        )
    if wanted.reminded_by is not None:
        return select(Notification.appointment_id).where(
            Notification.kind == MessageKind.REMINDER,
            Notification.channel == wanted.reminded_by,
            Notification.status.in_(GONE_OUT),
            *steps.within(session, scope, Notification.sent_at),
        )
    if wanted.is_recovered:
        return select(WaitlistOffer.appointment_id).where(
            WaitlistOffer.state == OfferState.ACCEPTED,
            *steps.within(session, scope, WaitlistOffer.offered_at),
        )
    return None


def _as_they_stand(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.method is None:  # money is there also of a time that was not kept for it
        found.append(Appointment.status.not_in(_UNBOOKED))
    if wanted.status is not None:
        found.append(Appointment.status == wanted.status)
    if wanted.is_kept:
        found.append(Appointment.status != AppointmentStatus.CANCELLED)
    if wanted.is_ahead:
        found.append(Appointment.status == AppointmentStatus.CONFIRMED)
        found.append(Appointment.starts_at > clock.now())
    if wanted.has_said is not None:
        found.append(Appointment.attending_at.is_not(None) == wanted.has_said)
    return found


def _as_booked(wanted: Wanted) -> list[ColumnElement[bool]]:
    """How long ahead they were booked."""
    if wanted.lead is None:
        return []
    ahead = Appointment.starts_at - Appointment.created_at
    found: list[ColumnElement[bool]] = []
    least, most = (days for days, _name in (*LEADS, (None, ""))[wanted.lead : wanted.lead + 2])
    if wanted.lead:
        found.append(ahead >= timedelta(days=least or 0))
    if most is not None:
        found.append(ahead < timedelta(days=most))
    return found


def _by_the_clock(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    """That they begin while the clinic's clocks show the hour, on the weekday if one is wanted."""
    if wanted.hour is None:
        return []
    bounds = [each for moment in _hours(session, wanted) for each in moment]
    place = func.width_bucket(Appointment.starts_at, cast(bounds, ARRAY(DateTime(timezone=True))))
    return [place % 2 == 1]  # after an hour has begun that has not ended


def _hours(session: Session, wanted: Wanted) -> Iterator[tuple[datetime, datetime]]:
    zone, scope = clinics.zone(session), wanted.scope
    for number in range(scope.days):
        day = scope.from_on + number * _DAY
        if wanted.weekday in {None, day.isoweekday()}:
            for each in day_parts.slices_of(zone, day):
                if each.hour == wanted.hour:
                    yield each.begins_at, each.ends_at


def _first_seen(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    """That the patient's first completed visit of those that count lay in a scope."""
    if wanted.first_seen is None:
        return []
    begins_at, ends_at = steps.bounds(session, wanted.first_seen)
    other = aliased(Appointment)
    theirs = exists().where(
        other.patient_id == Appointment.patient_id,
        other.status == AppointmentStatus.COMPLETED,
        *_chosen(other, wanted.first_seen),
    )
    return [
        theirs.where(other.starts_at >= begins_at, other.starts_at < ends_at),
        ~theirs.where(other.starts_at < begins_at),
    ]


def _chosen(visit: Any, scope: Scope) -> list[ColumnElement[bool]]:
    return [getattr(visit, name) == number for name, number in scope.filters.items()]


def _may_see(actor: Actor, visit: Visit) -> bool:
    return access.may(actor, Action.SEE_APPOINTMENT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
