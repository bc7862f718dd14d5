"""What patients ask for, how long they wait for it, and what is not there."""

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import availability, clinics, clock
from core.analytics import names, odds, steps
from core.analytics.odds import LEADS, Odds
from core.analytics.scopes import Scope
from core.analytics.shapes import Row, Share, Unit, figure
from core.i18n import N_
from db.models import (
    Appointment,
    AppointmentStatus,
    Doctor,
    DoctorService,
    EmptySearch,
    OfferState,
    Service,
    Specialty,
    WaitlistEntry,
    WaitlistOffer,
)

LOOKED_AHEAD = timedelta(days=60)
_THIRD = 3
_DAY = timedelta(days=1)
_GONE = (AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED)


@figure(
    N_("How long ahead visits are booked"),
    N_(
        "Visits that were to begin in the period and were not called off, by how long before they were"
        " first booked. Share: of all of them."
    ),
    (N_("Booked"), Unit.WORD),
    (N_("Visits"), Unit.COUNT),
    (N_("Share"), Unit.SHARE, Share("Visits", of=("Visits",))),
)
def lead_times(session: Session, scope: Scope) -> list[Row]:
    found = odds.of(session, scope).by_lead
    whole = sum(each.booked for each in found.values())
    counts = [(name, found.get(place, Odds()).booked) for place, (_days, name) in enumerate(LEADS)]
    return [(name, count, count / whole if whole else None) for name, count in counts]


@figure(
    N_("Third next available appointment"),
    N_(
        "How many days from now until the doctor's first and third free time that patients can book: the"
        " third is the usual measure, since the first is often one that has just been called off (Institute"
        " for Healthcare Improvement). For the chosen service, or else the one that most doctors offer. As"
        " it is now, at any place and whatever the period; nothing where there is none within 60 days."
        " No visits stand behind it, but free times."
    ),
    (N_("Doctor"), Unit.TEXT),
    (N_("First, in days"), Unit.NUMBER),
    (N_("Third, in days"), Unit.NUMBER),
)
def third_next(session: Session, scope: Scope) -> list[Row]:
    service_id = scope.service_id or _most_offered(session)
    if service_id is None:
        return []
    offering = select(Doctor.id).join(DoctorService, DoctorService.doctor_id == Doctor.id)
    offering = offering.where(Doctor.is_active, DoctorService.service_id == service_id)
    if scope.doctor_id is not None:
        offering = offering.where(Doctor.id == scope.doctor_id)
    now, known = clock.now(), names.doctors(session)
    today = now.astimezone(clinics.zone(session)).date()
    numbers = list(session.scalars(offering))
    free = availability.free_slots(
        session, doctor_ids=numbers, service_id=service_id, from_on=today, until_on=today + LOOKED_AHEAD
    )
    rows: list[Row] = []
    for number in numbers:
        days = [(at - now) / _DAY for at in free.get(number, [])[:_THIRD]]
        rows.append(
            (known[number], days[0] if days else None, days[_THIRD - 1] if len(days) == _THIRD else None)
        )
    return sorted(rows, key=lambda row: (row[2] is not None, -(row[2] or 0), row[0]))


@figure(
    N_("Searches without a free time"),
    N_(
        "Searches of patients for which there was no free time at any doctor who fits. The same wish within"
        " ten minutes counts once; searches by a doctor's name are left out, so that a chosen doctor changes"
        " nothing. Whose searches they were is not kept."
    ),
    (N_("Service"), Unit.TEXT),
    (N_("Specialty"), Unit.TEXT),
    (N_("Place"), Unit.TEXT),
    (N_("Searches"), Unit.COUNT),
)
def empty_searches(session: Session, scope: Scope) -> list[Row]:
    begins_at, ends_at = steps.bounds(session, scope)
    wished = (EmptySearch.service_id, EmptySearch.specialty_id, EmptySearch.location_id)
    query = select(*wished, func.count()).where(EmptySearch.at >= begins_at, EmptySearch.at < ends_at)
    if scope.service_id is not None:
        query = query.where(EmptySearch.service_id == scope.service_id)
    if scope.location_id is not None:
        query = query.where(EmptySearch.location_id == scope.location_id)
    services, places = names.services(session), names.places(session)
    of = {each.id: each.name for each in session.scalars(select(Specialty))}
    rows: list[Row] = [
        (services[service_id], of.get(specialty_id or 0), places.get(place_id or 0), count)
        for service_id, specialty_id, place_id, count in session.execute(query.group_by(*wished))
    ]
    return sorted(rows, key=lambda row: (-row[3], row[0], row[1] or "", row[2] or ""))


@figure(
    N_("Waitlist"),
    N_(
        "Wishes: those that were written down in the period. Offered: times that freed and were offered to"
        " somebody who waits. Accepted: of these, taken. Recovered: the prices of the accepted visits that"
        " were not called off and were paid for where that was asked. Wishes name no place: a chosen one"
        " changes only what was offered."
    ),
    (N_("From"), Unit.STEP),
    (N_("Wishes"), Unit.COUNT),
    (N_("Offered"), Unit.COUNT),
    (N_("Accepted"), Unit.COUNT),
    (N_("Recovered"), Unit.MONEY),
)
def recovered(session: Session, scope: Scope) -> list[Row]:
    wishes, offers = _wishes(session, scope), _offers(session, scope)
    return [(step, wishes.get(step, 0), *offers.get(step, (0, 0, 0))) for step in scope.steps()]


def _most_offered(session: Session) -> int | None:
    """The active service that most doctors offer."""
    query = select(Service.id).join(DoctorService, DoctorService.service_id == Service.id)
    query = query.where(Service.is_active).group_by(Service.id).order_by(func.count().desc(), Service.id)
    return session.scalar(query.limit(1))


def _wishes(session: Session, scope: Scope) -> dict[date, int]:
    number = steps.number(session, scope, WaitlistEntry.created_at)
    query = select(number, func.count()).where(*steps.within(session, scope, WaitlistEntry.created_at))
    if scope.doctor_id is not None:
        query = query.where(WaitlistEntry.doctor_id == scope.doctor_id)
    if scope.service_id is not None:
        query = query.where(WaitlistEntry.service_id == scope.service_id)
    first = scope.steps()
    return {first[place - 1]: count for place, count in session.execute(query.group_by(number))}


def _offers(session: Session, scope: Scope) -> dict[date, tuple[int, int, int]]:
    number = steps.number(session, scope, WaitlistOffer.offered_at)
    is_accepted = WaitlistOffer.state == OfferState.ACCEPTED
    is_kept = is_accepted & Appointment.status.not_in(_GONE)
    query = select(
        number,
        func.count(),
        func.count().filter(is_accepted),
        func.coalesce(func.sum(Appointment.price_minor).filter(is_kept), 0),
    ).join(Appointment, Appointment.id == WaitlistOffer.appointment_id)
    query = query.where(
        *steps.within(session, scope, WaitlistOffer.offered_at),
        *(getattr(Appointment, name) == wanted for name, wanted in scope.filters.items()),
    )
    first = scope.steps()
    rows = session.execute(query.group_by(number))
    return {first[place - 1]: (offered, accepted, int(minor)) for place, offered, accepted, minor in rows}
