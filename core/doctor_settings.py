"""What a doctor is in the clinic, as an administrator sets it: specialties, services and their prices."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from core import access, clinics, setting_changes, titles, unsettled
from core.access import Action, Actor
from core.errors import NotFound
from core.i18n import money
from core.prices import PRICE_MINOR, PriceOutOfBounds
from core.set_up_errors import NameTaken, NoSuchService, NoSuchSpecialty
from core.setting_changes import ChangedMeanwhile, Subject
from db.models import Doctor, DoctorService, Service, Specialty, User, doctor_specialties


class Details(NamedTuple):
    """A doctor: specialties by number, in order; services with the own price in minor units, None for theirs.

    Not accepting patients: only the desk books. Not active: nobody does.
    """

    specialty_ids: tuple[int, ...]
    prices: tuple[tuple[int, int | None], ...]
    is_accepting_patients: bool
    is_active: bool


def all_of_them(session: Session, actor: Actor) -> list[Doctor]:
    """Every doctor with account, by name, also those who are not active."""
    access.require(actor, Action.CHANGE_SETTINGS)
    query = select(Doctor).join(Doctor.user).options(joinedload(Doctor.user)).order_by(User.name, Doctor.id)
    return list(session.scalars(query))


def details(session: Session, actor: Actor, *, doctor_id: int) -> Details:
    """A doctor as set up now. Raises `NotFound`, `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return _details(session, _doctor(session, doctor_id))


def change(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    wanted: Details,
    seen: Details,
    accepting: Collection[int] = (),
) -> Doctor:
    """Set what a doctor offers; what is booked already stays. `seen` is what the form was filled with.

    `accepting` are the visits that the person knows will be left over. Raises `ChangedMeanwhile`,
    `NoSuchService`, `NoSuchSpecialty`, `PriceOutOfBounds`, `LeavesVisits`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    doctor = _doctor(session, doctor_id, for_change=True)
    before = _details(session, doctor)
    if before != seen:
        raise ChangedMeanwhile
    checked = _checked(session, wanted)
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        doctor.is_accepting_patients, doctor.is_active = checked.is_accepting_patients, checked.is_active
        _write(session, doctor_id, before, checked)
    setting_changes.record(
        session,
        actor,
        Subject.DOCTOR,
        doctor_id,
        doctor.user.name,
        before=_named(session, before),
        after=_named(session, checked),
    )
    return doctor


def add_specialty(session: Session, actor: Actor, *, name: str) -> Specialty:
    """A new specialty. Raises `NameLeftOut`, `NameTooLong`, `NameUnreadable`, `NameTaken`, `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    given = titles.required(name)
    titles.require_free(session, Specialty.name, given, None)
    specialty = Specialty(name=given)
    try:
        with session.begin_nested():
            session.add(specialty)
            session.flush()
    except IntegrityError as error:  # two who give one name at once
        raise NameTaken from error
    setting_changes.record(
        session, actor, Subject.SPECIALTY, specialty.id, given, before=None, after={"name": given}
    )
    return specialty


def _doctor(session: Session, doctor_id: int, *, for_change: bool = False) -> Doctor:
    query = select(Doctor).where(Doctor.id == doctor_id).options(joinedload(Doctor.user))
    if for_change:
        query = query.with_for_update(of=Doctor).execution_options(populate_existing=True)
    doctor = session.scalar(query)
    if doctor is None:
        raise NotFound
    return doctor


def _details(session: Session, doctor: Doctor) -> Details:
    specialties = select(doctor_specialties.c.specialty_id).where(doctor_specialties.c.doctor_id == doctor.id)
    prices = session.execute(
        select(DoctorService.service_id, DoctorService.price_minor)
        .where(DoctorService.doctor_id == doctor.id)
        .order_by(DoctorService.service_id)
    )
    return Details(
        specialty_ids=tuple(sorted(session.scalars(specialties))),
        prices=tuple((service_id, price) for service_id, price in prices),
        is_accepting_patients=doctor.is_accepting_patients,
        is_active=doctor.is_active,
    )


def _checked(session: Session, wanted: Details) -> Details:
    prices: Mapping[int, int | None] = dict(wanted.prices)
    specialty_ids = tuple(sorted(set(wanted.specialty_ids)))
    services = set(session.scalars(select(Service.id).where(Service.id.in_(prices))))
    if services != set(prices):
        raise NoSuchService
    if set(session.scalars(select(Specialty.id).where(Specialty.id.in_(specialty_ids)))) != set(
        specialty_ids
    ):
        raise NoSuchSpecialty
    for price in prices.values():
        if price is not None and price not in PRICE_MINOR:
            currency = clinics.settings(session).currency
            raise PriceOutOfBounds(least=money(0, currency), most=money(PRICE_MINOR.stop - 1, currency))
    return wanted._replace(specialty_ids=specialty_ids, prices=tuple(sorted(prices.items())))


def _write(session: Session, doctor_id: int, before: Details, after: Details) -> None:
    """Write what differs. A service that stays keeps its row: bookings look at it meanwhile."""
    if before.specialty_ids != after.specialty_ids:
        session.execute(delete(doctor_specialties).where(doctor_specialties.c.doctor_id == doctor_id))
        if rows := [{"doctor_id": doctor_id, "specialty_id": each} for each in after.specialty_ids]:
            session.execute(insert(doctor_specialties), rows)
    old, new = dict(before.prices), dict(after.prices)
    gone = [service_id for service_id in old if service_id not in new]
    session.execute(
        delete(DoctorService).where(DoctorService.doctor_id == doctor_id, DoctorService.service_id.in_(gone))
    )
    for service_id, price in new.items():
        if service_id not in old:
            session.add(DoctorService(doctor_id=doctor_id, service_id=service_id, price_minor=price))
        elif old[service_id] != price:
            session.get_one(DoctorService, (doctor_id, service_id)).price_minor = price
    session.flush()


def _named(session: Session, details: Details) -> dict[str, object]:
    """The same in words, for the history: numbers say nothing there."""
    services = dict(session.execute(select(Service.id, Service.name)).all())
    specialties = dict(session.execute(select(Specialty.id, Specialty.name)).all())
    return {
        "specialties": sorted(specialties[each] for each in details.specialty_ids),
        "services": {services[number]: price for number, price in details.prices},
        "is_accepting_patients": details.is_accepting_patients,
        "is_active": details.is_active,
    }
